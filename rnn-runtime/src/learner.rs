//! One model as the training loop sees it.

use crate::{error::Error, on_device::OnDevice, params::ParamSpec};

pub use rnn_tables::OutputRange;

/// Shape and kind of one input or output of a model.
///
/// ```
/// use recurrent::prelude::*;
///
/// let model = rnn_model!(Input(28, 3) -> LSTM(4) -> Dense(2));
/// let input = model.inputs()[0];
/// assert_eq!((input.time, input.features), (Some(Some(28)), &[3][..]));
/// assert_eq!(model.outputs()[0].time, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSpec {
    /// `input`, or the name that the model gives it.
    pub name: &'static str,
    /// Class ids (`u32`) rather than floats.
    pub ids: bool,
    /// `None`: no time axis. `Some(None)`: any length. `Some(Some(t))`: exactly `t` steps.
    pub time: Option<Option<usize>>,
    /// The feature axes after batch and time; empty for ids.
    pub features: &'static [usize],
}

impl ValueSpec {
    /// Whether it says which steps are valid: one number a step, 1 or 0.
    #[must_use]
    pub fn is_mask(&self) -> bool {
        !self.ids && self.time.is_some() && self.features.is_empty()
    }
}

/// Borrowed rows of an input, tight and row-major.
///
/// Example: [`InputView`].
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// `[batch, (time,) features]`; for a mask `[batch, time]`, 1 where a step is valid and 0 where it is
    /// padding.
    Floats(&'a [f32]),
    /// `[batch, (time)]`
    Ids(&'a [u32]),
}

/// One input of one batch.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::learner::{InputView, Values};
///
/// let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
/// // Two sequences of five steps.
/// let x = [0.5; 2 * 5 * 3];
/// model.infer(&[InputView { batch: 2, time: 5, values: Values::Floats(&x) }])?;
/// assert_eq!(model.output(0).len(), 2 * 2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InputView<'a> {
    /// Rows.
    pub batch: usize,
    /// Steps; 1 for a value without a time axis.
    pub time: usize,
    /// The numbers: `batch * time * features` floats or `batch * time` ids.
    pub values: Values<'a>,
}

/// The seed of one training step, from which dropout draws its masks.
///
/// Example: [`Learner`].
#[derive(Clone, Copy, Debug, Default)]
pub struct StepSeed {
    /// The seed of `Fit`.
    pub seed: u64,
    /// Counts the optimizer's steps since the start of training.
    pub step: u64,
}

/// One state that a stateful layer keeps, of all rows of a batch.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::learner::{InputView, Values};
///
/// let mut model = rnn_model!(Input(_, 3) -> GRU(4, stateful));
/// let x = InputView { batch: 1, time: 5, values: Values::Floats(&[0.5; 15]) };
/// model.infer(&[x])?;
/// let kept = model.kept_states();
/// assert_eq!((kept[0].layer.as_str(), &kept[0].shape[..]), ("gru", &[1, 4][..]));
/// model.reset_states();
/// model.set_kept_states(&kept)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KeptState {
    /// The layer's name.
    pub layer: String,
    /// The state's name in its cell.
    pub name: String,
    /// `[batch, …]`, the axes after the batch as the cell declares them.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
}

/// One model as a training loop sees it, in host memory: for loops of one's own, and for `dyn`. Every model
/// implements it. What [`Model`](crate::model::Model) also says stands there in the user's form: `params`
/// for [`Learner::specs`], `states` for [`Learner::kept_states`], `predict` for [`Learner::infer`].
///
/// All weights live in one flat slice, parameter after parameter in the order of
/// [`Learner::specs`], tight and row-major, so that an optimizer is a loop over one slice.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::learner::{InputView, StepSeed, Values};
///
/// let mut model = rnn_model!(Input(_, 1) -> SimpleRNN(2) -> Dense(1));
/// let x = InputView { batch: 1, time: 3, values: Values::Floats(&[1.0, 2.0, 3.0]) };
/// let mut gradients = vec![0.0; model.weights().len()];
///
/// // The gradient of the output itself, and a step against it.
/// model.forward(&[x], StepSeed::default())?;
/// let before = model.output(0)[0];
/// model.backward(&[&[1.0]], &mut gradients)?;
/// for (w, g) in model.weights_mut().iter_mut().zip(&gradients) {
///     *w -= 0.01 * g;
/// }
/// model.infer(&[x])?;
/// assert!(model.output(0)[0] < before);
/// # Ok::<(), Error>(())
/// ```
pub trait Learner: Send {
    /// The parameters, in storage order.
    fn specs(&self) -> &'static [ParamSpec];
    /// All weights.
    fn weights(&self) -> &[f32];
    /// All weights, to change. The model repacks them before its next use.
    fn weights_mut(&mut self) -> &mut [f32];

