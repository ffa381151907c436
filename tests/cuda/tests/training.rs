//! Training on a device: losses, metrics and steps of optimizers are those of the host on the same numbers, and whole
//! trainings are those of the CPU.

use ndarray::{Array2, Array3};
use recurrent::{
    learner::{InputView, StepSeed, Values},
    losses::Loss,
    metrics::{Metric, Tally},
    params::Constraint,
    prelude::*,
    train::{Predictions, TargetView, optimizers::OptimizerState},
    trainable::{
        Clip, Figure, HostRule, LossTask, MetricTask, OutputGradient, Rule, Slot, Step, Trainable,
        Update, UpdateRule, UpdateTables,
    },
};
use recurrent_test_cuda::{device, numbers};

const STEPS: usize = 5;
const ROWS: usize = 7;

/// A model whose output is its input, and with it the gradient of the one that of the other.
fn mirror<M: Model + Learner>(mut model: M, features: usize, device: &Device) -> M {
    for (i, w) in model.weights_mut().iter_mut().enumerate() {
        let is_on_diagonal = i < features * features && i % (features + 1) == 0;
        *w = if is_on_diagonal { 1.0 } else { 0.0 };
    }
    model.want_input_gradient(true);
    model.to(device).unwrap()
}

/// Some steps are masked: all their numbers are zero.
fn input(features: usize, number: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    let random = numbers(ROWS * STEPS * features, 3);
    let each = random.chunks_exact(features).enumerate();
    each.flat_map(|(place, step)| {
        let is_masked = place % 4 == 1;
        let step = step.iter().enumerate();
        let step: Vec<f32> = step
            .map(|(i, &r)| if is_masked { 0.0 } else { number(place + i, r) })
            .collect();
        step
    })
    .collect()
}

fn logits(features: usize) -> Vec<f32> {
    input(features, |i, r| match i % 19 {
        7 => 40.0 * r,
        11 => 0.25,
        _ => 3.0 * r,
    })
}

/// Some of them are 0, 1 or beyond.
fn probabilities(features: usize) -> Vec<f32> {
    input(features, |i, r| match i % 17 {
        5 => 0.0,
        9 => 1.0,
        13 => 1.0 + 0.1 * r,
        _ => 0.5 + 0.5 * r,
    })
}

fn view(x: &[f32]) -> [InputView<'_>; 1] {
    [InputView {
        batch: ROWS,
        time: STEPS,
        values: Values::Floats(x),
    }]
}

fn same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            f == e || (f.is_nan() && e.is_nan()),
            "{what}: {f} for {e} at {i}"
        );
    }
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1e-30);
    let both_nan = found.is_nan() && expected.is_nan();
    assert!(
        both_nan || found == expected || error <= tolerance,
        "{what}: {found} for {expected}"
    );
}

fn value(figure: Figure, figures: &[f64]) -> f64 {
    match figure {
        Figure::Known(value) => value,
        Figure::Kept(index) => figures[index],
    }
}

/// Labels, and a share of every class.
fn targets(features: usize) -> (Vec<u32>, Vec<f32>) {
    let rows = ROWS * STEPS;
    let labels = (0..rows).map(|i| (i * 7 % features) as u32).collect();
    let mut shares: Vec<f32> = numbers(rows * features, 9)
        .iter()
        .map(|r| (0.5 * r + 0.5).max(0.2) - 0.2)
        .collect();
    for row in shares.chunks_exact_mut(features) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|s| *s /= sum.max(0.1));
    }
    (labels, shares)
}

fn all_losses() -> Vec<(Box<dyn Loss>, bool)> {
    vec![
        (Box::new(MeanSquaredError), true),
        (Box::new(MeanAbsoluteError), true),
        (Box::new(Huber { delta: 0.75 }), true),
        (Box::new(BinaryCrossentropy::from_logits()), true),
        (
            Box::new(BinaryCrossentropy {
                label_smoothing: 0.1,
                ..BinaryCrossentropy::default()
            }),
            false,
        ),
        (
            Box::new(CategoricalCrossentropy {
                label_smoothing: 0.1,
                ..CategoricalCrossentropy::from_logits()
            }),
            true,
        ),
        (Box::new(CategoricalCrossentropy::default()), false),
        (Box::new(SparseCategoricalCrossentropy::from_logits()), true),
        (Box::new(SparseCategoricalCrossentropy::default()), false),
    ]
}

