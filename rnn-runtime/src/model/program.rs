//! What the compiler says about a model, and the code that it generates for it.

use super::{Core, Inference, Kind, Training};
use crate::{
    cpu::{
        ops::Sweep,
        phase::{Buf, Matrix, Memory, Ref, Steps, Vector},
        simd::Simd,
    },
    learner::ValueSpec,
    params::ParamSpec,
};

/// How many steps a buffer of a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One.
    One,
    /// Two in turn.
    Ring,
    /// One for every time, and one more.
    All,
    /// One for the last time, one for all others.
    Last,
}

/// A buffer of a batch, its rows and steps still open.
#[derive(Clone, Copy, Debug)]
pub struct BufSpec {
    /// Floats of a row, a multiple of 16.
    pub row: usize,
    /// Steps.
    pub extent: Extent,
}

/// A line of the summary.
#[derive(Clone, Copy, Debug)]
pub struct LayerRow {
    /// The layer's name.
    pub name: &'static str,
    /// Keras's class.
    pub class: &'static str,
    /// The shape of its output, as text.
    pub shape: &'static str,
    /// Names of its parameters start with this.
    pub prefix: &'static str,
}

/// What the compiler says about a model.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The model's name.
    pub name: &'static str,
    /// Its parameters, in storage order.
    pub params: &'static [ParamSpec],
    /// Its inputs.
    pub inputs: &'static [ValueSpec],
    /// Its outputs.
    pub outputs: &'static [ValueSpec],
    /// Its layers.
    pub layers: &'static [LayerRow],
    /// What the compiler decided, and why.
    pub plan: &'static str,
    /// For ids: the layer that takes them, and the size of its vocabulary.
    pub vocabulary: Option<(&'static str, usize)>,
    /// Floats of the packed weights of inference; those of training follow them.
    pub packed: usize,
    /// Floats of the packed weights of training, those of inference included.
    pub packed_training: usize,
    /// Matrices that inference packs.
    pub matrices: &'static [Matrix],
    /// Matrices that only training packs.
    pub matrices_training: &'static [Matrix],
    /// Vectors that inference packs.
    pub vectors: &'static [Vector],
    /// Vectors that only training packs.
    pub vectors_training: &'static [Vector],
    /// Where vectors computed from parameters go in the packed weights, and how many floats.
    pub computed: (usize, usize),
    /// Buffers of a stream.
    pub stream: &'static [Buf],
    /// Floats of a stream's buffers.
    pub stream_len: usize,
    /// Buffers of inference over a batch.
    pub inference: &'static [BufSpec],
    /// Buffers of training.
    pub training: &'static [BufSpec],
    /// The output of inference and of training, the gradient of the output, that of the input.
    pub output: Ref,
    /// See `output`.
    pub training_output: Ref,
    /// See `output`.
    pub output_gradient: Ref,
    /// See `output`; `None` for ids.
    pub input_gradient: Option<Ref>,
    /// Long sequences can run block by block: no layer needs the last step first.
    pub blocks: bool,
    /// Multiplications for one row and one step, about.
    pub cost: usize,
}

impl Spec {
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.params.iter().map(ParamSpec::len).sum()
    }
}

/// Phases that compute vectors from parameters, when weights are packed.
pub trait Computed {
    /// Runs them.
    fn run<S: Simd>(s: S, m: &mut Memory<'_>);
}

/// The code of a model. Generated; nothing in it is meant to be called by hand.
pub trait Program: Sized + Send + Sync + 'static {
    /// What is known about the model.
    const SPEC: Spec;
    /// The kind of the input: [`super::Sequence`], [`super::Rows`] or [`super::Ids`].
    type Input: Kind;
    /// Axes of the output of a batch.
    type OutputDim: ndarray::Dimension;
    /// The input of one step of a stream: `[f32; N]` or [`super::Id`].
    type StepInput;
    /// The output of one step of a stream: `[f32; N]`.
    type StepOutput;
    /// Vectors computed from parameters.
    type Computed: Computed;

    /// The model's data.
    fn core(&self) -> &Core;
    /// The model's data, to change.
    fn core_mut(&mut self) -> &mut Core;
    /// A model with this data.
    fn from_core(core: Core) -> Self;

    /// One step of a stream at time `t`.
    fn step<S: Simd>(s: S, m: &mut Memory<'_>, weights: &[f32], t: usize, x: &Self::StepInput);
    /// The output of the step before, among a stream's values.
    fn step_output(values: &[f32]) -> &Self::StepOutput;
    /// A block of steps for some rows of a batch.
    fn infer(c: &mut Inference<'_>);
    /// The forward pass of training.
    fn forward(c: &mut Training<'_>);
    /// The backward pass of training.
    fn backward(c: &mut Training<'_>);
}

/// Buffers for `rows` rows and `steps` steps, and the floats that they take.
pub(super) fn lay_out(specs: &[BufSpec], rows: usize, steps: usize) -> (Vec<Buf>, usize) {
    let mut len = 0;
    let bufs = specs
        .iter()
        .map(|b| {
            let (count, kind) = match b.extent {
                Extent::One => (1, Steps::One),
                Extent::Ring => (2, Steps::Ring),
                Extent::All => (steps + 1, Steps::All),
                Extent::Last => (2, Steps::Last),
            };
            let buf = Buf::new(len, b.row, rows, count, kind);
            len += buf.len();
            buf
        })
        .collect();
    (bufs, len)
}

/// A cell's phases that does nothing: for models without vectors to compute.
#[derive(Clone, Copy, Debug)]
pub enum Nothing {}

impl Computed for Nothing {
    fn run<S: Simd>(_: S, _: &mut Memory<'_>) {}
}

/// Cost of a sweep over `steps` steps, for one row.
pub(super) fn cost<C: Sweep>(steps: usize) -> usize {
    C::COST.saturating_mul(steps)
}
