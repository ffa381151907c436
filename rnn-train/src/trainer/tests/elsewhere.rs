//! A model whose numbers are on another thread, as those of a GPU are in another memory: it counts
//! what is copied to the host.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use super::*;
use crate::{
    callbacks::EarlyStopping,
    losses::{BinaryCrossentropy, Loss},
    metrics::{Accuracy, SparseTopKCategoricalAccuracy},
    optimizers::{Adagrad, AdamW, Optimizer, Options, Slot, Step},
    predictions::{Predictions, Target, TargetKind, argmax},
    tests::SPECS,
};
use rnn_runtime::{
    host::UpdateTables,
    learner::{InputView, KeptState, StepSeed, ValueSpec, Values},
    loss::{Figure, LossFigures, LossRule, LossTask, MetricRule, MetricTask, TargetView},
    params::{Constraint, Init, ParamSpec, Regularizer},
    trainable::{OutputGradient, TrainState, Trainable},
    update::{Update, UpdateRule},
};

/// How often numbers were copied to the host.
#[derive(Clone, Default)]
struct Fetches {
    weights: Arc<AtomicUsize>,
    gradients: Arc<AtomicUsize>,
    slots: Arc<AtomicUsize>,
    outputs: Arc<AtomicUsize>,
    figures: Arc<AtomicUsize>,
}

impl Fetches {
    fn all(&self) -> [usize; 4] {
        [&self.weights, &self.gradients, &self.slots, &self.outputs].map(|n| n.load(SeqCst))
    }
}

type Task = Box<dyn FnOnce(&mut Memory) + Send>;

/// What the other thread holds.
struct Memory {
    model: Linear,
    gradient: Vec<f32>,
    states: HashMap<usize, Numbers>,
    figures: Vec<f64>,
}

impl Memory {
    fn keep(&mut self, figure: f64) -> Figure {
        self.figures.push(figure);
        Figure::Kept(self.figures.len() - 1)
    }
}

/// Of one training.
struct Numbers {
    tables: UpdateTables,
    gradients: Vec<f32>,
    slots: Vec<Vec<f32>>,
}

/// The host's end: no number of the model is here.
struct Elsewhere {
    tasks: Sender<Task>,
    fetches: Fetches,
    /// Whether losses are computed over there.
    losses: bool,
}

/// The host's end of a [`Numbers`].
struct Handle {
    id: usize,
    tasks: Sender<Task>,
    fetches: Fetches,
}

/// Runs `task` over there and waits for its answer.
fn ask<T: Send + 'static>(
    tasks: &Sender<Task>,
    task: impl FnOnce(&mut Memory) -> T + Send + 'static,
) -> T {
    let (answer, wait) = channel();
    let run = move |memory: &mut Memory| answer.send(task(memory)).unwrap();
    tasks.send(Box::new(run)).unwrap();
    wait.recv().unwrap()
}

impl Elsewhere {
    fn new(model: Linear, losses: bool) -> Elsewhere {
        let (tasks, todo): (Sender<Task>, Receiver<Task>) = channel();
        thread::spawn(move || {
            let mut memory = Memory {
                model,
                gradient: Vec::new(),
                states: HashMap::new(),
                figures: Vec::new(),
            };
            todo.into_iter().for_each(|task| task(&mut memory));
        });
        Elsewhere {
            tasks,
            fetches: Fetches::default(),
            losses,
        }
    }

