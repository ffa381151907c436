//! An optimizer at work: its memory of every weight.

use std::ops::Range;

use super::{LearningRate, Optimizer, Step, check_not_negative, clip::Clip};
use rnn_runtime::{error::Error, params::ParamSpec, update::Constraints};

/// An optimizer with what it remembers of the weights of one model.
///
/// ```
/// use rnn_runtime::params::{Init, ParamSpec};
/// use rnn_train::optimizers::{SGD, Stepper};
///
/// let specs = [
///     ParamSpec::new("dense/kernel", &[1], Init::Zeros),
///     ParamSpec::new("norm/moving_mean", &[1], Init::Zeros).frozen(),
/// ];
/// let mut stepper = Stepper::new(Box::new(SGD::new(0.5)), &specs)?;
/// let mut weights = [1.0, 1.0];
/// stepper.step(&mut weights, &mut [2.0, 2.0])?;
/// assert_eq!(weights, [0.0, 1.0], "what is not trainable stays");
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
pub struct Stepper {
    optimizer: Box<dyn Optimizer>,
    learning_rate: LearningRate,
    weight_decay: Option<f64>,
    clip: Clip,
    constraints: Constraints,
    /// The trainable parameters, as ranges of the weights.
    parameters: Vec<Range<usize>>,
    /// The same with neighbours joined: an update is a loop over one of them.
    runs: Vec<Range<usize>>,
    weights: usize,
    iterations: u64,
    /// For every slot of the optimizer as many numbers as there are weights.
    slots: Vec<Vec<f32>>,
}

/// All that a [`Stepper`] remembers, to be written into a checkpoint.
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
        Stepper::check(optimizer.as_ref())?;
        let options = optimizer.options();
        let clip = Clip::of(&options)?;
        let constraints = Constraints::new(specs)?;
        let (mut parameters, mut runs) = (Vec::new(), Vec::<Range<usize>>::new());
        let mut weights = 0;
        for spec in specs {
            let range = weights..weights + spec.len();
            weights = range.end;
            if !spec.trainable {
                continue;
            }
            parameters.push(range.clone());
            match runs.last_mut() {
                Some(run) if run.end == range.start => run.end = range.end,
                _ => runs.push(range),
            }
        }
        let slots = optimizer
            .slots()
            .iter()
            .map(|slot| vec![slot.initial; weights])
            .collect();
        Ok(Stepper {
            learning_rate: options.learning_rate,
            weight_decay: options.weight_decay,
            optimizer,
            clip,
            constraints,
            parameters,
            runs,
            weights,
            iterations: 0,
            slots,
        })
    }

    /// Whether all options of `optimizer` make sense.
    pub(crate) fn check(optimizer: &dyn Optimizer) -> Result<(), Error> {
        let options = optimizer.options();
        optimizer.check()?;
        options.learning_rate.check()?;
        check_not_negative("weight_decay", options.weight_decay.unwrap_or(0.0))?;
        Clip::of(&options).map(|_| ())
    }

    /// One step: clips `gradients` (in place), lets the weights decay, moves them and then holds
    /// them to their constraints. What is not trainable is not touched.
    ///
    /// # Errors
    /// [`Error::Shape`] if a slice is not as long as the model has weights.
    pub fn step(&mut self, weights: &mut [f32], gradients: &mut [f32]) -> Result<(), Error> {
        for (what, length) in [("weights", weights.len()), ("gradients", gradients.len())] {
            if length != self.weights {
                let (expected, found) = (format!("[{}]", self.weights), format!("[{length}]"));
                return Err(Error::Shape {
                    what: what.to_owned(),
                    expected,
                    found,
                });
            }
        }
        let learning_rate = self.learning_rate();
        let step = Step {
            number: self.iterations + 1,
            learning_rate,
        };
        self.clip.apply(gradients, &self.parameters);
        for run in &self.runs {
            let weights = &mut weights[run.clone()];
            if let Some(decay) = self.weight_decay {
                let decay = (decay * learning_rate) as f32;
                weights.iter_mut().for_each(|w| *w -= *w * decay);
            }
            let mut slots: Vec<&mut [f32]> = self
                .slots
                .iter_mut()
                .map(|slot| &mut slot[run.clone()])
                .collect();
            self.optimizer
                .update(step, weights, &gradients[run.clone()], &mut slots);
        }
        self.constraints.apply(weights);
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

    /// A copy of all that is remembered.
    pub fn state(&self) -> OptimizerState {
        let names = self
            .optimizer
            .slots()
            .into_iter()
            .map(|slot| slot.name.to_owned());
        OptimizerState {
            optimizer: self.optimizer.name().to_owned(),
            iterations: self.iterations,
            learning_rate: match self.learning_rate {
                LearningRate::Constant(rate) => Some(rate),
                LearningRate::Schedule(_) => None,
            },
            slots: names.zip(self.slots.iter().cloned()).collect(),
        }
    }

    /// Goes on from where `state` was taken: the next steps are the same, bit for bit.
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
        let slots = self.optimizer.slots();
        let expected: Vec<_> = slots.iter().map(|slot| (slot.name, self.weights)).collect();
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
        self.iterations = state.iterations;
        for (slot, own) in slots.iter().zip(&mut self.slots) {
            if let Some((_, values)) = state.slots.iter().find(|(name, _)| name == slot.name) {
                own.copy_from_slice(values);
            }
        }
        Ok(())
    }
}
