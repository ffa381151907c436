//! The step of an optimizer on the device: `../kernels/optimize.cuh`.

use std::sync::{Arc, Mutex, PoisonError};

use rnn_tables::Form;

use super::{Engine, Room};
use crate::cuda::{
    device::CudaDevice,
    layout::int,
    operations::TRAINING,
    parameters::{
        Constrain, Doubles, Floats, GradientSquares, ParameterSums, UpdateChunk, UpdateChunks,
        UpdateWeights, WeightCosts, Words,
    },
    slice::Slice,
};
use crate::{
    error::Error,
    loss::Figure,
    params::{Constraint, ParamSpec},
    update::{Clip, Rule, Slot, Step, TrainState, Update, UpdateRule},
};

/// Weights of a chunk.
const CHUNK: usize = 4096;

/// What an update has to know of the parameters, on the device.
pub(super) struct Tables {
    chunks: Slice<UpdateChunk>,
    count: usize,
    /// The first chunk of each trained parameter, and where the last ends.
    starts: Slice<u32>,
    parameters: usize,
    constrained: Vec<Constrained>,
    penalized: bool,
    /// One number for each chunk, then one for each parameter.
    sums: Slice<f64>,
}

/// A parameter whose norms are held.
struct Constrained {
    from: usize,
    places: Slice<u32>,
    norms: usize,
    members: usize,
    constraint: Constraint,
}

impl Tables {
    fn new(device: &CudaDevice, params: &[ParamSpec]) -> Result<Tables, Error> {
        let (mut chunks, mut starts) = (Vec::new(), vec![0]);
        let (mut constrained, mut penalized) = (Vec::new(), false);
        let mut end = 0;
        for param in params {
            let from = end;
            end += param.len();
            int(end, "weights")?;
            if !param.trainable || param.is_empty() {
                continue;
            }
            penalized |= !param.regularizer.is_none();
            let non_negative = param.constraint == Some(Constraint::NonNeg);
            for first in (from..end).step_by(CHUNK) {
                chunks.push(UpdateChunk {
                    from: first as u32,
                    count: (end - first).min(CHUNK) as u32,
                    parameter: starts.len() as u32 - 1,
                    non_negative: non_negative.into(),
                    l1: param.regularizer.l1,
                    l2: param.regularizer.l2,
                });
            }
            starts.push(chunks.len() as u32);
            if let Some(constraint) = param.constraint {
                constrained.extend(Constrained::new(device, from, param.shape, constraint)?);
            }
        }
        let parameters = starts.len() - 1;
        let mut on_device = Tables {
            chunks: device.room(chunks.len(), "the table of trained weights")?,
            count: chunks.len(),
            starts: device.room(starts.len(), "the table of trained weights")?,
            parameters,
            constrained,
            penalized,
            sums: device.room(chunks.len() + parameters, "the sums of gradients")?,
        };
        device.upload(&chunks, &mut on_device.chunks)?;
        device.upload(&starts, &mut on_device.starts)?;
        Ok(on_device)
    }

    /// The chunks, and where their sums go.
    fn chunks(&self, device: &CudaDevice) -> (UpdateChunks, Doubles) {
        let chunks = UpdateChunks(device.address(&self.chunks));
        (chunks, Doubles(device.address(&self.sums)))
    }
}

impl Constrained {
    /// `None` if the constraint is not about norms.
    fn new(
        device: &CudaDevice,
        from: usize,
        shape: &[usize],
        constraint: Constraint,
    ) -> Result<Option<Constrained>, Error> {
        let axis = match constraint {
            Constraint::NonNeg => return Ok(None),
            Constraint::MaxNorm { axis, .. }
            | Constraint::MinMaxNorm { axis, .. }
            | Constraint::UnitNorm { axis } => axis,
        };
        // A weight is at the sum of the place of its norm and that of its member.
        let (mut norms, mut members) = (vec![0], vec![0]);
        let mut stride: usize = shape.iter().product();
        for (place, &size) in shape.iter().enumerate() {
            stride /= size;
            let places = match axis.contains(&place) {
                true => &mut members,
                false => &mut norms,
            };
            let all = places.iter();
            *places = all
                .flat_map(|start| (0..size).map(move |i| start + (i * stride) as u32))
                .collect();
        }
        let (count, each) = (norms.len(), members.len());
        norms.extend(members);
        let mut places = device.room(norms.len(), "the table of a constraint")?;
        device.upload(&norms, &mut places)?;
        Ok(Some(Constrained {
            from,
            places,
            norms: count,
            members: each,
            constraint,
        }))
    }

