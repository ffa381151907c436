//! What a user calls.

use ndarray::{ArrayBase, ArrayViewD, Data, Dimension};

#[cfg(feature = "cuda")]
use super::cuda;
use super::{
    CallWith, LayerState, ModelData, Outputs, Program, Stream, Streamable,
    cpu::{CpuCode, StreamCode, infer, packed_weights, predict},
    graph,
    input::IntoInput,
    learner, param, summary,
};
use crate::{cpu::simd::Isa, device::Device, error::Error, init::initialise, params::ParamSpec};

/// A compiled model. Everything that `rnn_model!` makes implements it.
///
/// ```
/// use recurrent::prelude::*;
///
/// use ndarray::Array3;
///
/// let model = rnn_model!(Input(_, 3) -> GRU(8) -> Dense(2, softmax));
/// let y = model.predict(&Array3::<f32>::zeros((16, 10, 3)))?;
/// assert_eq!(y.dim(), (16, 2));
/// println!("{}", model.summary());
/// # Ok::<(), Error>(())
/// ```
pub trait Model: Program {
    /// The model: with the weights of its file, if it was written with one (`import("amp.keras")`, `weights =
    /// "amp.safetensors"`), else with fresh weights from seed 0. See [`Model::with_seed`].
    fn new() -> Self {
        match Self::TRAINED {
            Some(trained) => Self::from_data(ModelData::new(trained.weights(&Self::STREAM))),
            None => Self::with_seed(0),
        }
    }

    /// A model with fresh weights, whether it has a file or not. The same seed gives the same weights, on every machine.
    fn with_seed(seed: u64) -> Self {
        Self::from_data(ModelData::new(initialise(Self::INFO.params, seed)))
    }