/// Loss, gradient and metrics of one output, on the device and by the host's formulas.
fn score(model: &mut (impl Model + Learner), features: usize, spoilt: bool) {
    let (mut labels, shares) = targets(features);
    if spoilt {
        labels[2] = features as u32;
    }
    let weights: Vec<f32> = numbers(ROWS * STEPS, 5).iter().map(|w| w + 1.0).collect();
    let mut state = model.start_training(&[]).unwrap();
    for (number, (loss, from_logits)) in all_losses().iter().enumerate() {
        let mut x = match from_logits {
            true => logits(features),
            false => probabilities(features),
        };
        if spoilt {
            x[0] = f32::NAN;
        }
        let takes_labels = loss.targets() == recurrent::train::TargetKind::Labels;
        let targets = match takes_labels {
            true => TargetView::Labels(&labels),
            false => TargetView::Floats(&shares),
        };
        let weights = (number % 2 == 0).then_some(&weights[..]);
        let metrics = metrics(takes_labels, features);
        let kind = loss.targets();
        let tasks: Vec<MetricTask> = metrics
            .iter()
            .enumerate()
            .map(|(i, m)| MetricTask {
                rule: m.metric_rule(features, kind).unwrap(),
                weighted: i % 2 == 1,
            })
            .collect();
        let task = LossTask {
            rule: loss.rule().unwrap(),
            features,
            targets,
            weights,
            share: if number % 3 == 0 { 0.3 } else { 1.0 },
            metrics: &tasks,
        };
        let what = format!("{} of {features}, {number}", loss.name());
        Trainable::forward(model, &view(&x), StepSeed::default()).unwrap();
        let scored = model.loss(0, &task, true).unwrap().unwrap();
        let figures = model.figures().unwrap();
        Trainable::backward(model, &[OutputGradient::Kept], state.as_mut()).unwrap();
        // The host, with the same outputs.
        let output = Learner::output(model, 0).to_vec();
        if !spoilt {
            same(&output, &x, &what);
        }
        let mask = Learner::output_mask(model, 0).unwrap().to_vec();
        for (m, step) in mask.iter().zip(x.chunks_exact(features)) {
            assert_eq!(*m == 1.0, step.iter().any(|v| *v != 0.0), "{what}");
        }
        let rows = |weights| {
            let all = Predictions::new(&output, features, targets, weights).unwrap();
            all.masked(&mask).unwrap()
        };
        let mut gradient = vec![0.0; output.len()];
        let expected = loss.mean(&rows(weights), Some(&mut gradient)).unwrap();
        if task.share != 1.0 {
            gradient.iter_mut().for_each(|g| *g *= task.share as f32);
        }
        close(value(scored.loss, &figures), expected, 1e-14, &what);
        if !spoilt {
            same(model.input_gradient(0).unwrap(), &gradient, &what);
        }
        for ((i, metric), sums) in metrics.iter().enumerate().zip(&scored.metrics) {
            let [total, weight] = sums.unwrap().map(|f| value(f, &figures));
            let mut tally: Box<dyn Tally> = metric.start(features, kind).unwrap();
            tally.add(&rows(if i % 2 == 1 { weights } else { None }));
            close(
                total / weight,
                tally.result(),
                1e-14,
                &format!("{} ({what})", metric.name()),
            );
        }
    }
}

fn metrics(labels: bool, features: usize) -> Vec<Box<dyn Metric>> {
    let mut all: Vec<Box<dyn Metric>> = vec![Box::new(Accuracy)];
    match labels {
        true => {
            all.push(Box::new(SparseTopKCategoricalAccuracy { k: 2 }));
            all.push(Box::new(SparseCategoricalCrossentropy::from_logits()));
            all.push(Box::new(SparseCategoricalAccuracy));
        }
        false => {
            all.push(Box::new(TopKCategoricalAccuracy {
                k: features / 2 + 1,
            }));
            all.push(Box::new(BinaryAccuracy { threshold: 0.25 }));
            all.push(Box::new(MeanAbsoluteError));
            all.push(Box::new(CategoricalAccuracy));
        }
    }
    all
}