    fn run(
        &mut self,
        inputs: &[InputView<'_>],
        run: impl FnOnce(&mut Linear, &[InputView<'_>]) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let InputView { batch, time, .. } = inputs[0];
        let Values::Floats(values) = inputs[0].values else {
            return Err(Error::Argument("floats wanted".to_owned()));
        };
        let values = values.to_vec();
        ask(&self.tasks, move |memory| {
            let values = Values::Floats(&values);
            let input = InputView {
                batch,
                time,
                values,
            };
            run(&mut memory.model, &[input])
        })
    }

    fn handle(state: &mut dyn TrainState) -> &mut Handle {
        let state: &mut dyn std::any::Any = state;
        state.downcast_mut().unwrap()
    }
}

impl TrainState for Handle {
    fn slot(&self, index: usize) -> Vec<f32> {
        self.fetches.slots.fetch_add(1, SeqCst);
        let id = self.id;
        ask(&self.tasks, move |memory| {
            memory.states[&id].slots[index].clone()
        })
    }

    fn set_slot(&mut self, index: usize, values: &[f32]) -> Result<(), Error> {
        let (id, values) = (self.id, values.to_vec());
        ask(&self.tasks, move |memory| {
            memory.states.get_mut(&id).unwrap().slots[index] = values;
        });
        Ok(())
    }
}

impl Trainable for Elsewhere {
    fn params(&self) -> &'static [ParamSpec] {
        ask(&self.tasks, |memory| memory.model.specs())
    }
    fn inputs(&self) -> &'static [ValueSpec] {
        ask(&self.tasks, |memory| Learner::inputs(&memory.model))
    }
    fn outputs(&self) -> &'static [ValueSpec] {
        ask(&self.tasks, |memory| Learner::outputs(&memory.model))
    }
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        self.run(inputs, move |model, inputs| {
            Learner::forward(model, inputs, seed)
        })
    }
    fn predict(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        self.run(inputs, |model, inputs| model.infer(inputs))
    }
    fn output(&self, index: usize) -> Cow<'_, [f32]> {
        self.fetches.outputs.fetch_add(1, SeqCst);
        let output = move |memory: &mut Memory| Learner::output(&memory.model, index).to_vec();
        ask(&self.tasks, output).into()
    }
    fn weight_penalty(&mut self) -> Figure {
        let cost = |memory: &mut Memory| {
            let Figure::Known(cost) = memory.model.weight_penalty() else {
                panic!("on a device");
            };
            memory.keep(cost)
        };
        ask(&self.tasks, cost)
    }
    fn figures(&mut self) -> Result<Vec<f64>, Error> {
        self.fetches.figures.fetch_add(1, SeqCst);
        ask(&self.tasks, |memory| {
            Ok(std::mem::take(&mut memory.figures))
        })
    }

    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        let (LossRule::SparseCategoricalCrossentropy { from_logits }, TargetView::Labels(labels)) =
            (task.rule, task.targets)
        else {
            return Ok(None);
        };
        if !self.losses {
            return Ok(None);
        }
        assert_eq!((task.share, task.weights.is_none()), (1.0, true));
        let (labels, features) = (labels.to_vec(), task.features);
        let metrics = task.metrics.to_vec();
        ask(&self.tasks, move |memory| {
            let output = Learner::output(&memory.model, index);
            let predictions =
                Predictions::new(output, features, TargetView::Labels(&labels), None)?;
            let loss = SparseCategoricalCrossentropy { from_logits };
            memory.gradient.resize(output.len(), 0.0);
            let loss = loss.mean(&predictions, gradient.then_some(&mut memory.gradient[..]))?;
            // It knows one metric.
            let right = labels.iter().zip(output.chunks_exact(features));
            let right = right.filter(|(label, row)| argmax(row) == **label as usize);
            let (right, rows) = (right.count() as f64, labels.len() as f64);
            let loss = memory.keep(loss);
            let sums = |metric: &MetricTask| {
                let known = metric.rule == MetricRule::SparseCategoricalAccuracy;
                known.then(|| [right, rows].map(|sum| memory.keep(sum)))
            };
            Ok(Some(LossFigures {
                loss,
                metrics: metrics.iter().map(sums).collect(),
            }))
        })
    }

    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error> {
        let tables = UpdateTables::new(self.params())?;
        let slot = |slot: &Slot| vec![slot.initial; tables.weights()];
        let slots = slots.iter().map(slot).collect();
        let id = ask(&self.tasks, |memory| {
            let id = memory.states.len();
            let gradients = vec![0.0; tables.weights()];
            let numbers = Numbers {
                tables,
                gradients,
                slots,
            };
            memory.states.insert(id, numbers);
            id
        });
        Ok(Box::new(Handle {
            id,
            tasks: self.tasks.clone(),
            fetches: self.fetches.clone(),
        }))
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error> {
        let id = Self::handle(state).id;
        let given = match outputs {
            [OutputGradient::Host(gradient)] => Some(gradient.to_vec()),
            [OutputGradient::Kept] => None,
            _ => panic!("{outputs:?}"),
        };
        ask(&self.tasks, move |memory| {
            let gradient = given.as_ref().unwrap_or(&memory.gradient);
            let numbers = memory.states.get_mut(&id).unwrap();
            Learner::backward(&mut memory.model, &[gradient], &mut numbers.gradients)
        })
    }

    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error> {
        let id = Self::handle(state).id;
        let Update {
            step,
            weight_decay,
            clip,
            penalties,
            ..
        } = *update;
        let rule = match update.rule {
            UpdateRule::Keras(rule) => rule,
            // All numbers travel.
            UpdateRule::Own(_) => {
                self.fetches.weights.fetch_add(1, SeqCst);
                self.fetches.gradients.fetch_add(1, SeqCst);
                self.fetches.slots.fetch_add(1, SeqCst);
                let (mut weights, mut gradients, mut slots) = ask(&self.tasks, move |memory| {
                    let numbers = &memory.states[&id];
                    let weights = Learner::weights(&memory.model).to_vec();
                    (weights, numbers.gradients.clone(), numbers.slots.clone())
                });
                let mut tables = UpdateTables::new(self.params())?;
                tables.apply(update, &mut weights, &mut gradients, &mut slots)?;
                ask(&self.tasks, move |memory| {
                    memory.model.weights_mut().copy_from_slice(&weights);
                    memory.states.get_mut(&id).unwrap().slots = slots;
                });
                return Ok(());
            }
        };
        ask(&self.tasks, move |memory| {
            let update = Update {
                step,
                rule: UpdateRule::Keras(rule),
                weight_decay,
                clip,
                penalties,
            };
            let numbers = memory.states.get_mut(&id).unwrap();
            numbers.tables.apply(
                &update,
                memory.model.weights_mut(),
                &mut numbers.gradients,
                &mut numbers.slots,
            )
        })
    }

    fn weights(&self) -> Cow<'_, [f32]> {
        self.fetches.weights.fetch_add(1, SeqCst);
        let weights = |memory: &mut Memory| Learner::weights(&memory.model).to_vec();
        ask(&self.tasks, weights).into()
    }
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        let weights = weights.to_vec();
        ask(&self.tasks, move |memory| {
            memory.model.set_weights(&weights)
        })
    }
    fn set_states(&mut self, states: &[KeptState]) -> Result<(), Error> {
        assert!(states.is_empty());
        Ok(())
    }
}