    fn apply(&self, device: &CudaDevice, weights: Floats) -> Result<(), Error> {
        let (kind, min, max, rate) = match self.constraint {
            Constraint::NonNeg => return Ok(()),
            Constraint::MaxNorm { max, .. } => (0, 0.0, max, 0.0),
            Constraint::MinMaxNorm { min, max, rate, .. } => (1, min, max, rate),
            Constraint::UnitNorm { .. } => (2, 0.0, 0.0, 0.0),
        };
        let lanes = self.norms.next_power_of_two().min(32);
        let constrain = Constrain {
            weights: weights.after(self.from),
            places: Words(device.address(&self.places)),
            norms: self.norms as u32,
            members: self.members as u32,
            lanes: lanes as u32,
            kind,
            min: min.into(),
            max: max.into(),
            rate: rate.into(),
        };
        device.run(&constrain, (self.norms.div_ceil(lanes) as u32, 1, 1))
    }
}

/// Gradients and slots on a device.
pub struct DeviceState {
    device: Arc<CudaDevice>,
    gradients: Room<f32>,
    slots: Vec<Slice<f32>>,
    /// How many weights there are.
    len: usize,
    /// What went wrong in a call that cannot return an error.
    failed: Mutex<Option<Error>>,
}

impl DeviceState {
    /// `state`, if it is one of a device.
    ///
    /// # Errors
    /// [`Error::Argument`] if it belongs to another kind of model.
    pub fn of(state: &mut dyn TrainState) -> Result<&mut DeviceState, Error> {
        let state: &mut dyn std::any::Any = state;
        let state: &mut DeviceState = state.downcast_mut().ok_or_else(elsewhere)?;
        state.take_error()?;
        Ok(state)
    }

    /// A copy of the gradients.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn gradients(&mut self) -> Result<Vec<f32>, Error> {
        let mut gradients = vec![0.0; self.len];
        let from = self.gradients.of(&self.device, self.len)?;
        self.device.download(from, &mut gradients)?;
        Ok(gradients)
    }

    /// A copy of all slots.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn slots(&self) -> Result<Vec<Vec<f32>>, Error> {
        let copy = |slot: &Slice<f32>| {
            let mut numbers = vec![0.0; self.len];
            self.device.download(slot, &mut numbers)?;
            Ok(numbers)
        };
        self.slots.iter().map(copy).collect()
    }

    fn check_len(&self, found: usize) -> Result<(), Error> {
        if found == self.len {
            return Ok(());
        }
        Err(Error::Shape {
            what: "slot".to_owned(),
            expected: format!("[{}]", self.len),
            found: format!("[{found}]"),
        })
    }
}

fn elsewhere() -> Error {
    let message = "gradients and slots are of a model that is not on this device";
    Error::Argument(message.to_owned())
}

impl TrainState for DeviceState {
    fn slot(&self, index: usize) -> Vec<f32> {
        let Some(slot) = self.slots.get(index) else {
            return Vec::new();
        };
        let mut numbers = vec![0.0; self.len];
        if let Err(e) = self.device.download(slot, &mut numbers) {
            numbers.fill(f32::NAN);
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
        }
        numbers
    }