#[test]
fn losses_gradients_and_metrics_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let mut few = mirror(rnn_model!(Input(_, 5) -> Masking -> Dense(5)), 5, device);
    score(&mut few, 5, false);
    score(&mut few, 5, true);
    let mut many = mirror(rnn_model!(Input(_, 37) -> Masking -> Dense(37)), 37, device);
    score(&mut many, 37, false);
    let mut one = mirror(rnn_model!(Input(_, 1) -> Masking -> Dense(1)), 1, device);
    score(&mut one, 1, false);
}

#[test]
fn targets_of_another_length_are_an_error() {
    let Some(device) = device() else { return };
    let mut model = mirror(rnn_model!(Input(_, 5) -> Masking -> Dense(5)), 5, device);
    let x = logits(5);
    Trainable::forward(&mut model, &view(&x), StepSeed::default()).unwrap();
    let task = LossTask {
        rule: MeanSquaredError.rule().unwrap(),
        features: 5,
        targets: TargetView::Floats(&x[1..]),
        weights: None,
        share: 1.0,
        metrics: &[],
    };
    let error = model.loss(0, &task, true).unwrap_err().to_string();
    assert!(error.contains("targets"), "{error}");
    let weights = [1.0; 3];
    let task = LossTask {
        targets: TargetView::Floats(&x),
        weights: Some(&weights),
        ..task
    };
    let error = model.loss(0, &task, true).unwrap_err().to_string();
    assert!(error.contains("sample weights"), "{error}");
    // A batch in between: what the last one gave is still there, and it is no longer gone back over.
    let before = Learner::output(&model, 0).to_vec();
    let other = Array3::from_elem((2, 3, 5), 0.5f32);
    model.predict(&other).unwrap();
    same(Learner::output(&model, 0), &before, "output");
    let task = LossTask {
        weights: None,
        ..task
    };
    assert_eq!(model.loss(0, &task, true).unwrap(), None);
    let mut state = model.start_training(&[]).unwrap();
    let back = Trainable::backward(&mut model, &[OutputGradient::Zero], state.as_mut());
    assert!(back.is_err());
}

/// A parameter of every kind that an update has to do something about.
fn many() -> impl Model<Input = Sequence, Output = Array2<f32>> + Learner {
    rnn_model!(Input(_, 3)
        -> LSTM(4, kernel_regularizer = l1_l2(0.01, 0.02), recurrent_regularizer = l2(0.03),
            recurrent_constraint = unit_norm(axis = 1), bias_constraint = non_neg,
            kernel_constraint = max_norm(0.5))
        -> BatchNormalization
        -> Dense(6, kernel_constraint = min_max_norm(0.4, 0.9, 0.7), bias_regularizer = l1(0.1))
        -> Dense(5, kernel_constraint = unit_norm(axis = 0), trainable = false)
        -> Dense(70, name = "last"))
}

const NO_SLOT: [Slot; 0] = [];

fn slots(names: &[(&'static str, f32)]) -> Vec<Slot> {
    let slot = |&(name, initial)| Slot { name, initial };
    names.iter().map(slot).collect()
}

fn rules() -> Vec<(Rule, Vec<Slot>)> {
    let sgd = |momentum, nesterov| Rule::Sgd { momentum, nesterov };
    let rms = |momentum, centered| Rule::RmsProp {
        rho: 0.9,
        momentum,
        epsilon: 1e-7,
        centered,
    };
    let adam = Rule::Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
    };
    let (m, v, a) = (
        ("momentum", 0.0),
        ("velocity", 0.0),
        ("average_gradient", 0.0),
    );
    vec![
        (sgd(0.0, false), NO_SLOT.to_vec()),
        (sgd(0.9, false), slots(&[m])),
        (sgd(0.9, true), slots(&[m])),
        (rms(0.0, false), slots(&[v])),
        (rms(0.9, false), slots(&[v, m])),
        (rms(0.0, true), slots(&[v, a])),
        (rms(0.9, true), slots(&[v, m, a])),
        (adam, slots(&[m, v])),
        (adam, slots(&[m, v, ("velocity_hat", 0.0)])),
        (
            Rule::Adagrad { epsilon: 1e-7 },
            slots(&[("accumulator", 0.1)]),
        ),
    ]
}

/// Sign descent, of the user's own.
struct Own;

impl HostRule for Own {
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        for ((w, g), s) in weights.iter_mut().zip(gradients).zip(slots[0].iter_mut()) {
            *s += 1.0;
            *w -= step.learning_rate as f32 * g.signum() / *s;
        }
    }
}