/// A parameter of each kind that an update has to do something about.
const PARAMS: [ParamSpec; 3] = [
    ParamSpec {
        regularizer: Regularizer { l1: 0.01, l2: 0.02 },
        constraint: Some(Constraint::MaxNorm {
            max: 1.5,
            axis: &[0],
        }),
        ..SPECS[0]
    },
    SPECS[1],
    ParamSpec::new("dense/bias", &[3], Init::Zeros),
];

fn model() -> Linear {
    Linear::new(1).with_params(&PARAMS)
}

type Bits = Vec<u32>;

fn bits(numbers: &[f32]) -> Bits {
    numbers.iter().map(|n| n.to_bits()).collect()
}

/// What training ends with: weights, the optimizer's memory, and the last loss.
fn train<M: Trainable + Counting>(
    model: &mut M,
    optimizer: impl Optimizer + 'static,
    loss: impl Loss + 'static,
) -> (u64, crate::optimizers::OptimizerState, [usize; 4]) {
    let mut trainer = Trainer::new(model).optimizer(optimizer).loss(loss);
    let history = trainer.fit(&dataset(100), quiet(3)).unwrap();
    let fetches = trainer.model.fetches();
    let loss = history.last("loss").unwrap().to_bits();
    (loss, trainer.optimizer_state().unwrap(), fetches)
}

