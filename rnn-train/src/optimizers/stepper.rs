//! An optimizer at work: its step count, its learning rate and its slots.

use super::{LearningRate, Optimizer, Slot, Step, check_not_negative};
use rnn_runtime::{
    error::Error,
    host::HostState,
    params::ParamSpec,
    trainable::{OutputGradient, TrainState, Trainable},
    update::{Clip, HostRule, Update, UpdateRule},
};

/// An optimizer with its slots for the weights of one model.
///
/// ```
/// use recurrent::params::{Init, ParamSpec};
/// use recurrent::train::optimizers::{SGD, Stepper};
///
/// let specs = [
///     ParamSpec::new("dense/kernel", &[1], Init::Zeros),
///     ParamSpec::new("norm/moving_mean", &[1], Init::Zeros).frozen(),
/// ];
/// let mut stepper = Stepper::new(Box::new(SGD::new(0.5)), &specs)?;
/// let mut weights = [1.0, 1.0];
/// stepper.step(&mut weights, &mut [2.0, 2.0])?;
/// assert_eq!(weights, [0.0, 1.0], "what is not trainable stays");
/// # Ok::<(), recurrent::Error>(())
/// ```
pub struct Stepper {
    optimizer: Box<dyn Optimizer>,
    learning_rate: LearningRate,
    weight_decay: Option<f64>,
    clip: Clip,
    weights: usize,
    iterations: u64,
    slots: Vec<Slot>,
    /// Gradients, and the numbers of the slots: where the model has its weights.
    state: Box<dyn TrainState>,
}

/// The state of a [`Stepper`], to be written into a checkpoint.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::optimizers::Stepper;
///
/// let mut model = rnn_model!(Input(_, 1) -> SimpleRNN(1));
/// let mut optimizer = Stepper::new(Box::new(Adam::default()), model.specs())?;
/// optimizer.step(model.weights_mut(), &mut [0.1, 0.2, 0.3])?;
///
/// // A training that goes on later, with another stepper.
/// let state = optimizer.state();
/// assert_eq!((state.iterations, state.slots.len()), (1, 2));
/// let mut again = Stepper::new(Box::new(Adam::default()), model.specs())?;
/// again.restore(&state)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// Name of the optimizer.
    pub optimizer: String,
    /// Steps done.
    pub iterations: u64,
    /// The learning rate, unless a schedule gives it.
    pub learning_rate: Option<f64>,
    /// Name and numbers (one a weight, in the order of the weights) of every slot.
    pub slots: Vec<(String, Vec<f32>)>,
}

impl Stepper {
    /// Starts `optimizer` for the weights of `specs`.
    ///
    /// # Errors
    /// [`Error::Argument`] if an option of the optimizer makes no sense, or a constraint is for an
    /// axis that its parameter does not have.
    pub fn new(optimizer: Box<dyn Optimizer>, specs: &[ParamSpec]) -> Result<Stepper, Error> {
        Stepper::start(optimizer, specs, |slots| {
            Ok(Box::new(HostState::new(specs, slots)?))
        })
    }

    /// Starts `optimizer` for `model`: gradients and slots are where the model has its weights.
    ///
    /// # Errors
    /// As [`Stepper::new`].
    pub fn for_model(
        optimizer: Box<dyn Optimizer>,
        model: &dyn Trainable,
    ) -> Result<Stepper, Error> {
        Stepper::start(optimizer, model.params(), |slots| {
            model.start_training(slots)
        })
    }

    fn start(
        optimizer: Box<dyn Optimizer>,
        params: &[ParamSpec],
        state: impl FnOnce(&[Slot]) -> Result<Box<dyn TrainState>, Error>,
    ) -> Result<Stepper, Error> {
        Stepper::check_optimizer(optimizer.as_ref())?;
        let options = optimizer.options();
        let slots = optimizer.slots();
        Ok(Stepper {
            clip: options.clip()?,
            learning_rate: options.learning_rate,
            weight_decay: options.weight_decay,
            weights: params.iter().map(ParamSpec::len).sum(),
            iterations: 0,
            state: state(&slots)?,
            slots,
            optimizer,
        })
    }

    /// Whether all options of `optimizer` make sense.
    pub(crate) fn check_optimizer(optimizer: &dyn Optimizer) -> Result<(), Error> {
        let options = optimizer.options();
        optimizer.check()?;
        options.learning_rate.check()?;
        check_not_negative("weight_decay", options.weight_decay.unwrap_or(0.0))?;
        options.clip().map(|_| ())
    }

    /// One step on host slices: clips `gradients` (in place), applies weight decay, moves the weights and
    /// projects them onto their constraints. Frozen parameters are not touched. The derivatives of regularizers
    /// are those that `gradients` includes; [`Stepper::regularized_step`] adds them.
    ///
    /// # Errors
    /// [`Error::Shape`] if a slice is not as long as the model has weights; [`Error::Argument`] if the
    /// stepper was started for a model that is not in host memory.
    pub fn step(&mut self, weights: &mut [f32], gradients: &mut [f32]) -> Result<(), Error> {
        self.on_host(false, weights, gradients)
    }

