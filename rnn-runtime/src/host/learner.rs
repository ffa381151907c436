//! Every [`Learner`] is [`Trainable`]: with its numbers in host memory, or by what it does itself on a device.

use std::{any::Any, borrow::Cow, mem};

use super::{UpdateTables, penalize};
use crate::{
    error::Error,
    learner::{InputView, KeptState, Learner, OutputRange, StepSeed, ValueSpec},
    loss::{Figure, LossFigures, LossTask},
    params::ParamSpec,
    trainable::{OutputGradient, TrainState, Trainable},
    update::{Slot, Update},
};

/// Gradients and slots in host memory.
pub struct HostState {
    tables: UpdateTables,
    /// Empty before the first backward pass.
    gradients: Vec<f32>,
    slots: Vec<Vec<f32>>,
    /// The gradient of an output without a loss.
    zeros: Vec<f32>,
}

impl HostState {
    /// For a model with these parameters and an optimizer with these slots.
    ///
    /// # Errors
    /// [`Error::Argument`] if a constraint is for an axis that its parameter does not have.
    pub fn new(params: &[ParamSpec], slots: &[Slot]) -> Result<HostState, Error> {
        let tables = UpdateTables::new(params)?;
        let slot = |slot: &Slot| vec![slot.initial; tables.weights()];
        Ok(HostState {
            slots: slots.iter().map(slot).collect(),
            tables,
            gradients: Vec::new(),
            zeros: Vec::new(),
        })
    }

    /// Applies `update` to these weights with these gradients.
    ///
    /// # Errors
    /// [`Error::Shape`] if a slice is not as long as the model has weights.
    pub fn apply(
        &mut self,
        update: &Update<'_>,
        weights: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        self.tables
            .apply(update, weights, gradients, &mut self.slots)
    }

    /// `state`, if it is one of the host's.
    ///
    /// # Errors
    /// [`Error::Argument`] if it belongs to another kind of model.
    pub fn of(state: &mut dyn TrainState) -> Result<&mut HostState, Error> {
        let state: &mut dyn Any = state;
        state.downcast_mut().ok_or_else(|| {
            let message = "gradients and slots are of a model that is not in host memory";
            Error::Argument(message.to_owned())
        })
    }
}

impl TrainState for HostState {
    fn slot(&self, index: usize) -> Vec<f32> {
        self.slots.get(index).cloned().unwrap_or_default()
    }

    fn set_slot(&mut self, index: usize, values: &[f32]) -> Result<(), Error> {
        self.tables.check("slot", values.len())?;
        match self.slots.get_mut(index) {
            Some(slot) => slot.copy_from_slice(values),
            None => {
                return Err(Error::Shape {
                    what: "slots".to_owned(),
                    expected: format!("[{}]", self.slots.len()),
                    found: format!("number {index}"),
                });
            }
        }
        Ok(())
    }
}

impl<L: Learner + ?Sized> Trainable for L {
    fn params(&self) -> &'static [ParamSpec] {
        self.specs()
    }

    fn inputs(&self) -> &'static [ValueSpec] {
        Learner::inputs(self)
    }

    fn outputs(&self) -> &'static [ValueSpec] {
        Learner::outputs(self)
    }

    fn output_ranges(&self) -> &'static [OutputRange] {
        Learner::output_ranges(self)
    }

    fn vocabulary(&self) -> &'static [(usize, &'static str, usize)] {
        Learner::vocabulary(self)
    }

    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        Learner::forward(self, inputs, seed)
    }

    fn predict(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        self.infer(inputs)
    }

    fn output(&self, index: usize) -> Cow<'_, [f32]> {
        Learner::output(self, index).into()
    }

    fn output_mask(&self, index: usize) -> Option<Cow<'_, [f32]>> {
        Learner::output_mask(self, index).map(Cow::from)
    }

    fn activity_penalty(&mut self) -> Figure {
        match self.on_device_mut() {
            Some(device) => device.activity_penalty(),
            None => Figure::Known(self.penalty().into()),
        }
    }

    fn weight_penalty(&mut self) -> Figure {
        if let Some(device) = self.on_device_mut() {
            return device.weight_penalty();
        }
        Figure::Known(penalize::cost(self.specs(), Learner::weights(self)))
    }

    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        match self.on_device_mut() {
            Some(device) => device.loss(index, task, gradient),
            None => Ok(None),
        }
    }

    fn figures(&mut self) -> Result<Vec<f64>, Error> {
        match self.on_device_mut() {
            Some(device) => device.figures(),
            None => Ok(Vec::new()),
        }
    }

    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error> {
        if let Some(device) = self.on_device() {
            return device.start_training(slots);
        }
        Ok(Box::new(HostState::new(self.specs(), slots)?))
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error> {
        if let Some(device) = self.on_device_mut() {
            return device.backward(outputs, state);
        }
        let HostState {
            tables,
            gradients,
            zeros,
            ..
        } = HostState::of(state)?;
        gradients.resize(tables.weights(), 0.0);
        let longest = (0..outputs.len()).map(|index| Learner::output(self, index).len());
        zeros.resize(longest.max().unwrap_or(0).max(zeros.len()), 0.0);
        let mut all = Vec::with_capacity(outputs.len());
        for (index, gradient) in outputs.iter().enumerate() {
            all.push(match gradient {
                OutputGradient::Host(gradient) => *gradient,
                OutputGradient::Zero => &zeros[..Learner::output(self, index).len()],
                OutputGradient::Kept => {
                    let message = "a model in host memory keeps no gradients of its outputs";
                    return Err(Error::Argument(message.to_owned()));
                }
            });
        }
        Learner::backward(self, &all, gradients)
    }

    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error> {
        if let Some(device) = self.on_device_mut() {
            return device.apply(update, state);
        }
        let state = HostState::of(state)?;
        let mut gradients = mem::take(&mut state.gradients);
        let done = state.apply(update, self.weights_mut(), &mut gradients);
        state.gradients = gradients;
        done
    }

    fn weights(&self) -> Cow<'_, [f32]> {
        Learner::weights(self).into()
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        if let Some(device) = self.on_device_mut() {
            return device.set_weights(weights);
        }
        let own = self.weights_mut();
        if own.len() != weights.len() {
            return Err(Error::Shape {
                what: "weights".to_owned(),
                expected: format!("[{}]", own.len()),
                found: format!("[{}]", weights.len()),
            });
        }
        own.copy_from_slice(weights);
        Ok(())
    }

    fn host_weights_mut(&mut self) -> Option<&mut [f32]> {
        // A copy of those of a device, which is made only if somebody asks for one.
        match self.on_device() {
            Some(_) => None,
            None => Some(self.weights_mut()),
        }
    }

    fn is_stateful(&self) -> bool {
        Learner::is_stateful(self)
    }

    fn reset_states(&mut self) {
        Learner::reset_states(self);
    }

    fn states(&self) -> Vec<KeptState> {
        self.kept_states()
    }

    fn set_states(&mut self, states: &[KeptState]) -> Result<(), Error> {
        self.set_kept_states(states)
    }

    fn take_error(&self) -> Result<(), Error> {
        match self.on_device() {
            Some(device) => device.take_error(),
            None => Ok(()),
        }
    }
}
