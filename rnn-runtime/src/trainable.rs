//! The interface that training needs of a model, wherever the model keeps its numbers.

use std::borrow::Cow;

use crate::{
    error::Error,
    learner::{InputView, KeptState, OutputRange, StepSeed, ValueSpec},
    loss::{Figure, LossFigures, LossTask},
    params::ParamSpec,
    update::{Slot, Update},
};

pub use crate::{loss::OutputGradient, update::TrainState};

/// A model that can be trained. Weights, gradients, outputs and the optimizer's slots stay where the model
/// keeps them, such as in the memory of a device. The trainer describes each operation as data
/// ([`Update`], [`LossTask`]), and the model carries it out.
///
/// Every [`Learner`](crate::learner::Learner), which is every compiled model, on the CPU or on a device, is
/// `Trainable` by itself. Only a model that lives elsewhere implements this trait by hand.
///
/// A device computes while the host prepares the next batch: losses, penalties and metrics are
/// [`Figure`]s that [`Trainable::figures`] fetches, which `fit` does once an epoch, and after every step if
/// there are callbacks. Three other methods copy numbers to the host: [`Trainable::weights`], [`Trainable::output`] and
/// [`TrainState::slot`]. `fit` calls
/// - `weights` and `slot` for checkpoints and backups, for callbacks that look at weights, and for
///   optimizers of the user's own ([`UpdateRule::Own`](crate::update::UpdateRule)),
/// - `output` for losses and metrics that [`Trainable::loss`] does not compute.
///
/// A device that fails in a call that cannot return an error keeps the error for the next call that can.
pub trait Trainable: Send {
    /// The parameters, in the order of the weights.
    fn params(&self) -> &'static [ParamSpec];

    /// The inputs.
    fn inputs(&self) -> &'static [ValueSpec];

    /// The outputs.
    fn outputs(&self) -> &'static [ValueSpec];

    /// What numbers each output can be; nothing is known of those that are not there.
    fn output_ranges(&self) -> &'static [OutputRange] {
        &[]
    }

    /// For each layer that takes ids: the number of the input that they come from, the layer's name,
    /// and the size of its vocabulary.
    fn vocabulary(&self) -> &'static [(usize, &'static str, usize)] {
        &[]
    }

    /// Runs the model in training mode (dropout on, batch statistics) and keeps what
    /// [`Trainable::backward`] needs. Moving statistics are updated.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Id`] if the inputs do not suit the model.
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error>;

    /// Runs the model in inference mode.
    ///
    /// # Errors
    /// As [`Trainable::forward`].
    #[doc(alias = "infer")]
    fn predict(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error>;

    /// Output number `index` of the last `forward` or `predict`, `[batch, (time,) features]`:
    /// borrowed where it is in host memory, copied from a device.
    fn output(&self, index: usize) -> Cow<'_, [f32]>;

    /// Which steps of output number `index` are valid, `[batch, time]`: 1, or 0 where a step is
    /// padding. `None`: all of them.
    fn output_mask(&self, index: usize) -> Option<Cow<'_, [f32]>> {
        let _ = index;
        None
    }

    /// What the activity regularizers of the last `forward` or `predict` add to the loss.
    /// [`Trainable::backward`] adds its gradient by itself.
    fn activity_penalty(&mut self) -> Figure {
        Figure::Known(0.0)
    }

    /// What the regularizers of the trainable parameters add to the loss:
    /// `Σ l1 |w| + l2 w²`. [`Trainable::apply`] adds its gradient.
    fn weight_penalty(&mut self) -> Figure;

    /// Computes the loss of output number `index` of the last `forward` or `predict`, masked steps
    /// left out: the sum over the rows, each times its weight, divided by the number of rows; and the
    /// metrics of [`LossTask::metrics`]. If `gradient` is set, keeps the derivative with respect to the output, times
    /// [`LossTask::share`], for [`OutputGradient::Kept`].
    ///
    /// `None` if this model leaves that to the host, which then reads [`Trainable::output`].
    ///
    /// # Errors
    /// [`Error::Shape`] if targets or weights are of another length.
    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        let _ = (index, task, gradient);
        Ok(None)
    }

    /// All numbers that were kept ([`Figure::Kept`]) since the last call, in order. Waits for the device.
    ///
    /// # Errors
    /// What has failed on the device meanwhile.
    fn figures(&mut self) -> Result<Vec<f64>, Error> {
        Ok(Vec::new())
    }

    /// Room for gradients and for the slots of an optimizer, each at its initial value for every
    /// weight.
    ///
    /// # Errors
    /// [`Error::Argument`] if a constraint names an axis that its parameter does not have.
    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error>;

    /// Computes the gradients of all weights, given those of all outputs, and keeps them in `state`.
    ///
    /// # Errors
    /// [`Error::Argument`] without a `forward` before it, or if `state` belongs to another kind of
    /// model; [`Error::Shape`] if a gradient has another length than its output.
    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error>;

    /// Does one step of an optimizer with the gradients and slots in `state`.
    ///
    /// # Errors
    /// [`Error::Argument`] if `state` belongs to another kind of model.
    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error>;

    /// All weights, parameter after parameter in the order of [`Trainable::params`], row-major:
    /// borrowed where they are in host memory, copied from a device.
    fn weights(&self) -> Cow<'_, [f32]>;

    /// Replaces all weights.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more or fewer of them; nothing has changed then.
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error>;

    /// The weights themselves, to change in place, if they are in host memory.
    fn host_weights_mut(&mut self) -> Option<&mut [f32]> {
        None
    }

    /// Whether any layer keeps its states from one batch to the next: row `b` of a batch then goes on
    /// where row `b` of the batch before ended.
    fn is_stateful(&self) -> bool {
        false
    }

    /// Puts the states of stateful layers back to zero.
    fn reset_states(&mut self) {}

    /// The states of all stateful layers after the last batch.
    #[doc(alias = "kept_states")]
    fn states(&self) -> Vec<KeptState> {
        Vec::new()
    }

    /// Replaces all states. States that are not among these become zero.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] if they are not this model's; nothing has changed
    /// then.
    #[doc(alias = "set_kept_states")]
    fn set_states(&mut self, states: &[KeptState]) -> Result<(), Error>;
}