    /// The output for a batch: `[batch, features]`, or `[batch, time, features]` if the model ends
    /// in a sequence. A model with several outputs gives a structure of them.
    ///
    /// `x` is `[batch, time, features]`, `[batch, features]` or ids `[batch, time]`, by the model's
    /// input; for several inputs a tuple or the structure that belongs to the model.
    ///
    /// NaN in a row of `x` gives NaN in that row of the output, and no error: what comes from outside
    /// is yours to check.
    ///
    /// Stateful layers go on where the batch before ended. Of two batches at once, on two threads,
    /// both start from the same states, and those of the last to end stay.
    ///
    /// States outlive a masked step, outputs do not outlive their batch: where a sequence comes in
    /// parts and all steps of a row's part are masked, a layer without `return_sequences` gives
    /// zeros for that row, as in Keras, and not its last output. That one is in
    /// [`Model::states`], for LSTM, GRU and SimpleRNN under the name `h`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape than the model was compiled for, an empty batch or a
    /// sequence of no steps, or if a stateful model has states of another number of rows;
    /// [`Error::Id`] for an id outside of the vocabulary.
    fn predict<'a>(&self, x: impl IntoInput<'a, Self::Input>) -> Result<Self::Output, Error> {
        let mut inputs = Vec::with_capacity(Self::INFO.inputs.len());
        x.into_input(&mut inputs)?;
        let data = self.data();
        let arrays = predict(&Self::INFO, &inputs, |x, batch, outcome| {
            #[cfg(feature = "cuda")]
            if data.resident.is_some() {
                return cuda::infer(&Self::INFO, data, x, batch, outcome);
            }
            infer(&CpuCode::of::<Self>(), data, x, batch, outcome, false)
        })?;
        Self::Output::from_arrays(arrays)
    }

    /// The model on a device, with its weights, and states if it is stateful. From then on [`Model::predict`] and training
    /// run there; nothing else changes. `Device::cpu()` brings it back.
    ///
    /// The model's own streams run on the CPU wherever it is: a GPU needs longer to start a step of one row than the CPU to
    /// compute it. A clone of the model is on the CPU, too.
    ///
    /// ```
    /// use recurrent::{Error, model::Model, prelude::Device};
    ///
    /// /// A model on the GPU, if there is one.
    /// fn placed<M: Model>(model: M) -> Result<M, Error> {
    ///     model.to(&Device::auto())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Device`] if the device has no room for the model. The model is gone then; [`Model::move_to`] keeps it.
    fn to(mut self, device: &Device) -> Result<Self, Error> {
        self.move_to(device)?;
        Ok(self)
    }

    /// What [`Model::to`] does, in place: a model that cannot move stays where it is, with weights and states.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(1));
    /// if let Err(e) = model.move_to(&Device::auto()) {
    ///     eprintln!("on {}: {e}", model.device());
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Device`] if the device has no room for the model, or if the one that it is on has failed.
    fn move_to(&mut self, device: &Device) -> Result<(), Error> {
        learner::to(self, device)
    }

    /// The device that the model is on.
    fn device(&self) -> Device {
        learner::device(self.data())
    }

    /// Puts the states of stateful layers back to zero. The next batch may be of another size.
    fn reset_states(&self) {
        self.data().states.lock().reset();
    }

    /// The states of stateful layers after the last batch, of inference or training; none at the
    /// start and after [`Model::reset_states`].
    fn states(&self) -> Vec<LayerState> {
        self.data().named_states(&Self::INFO)
    }

    /// Replaces the states of stateful layers that are named; the others stay.
    ///
    /// # Errors
    /// [`Error::Device`] if the states that stay cannot be copied from the device that has them,
    /// [`Error::Argument`] if no stateful layer has such a state, or if one is given twice,
    /// [`Error::Shape`] if it has another shape, or other rows than the states that stay; then
    /// nothing has changed.
    fn set_states(&self, states: &[LayerState]) -> Result<(), Error> {
        self.data().host_states()?.set(&Self::INFO, states)
    }

    /// A stream with states of its own, at the start of a sequence, on the CPU. Borrows the weights;
    /// [`into_stream`](super::IntoStream::into_stream) makes one that owns the model, or an `Arc` of it.
    ///
    /// # Errors
    /// [`Error::Isa`] if `RECURRENT_ISA` names an instruction set that this machine has not, [`Error::Device`] if the weights
    /// cannot be copied from the device that has them.
    fn stream(&self) -> Result<Stream<'_, Self>, Error>
    where
        Self: Streamable,
    {
        let isa = self.isa()?;
        self.data().host_weights()?;
        Ok(Stream::over(packed_weights(self, isa), isa))
    }

    /// The output for one array whose sizes the compiler knows: no batch, no ndarray, no allocation.
    /// `[[f32; F]; T]` of a model that reads sequences, `[f32; F]` of one without time; the output is
    /// `[f32; N]`, or `[[f32; N]; T]` of a model that ends in a sequence. [`CallWith`] has the whole table.
    /// Another number of features, or of steps where the model says how many, does not compile.
    ///
    /// It costs `T` steps of a stream, and gives their bits, which are those of [`Model::predict`]. `predict`
    /// computes products with the inputs for all steps at once, so it is the faster one for long sequences
    /// of wide layers, and it needs other threads and memory. The states, a few KB, and the output are on
    /// the stack. The first call after a change of weights packs them, which allocates: make a stream, and
    /// drop it, where that must not happen later. States start at zero and are gone afterwards, those of
    /// stateful layers too. NaN in `x` gives NaN.
    ///
    /// Runs on the CPU, on the instruction set [`Model::isa`]; plain code if that is an error.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let model = rnn_model!(Input(8, 2) -> LSTM(4) -> Dense(3));
    /// let y: [f32; 3] = model.call(&[[0.5, -0.5]; 8]);
    ///
    /// let each = rnn_model!(Input(_, 2) -> LSTM(4, return_sequences) -> Dense(3));
    /// let y: [[f32; 3]; 5] = each.call(&[[0.5, -0.5]; 5]);
    /// ```
    ///
    /// ```compile_fail
    /// # use recurrent::prelude::*;
    /// let model = rnn_model!(Input(8, 2) -> LSTM(4) -> Dense(3));
    /// let y = model.call(&[[0.5, -0.5]; 7]);   // expected an array with a size of 8, found one with a size of 7
    /// ```
    fn call<X>(&self, x: &X) -> <Self as CallWith<X>>::Output
    where
        Self: CallWith<X>,
    {
        let isa = self.isa().unwrap_or(Isa::SCALAR);
        packed_weights(self, isa).call_on(isa, x)
    }

    /// Keras's table of layers, output shapes and parameters; and if the model is not on the CPU, where and how it runs:
    /// [`Model::plan_on`] says more.
    fn summary(&self) -> String {
        let read_from = Self::TRAINED.map_or(String::new(), |t| format!("{}\n", t.read_from));
        summary::summary(&Self::INFO) + &read_from + &learner::placed(self)
    }

    /// The model's graph as [Mermaid](https://mermaid.js.org) draws it, in Markdown for instance.
    fn diagram() -> String {
        graph::mermaid(&Self::INFO)
    }

    /// The model's graph as [Graphviz](https://graphviz.org) draws it: `dot -Tsvg`.
    fn graphviz() -> String {
        graph::graphviz(&Self::INFO)
    }

    /// What the compiler decided, and why.
    fn plan() -> &'static str {
        Self::INFO.plan
    }

    /// How the model runs on a device, wherever it is now. For the CPU it is [`Model::plan`]; for a GPU the memory that weights
    /// and batches take, and for each layer and form (inference, forward, backward) its kernels before, at and after the steps:
    /// whether the steps are one persistent kernel, and if not why. Nothing is compiled or run for it.
    ///
    /// ```
    /// use recurrent::{model::Model, prelude::Device};
    ///
    /// /// Prints how a model would run on the GPU, if there is one.
    /// fn print_plan(model: &impl Model) {
    ///     println!("{}", model.plan_on(&Device::auto()));
    /// }
    /// ```
    fn plan_on(&self, device: &Device) -> String {
        learner::plan_on::<Self>(device)
    }

    /// All parameters in the order of their weights: names, shapes, how they start and whether they are
    /// trained. [`Model::param`] gives the numbers of one.
    ///
    /// ```
    /// use recurrent::{model::Model, params::ParamSpec};
    ///
    /// /// Keras's "trainable params".
    /// fn trainable(model: &impl Model) -> usize {
    ///     let params = model.params().iter();
    ///     params.filter(|p| p.trainable).map(ParamSpec::len).sum()
    /// }
    ///
    /// /// `lstm/kernel [16, 128]`, one a line.
    /// fn table(model: &impl Model) -> String {
    ///     let line = |p: &ParamSpec| format!("{} {:?}\n", p.name, p.shape);
    ///     model.params().iter().map(line).collect()
    /// }
    /// ```
    fn params(&self) -> &'static [ParamSpec] {
        Self::INFO.params
    }

    /// The weights of one parameter, such as `lstm/kernel`: its shape and its floats, row-major. As an array it is
    /// [`Model::param_view`].
    fn param(&self, name: &str) -> Option<(&'static [usize], &[f32])> {
        let (spec, range) = param::find(Self::INFO.params, name)?;
        Some((spec.shape, &self.data().weights()[range]))
    }

    /// The weights of one parameter, to change. [`Model::set_param`] replaces all of them.
    fn param_mut(&mut self, name: &str) -> Option<(&'static [usize], &mut [f32])> {
        let (spec, range) = param::find(Self::INFO.params, name)?;
        Some((spec.shape, &mut self.data_mut().weights_mut()[range]))
    }

    /// The weights of one parameter as an array of its shape. `into_dimensionality` makes it one of a known number of axes.
    ///
    /// ```
    /// use ndarray::{ArrayView2, Ix2};
    /// use recurrent::{Error, model::Model};
    ///
    /// /// The vectors of all words, `[words, features]`.
    /// fn embeddings(model: &impl Model) -> Result<ArrayView2<'_, f32>, Error> {
    ///     let view = model.param_view("embedding/embeddings")?;
    ///     view.into_dimensionality::<Ix2>().map_err(|e| Error::Argument(e.to_string()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such parameter, with the names of all, the nearest first; [`Error::Device`] if the
    /// weights cannot be copied from there.
    fn param_view(&self, name: &str) -> Result<ArrayViewD<'_, f32>, Error> {
        param::view(self, name)
    }

    /// Replaces the weights of one parameter by an array of its shape, such as vectors of words that another program
    /// trained. `value` has numbers of any type that are an `f64` as well: `f32`, `f64`, ….
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recurrent::{Error, model::Model};
    ///
    /// /// Starts with known vectors of words, `[words, features]`.
    /// fn start(model: &mut impl Model, glove: &Array2<f64>) -> Result<(), Error> {
    ///     model.set_param("glove/embeddings", glove)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such parameter, with the names of all, the nearest first, or if a number is not
    /// finite; [`Error::Shape`] for another shape; [`Error::Device`] if the other weights cannot be copied from there.
    /// Nothing has changed then.
    fn set_param<A, S, D>(&mut self, name: &str, value: &ArrayBase<S, D>) -> Result<(), Error>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        param::set(self, name, value)
    }

    /// The instruction set that it runs on: the one that [`Model::set_isa`] or `RECURRENT_ISA`
    /// names, else the CPU's widest, unless half of its vectors would stay empty. All give the same
    /// answers to within rounding.
    ///
    /// # Errors
    /// [`Error::Isa`] if `RECURRENT_ISA` names an instruction set that this machine has not.
    fn isa(&self) -> Result<Isa, Error> {
        self.data().isa(&StreamCode::of::<Self>())
    }

    /// Runs on this instruction set from now on, whatever `RECURRENT_ISA` says.
    fn set_isa(&mut self, isa: Isa) {
        self.data_mut().set_isa(isa);
    }

    /// Asks backward passes for the gradients of the inputs too ([`Model::input_gradient`]).
    fn want_input_gradient(&mut self, wanted: bool) {
        learner::want_input_gradient(self, wanted);
    }

    /// The gradient of input number `index` from the last backward pass, `[batch, (time,)
    /// features]`; `None` for ids and masks, or if it was not asked for.
    fn input_gradient(&self, index: usize) -> Option<&[f32]> {
        learner::input_gradient(self, index)
    }

    /// Writes the weights as safetensors, under Keras's names. The file is written to the side
    /// and renamed: an interrupted write leaves the old file whole.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Argument`] if a weight is not finite, which [`Model::load`] would
    /// refuse; [`Error::Device`] if the weights cannot be copied from there: the old file stays.
    #[cfg(feature = "weights")]
    fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        self.data().check()?;
        let weights = self.data().host_weights()?;
        crate::weights::save(path, Self::INFO.params, weights)
    }

    /// Reads weights from safetensors: a file of [`Model::save`], or one that Python wrote of a Keras model of the same
    /// layers, by `save_file({v.path: v.numpy() for v in model.variables}, "model.safetensors")`. Everything missing,
    /// extra, of the wrong shape or not finite is reported together, and then nothing has changed.
    ///
    /// With the feature `import` other formats are read. Of a file that has layers, too, these are compared with the model's:
    /// another activation, or an `Add` that the model lacks, is an error though the weights fit.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`], [`Error::Weights`].
    #[cfg(feature = "weights")]
    fn load(&mut self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        let params = Self::INFO.params;
        let mut weights = vec![0.0; params.iter().map(crate::params::ParamSpec::len).sum()];
        let layers = Self::INFO.layers.iter().map(|l| (l.name, l.text));
        let layers: Vec<_> = layers.filter(|(_, text)| !text.is_empty()).collect();
        crate::weights::load_as(path, params, &layers, &mut weights)?;
        self.data_mut().replace_weights(weights);
        Ok(())
    }

    /// Reads from safetensors what matches a parameter by name and shape; all others stay as they
    /// are. Returns the names of those that were read: to start from a model of which a part is the
    /// same. Between two models in one program it is
    /// [`Learner::copy_weights_from`](crate::learner::Learner::copy_weights_from).
    ///
    /// # Errors
    /// As [`Model::load`]; nothing has changed then. [`Error::Weights`] is for what matches and is
    /// not finite, for a parameter that could be several tensors, or if nothing matches; [`Error::Device`] if the weights that stay
    /// cannot be copied from the device that has them.
    #[cfg(feature = "weights")]
    fn load_matching(
        &mut self,
        path: impl AsRef<std::path::Path>,
    ) -> Result<Vec<&'static str>, Error> {
        self.data().check()?;
        self.data().host_weights()?;
        crate::weights::load_matching(path, Self::INFO.params, self.data_mut().weights_mut())
    }
}

impl<P: Program> Model for P {}
