//! What a model executes: buffers, packed weights, kernels, and for a stream, inference, the forward
//! and the backward pass a list of instructions. Everything is decided here; printers only print.
//!
//! [`plan`] makes it of an [`OpGraph`] in three steps: values get buffers (`buffers.rs`), cells are
//! cut into kernels whose vectors get theirs (`kernels.rs`), and each run becomes a list
//! (`forward.rs`, `backward.rs`, `stream.rs`).

mod backward;
mod buffers;
mod cost;
mod directions;
mod explain;
mod forward;
mod kernels;
mod listing;
mod stream;

use rnn_tables::{Buffer, Kernel as Tables, MatrixGradient, PackedMatrix, Slice, VectorGradient};

use crate::{
    cell::{graph::Graph, size::Size},
    diagnostics::Sound,
    ir::{BufferRef, Instruction, OpGraph, ParamId, Symbolic},
    kernels::{PackedVector, Statement, Target},
};

pub use listing::listing;

/// A fused kernel: its tables, and the maths that is evaluated for every block of units.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// What it reads and writes. The packed vectors of a kernel that runs when weights are packed are
    /// named by its stores in `body`.
    pub tables: Tables<Symbolic>,
    /// What happens for every block of units.
    pub body: Vec<Statement>,
    /// What happens after the last block of a row, when its reductions are complete.
    pub epilogue: Vec<Statement>,
    /// All that it writes is the gradient of the input.
    pub only_input_gradient: bool,
    /// All that it writes are gradients of states before the step.
    pub only_state_gradients: bool,
}

/// The kernels of one form of a cell.
#[derive(Clone, Debug, Default)]
pub struct Kernels {
    /// The graph that the statements are about.
    pub graph: Graph,
    /// Weight-time: run when weights are packed. Their stores are packed vectors.
    pub weight_time: Vec<Kernel>,
    /// Before the loop, for all steps at once.
    pub prologue: Vec<Kernel>,
    /// At every step.
    pub step: Vec<Kernel>,
    /// After the loop, for all steps at once.
    pub post_loop: Vec<Kernel>,
}

impl Kernels {
    /// Those that run with a batch, in order.
    pub fn running(&self) -> impl Iterator<Item = &Kernel> {
        self.prologue
            .iter()
            .chain(&self.step)
            .chain(&self.post_loop)
    }

    /// Multiplications for one row and one step, about: what the runtime divides among threads by.
    pub fn cost(&self) -> Size {
        let mut cost = Size::known(0);
        for kernel in self.running() {
            let width = &kernel.tables.width;
            cost = &cost + &(&Size::known(POINTWISE) * width);
            for segment in kernel.tables.products.iter().flatten() {
                let products = &(&segment.k * width) * &Size::known(segment.gates);
                cost = &cost + &products;
            }
        }
        cost
    }
}

/// Pointwise maths of a unit costs about as much as so many multiplications.
const POINTWISE: usize = 16;

/// One cell, planned.
#[derive(Clone, Debug, Default)]
pub struct CellPlan {
    /// One step of a stream.
    pub stream: Kernels,
    /// Inference over a batch.
    pub inference: Kernels,
    /// The forward pass of training; empty for `BatchNormalization`.
    pub forward: Kernels,
    /// The backward pass.
    pub backward: Kernels,
    /// The states of a stream.
    pub stream_states: Vec<Slice<Symbolic>>,
    /// States before the first step in inference.
    pub inference_states: Vec<Slice<Symbolic>>,
    /// States before the first step in training.
    pub training_states: Vec<Slice<Symbolic>>,
    /// Gradients of the states before a step.
    pub state_gradients: Vec<Slice<Symbolic>>,
    /// Accumulators over the steps of each row, of which gradients of vectors are made.
    pub accumulators: Vec<Slice<Symbolic>>,
    /// The dropout masks of training.
    pub dropout_masks: Vec<BufferRef>,
    /// For each output of a masked cell without `return_sequences`: a gradient at all steps, since
    /// each row's last valid step differs.
    pub broadcast: Vec<Option<BufferRef>>,
    /// Gradients of matrices.
    pub matrices: Vec<MatrixGradient<Symbolic>>,
    /// Gradients of vectors.
    pub vectors: Vec<VectorGradient<Symbolic>>,
    /// Unroll the loop of inference by this many steps: all of them.
    pub unroll: Option<usize>,
}

/// A packed matrix: its gates.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedMatrix {
    /// The gates, side by side.
    pub gates: Vec<PackedMatrix<Symbolic>>,
    /// Length of the operand.
    pub k: Size,
    /// Units.
    pub width: Size,
}

/// A packed vector: of which operation, of which graph, what it is made of.
#[derive(Clone, Debug)]
pub struct PlannedVector {
    /// The operation.
    pub op: usize,
    /// Of the backward graph.
    pub backward: bool,
    /// What it is made of.
    pub packed: PackedVector,
    /// The parameter, if it is a part of one.
    pub param: Option<ParamId>,
}

/// How values are stored in a mode.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// Its buffers.
    pub buffers: Vec<Buffer<Symbolic>>,
    /// The buffer of each value.
    pub values: Vec<BufferRef>,
}

/// The instructions of each run.
#[derive(Clone, Debug, Default)]
pub struct Schedules {
    /// One step of a stream; empty for a model that cannot stream.
    pub stream: Vec<Instruction>,
    /// A batch, or a block of its steps.
    pub inference: Vec<Instruction>,
    /// The forward pass of training.
    pub forward: Vec<Instruction>,
    /// The backward pass of training.
    pub backward: Vec<Instruction>,
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
    pub gradients: Vec<BufferRef>,
    /// For `BatchNormalization`: where the statistics are saved, by operation.
    pub saved: Vec<Option<BufferRef>>,
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
    /// What runs.
    pub schedules: Schedules,
    /// What was decided, and why.
    pub text: String,
}

/// Plans a model; its kernels are cut for `target`.
///
/// # Errors
/// If tables of the compiler contradict one another, which is a mistake of the compiler.
pub fn plan(graph: OpGraph, target: &Target) -> Sound<Plan> {
    let mut plan = kernels::plan(graph, target)?;
    if plan.whole.is_none() {
        plan.schedules.stream = stream::stream(&plan)?;
    }
    plan.schedules.inference = forward::inference(&plan)?;
    plan.schedules.forward = forward::training(&plan)?;
    plan.schedules.backward = backward::backward(&plan)?;
    plan.text = explain::explain(&plan);
    Ok(plan)
}