/// Some steps of an update on the device and on the host, from the same gradients.
fn steps(
    model: &mut (impl Model + Learner),
    rule: UpdateRule<'_>,
    given: &[Slot],
    decay: Option<f64>,
    clip: Clip,
    penalties: bool,
    what: &str,
) {
    let x = numbers(ROWS * STEPS * 3, 21);
    let mut tables = UpdateTables::new(model.specs()).unwrap();
    let mut state = model.start_training(given).unwrap();
    let count = Learner::weights(model).len();
    let mut slots: Vec<Vec<f32>> = given.iter().map(|s| vec![s.initial; count]).collect();
    for number in 1..=3 {
        let d = numbers(ROWS * 70, number);
        let d: Vec<f32> = d.iter().map(|d| d * 3.0).collect();
        Trainable::forward(model, &view(&x), StepSeed::default()).unwrap();
        let mut gradients = vec![f32::NAN; count];
        Learner::backward(model, &[&d], &mut gradients).unwrap();
        Trainable::backward(model, &[OutputGradient::Host(&d)], state.as_mut()).unwrap();
        let update = Update {
            step: Step {
                number,
                learning_rate: 0.05 / number as f64,
            },
            rule,
            weight_decay: decay,
            clip,
            penalties,
        };
        let mut expected = Learner::weights(model).to_vec();
        tables
            .apply(&update, &mut expected, &mut gradients, &mut slots)
            .unwrap();
        model.apply(&update, state.as_mut()).unwrap();
        // Where sums are taken their order differs; all else has the same bits.
        let sums = matches!(clip, Clip::Norm(_) | Clip::GlobalNorm(_));
        let mut end = 0;
        for spec in model.specs() {
            let range = end..end + spec.len();
            end = range.end;
            let norms = spec.trainable && spec.constraint.is_some_and(|c| c != Constraint::NonNeg);
            let name = format!("{what}, step {number}: {}", spec.name);
            let found = &Learner::weights(model)[range.clone()];
            let expected = &expected[range.clone()];
            match (sums || norms) && !matches!(rule, UpdateRule::Own(_)) {
                true => found
                    .iter()
                    .zip(expected)
                    .for_each(|(f, e)| close((*f).into(), (*e).into(), 2e-6, &name)),
                false => same(found, expected, &name),
            }
            for (i, slot) in slots.iter().enumerate() {
                let found = &state.slot(i)[range.clone()];
                match sums {
                    true => found
                        .iter()
                        .zip(&slot[range.clone()])
                        .for_each(|(f, e)| close((*f).into(), (*e).into(), 2e-6, &name)),
                    false => same(found, &slot[range.clone()], &name),
                }
            }
        }
        for (i, slot) in slots.iter_mut().enumerate() {
            *slot = state.slot(i);
        }
    }
}

#[test]
fn steps_of_optimizers_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let mut model = many().to(device).unwrap();
    for (i, (rule, slots)) in rules().into_iter().enumerate() {
        let clip = [
            Clip::None,
            Clip::Value(0.05),
            Clip::Norm(0.3),
            Clip::GlobalNorm(0.5),
        ][i % 4];
        let decay = (i % 3 == 1).then_some(0.1);
        let what = format!("{rule:?}, {} slots, {clip:?}, {decay:?}", slots.len());
        steps(
            &mut model,
            UpdateRule::Keras(rule),
            &slots,
            decay,
            clip,
            i % 2 == 0,
            &what,
        );
    }
    let none = Rule::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    for (clip, decay) in [
        (Clip::Norm(f64::INFINITY), None),
        (Clip::GlobalNorm(1e9), Some(0.2)),
        (Clip::Value(0.1), None),
    ] {
        steps(
            &mut model,
            UpdateRule::Keras(none),
            &[],
            decay,
            clip,
            true,
            &format!("{clip:?}"),
        );
    }
    let own = slots(&[("count", 2.0)]);
    steps(
        &mut model,
        UpdateRule::Own(&Own),
        &own,
        Some(0.1),
        Clip::Norm(0.3),
        true,
        "own",
    );
    // Slots come and go.
    let mut state = model.start_training(&own).unwrap();
    assert!(state.set_slot(1, &state.slot(0)).is_err());
    assert!(state.set_slot(0, &[1.0]).is_err());
    let count = Learner::weights(&model).len();
    assert_eq!(state.slot(0), vec![2.0; count]);
    state.set_slot(0, &vec![3.0; count]).unwrap();
    assert_eq!(state.slot(0), vec![3.0; count]);
    // Those of the host, and those of a device.
    let mut cpu = many();
    let mut hosts = cpu.start_training(&[]).unwrap();
    assert!(Trainable::backward(&mut model, &[OutputGradient::Zero], hosts.as_mut()).is_err());
    assert!(Trainable::backward(&mut cpu, &[OutputGradient::Zero], state.as_mut()).is_err());
}

