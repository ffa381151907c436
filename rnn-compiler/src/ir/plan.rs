//! What the generated code consists of: buffers, packed weights and phases with every place
//! decided.

use crate::cell::{
    graph::Graph,
    size::Size,
    stages::{Packed, PackedVector, Statement},
};

use super::OpGraph;

/// How many steps a buffer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One.
    One,
    /// Two in turn.
    Ring,
    /// All.
    All,
    /// The last one, and a place for all others.
    Last,
}

/// A buffer.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Units of a row.
    pub width: Size,
    /// Something reads from the middle of a row: vectors may reach further.
    pub slack: bool,
    /// Steps.
    pub extent: Extent,
    /// The axis that has them, for [`Extent::All`].
    pub axis: Option<usize>,
}

/// A place: a buffer, the first unit, and whether it is the one after the step.
#[derive(Clone, Debug)]
pub struct Ref {
    /// Index of the buffer.
    pub buf: usize,
    /// First unit.
    pub offset: Size,
    /// After the step.
    pub after: bool,
    /// Others stand behind it.
    pub exact: bool,
}

/// One operand of a product.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The operand.
    pub src: Ref,
    /// Its length.
    pub k: Size,
    /// Index of the packed matrix.
    pub matrix: usize,
    /// The operand is a state before the step, of a layer that starts with zeros.
    pub carried: bool,
}

/// A phase with its places.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Units.
    pub width: Size,
    /// Products: segments and number of gates.
    pub products: Vec<(Vec<Segment>, usize)>,
    /// Vectors that are read.
    pub loads: Vec<Ref>,
    /// Packed vectors that are read.
    pub vectors: Vec<usize>,
    /// Numbers of a row that are read.
    pub scalars: Vec<Ref>,
    /// Vectors that are written.
    pub stores: Vec<Ref>,
    /// Numbers of a row that are reduced to, or computed from reductions.
    pub reductions: Vec<Ref>,
    /// What happens for every block of units.
    pub body: Vec<Statement>,
    /// What happens behind the last block of a row.
    pub behind: Vec<Statement>,
    /// All that it writes is the gradient of the input.
    pub only_input_gradient: bool,
    /// All that it writes are gradients of states before the step.
    pub only_state_gradients: bool,
}

/// The phases of one form of a cell.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// The graph that the statements are about.
    pub graph: Graph,
    /// Computed when weights are packed: statements, whose stores are packed vectors.
    pub pack: Vec<Phase>,
    /// Before the sweep.
    pub pre: Vec<Phase>,
    /// At every step.
    pub step: Vec<Phase>,
    /// After the sweep.
    pub post: Vec<Phase>,
}

/// A matrix gradient, with its places.
#[derive(Clone, Debug)]
pub struct MatrixGradient {
    /// The operand and its length.
    pub operand: (Ref, Size),
    /// The gradient of the product and its length.
    pub delta: (Ref, Size),
    /// The model's parameter, its columns, first row and column of the part.
    pub part: (usize, Size, Size, Size),
}

/// A vector gradient, with its place.
#[derive(Clone, Debug)]
pub struct VectorGradient {
    /// The values and their length.
    pub delta: (Ref, Size),
    /// They are sums over the steps of each row.
    pub total: bool,
    /// The model's parameter and the first float of the part.
    pub part: (usize, Size),
}

/// One cell operation, planned.
#[derive(Clone, Debug, Default)]
pub struct CellPlan {
    /// One step of a stream.
    pub stream: Phases,
    /// Inference over a batch.
    pub inference: Phases,
    /// The forward pass of training; empty for `BatchNormalization`.
    pub forward: Phases,
    /// The backward pass.
    pub backward: Phases,
    /// States before the first step in inference and in training, and their sizes.
    pub states: Vec<(Ref, Ref, Size)>,
    /// Gradients of the states before a step, and their sizes.
    pub state_gradients: Vec<(Ref, Size)>,
    /// Sums over the steps of each row, for gradients, and their sizes.
    pub totals: Vec<(Ref, Size)>,
    /// The masks of dropout, in training.
    pub noises: Vec<Ref>,
    /// For each output of a masked cell that only its last step is wanted of: its gradient at all
    /// steps. Which step it belongs to differs from row to row.
    pub spread: Vec<Option<Ref>>,
    /// The states of a stream, and their sizes.
    pub stream_states: Vec<(Ref, Size)>,
    /// Gradients of matrices.
    pub matrices: Vec<MatrixGradient>,
    /// Gradients of vectors.
    pub vectors: Vec<VectorGradient>,
    /// Unroll the sweep of inference by this many steps: all of them.
    pub unroll: Option<usize>,
}

/// A packed matrix: which operation's, what it is made of.
#[derive(Clone, Debug)]
pub struct PlannedMatrix {
    /// The operation.
    pub op: usize,
    /// Its parameters, which another operation may share.
    pub params: Vec<usize>,
    /// What it is made of.
    pub packed: Packed,
}

/// A packed vector: which operation's, of which graph, what it is made of.
#[derive(Clone, Debug)]
pub struct PlannedVector {
    /// The operation.
    pub op: usize,
    /// Of the backward graph.
    pub backward: bool,
    /// What it is made of.
    pub packed: PackedVector,
}

/// A mode: how values are stored.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// Its buffers.
    pub buffers: Vec<Buffer>,
    /// The buffer of each value.
    pub values: Vec<Ref>,
}

/// A model, planned.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operations.
    pub graph: OpGraph,
    /// Streaming.
    pub stream: Mode,
    /// Inference over a batch.
    pub inference: Mode,
    /// Training.
    pub training: Mode,
    /// The gradient of each value, in training.
    pub gradients: Vec<Ref>,
    /// For `BatchNormalization`: where the statistics are kept, by operation.
    pub kept: Vec<Option<Ref>>,
    /// Cells, by operation.
    pub cells: Vec<Option<CellPlan>>,
    /// Packed matrices; those from `training_matrices` on are packed for training only.
    pub matrices: Vec<PlannedMatrix>,
    /// See `matrices`.
    pub training_matrices: usize,
    /// Packed vectors, likewise.
    pub vectors: Vec<PlannedVector>,
    /// See `vectors`.
    pub training_vectors: usize,
    /// Why it cannot run step by step, if it cannot.
    pub whole: Option<String>,
    /// Long sequences can run block by block.
    pub blocks: bool,
    /// What was decided, and why.
    pub text: String,
}
