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
///
/// ```
/// use recurrent::{
///     learner::{InputView, KeptState, StepSeed, ValueSpec, Values},
///     params::{Init, ParamSpec},
///     prelude::*,
///     trainable::{
///         Figure, LossFigures, LossTask, OutputGradient, Slot, Target, TargetView, TrainState,
///         Trainable, Update, UpdateTables, loss_row,
///     },
/// };
/// use std::{any::Any, borrow::Cow};
///
/// /// `y = w x`, as a model on some device would be: only `output` and `weights` copy its numbers.
/// #[derive(Default)]
/// struct Line {
///     w: f32,
///     x: Vec<f32>,
///     y: Vec<f32>,
///     dy: Vec<f32>,
///     figures: Vec<f64>,
/// }
///
/// /// Gradient and slots of one training.
/// struct State {
///     tables: UpdateTables,
///     gradient: [f32; 1],
///     slots: Vec<Vec<f32>>,
/// }
///
/// impl State {
///     fn of(state: &mut dyn TrainState) -> Result<&mut State, Error> {
///         let state: &mut dyn Any = state;
///         state.downcast_mut().ok_or_else(|| Error::Argument("the state of another model".into()))
///     }
/// }
///
/// impl TrainState for State {
///     fn slot(&self, index: usize) -> Vec<f32> {
///         self.slots[index].clone()
///     }
///     fn set_slot(&mut self, index: usize, values: &[f32]) -> Result<(), Error> {
///         self.slots[index] = values.to_vec();
///         Ok(())
///     }
/// }
///
/// const PARAMS: &[ParamSpec] = &[ParamSpec::new("line/w", &[1], Init::Zeros)];
/// const X: &[ValueSpec] = &[ValueSpec { name: "x", ids: false, time: None, features: &[1] }];
/// const Y: &[ValueSpec] = &[ValueSpec { name: "y", ids: false, time: None, features: &[1] }];
///
/// impl Trainable for Line {
///     fn params(&self) -> &'static [ParamSpec] {
///         PARAMS
///     }
///     fn inputs(&self) -> &'static [ValueSpec] {
///         X
///     }
///     fn outputs(&self) -> &'static [ValueSpec] {
///         Y
///     }
///     fn forward(&mut self, inputs: &[InputView<'_>], _: StepSeed) -> Result<(), Error> {
///         self.predict(inputs)
///     }
///     fn predict(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
///         if let Values::Floats(x) = inputs[0].values {
///             self.x = x.to_vec();
///             self.y = x.iter().map(|x| self.w * x).collect();
///         }
///         Ok(())
///     }
///     fn output(&self, _: usize) -> Cow<'_, [f32]> {
///         Cow::Borrowed(&self.y)
///     }
///     fn weight_penalty(&mut self) -> Figure {
///         Figure::Known(0.0)
///     }
///     fn loss(&mut self, _: usize, task: &LossTask<'_>, _: bool) -> Result<Option<LossFigures>, Error> {
///         let (TargetView::Floats(targets), None) = (task.targets, task.weights) else {
///             return Ok(None); // The host computes it.
///         };
///         let rows = self.y.len() as f64;
///         let mut loss = 0.0;
///         self.dy = vec![0.0; self.y.len()];
///         for (i, y) in self.y.iter().enumerate() {
///             let (target, dy) = (Target::Floats(&targets[i..=i]), &mut self.dy[i..=i]);
///             loss += loss_row(task.rule, &[*y], target, Some(&mut *dy)) / rows;
///             dy[0] *= (task.share / rows) as f32;
///         }
///         // Nobody waits for it before the end of the epoch.
///         self.figures.push(loss);
///         let loss = Figure::Kept(self.figures.len() - 1);
///         Ok(Some(LossFigures { loss, metrics: vec![None; task.metrics.len()] }))
///     }
///     fn figures(&mut self) -> Result<Vec<f64>, Error> {
///         Ok(std::mem::take(&mut self.figures))
///     }
///     fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error> {
///         let slots = slots.iter().map(|slot| vec![slot.initial]).collect();
///         Ok(Box::new(State { tables: UpdateTables::new(PARAMS)?, gradient: [0.0], slots }))
///     }
///     fn backward(&mut self, outputs: &[OutputGradient<'_>], state: &mut dyn TrainState) -> Result<(), Error> {
///         let dy = match outputs[0] {
///             OutputGradient::Host(dy) => dy,
///             _ => &self.dy,
///         };
///         State::of(state)?.gradient = [self.x.iter().zip(dy).map(|(x, dy)| x * dy).sum()];
///         Ok(())
///     }
///     fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error> {
///         let State { tables, gradient, slots } = State::of(state)?;
///         let mut weights = [self.w];
///         tables.apply(update, &mut weights, gradient, slots)?;
///         [self.w] = weights;
///         Ok(())
///     }
///     fn weights(&self) -> Cow<'_, [f32]> {
///         vec![self.w].into()
///     }
///     fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
///         self.w = weights[0];
///         Ok(())
///     }
///     fn set_states(&mut self, _: &[KeptState]) -> Result<(), Error> {
///         Ok(())
///     }
/// }
///
/// let mut line = Line::default();
/// let data = Dataset::new([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])?;
/// Trainer::new(&mut line)
///     .loss(MeanSquaredError)
///     .optimizer(SGD::new(0.05))
///     .fit(&data, Fit { epochs: 50, ..Fit::default() })?;
/// assert!((line.w - 2.0).abs() < 1e-3);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be trained",
    label = "not a model itself",
    note = "a model that is shared or borrowed stays as it is: train a copy (with `#[derive(Clone)]` in `rnn_model!`, `let mut next = Net::clone(&model);`) or, within an `Arc`, `Arc::make_mut(&mut model)`"
)]
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

    /// Whether the calls that cannot return an error have all gone well: what [`Trainable::weights`], [`Trainable::states`]
    /// and [`Trainable::output`] gave since the last check is then what the device has.
    ///
    /// # Errors
    /// What went wrong, once.
    fn take_error(&self) -> Result<(), Error> {
        Ok(())
    }
}
