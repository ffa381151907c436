//! What happens beside training: Keras's callbacks, by Keras's names
//! ([`keras.callbacks`](https://keras.io/api/callbacks/)).
//!
//! Callbacks are called in the order in which they were given to the
//! [`Trainer`](super::Trainer). A callback that saves the state of training (`BackupAndRestore`) does so
//! in [`Callback::on_epoch_done`], after all others have run.

#[cfg(feature = "weights")]
mod backup;
#[cfg(feature = "weights")]
mod checkpoint;
mod csv_logger;
mod early_stopping;
mod host_weights;
mod learning_rate;
mod monitor;
mod terminate;

use crate::{
    logs::Logs,
    metrics::Direction,
    optimizers::{OptimizerState, Stepper},
};
use rnn_runtime::{error::Error, learner::KeptState, params::ParamSpec};

#[cfg(feature = "weights")]
pub use backup::BackupAndRestore;
#[cfg(feature = "weights")]
pub use checkpoint::{ModelCheckpoint, ModelCheckpointState, SaveFreq};
pub use csv_logger::{CSVLogger, CSVLoggerState};
pub(crate) use host_weights::HostWeights;

pub use early_stopping::{EarlyStopping, EarlyStoppingState};
pub use learning_rate::{LearningRateScheduler, ReduceLROnPlateau, ReduceLROnPlateauState};
pub use monitor::Mode;
pub use terminate::TerminateOnNaN;

/// Watches training and may change its course. An error ends training.
///
/// ```
/// use recurrent::Error;
/// use recurrent::train::callbacks::{Callback, Training};
///
/// /// Stops after so many steps of the optimizer.
/// struct StepLimit(u64);
///
/// impl Callback for StepLimit {
///     fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
///         if training.iterations() >= self.0 {
///             training.stop();
///         }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no callback",
    label = "not a callback",
    note = "a callback is a value, not its name: write `EarlyStopping::new(\"val_loss\")`, `ModelCheckpoint::new(\"best.safetensors\")` or `TerminateOnNaN::default()`; several are several calls of `callback`"
)]
pub trait Callback: Send {
    /// Before the first epoch; nothing has changed yet.
    ///
    /// # Errors
    /// Any; training does not begin.
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// Before an epoch. The logs are empty.
    ///
    /// # Errors
    /// Any; training ends with it.
    fn on_epoch_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// After a step. The logs are those of the epoch so far.
    ///
    /// # Errors
    /// Any; training ends with it.
    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// Whether [`Callback::on_batch_end`] looks at the logs. If no callback does, as those that come with this
    /// crate unless they act after a batch, a model on a device computes ahead of the host, which fetches loss and
    /// metrics once an epoch; [`Training::logs`] is then of no use within an epoch. True by default.
    fn reads_batches(&self) -> bool {
        true
    }

    /// After an epoch and its validation. Numbers that a callback adds to the logs go into the history and
    /// to the callbacks after it.
    ///
    /// # Errors
    /// Any; training ends with it.
    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// After the [`Callback::on_epoch_end`] of all callbacks. Nothing changes any more before the next
    /// epoch begins, so a copy made now is the state that training goes on with.
    ///
    /// # Errors
    /// Any; training ends with it.
    fn on_epoch_done(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// After the last epoch, with its logs.
    ///
    /// # Errors
    /// Any; `fit` gives it back.
    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }
}

/// Lets the caller keep a callback and look at it after training.
impl<C: Callback + ?Sized> Callback for &mut C {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_train_begin(training)
    }

    fn on_epoch_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_epoch_begin(training)
    }

    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_batch_end(training)
    }

    fn reads_batches(&self) -> bool {
        (**self).reads_batches()
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_epoch_end(training)
    }

    fn on_epoch_done(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_epoch_done(training)
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        (**self).on_train_end(training)
    }
}

