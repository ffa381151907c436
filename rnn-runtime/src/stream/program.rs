//! What the compiler says about the stream of a model, and the code that it generates for it.

use rnn_tables::{BufferRef, PackedGate, PackedVector};

use super::Tables;
use crate::cpu::{
    arena::{Length, Storage},
    kernel::{Buf, Memory, PanelFormat, Panels, StepMemory, StepResults, StreamTables},
    simd::Simd,
};

/// A state of a stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamState {
    /// The layer's name.
    pub layer: &'static str,
    /// The state's name in its cell.
    pub name: &'static str,
    /// Its axes.
    pub shape: &'static [usize],
    /// Where it lies before a step.
    pub buf: BufferRef,
}

/// What the compiler says about the stream of a model, and about the weights that inference packs.
#[derive(Clone, Copy, Debug)]
pub struct StreamInfo {
    /// Floats of the weights, in the order of the model's parameters.
    pub weights: usize,
    /// Whether a step reads weights that are not packed: rows of a table.
    pub reads_tables: bool,
    /// Whether states start with parameters: [`StreamProgram::start`] does something.
    pub starts: bool,
    /// Elements of the packed weights of inference; those of training follow them.
    pub packed: usize,
    /// Matrices that inference packs.
    pub matrices: &'static [PackedGate],
    /// Vectors that inference packs.
    pub vectors: &'static [PackedVector],
    /// Where vectors computed from parameters go in the packed weights, and how many floats.
    pub computed: (usize, usize),
    /// Buffers of a stream.
    pub buffers: &'static [Buf],
    /// Floats of a stream's buffers.
    pub len: usize,
    /// The outputs: where they lie among the values, and how long they are.
    pub outputs: &'static [(usize, usize)],
    /// The states of a stream.
    pub states: &'static [StreamState],
}

/// Kernels that compute vectors from parameters, when weights are packed.
pub trait Computed {
    /// Runs them.
    fn run<S: Simd, W: PanelFormat>(s: S, m: &mut Memory<'_>, w: Panels<'_, W>);
}

/// For models without vectors to compute.
#[derive(Clone, Copy, Debug)]
pub enum Nothing {}

impl Computed for Nothing {
    fn run<S: Simd, W: PanelFormat>(_: S, _: &mut Memory<'_>, _: Panels<'_, W>) {}
}

/// The code of a model's stream. Generated; nothing in it is meant to be called by hand.
pub trait StreamProgram: Sized {
    /// What is known about it.
    const STREAM: StreamInfo;
    /// Room for the values of a stream, without an allocator.
    type Values: Storage;
    /// The input of one step of a stream: `[f32; N]`, [`super::Id`], or what generated code takes
    /// for several.
    type StepInput;
    /// The output of one step of a stream, borrowed from its values: `&[f32; N]` for one.
    type StepOutput<'s>;
    /// Vectors computed from parameters.
    type Computed: Computed;

    /// One step of a stream. `tables` are weights that are not packed.
    fn step<S: Simd, W: PanelFormat>(
        s: S,
        m: &mut StepMemory<'_, Self, W>,
        tables: Tables<'_>,
        x: &Self::StepInput,
    );
    /// States before the first step that are not zero, where all values are zero.
    fn start<S: Simd, W: PanelFormat>(_: S, _: &mut StepMemory<'_, Self, W>) {}
    /// The output of the step before, among a stream's values.
    fn step_output(values: StepResults<'_, Self>) -> Self::StepOutput<'_>;
}

#[doc(hidden)]
impl<P: StreamProgram> Length for P {
    const LEN: usize = P::STREAM.len;
}

#[doc(hidden)]
impl<P: StreamProgram> StreamTables for P {
    const BUFFERS: &'static [Buf] = P::STREAM.buffers;
    const PACKED: usize = P::STREAM.packed;
}

/// A model that can run step by step: no layer needs the whole sequence at once. The compiler implements
/// it where that is so; a function that returns a model says so in its type, and what a step takes.
///
/// ```
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model + Streamable<StepInput = [f32; 1]> {
///     rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1))
/// }
///
/// fn main() -> Result<(), Error> {
///     let mut stream = model().into_stream()?;
///     stream.step(&[0.5]);
///     Ok(())
/// }
/// ```
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::model::Streamable;
///
/// /// Any model that takes eight numbers a step.
/// fn first<M: Model + Streamable<StepInput = [f32; 8]>>(model: &M) -> Result<(), Error> {
///     let mut stream = model.stream()?;
///     stream.step(&[0.0; 8]);
///     Ok(())
/// }
/// first(&rnn_model!(Input(_, 8) -> LSTM(4)))?;
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "[RNN0300]: the type `{Self}` does not say that it can stream",
    label = "`Streamable` is missing where this type is declared",
    note = "help: write `impl Model<…> + Streamable<StepInput = [f32; 8]>` with the model's own step, or `M: Model + Streamable`",
    note = "where a layer needs the whole sequence, that is an error which names the layer"
)]
pub trait Streamable: StreamProgram {}
