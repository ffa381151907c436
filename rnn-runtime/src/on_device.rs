//! What a model on a device does by itself in training.

use crate::{
    error::Error,
    loss::{Figure, LossFigures, LossTask, OutputGradient},
    update::{Slot, TrainState, Update},
};

/// A model whose numbers are on a device. Its methods are those of
/// [`Trainable`](crate::trainable::Trainable) with the same names.
pub trait OnDevice {
    /// What the activity regularizers of the last batch add to the loss.
    fn activity_penalty(&mut self) -> Figure;

    /// What the regularizers of the trainable parameters add to the loss.
    fn weight_penalty(&mut self) -> Figure;

    /// Loss and metrics of an output; `None` if they are left to the host.
    ///
    /// # Errors
    /// As [`Trainable::loss`](crate::trainable::Trainable::loss).
    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error>;

    /// All numbers that were kept since the last call.
    ///
    /// # Errors
    /// What has failed on the device.
    fn figures(&mut self) -> Result<Vec<f64>, Error>;

    /// Room for gradients and slots.
    ///
    /// # Errors
    /// As [`Trainable::start_training`](crate::trainable::Trainable::start_training).
    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error>;

    /// Computes the gradients of all weights.
    ///
    /// # Errors
    /// As [`Trainable::backward`](crate::trainable::Trainable::backward).
    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error>;

    /// Does one step of an optimizer.
    ///
    /// # Errors
    /// As [`Trainable::apply`](crate::trainable::Trainable::apply).
    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error>;

    /// Replaces all weights.
    ///
    /// # Errors
    /// As [`Trainable::set_weights`](crate::trainable::Trainable::set_weights).
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error>;

    /// What went wrong in a call that could not return an error, once.
    ///
    /// # Errors
    /// As [`Trainable::take_error`](crate::trainable::Trainable::take_error).
    fn take_error(&self) -> Result<(), Error>;
}