#[test]
fn penalties_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let make = || rnn_model!(Input(_, 3) -> LSTM(4, kernel_regularizer = l1_l2(0.01, 0.02), activity_regularizer = l1_l2(0.1, 0.3)) -> Dense(2));
    let (mut near, mut far) = (make(), make().to(device).unwrap());
    let x = numbers(ROWS * STEPS * 3, 4);
    for training in [true, false] {
        let run = |model: &mut dyn Learner| match training {
            true => model.forward(&view(&x), StepSeed::default()).unwrap(),
            false => model.infer(&view(&x)).unwrap(),
        };
        run(&mut near);
        run(&mut far);
        let all = [far.activity_penalty(), far.weight_penalty()];
        let figures = far.figures().unwrap();
        assert_eq!(figures.len(), 2);
        close(
            value(all[0], &figures),
            near.penalty().into(),
            1e-5,
            "activities",
        );
        assert_eq!(value(all[0], &figures), f64::from(far.penalty()));
        close(
            value(all[1], &figures),
            value(near.weight_penalty(), &[]),
            1e-12,
            "weights",
        );
    }
}

fn sequences() -> Dataset {
    // Padded at the end.
    let x = numbers(40 * 6 * 3, 1);
    let x = Array3::from_shape_fn((40, 6, 3), |(b, t, i)| match t < 3 + b % 4 {
        true => x[(b * 6 + t) * 3 + i],
        false => 0.0,
    });
    let y = Array2::from_shape_fn((40, 6), |(b, t)| {
        u32::from(x[[b, t, 0]] > 0.0) + u32::from(x[[b, t, 1]] > 0.3)
    });
    let weights: Vec<f32> = (0..40).map(|b| 0.5 + (b % 3) as f32).collect();
    Dataset::new(x, y).unwrap().sample_weight(weights).unwrap()
}

fn tagger() -> impl Model<Input = Sequence, Output = Array3<f32>> + Learner {
    rnn_model!(Input(_, 3) -> Masking -> GRU(6, return_sequences, dropout = 0.1, kernel_regularizer = l2(0.01))
        -> Dense(3))
}

fn fit(epochs: usize, from: usize) -> Fit<'static> {
    Fit {
        epochs,
        initial_epoch: from,
        batch_size: 16,
        validation_split: 0.25,
        class_weight: Some([(0, 1.0), (1, 2.0), (2, 1.5)].into()),
        verbose: Verbose::Silent,
        ..Fit::default()
    }
}

/// What a part of a training gives: figures, and the optimizer's state.
fn train(
    model: &mut (impl Model + Learner),
    part: Fit<'_>,
    before: Option<&OptimizerState>,
) -> (History, OptimizerState) {
    let mut trainer = Trainer::new(model)
        .optimizer(Adam::new(0.02).global_clipnorm(1.0).amsgrad(true))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .metric(Accuracy)
        .weighted_metric(SparseTopKCategoricalAccuracy { k: 2 })
        .metric(SparseCategoricalCrossentropy::from_logits());
    if let Some(state) = before {
        trainer.restore_optimizer(state).unwrap();
    }
    let history = trainer.fit(&sequences(), part).unwrap();
    let state = trainer.optimizer_state().unwrap();
    (history, state)
}