/// A training under way, as a callback sees it.
///
/// ```
/// use recurrent::prelude::*;
///
/// /// Halves the learning rate after every tenth epoch, and stops at a loss of 0.01.
/// struct Halving;
///
/// impl Callback for Halving {
///     fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
///         if training.epoch() % 10 == 9 {
///             training.set_learning_rate(training.learning_rate() / 2.0)?;
///         }
///         if training.logs().get("loss").is_some_and(|loss| loss < 0.01) {
///             training.stop();
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Training<'a> {
    pub(super) weights: HostWeights<'a>,
    pub(super) stepper: &'a mut Stepper,
    pub(super) logs: &'a mut Logs,
    pub(super) directions: &'a [(String, Direction)],
    /// Options that the result of training depends on, by name.
    pub(super) setup: &'a [(&'static str, String)],
    pub(super) stop: &'a mut bool,
    pub(super) epoch: &'a mut usize,
    pub(super) batch: usize,
    /// No epoch has begun yet.
    pub(super) beginning: bool,
}

impl Training<'_> {
    /// Number of the epoch, from 0.
    pub fn epoch(&self) -> usize {
        *self.epoch
    }

    /// Number of the batch in its epoch, from 0.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Steps of the optimizer since the start of training.
    pub fn iterations(&self) -> u64 {
        self.stepper.iterations()
    }

    /// Loss and metrics.
    pub fn logs(&self) -> &Logs {
        self.logs
    }

    /// Loss and metrics, to add to.
    pub fn logs_mut(&mut self) -> &mut Logs {
        self.logs
    }

    /// Name and direction of everything that is logged at the end of an epoch.
    pub fn directions(&self) -> &[(String, Direction)] {
        self.directions
    }

    /// The options that the result of training depends on, besides model, data, optimizer and the numbers
    /// of a loss, by name: `loss` (the names of the losses, and how much each counts), `seed`,
    /// `batch_size`, `shuffle`, `reset_states` and `class_weight`. A callback that resumes a training
    /// compares them, as `BackupAndRestore` does.
    pub fn setup(&self) -> &[(&'static str, String)] {
        self.setup
    }

    /// The model's parameters.
    pub fn specs(&self) -> &'static [ParamSpec] {
        self.weights.model().params()
    }

    /// All weights. The weights of a model on a device are copied to the host.
    pub fn weights(&self) -> &[f32] {
        self.weights.get()
    }

    /// All weights, to change. The weights of a model on a device are copied to the host, and back after
    /// this event. To replace all of them, [`Training::set_weights`] copies only once.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        self.weights.get_mut()
    }

    /// Replaces all weights.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more or fewer of them; nothing has changed then.
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        self.weights.set(weights)
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.stepper.learning_rate()
    }

    /// Sets the learning rate.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is negative or not finite, or comes from a schedule.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error> {
        self.stepper.set_learning_rate(learning_rate)
    }

    /// The optimizer with its slots.
    pub fn optimizer(&self) -> &Stepper {
        self.stepper
    }

    /// Restores the state of the optimizer.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is the state of another optimizer or model.
    pub fn restore_optimizer(&mut self, state: &OptimizerState) -> Result<(), Error> {
        self.stepper.restore(state)
    }

    /// Whether any layer keeps its states from batch to batch.
    pub fn is_stateful(&self) -> bool {
        self.weights.model().is_stateful()
    }

    /// The states of stateful layers after the last batch; none after they were reset.
    pub fn kept_states(&self) -> Vec<KeptState> {
        self.weights.model().states()
    }

    /// Restores the states that [`Training::kept_states`] gave; an empty slice sets all states to zero.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] if they are not this model's; then nothing has
    /// changed.
    pub fn set_kept_states(&mut self, states: &[KeptState]) -> Result<(), Error> {
        self.weights.model_mut().set_states(states)
    }

    /// Puts the states of stateful layers back to zero.
    pub fn reset_states(&mut self) {
        self.weights.model_mut().reset_states();
    }

    /// Whether all numbers that were asked for could be copied from the model's device: where they could not, NaN stands for
    /// them. A callback that writes weights, states or the optimizer into a file asks this first.
    ///
    /// # Errors
    /// What went wrong on the device.
    pub fn take_error(&self) -> Result<(), Error> {
        self.weights.model().take_error()?;
        self.stepper.take_error()
    }

    /// In [`Callback::on_train_begin`]: training begins with this epoch (from 0). Later on it
    /// does nothing.
    pub fn begin_with(&mut self, epoch: usize) {
        if self.beginning {
            *self.epoch = epoch;
        }
    }

    /// Ends training after this batch, or after this epoch.
    pub fn stop(&mut self) {
        *self.stop = true;
    }
}

#[cfg(test)]
mod tests;
