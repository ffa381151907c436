//! A graph cut into phases: what the kernel runs.
//!
//! - **pack**: depends on parameters only; computed when weights are packed.
//! - **pre**: does not depend on the carried values (the states); computed for all steps at once,
//!   before the scan. An input projection is here.
//! - **step**: what has to be computed step by step.
//! - **post**: depends on the carried values, which do not depend on it; computed for all steps at
//!   once, after the scan. The gradient of the input is here.
//!
//! Within each, a product can only start when its operand is complete for all units, and so can
//! what uses a reduction: phases follow one another there, and only there. Maths on reductions alone
//! (a deviation of a variance) runs once a row, behind the last block of units.

mod phase;
mod schedule;
#[cfg(test)]
mod tests;
mod work;

use super::{
    graph::{Graph, MatrixPart, NodeId, Reduce, Slot},
    size::Size,
};
use crate::{diagnostics::Sound, kernels::Target};

/// Where the result of a graph goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sink {
    /// A state after the step.
    State(usize),
    /// An output of the step.
    Output(usize),
    /// Kept for all steps, by its node.
    Keep(NodeId),
    /// Summed over the steps of a row, by its node: what a vector of parameters' gradient is made of.
    Total(NodeId),
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
    pub sink: Sink,
    /// First unit there.
    pub offset: Size,
    /// Units.
    pub width: Size,
    /// Other parts stand behind it.
    pub exact: bool,
}

/// Where a vector lies while the phases run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It comes from outside.
    Slot(Slot),
    /// It is a result.
    Sink(Sink),
    /// A temporary of the program, by its index.
    Temp(usize),
}

/// A vector in a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector {
    /// Where.
    pub place: Place,
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
pub struct Packed {
    /// The part of each gate.
    pub gates: Vec<MatrixPart>,
    /// Length of the operand.
    pub k: Size,
    /// Units.
    pub width: Size,
}

/// A vector as the kernel reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackedVector {
    /// A part of a parameter: index, first float, floats.
    Param(usize, Size, Size),
    /// A node that is computed when weights are packed, and its units.
    Computed(NodeId, Size),
}

/// A product of a phase.
#[derive(Clone, Debug)]
pub struct Product {
    /// Operand, its length, index of the packed matrix.
    pub segments: Vec<(Vector, Size, usize)>,
    /// The nodes that it computes, gate by gate.
    pub gates: Vec<NodeId>,
}

/// A statement of a phase, in order.
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

/// One phase.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Units.
    pub width: Size,
    /// Products.
    pub products: Vec<Product>,
    /// Vectors that are read.
    pub loads: Vec<Vector>,
    /// Packed vectors that are read, by their index in [`Program::vectors`].
    pub vectors: Vec<usize>,
    /// Temporaries that hold a number a row.
    pub scalars: Vec<Vector>,
    /// Vectors that are written.
    pub stores: Vec<Vector>,
    /// Where reductions go, and numbers that are computed from them.
    pub reductions: Vec<Vector>,
    /// What happens for every block of units.
    pub body: Vec<Statement>,
    /// What happens behind the last block of a row, when its reductions are complete: maths on
    /// row scalars.
    pub behind: Vec<Statement>,
    /// All that it writes are gradients of inputs.
    pub only_input_gradient: bool,
    /// All that it writes are gradients of states before the step: nobody wants those of the first.
    pub only_state_gradients: bool,
}

/// A graph cut into phases.
#[derive(Clone, Debug)]
pub struct Program {
    /// The graph that the nodes are of.
    pub graph: Graph,
    /// Computed when weights are packed. Each stores [`PackedVector::Computed`] nodes only.
    pub pack: Vec<Phase>,
    /// Before the sweep, for all steps at once.
    pub pre: Vec<Phase>,
    /// At every step.
    pub step: Vec<Phase>,
    /// After the sweep, for all steps at once.
    pub post: Vec<Phase>,
    /// Temporaries.
    pub temps: Vec<Temp>,
    /// Packed matrices.
    pub matrices: Vec<Packed>,
    /// Packed vectors.
    pub vectors: Vec<PackedVector>,
}

/// Cuts a graph into phases. With `hoist` off everything is done step by step, as in a stream.
///
/// # Errors
/// If the graph has no order in which its values can be computed.
pub fn stage(graph: &Graph, roots: &[Root], hoist: bool, target: &Target) -> Sound<Program> {
    let schedule = schedule::schedule(graph, roots, hoist);
    phase::emit(graph, roots, &schedule, target)
}
