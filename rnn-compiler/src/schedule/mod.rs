//! What a model executes: buffers, packed weights, kernels, and for a stream, inference, the forward
//! and the backward pass a list of instructions. Everything is decided here; printers only print.
//!
//! [`plan`] makes a [`Plan`] from an [`OpGraph`] in three steps: values get buffers (`buffers.rs`),
//! cells are cut into kernels whose vectors get buffers (`kernels.rs`), and each run becomes a list
//! of instructions (`forward.rs`, `backward.rs`, `stream.rs`).

mod backward;
mod buffers;
mod cost;
mod directions;
mod explain;
mod forward;
mod kernels;
mod listing;
mod stream;

use rnn_tables::{Buffer, Kernel, MatrixGradient, PackedGate, Slice, VectorGradient, VectorSlice};

use crate::{
    cell::{graph::Graph, size::Size},
    diagnostics::Sound,
    ir::{BufferRef, Instruction, OpGraph, Packed, ParamId, Symbolic, WholeSequence},
    kernels::{KernelTarget, PackedVectorSource, Statement},
};

pub use listing::listing;

/// A fused kernel: its tables, and the maths that is evaluated for every block of units.
#[derive(Clone, Debug)]
pub struct PlannedKernel {
    /// What it reads and writes. The packed vectors of a kernel that runs when weights are packed are
    /// named by its stores in `body`.
    pub tables: Kernel<Symbolic>,
    /// What happens for every block of units.
    pub body: Vec<Statement>,
    /// What happens after the last block of a row, when its reductions are complete.
    pub epilogue: Vec<Statement>,
    /// It writes nothing but the gradient of the input.
    pub only_input_gradient: bool,
    /// It writes nothing but gradients of states before the step.
    pub only_state_gradients: bool,
}

/// The kernels of one form of a cell.
#[derive(Clone, Debug, Default)]
pub struct Kernels {
    /// The graph that the statements are about.
    pub graph: Graph,
    /// Weight-time: run when weights are packed. Their stores are packed vectors.
    pub weight_time: Vec<PlannedKernel>,
    /// Before the loop, for all steps at once.
    pub prologue: Vec<PlannedKernel>,
    /// At every step.
    pub step: Vec<PlannedKernel>,
    /// After the loop, for all steps at once.
    pub post_loop: Vec<PlannedKernel>,
}

impl Kernels {
    /// The kernels that run with a batch, in order; weight-time kernels are not among them.
    pub fn running(&self) -> impl Iterator<Item = &PlannedKernel> {
        self.prologue
            .iter()
            .chain(&self.step)
            .chain(&self.post_loop)
    }

    /// About how many multiplications one row and step take. The runtime divides work among threads by
    /// it.
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

/// The pointwise maths of one unit costs about as much as this many multiplications.
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
    /// Accumulators over the steps of each row: gradients of vectors before rows are summed.
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
    /// How many steps inference unrolls: all of them, or `None` for a loop.
    pub unroll: Option<usize>,
}

/// A packed matrix: its gates.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedMatrix {
    /// The gates, side by side.
    pub gates: Vec<PackedGate<Symbolic>>,
    /// Length of the operand.
    pub k: Size,
    /// Units.
    pub width: Size,
}

/// A packed vector and what it is packed from.
#[derive(Clone, Debug)]
pub struct PlannedVector {
    /// The operation.
    pub op: usize,
    /// Its node belongs to the backward graph of the operation.
    pub backward: bool,
    /// What it is packed from.
    pub packed: PackedVectorSource,
    /// The parameter, if it is a part of one.
    pub param: Option<ParamId>,
}

/// The buffers of one run: streaming, inference or training.
#[derive(Clone, Debug, Default)]
pub struct BufferPlan {
    /// Its buffers.
    pub buffers: Vec<Buffer<Symbolic>>,
    /// The buffer of each value.
    pub values: Vec<BufferRef>,
}

/// The instructions of each run.
#[derive(Clone, Debug, Default)]
pub struct Schedules {
    /// Before the first step of a stream: states that start with parameters.
    pub stream_start: Vec<Instruction>,
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
    pub stream: BufferPlan,
    /// Inference over a batch.
    pub inference: BufferPlan,
    /// Training.
    pub training: BufferPlan,
    /// The gradient of each value, in training.
    pub gradients: Vec<BufferRef>,
    /// For `BatchNormalization`: where the statistics are saved, by operation.
    pub saved: Vec<Option<BufferRef>>,
    /// Cells, by operation.
    pub cells: Vec<Option<CellPlan>>,
    /// Packed matrices; those from `training_matrices` on are packed for training only.
    pub matrices: Vec<PlannedMatrix>,
    /// How many of `matrices` inference needs.
    pub training_matrices: usize,
    /// Packed vectors, likewise.
    pub vectors: Vec<PlannedVector>,
    /// How many of `vectors` inference needs.
    pub training_vectors: usize,
    /// Why the model cannot run step by step, if it cannot.
    pub needs_whole_sequence: Option<WholeSequence>,
    /// Whether long sequences can run block by block.
    pub blocks: bool,
    /// The instructions.
    pub schedules: Schedules,
    /// What was decided, and why: the text of `Model::plan()`.
    pub text: String,
}

impl Plan {
    /// What is packed as it is, in the order in which it lies: for inference, or what only training needs.
    pub fn packed_order(&self, training: bool) -> Vec<Packed> {
        let here = |i: usize, first: usize| (i >= first) == training;
        let matrices = (0..self.matrices.len())
            .filter(|&i| here(i, self.training_matrices))
            .map(Packed::Matrix);
        let given =
            |i: &usize| here(*i, self.training_vectors) && self.vectors[*i].given().is_some();
        let vectors = (0..self.vectors.len()).filter(given).map(Packed::Vector);
        matrices.chain(vectors).collect()
    }

    /// The vectors that are computed when weights are packed, in the order in which they lie, and their units.
    pub fn computed_vectors(&self) -> Vec<(usize, &Size)> {
        let all = self.vectors.iter().enumerate();
        all.filter_map(|(i, v)| match &v.packed {
            PackedVectorSource::Computed(_, width) => Some((i, width)),
            PackedVectorSource::Param(..) => None,
        })
        .collect()
    }
}

impl PlannedVector {
    /// What it is a part of, and its units; `None` if it is computed.
    pub fn given(&self) -> Option<(VectorSlice<Symbolic>, &Size)> {
        match (&self.packed, self.param) {
            (PackedVectorSource::Param(_, offset, width), Some(param)) => {
                let offset = offset.clone();
                Some((VectorSlice { param, offset }, width))
            }
            _ => None,
        }
    }
}

/// Plans a model; its kernels are cut for `target`.
///
/// # Errors
/// If tables of the compiler contradict one another, which is a mistake of the compiler.
pub fn plan(graph: OpGraph, target: &KernelTarget) -> Sound<Plan> {
    let mut plan = kernels::plan(graph, target)?;
    if plan.needs_whole_sequence.is_none() {
        plan.schedules.stream_start = stream::start(&plan)?;
        plan.schedules.stream = stream::stream(&plan)?;
    }
    plan.schedules.inference = forward::inference(&plan)?;
    plan.schedules.forward = forward::training(&plan)?;
    plan.schedules.backward = backward::backward(&plan)?;
    plan.text = explain::explain(&plan);
    Ok(plan)
}
