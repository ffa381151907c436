//! Tables while the compiler works: a size may be one of the user's `const`s, a weight is an index.

use std::fmt::Debug;

use rnn_tables::Stage;

use crate::cell::size::Size;

/// The [`Stage`] of the compiler. Printed, its tables become those of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbolic {}

/// A parameter: its index among the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParamId(pub usize);

/// Packed weights: an index among the plan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packed {
    /// A packed matrix.
    Matrix(usize),
    /// A packed vector.
    Vector(usize),
}

impl Stage for Symbolic {
    type Size = Size;
    type Weight = ParamId;
    type Packed = Packed;
    type List<T: Clone + Debug + PartialEq + 'static> = Vec<T>;
}

/// A vector in a buffer.
pub type BufferRef = rnn_tables::BufferRef<Symbolic>;

/// One instruction.
pub type Instruction = rnn_tables::Instruction<Symbolic>;