    /// [`Stepper::step`] after the derivatives of the model's regularizers have been added to `gradients`.
    ///
    /// # Errors
    /// As [`Stepper::step`].
    ///
    /// ```
    /// use recurrent::optimizers::{SGD, Stepper};
    /// use recurrent::prelude::*;
    ///
    /// let mut model = rnn_model!(Input(_, 1) -> SimpleRNN(1, kernel_regularizer = l2(0.5)));
    /// let mut optimizer = Stepper::new(Box::new(SGD::new(0.1)), model.specs())?;
    /// model.weights_mut()[0] = 2.0;
    /// // The derivative of 0.5 * 2² is 2.
    /// optimizer.regularized_step(model.weights_mut(), &mut [0.0, 0.0, 0.0])?;
    /// assert_eq!(model.weights()[0], 1.8);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn regularized_step(
        &mut self,
        weights: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        self.on_host(true, weights, gradients)
    }

    fn on_host(
        &mut self,
        penalties: bool,
        weights: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        self.update(penalties, |update, state| {
            HostState::of(state)?.apply(update, weights, gradients)
        })
    }

    /// The part of a training step after the loss: computes the gradients of all weights of the model that
    /// the stepper was started for, then does one step.
    ///
    /// # Errors
    /// As [`Trainable::backward`] and [`Trainable::apply`].
    pub(crate) fn learn(
        &mut self,
        model: &mut dyn Trainable,
        d_outputs: &[OutputGradient<'_>],
    ) -> Result<(), Error> {
        model.backward(d_outputs, self.state.as_mut())?;
        self.update(true, |update, state| model.apply(update, state))
    }

    /// Calls `apply` with what the next step is to do.
    fn update(
        &mut self,
        penalties: bool,
        apply: impl FnOnce(&Update<'_>, &mut dyn TrainState) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let own = OwnRule(self.optimizer.as_ref());
        let update = Update {
            step: Step {
                number: self.iterations + 1,
                learning_rate: self.learning_rate(),
            },
            rule: self
                .optimizer
                .rule()
                .map_or(UpdateRule::Own(&own), UpdateRule::Keras),
            weight_decay: self.weight_decay,
            clip: self.clip,
            penalties,
        };
        apply(&update, self.state.as_mut())?;
        self.iterations += 1;
        Ok(())
    }

    /// Steps done.
    pub fn iterations(&self) -> u64 {
        self.iterations
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate.at(self.iterations)
    }

    /// Sets the learning rate of all steps to come.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is negative or not finite, or if the optimizer has a schedule.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error> {
        if let LearningRate::Schedule(schedule) = &self.learning_rate {
            return Err(Error::Argument(format!(
                "the optimizer's learning rate comes from {schedule:?} and cannot be set; \
                 give the optimizer a number instead"
            )));
        }
        let learning_rate = LearningRate::Constant(learning_rate);
        learning_rate.check()?;
        self.learning_rate = learning_rate;
        Ok(())
    }

    /// Whether the optimizer's state could be copied from where the model has it, for [`Stepper::state`].
    ///
    /// # Errors
    /// What went wrong on a device, once.
    pub fn take_error(&self) -> Result<(), Error> {
        self.state.take_error()
    }

    /// A copy of the optimizer's state. NaN stands for what cannot be copied from a device; [`Stepper::take_error`] tells.
    pub fn state(&self) -> OptimizerState {
        let slots = self.slots.iter().enumerate();
        OptimizerState {
            optimizer: self.optimizer.name().to_owned(),
            iterations: self.iterations,
            learning_rate: match self.learning_rate {
                LearningRate::Constant(rate) => Some(rate),
                LearningRate::Schedule(_) => None,
            },
            slots: slots
                .map(|(index, slot)| (slot.name.to_owned(), self.state.slot(index)))
                .collect(),
        }
    }

    /// Restores `state`: the next steps are the same, bit for bit, as after the moment it was taken.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is the state of another optimizer, or of another model. Nothing
    /// is changed then.
    pub fn restore(&mut self, state: &OptimizerState) -> Result<(), Error> {
        let found: Vec<_> = state
            .slots
            .iter()
            .map(|(name, s)| (name.as_str(), s.len()))
            .collect();
        let slots = self.slots.iter();
        let expected: Vec<_> = slots.map(|slot| (slot.name, self.weights)).collect();
        if state.optimizer != self.optimizer.name() || found != expected {
            return Err(Error::Argument(format!(
                "the state is of {} with {found:?}, the optimizer is {} with {expected:?}",
                state.optimizer,
                self.optimizer.name(),
            )));
        }
        if let Some(learning_rate) = state.learning_rate {
            self.set_learning_rate(learning_rate)?;
        }
        for (index, (_, values)) in state.slots.iter().enumerate() {
            self.state.set_slot(index, values)?;
        }
        self.iterations = state.iterations;
        Ok(())
    }
}

/// The rule of a user's own optimizer.
struct OwnRule<'a>(&'a dyn Optimizer);

impl HostRule for OwnRule<'_> {
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        self.0.update(step, weights, gradients, slots);
    }
}