fn histories_agree(a: &History, b: &History) {
    let mut count = 0;
    for (a, b) in a.logs().iter().zip(b.logs()) {
        for ((name, a), (other, b)) in a.iter().zip(b.iter()) {
            assert_eq!(name, other);
            close(a, b, 1e-4, name);
            count += 1;
        }
    }
    assert!(count >= 8);
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|n| n.to_bits()).collect()
}

#[test]
fn a_training_is_that_of_the_cpu() {
    let Some(device) = device() else { return };
    let mut near = tagger();
    let (expected, _) = train(&mut near, fit(3, 0), None);
    let run = || {
        let mut far = tagger().to(device).unwrap();
        let (history, state) = train(&mut far, fit(3, 0), None);
        (history, bits(Learner::weights(&far)), state)
    };
    let (first, second) = (run(), run());
    histories_agree(&first.0, &expected);
    assert_eq!(first.1, second.1, "weights of two runs");
    assert!(first.2 == second.2, "slots of two runs");
    // CPU, device, CPU.
    let mut model = tagger();
    let (a, state) = train(&mut model, fit(1, 0), None);
    let mut model = model.to(device).unwrap();
    let (b, state) = train(&mut model, fit(2, 1), Some(&state));
    let mut model = model.to(&Device::cpu()).unwrap();
    let (c, _) = train(&mut model, fit(3, 2), Some(&state));
    let last = |h: &History| h.last("val_loss").unwrap();
    for (part, found) in [&a, &b, &c].into_iter().enumerate() {
        let expected = expected.get("val_loss")[part];
        close(last(found), expected, 1e-4, "val_loss");
    }
}

/// Sees the weights after every batch, and changes them once.
struct Meddle(Vec<Vec<f32>>);

impl Callback for Meddle {
    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.0.push(training.weights().to_vec());
        if self.0.len() == 2 {
            training.weights_mut()[0] = 0.5;
        }
        Ok(())
    }
}

/// A loss of the user's own.
struct Cubic;

impl Loss for Cubic {
    fn name(&self) -> &str {
        "cubic"
    }
    fn targets(&self) -> recurrent::train::TargetKind {
        recurrent::train::TargetKind::Floats
    }
    fn row(
        &self,
        prediction: &[f32],
        target: recurrent::train::Target<'_>,
        gradient: Option<&mut [f32]>,
    ) -> f64 {
        let recurrent::train::Target::Floats(target) = target else {
            return f64::NAN;
        };
        let error = |i: usize| f64::from(prediction[i]) - f64::from(target[i]);
        if let Some(gradient) = gradient {
            for (i, g) in gradient.iter_mut().enumerate() {
                *g = (3.0 * error(i) * error(i).abs()) as f32;
            }
        }
        (0..target.len()).map(|i| error(i).abs().powi(3)).sum()
    }
}