    /// Copies the weights of every parameter that `other` has with the same name and shape; the others stay.
    /// Returns the names of the copied parameters.
    ///
    /// A model for training passes its layers to a model for inference this way: give a layer that both have
    /// the same `name` in both. An encoder–decoder is trained as one model, with the right answer as the
    /// decoder's input. To generate answers, the decoder is a model of its own that streams:
    ///
    /// ```text
    /// rnn_model! {
    ///     pub struct Training {
    ///         input question: ids;
    ///         input answer: ids;
    ///         let (_, state) = question -> Embedding(12, 16, name = "words") -> LSTM(64, return_state, name = "encoder");
    ///         output next = answer -> Embedding(12, 16, name = "answers")
    ///             -> LSTM(64, return_sequences, initial_state = state, name = "decoder") -> Dense(12, name = "logits");
    ///     }
    /// }
    /// rnn_model! { pub struct Decoder = Embedding(12, 16, name = "answers") -> LSTM(64, name = "decoder") -> Dense(12, name = "logits"); }
    ///
    /// let mut decoder = Decoder::new();
    /// let taken = decoder.copy_weights_from(&trained);
    /// assert_eq!(taken.len(), decoder.specs().len(), "all of them");
    /// ```
    fn copy_weights_from(&mut self, other: &dyn Learner) -> Vec<&'static str> {
        let mut taken = Vec::new();
        let others = other.weights();
        #[cfg(feature = "cuda")]
        if other
            .on_device()
            .is_some_and(|device| device.take_error().is_err())
        {
            return taken;
        }
        let mut at = 0;
        for spec in self.specs() {
            let mut from = 0;
            for theirs in other.specs() {
                if theirs.name == spec.name && theirs.shape == spec.shape {
                    let values = &others[from..from + theirs.len()];
                    self.weights_mut()[at..at + spec.len()].copy_from_slice(values);
                    taken.push(spec.name);
                    break;
                }
                from += theirs.len();
            }
            at += spec.len();
        }
        taken
    }

    /// The inputs.
    fn inputs(&self) -> &'static [ValueSpec];
    /// The outputs.
    fn outputs(&self) -> &'static [ValueSpec];

    /// What numbers each output can be; nothing is known of those that are not there.
    fn output_ranges(&self) -> &'static [OutputRange] {
        &[]
    }

    /// For each layer that takes ids: the index of the input that it reads, the layer's name, and the size
    /// of its vocabulary. [`Learner::forward`] and [`Learner::infer`] refuse an id that is not below this
    /// size; training checks whole data sets before it changes anything.
    ///
    /// ```
    /// use recurrent::learner::Learner;
    ///
    /// /// Ids as the first input of a model wants them: those that it does not know become 0.
    /// fn known(model: &dyn Learner, mut ids: Vec<u32>) -> Vec<u32> {
    ///     for &(input, _, size) in model.vocabulary() {
    ///         if input == 0 {
    ///             ids.iter_mut().filter(|id| **id as usize >= size).for_each(|id| *id = 0);
    ///         }
    ///     }
    ///     ids
    /// }
    /// ```
    fn vocabulary(&self) -> &'static [(usize, &'static str, usize)] {
        &[]
    }

    /// Runs the model in training mode (dropout on, batch statistics) and keeps what backward needs.
    /// Afterwards [`Learner::output`] is valid. Moving statistics are updated.
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error>;

    /// Runs the model in inference mode on the same buffers. Afterwards [`Learner::output`] is valid.
    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error>;

    /// Output number `index` of the last `forward` or `infer`: `[batch, (time,) features]`, tight.
    fn output(&self, index: usize) -> &[f32];

    /// Gradients of the loss with respect to all weights, given those with respect to the
    /// outputs (same layout as [`Learner::output`]). Overwrites `gradients` (same layout as
    /// [`Learner::weights`]; 0 for parameters that are not trainable).
    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error>;

    /// Which steps of output number `index` of the last `forward` or `infer` count: `[batch,
    /// time]`, 1 where a step is valid and 0 where it is padding. `None`: all of them.
    fn output_mask(&self, index: usize) -> Option<&[f32]> {
        let _ = index;
        None
    }

    /// The penalty that the activity regularisers of the last `forward` or `infer` add to the loss; 0
    /// without any. [`Learner::backward`] adds its gradient by itself.
    fn penalty(&self) -> f32 {
        0.0
    }

    /// The model's numbers, if they are on a device: training then stays there.
    #[doc(hidden)]
    fn on_device(&self) -> Option<&dyn OnDevice> {
        None
    }

    /// The same, to train.
    #[doc(hidden)]
    fn on_device_mut(&mut self) -> Option<&mut dyn OnDevice> {
        None
    }

    /// Whether any layer keeps its states from one batch to the next. Row `b` of a batch then continues row
    /// `b` of the batch before, so all batches must have one size.
    fn is_stateful(&self) -> bool {
        false
    }

    /// Puts the states of stateful layers back to zero. The next batch may be of another size.
    fn reset_states(&mut self) {}

    /// The states of all stateful layers after the last batch; none at the start and after
    /// [`Learner::reset_states`].
    fn kept_states(&self) -> Vec<KeptState> {
        Vec::new()
    }

    /// Restores the states that [`Learner::kept_states`] gave. States that are not among them become zero.
    ///
    /// # Errors
    /// [`Error::Argument`] if no stateful layer has such a state, [`Error::Shape`] if one has
    /// another shape or other rows than the first; then nothing has changed.
    fn set_kept_states(&mut self, states: &[KeptState]) -> Result<(), Error> {
        match states.first() {
            None => {
                self.reset_states();
                Ok(())
            }
            Some(s) => Err(Error::Argument(format!(
                "no layer `{}` keeps a state `{}`",
                s.layer, s.name
            ))),
        }
    }
}