trait Counting {
    fn fetches(&self) -> [usize; 4];
}

impl Counting for Elsewhere {
    fn fetches(&self) -> [usize; 4] {
        self.fetches.all()
    }
}

impl Counting for Linear {
    fn fetches(&self) -> [usize; 4] {
        [0; 4]
    }
}

/// Batches of 32 in 100 samples, three epochs.
const STEPS: usize = 12;

#[test]
fn no_weight_gradient_or_slot_leaves_the_device() {
    macro_rules! check {
        ($($optimizer:expr),* $(,)?) => {$(
            let mut here = model();
            let direct = train(&mut here, $optimizer, sparse());
            for losses in [false, true] {
                let mut there = Elsewhere::new(model(), losses);
                let far = train(&mut there, $optimizer, sparse());
                assert_eq!((far.0, &far.1), (direct.0, &direct.1), stringify!($optimizer));
                assert_eq!(far.2[..3], [0; 3], "weights, gradients, slots");
                // The sample that tells whether data and model go together, then every step.
                assert_eq!(far.2[3], if losses { 1 } else { 1 + STEPS });
                assert_eq!(there.fetches.figures.load(SeqCst), 3, "once an epoch");
                assert_eq!(bits(&there.weights()), bits(Learner::weights(&here)));
            }
        )*};
    }
    check!(
        SGD::new(0.1).momentum(0.9).nesterov(true).clipvalue(0.02),
        SGD::new(0.1),
        RMSprop::default()
            .momentum(0.5)
            .centered(true)
            .clipnorm(0.1),
        RMSprop::default().weight_decay(0.1),
        Adam::new(0.05).amsgrad(true).global_clipnorm(0.1),
        AdamW::new(ExponentialDecay::new(0.1, 5, 0.5)),
        Adagrad::new(0.1),
    );
    // Constraint and regularizer had something to do.
    let mut free = Linear::new(1);
    let mut held = model();
    let (a, b) = (
        train(&mut free, Adagrad::new(0.1), sparse()),
        train(&mut held, Adagrad::new(0.1), sparse()),
    );
    assert_ne!(a.0, b.0);
}

/// What a user writes: a rule and a loss that exist as host code only.
struct SignSgd;

impl Optimizer for SignSgd {
    fn name(&self) -> &str {
        "sign_sgd"
    }
    fn options(&self) -> Options {
        Options {
            learning_rate: 0.01.into(),
            clipvalue: Some(0.05),
            ..Options::default()
        }
    }
    fn slots(&self) -> Vec<Slot> {
        vec![Slot {
            name: "count",
            initial: 2.0,
        }]
    }
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        let rate = step.learning_rate as f32;
        let slots = slots[0].iter_mut();
        for ((w, g), s) in weights.iter_mut().zip(gradients).zip(slots) {
            *s += 1.0;
            *w -= rate * g.signum() / *s;
        }
    }
}

struct Margin;

impl Loss for Margin {
    fn name(&self) -> &str {
        "margin"
    }
    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }
    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        let Target::Label(label) = target else {
            return f64::NAN;
        };
        if let Some(gradient) = gradient {
            gradient.fill(0.5);
            gradient[label as usize] = -1.0;
        }
        let all: f32 = prediction.iter().sum();
        f64::from(0.5 * all - 1.5 * prediction[label as usize])
    }
}

#[test]
fn rules_and_losses_of_the_user_see_copies() {
    let mut here = model();
    let direct = train(&mut here, SignSgd, Margin);
    let mut there = Elsewhere::new(model(), true);
    let far = train(&mut there, SignSgd, Margin);
    assert_eq!((far.0, &far.1), (direct.0, &direct.1));
    assert_eq!(far.2, [STEPS, STEPS, STEPS, 1 + STEPS]);
    assert_eq!(bits(&there.weights()), bits(Learner::weights(&here)));
    // A loss of ours that this device leaves to the host.
    let binary = BinaryCrossentropy::from_logits();
    let data = || {
        let (points, labels) = clouds(60);
        let one_hot: Vec<f32> = (labels.iter())
            .flat_map(|&label| (0..3).map(move |class| f32::from(class == label)))
            .collect();
        let column = |values, width| Column::floats(values, &[60, width]).unwrap();
        Dataset::new(column(points, 2), column(one_hot, 3)).unwrap()
    };
    let (mut here, mut there) = (model(), Elsewhere::new(model(), true));
    let a = Trainer::new(&mut here).loss(binary).fit(&data(), quiet(2));
    let b = Trainer::new(&mut there).loss(binary).fit(&data(), quiet(2));
    assert_eq!(a.unwrap().get("loss"), b.unwrap().get("loss"));
    assert_eq!(bits(&there.weights()), bits(Learner::weights(&here)));
}

