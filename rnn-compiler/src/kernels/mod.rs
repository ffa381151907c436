//! A graph cut into fused kernels: a kernel is some matrix products with the pointwise maths after
//! them. Four parts of a program have kernels:
//!
//! - **weight-time**: depends on parameters only; computed when weights are packed.
//! - **prologue**: does not depend on the carried values (the states); computed for all steps at
//!   once, before the scan. An input projection is here.
//! - **step**, the body of the loop: what has to be computed step by step.
//! - **post-loop**: depends on the carried values, which do not depend on it; computed for all steps
//!   at once, after the scan. The gradient of the input is here.
//!
//! Within each part a new kernel starts only where it has to: a product waits until its operand is
//! complete for all units, and so does what reads a reduction. Maths on reductions alone (the
//! deviation of a variance) runs once a row, in the epilogue after the last block of units.
//!
//! In reading order: `order.rs` decides when each node is computed, `work.rs` finds what each kernel
//! has to do for the results, `kernel.rs` writes it down, `forms.rs` does so for the forms of a cell.

pub mod forms;
mod kernel;
mod order;
mod target;
#[cfg(test)]
mod tests;
mod work;

use crate::{
    cell::{
        graph::{Graph, LeafSource, MatrixPart, NodeId, Reduce},
        size::Size,
    },
    diagnostics::Sound,
};

pub use target::KernelTarget;

/// Where the result of a graph goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// A state after the step.
    State(usize),
    /// An output of the step.
    Output(usize),
    /// Saved for all steps, by its node.
    Saved(NodeId),
    /// Summed over the steps of a row, by its node: the gradient of a vector of parameters.
    Accumulator(NodeId),
    /// Gradient of a state before the step.
    StateGradient(usize),
    /// Gradient of an input.
    InputGradient(usize),
}

/// A result.
#[derive(Clone, Debug)]
pub struct Root {
    /// The node.
    pub node: NodeId,
    /// Where it goes.
    pub destination: Destination,
    /// First unit there.
    pub offset: Size,
    /// Units.
    pub width: Size,
    /// Other parts stand after it.
    pub exact: bool,
}

/// Where a vector lies while the kernels run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// It comes from outside.
    Leaf(LeafSource),
    /// It is a result.
    Destination(Destination),
    /// A temporary of the program, by its index.
    Temp(usize),
}

/// A vector in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector {
    /// Where.
    pub location: Location,
    /// First unit.
    pub offset: Size,
    /// A store keeps to the exact width.
    pub exact: bool,
}

/// A temporary.
#[derive(Clone, Debug)]
pub struct Temp {
    /// Units.
    pub width: Size,
    /// It is needed after its step: there is one for every step.
    pub every_step: bool,
}

/// One matrix as the kernel reads it: gates side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedGates {
    /// The part of each gate.
    pub gates: Vec<MatrixPart>,
    /// Length of the operand.
    pub k: Size,
    /// Units.
    pub width: Size,
}

/// A vector as the kernel reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackedVectorSource {
    /// A part of a parameter: index, first float, floats.
    Param(usize, Size, Size),
    /// A node that is computed when weights are packed, and its units.
    Computed(NodeId, Size),
}

/// A product of a kernel.
#[derive(Clone, Debug)]
pub struct Product {
    /// Operand, its length, index of the packed matrix.
    pub segments: Vec<(Vector, Size, usize)>,
    /// The nodes that it computes, gate by gate.
    pub gates: Vec<NodeId>,
}

/// A statement of a kernel, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The node is this vector of the loads.
    Load(NodeId, usize),
    /// The node is this vector of the parameters.
    Vector(NodeId, usize),
    /// The node is this row scalar.
    Scalar(NodeId, usize),
    /// The node is this gate of this product.
    Gate(NodeId, usize, usize),
    /// The node is computed from nodes above.
    Compute(NodeId),
    /// This vector of the stores becomes the node.
    Store(usize, NodeId),
    /// The node is added to this vector of the stores.
    Add(usize, NodeId),
    /// This row scalar becomes the reduction of the node.
    Reduce(Reduce, usize, NodeId),
    /// This row scalar becomes the node.
    Set(usize, NodeId),
}

/// One kernel.
#[derive(Clone, Debug)]
pub struct FusedKernel {
    /// Units.
    pub width: Size,
    /// Products.
    pub products: Vec<Product>,
    /// Vectors that are read.
    pub loads: Vec<Vector>,
    /// Packed vectors that are read, by their index in [`CellProgram::vectors`].
    pub vectors: Vec<usize>,
    /// Row scalars that are read.
    pub scalars: Vec<Vector>,
    /// Vectors that are written.
    pub stores: Vec<Vector>,
    /// Where reductions, and row scalars computed from them, are written.
    pub reductions: Vec<Vector>,
    /// What happens for every block of units.
    pub body: Vec<Statement>,
    /// What happens after the last block of a row, when its reductions are complete: maths on row
    /// scalars.
    pub epilogue: Vec<Statement>,
    /// It writes nothing but gradients of inputs.
    pub only_input_gradient: bool,
    /// It writes nothing but gradients of states before the step, which are not needed at the first
    /// step of a sequence that starts at zero.
    pub only_state_gradients: bool,
}

/// A graph cut into kernels.
#[derive(Clone, Debug)]
pub struct CellProgram {
    /// The graph that the nodes are of.
    pub graph: Graph,
    /// Computed when weights are packed. Each stores [`PackedVectorSource::Computed`] nodes only.
    pub weight_time: Vec<FusedKernel>,
    /// Before the scan, for all steps at once.
    pub prologue: Vec<FusedKernel>,
    /// At every step.
    pub step: Vec<FusedKernel>,
    /// After the scan, for all steps at once.
    pub post_loop: Vec<FusedKernel>,
    /// Temporaries.
    pub temps: Vec<Temp>,
    /// The packed matrices.
    pub matrices: Vec<PackedGates>,
    /// The packed vectors.
    pub vectors: Vec<PackedVectorSource>,
}

/// Cuts a graph into kernels for `target`. Without `hoist` everything is done step by step, as in a
/// stream.
///
/// # Errors
/// If the graph has no order in which its values can be computed.
pub fn cut(
    graph: &Graph,
    roots: &[Root],
    hoist: bool,
    target: &KernelTarget,
) -> Sound<CellProgram> {
    let order = order::order(graph, roots, hoist);
    kernel::emit(graph, roots, &order, target)
}