/// Two outputs, one of them with a loss of the user's own, and states that go on.
#[test]
fn callbacks_own_losses_and_states() {
    let Some(device) = device() else { return };
    let make = || {
        rnn_model! {
            struct Two {
                input x: [_, 3];
                let h = x -> LSTM(5, stateful);
                output a = h -> Dense(2);
                output b = h -> Dense(1);
                output c = h -> Dense(4);
            }
        }
        Two::new()
    };
    let x = numbers(12 * 4 * 3, 8);
    let x = Array3::from_shape_vec((12, 4, 3), x).unwrap();
    let y = Array2::from_shape_vec((12, 2), numbers(24, 2)).unwrap();
    let z = Array2::from_shape_vec((12, 1), numbers(12, 6)).unwrap();
    let data = Dataset::new(x, (y, z)).unwrap();
    fn run(model: &mut impl Learner, data: &Dataset) -> (History, Vec<Vec<f32>>) {
        let mut seen = Meddle(Vec::new());
        let fit = Fit {
            epochs: 2,
            batch_size: 4,
            shuffle: false,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let mut trainer = Trainer::new(model)
            .optimizer(
                RMSprop::new(0.01)
                    .momentum(0.5)
                    .centered(true)
                    .weight_decay(0.1),
            )
            .loss_for("a", Huber::default())
            .loss_for("b", Cubic)
            .no_loss_for("c")
            .loss_weight_for("a", 0.5)
            .metric_for("b", MeanAbsoluteError)
            .callback(&mut seen)
            .callback(TerminateOnNaN::default());
        let history = trainer.fit(data, fit).unwrap();
        drop(trainer);
        (history, seen.0)
    }
    let (mut near, mut far) = (make(), make().to(device).unwrap());
    let (expected, seen) = run(&mut near, &data);
    let (found, far_seen) = run(&mut far, &data);
    histories_agree(&found, &expected);
    assert_eq!((seen.len(), far_seen.len()), (6, 6));
    for (a, b) in seen.iter().flatten().zip(far_seen.iter().flatten()) {
        assert!((a - b).abs() < 1e-4, "{a}, {b}");
    }
    assert_eq!(bits(&far_seen[5]), bits(Learner::weights(&far)));
}

/// How often the host waits for the device in a training.
fn waits(stateful: bool, batch_size: usize, epochs: usize) -> u64 {
    // One that no other test uses.
    let device = Device::cuda(0).unwrap();
    let x = Array3::from_shape_vec((16, 4, 2), numbers(16 * 4 * 2, 8)).unwrap();
    let y = Array2::from_shape_fn((16, 1), |(b, _)| x[[b, 0, 0]]);
    let data = Dataset::new(x, y).unwrap();
    let fit = Fit {
        epochs,
        batch_size,
        shuffle: false,
        validation: Some(&data),
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let early = EarlyStopping::new("loss");
    fn run(mut model: impl Learner, data: &Dataset, fit: Fit<'_>, early: EarlyStopping) {
        let mut trainer = Trainer::new(&mut model)
            .optimizer(Adam::new(0.01).clipnorm(1.0))
            .loss(MeanSquaredError)
            .metric(MeanAbsoluteError)
            .callback(early);
        trainer.fit(data, fit).unwrap();
    }
    let before = device.waits();
    match stateful {
        true => {
            let model = rnn_model!(Input(_, 2) -> LSTM(3, stateful, activity_regularizer = l2(0.1)) -> Dense(1));
            run(model.to(&device).unwrap(), &data, fit, early);
        }
        false => {
            let model =
                rnn_model!(Input(_, 2) -> LSTM(3, kernel_regularizer = l2(0.1)) -> Dense(1));
            run(model.to(&device).unwrap(), &data, fit, early);
        }
    }
    device.waits() - before
}

#[test]
fn the_host_waits_once_an_epoch() {
    if device().is_none() {
        return;
    }
    for stateful in [false, true] {
        let (few, many) = (waits(stateful, 8, 2), waits(stateful, 2, 2));
        assert_eq!(few, many, "whatever the number of batches");
        // For the figures of training and of validation.
        assert_eq!(waits(stateful, 8, 3), few + 2);
    }
}

#[test]
fn nan_is_seen() {
    let Some(device) = device() else { return };
    let fit = || Fit {
        epochs: 3,
        batch_size: 4,
        shuffle: false,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let mut model = rnn_model!(Input(_, 2) -> GRU(3) -> Dense(1))
        .to(device)
        .unwrap();
    let x = Array3::from_elem((8, 3, 2), 0.25f32);
    let y = Array2::from_elem((8, 1), 0.5f32);
    // In the data: an error before anything has changed.
    let before = bits(Learner::weights(&model));
    for in_input in [true, false] {
        let (mut x, mut y) = (x.clone(), y.clone());
        match in_input {
            true => x[[5, 1, 0]] = f32::NAN,
            false => y[[5, 0]] = f32::NAN,
        }
        let data = Dataset::new(x, y).unwrap();
        let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
        let error = trainer.fit(&data, fit()).unwrap_err().to_string();
        assert!(error.contains("NaN in sample 5"), "{error}");
    }
    assert_eq!(bits(Learner::weights(&model)), before);
    // In a weight: the loss is NaN, which ends the training after a batch.
    Learner::weights_mut(&mut model)[0] = f32::NAN;
    let mut stop = TerminateOnNaN::default();
    let mut trainer = Trainer::new(&mut model)
        .loss(MeanSquaredError)
        .callback(&mut stop);
    let history = trainer.fit(&Dataset::new(x, y).unwrap(), fit()).unwrap();
    drop(trainer);
    assert!(history.last("loss").unwrap().is_nan());
    assert_eq!(history.logs().len(), 1, "it stops");
}