#[test]
fn metrics_that_the_device_knows_need_no_outputs() {
    fn fit<M: Trainable>(model: &mut M, both: bool) -> History {
        let mut trainer = Trainer::new(model).loss(sparse()).metric(Accuracy);
        if both {
            trainer = trainer.metric(SparseTopKCategoricalAccuracy { k: 2 });
        }
        trainer.fit(&dataset(100), quiet(3)).unwrap()
    }
    for both in [false, true] {
        let (mut here, mut there) = (model(), Elsewhere::new(model(), true));
        let (near, far) = (fit(&mut here, both), fit(&mut there, both));
        for (near, far) in near.logs().iter().zip(far.logs()) {
            assert_eq!(near.to_string(), far.to_string());
        }
        assert!(near.last("accuracy").unwrap() > 0.0);
        // Those of the sample that tells whether data and model go together.
        let outputs = if both { 1 + STEPS } else { 1 };
        assert_eq!(there.fetches.all()[3], outputs);
    }
}

/// Looks at the weights at some times only, and changes them.
struct Halve;

impl Callback for Halve {
    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let before = training.weights()[0];
        training.weights_mut()[0] *= 0.5;
        assert_eq!(training.weights()[0], 0.5 * before);
        Ok(())
    }
}

#[test]
fn callbacks_see_and_change_weights() {
    let early = || EarlyStopping {
        restore_best_weights: true,
        patience: 1,
        ..EarlyStopping::new("loss")
    };
    let (mut here, mut there) = (model(), Elsewhere::new(model(), true));
    fn fit<M: Trainable>(model: &mut M, early: EarlyStopping) {
        let mut trainer = Trainer::new(model)
            .loss(sparse())
            .callback(Halve)
            .callback(early);
        trainer.fit(&dataset(100), quiet(3)).unwrap();
    }
    fit(&mut here, early());
    fit(&mut there, early());
    // Once an epoch for `Halve`, once for the best of them.
    assert_eq!(there.fetches.all()[0], 6);
    assert_eq!(bits(&there.weights()), bits(Learner::weights(&here)));
}

#[test]
fn an_optimizer_goes_on_elsewhere() {
    let (mut here, mut there) = (model(), Elsewhere::new(model(), true));
    let state = {
        let mut trainer = Trainer::new(&mut here)
            .loss(sparse())
            .optimizer(Adam::new(0.1));
        trainer.fit(&dataset(100), quiet(2)).unwrap();
        trainer.optimizer_state().unwrap()
    };
    there.set_weights(Learner::weights(&here)).unwrap();
    let rest = Fit {
        initial_epoch: 2,
        ..quiet(4)
    };
    let mut trainer = Trainer::new(&mut there)
        .loss(sparse())
        .optimizer(Adam::new(0.1));
    trainer.restore_optimizer(&state).unwrap();
    trainer.fit(&dataset(100), rest).unwrap();
    let mut whole = model();
    let mut trainer = Trainer::new(&mut whole)
        .loss(sparse())
        .optimizer(Adam::new(0.1));
    trainer.fit(&dataset(100), quiet(4)).unwrap();
    let differ = |a: &[f32], b: &[f32]| bits(&a[..6]) != bits(&b[..6]);
    assert!(!differ(&there.weights(), Learner::weights(&whole)));
    assert!(differ(&there.weights(), Learner::weights(&here)));
}