    fn set_slot(&mut self, index: usize, values: &[f32]) -> Result<(), Error> {
        self.check_len(values.len())?;
        let count = self.slots.len();
        match self.slots.get_mut(index) {
            Some(slot) => self.device.upload(values, slot),
            None => Err(Error::Shape {
                what: "slots".to_owned(),
                expected: format!("[{count}]"),
                found: format!("number {index}"),
            }),
        }
    }

    fn take_error(&self) -> Result<(), Error> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map_or(Ok(()), Err)
    }
}

/// The numbers of a rule: which kernel, and its options.
#[derive(Default)]
struct Numbers {
    rule: i32,
    slots: usize,
    rate: f32,
    momentum: f32,
    rho: f32,
    rest_1: f32,
    rest_2: f32,
    epsilon: f32,
}

/// The options of a rule in a step, rounded as on the host.
fn numbers(rule: Rule, step: Step, slots: usize) -> Numbers {
    let rate = step.learning_rate;
    match rule {
        Rule::Sgd { momentum, nesterov } => Numbers {
            rule: match slots {
                0 => 0,
                _ if nesterov => 2,
                _ => 1,
            },
            slots: slots.min(1),
            rate: rate as f32,
            momentum: momentum as f32,
            ..Numbers::default()
        },
        Rule::RmsProp {
            rho,
            momentum,
            epsilon,
            centered,
        } => {
            let (rule, slots) = match slots {
                3 => (6, 3),
                2 if centered => (5, 2),
                2 => (4, 2),
                _ => (3, 1),
            };
            Numbers {
                rule,
                slots,
                rate: rate as f32,
                momentum: momentum as f32,
                rho: rho as f32,
                rest_1: (1.0 - rho) as f32,
                epsilon: epsilon as f32,
                ..Numbers::default()
            }
        }
        Rule::Adam {
            beta_1,
            beta_2,
            epsilon,
        } => {
            let t = step.number as f64;
            // In f64: 1 - 0.999^t has lost four digits in f32.
            let correction = (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
            Numbers {
                rule: if slots == 3 { 8 } else { 7 },
                slots: slots.clamp(2, 3),
                rate: (rate * correction) as f32,
                rest_1: (1.0 - beta_1) as f32,
                rest_2: (1.0 - beta_2) as f32,
                epsilon: epsilon as f32,
                ..Numbers::default()
            }
        }
        Rule::Adagrad { epsilon } => Numbers {
            rule: 9,
            slots: 1,
            rate: rate as f32,
            epsilon: epsilon as f32,
            ..Numbers::default()
        },
    }
}

impl Engine {
    fn tables(&mut self) -> Result<&Tables, Error> {
        if self.tables.is_none() {
            let tables = Tables::new(self.device(), self.params())?;
            self.tables = Some(tables);
        }
        match &self.tables {
            Some(tables) => Ok(tables),
            None => unreachable!("they have just been made"),
        }
    }

    /// Room for gradients and slots.
    ///
    /// # Errors
    /// [`Error::Device`] if the device has no room.
    pub fn start_training(&self, slots: &[Slot]) -> Result<DeviceState, Error> {
        let (device, len) = (self.device(), self.weights_len());
        device.prepare(&TRAINING)?;
        let room = |slot: &Slot| {
            let mut numbers = device.room(len, "the optimizer's slots")?;
            device.upload(&vec![slot.initial; len], &mut numbers)?;
            Ok(numbers)
        };
        Ok(DeviceState {
            device: Arc::clone(device),
            gradients: Room::new("the gradients"),
            slots: slots.iter().map(room).collect::<Result<_, Error>>()?,
            len,
            failed: Mutex::default(),
        })
    }

    /// An error unless `state` is of a model like this on the same device.
    fn owns(&self, state: &DeviceState) -> Result<(), Error> {
        match Arc::ptr_eq(&state.device, self.device()) && state.len == self.weights_len() {
            true => Ok(()),
            false => Err(elsewhere()),
        }
    }

    /// The backward pass of the batch: gradients go to `state`.
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Argument`] if `state` is of another model.
    pub fn run_backward(
        &mut self,
        state: &mut DeviceState,
        input_gradient: bool,
    ) -> Result<(), Error> {
        self.owns(state)?;
        self.swap_gradients(&mut state.gradients);
        let done = self.run(Form::Backward, input_gradient, false);
        self.swap_gradients(&mut state.gradients);
        done.map(drop)
    }

    /// Keeps what the penalties of the weights cost.
    ///
    /// # Errors
    /// [`Error::Device`] if a kernel does not start.
    pub fn keep_weight_penalty(&mut self) -> Result<Figure, Error> {
        let device = Arc::clone(self.device());
        let weights = self.weights_address();
        let tables = self.tables()?;
        if !tables.penalized {
            return Ok(Figure::Known(0.0));
        }
        let (chunks, to) = tables.chunks(&device);
        let count = tables.count;
        let costs = WeightCosts {
            weights,
            chunks,
            to,
        };
        device.run(&costs, (count as u32, 1, 1))?;
        self.keep_total(to, count, 1.0, false)
    }

    /// One step of an optimizer by one of Keras's rules.
    ///
    /// # Errors
    /// [`Error::Argument`] if `state` is of another model, or has too few slots.
    pub fn apply(&mut self, update: &Update<'_>, state: &mut DeviceState) -> Result<(), Error> {
        self.owns(state)?;
        let UpdateRule::Keras(rule) = update.rule else {
            return Err(Error::Argument(
                "a rule of host code cannot run on a device".to_owned(),
            ));
        };
        let numbers = numbers(rule, update.step, state.slots.len());
        if numbers.slots > state.slots.len() {
            return Err(Error::Argument(format!(
                "{rule:?} needs {} slots, there are {}",
                numbers.slots,
                state.slots.len()
            )));
        }
        let device = Arc::clone(self.device());
        let (weights, len) = (self.weights_address(), self.weights_len());
        let gradients = Floats(device.address(state.gradients.of(&device, len)?));
        let tables = self.tables()?;
        if tables.count == 0 {
            return Ok(());
        }
        let (chunks, sums) = tables.chunks(&device);
        let squares = sums.after(tables.count);
        let penalties = i32::from(update.penalties && tables.penalized);
        let (clip, bound) = match update.clip {
            Clip::None => (0, 0.0),
            Clip::Norm(bound) => (1, bound),
            Clip::Value(bound) => (2, bound.into()),
            Clip::GlobalNorm(bound) => (3, bound),
        };
        if matches!(update.clip, Clip::Norm(_) | Clip::GlobalNorm(_)) {
            let each = GradientSquares {
                weights,
                gradients,
                chunks,
                to: sums,
                penalties,
            };
            device.run(&each, (tables.count as u32, 1, 1))?;
            let all = ParameterSums {
                from: sums,
                starts: Words(device.address(&tables.starts)),
                to: squares,
            };
            device.run(&all, (tables.parameters as u32, 1, 1))?;
        }
        let slot = |i: usize| Floats(state.slots.get(i).map_or(0, |s| device.address(s)));
        let decay = update.weight_decay.map(|d| d * update.step.learning_rate);
        let all = UpdateWeights {
            weights,
            gradients,
            slot0: slot(0),
            slot1: slot(1),
            slot2: slot(2),
            chunks,
            squares,
            bound,
            parameters: tables.parameters as i32,
            clip,
            penalties,
            decays: decay.is_some().into(),
            rule: numbers.rule,
            decay: decay.unwrap_or(0.0) as f32,
            rate: numbers.rate,
            momentum: numbers.momentum,
            rho: numbers.rho,
            rest_1: numbers.rest_1,
            rest_2: numbers.rest_2,
            epsilon: numbers.epsilon,
        };
        device.run(&all, (tables.count as u32, 1, 1))?;
        for one in &tables.constrained {
            one.apply(&device, weights)?;
        }
        self.weights_have_changed();
        Ok(())
    }
}
