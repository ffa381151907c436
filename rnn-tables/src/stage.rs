//! How sizes, offsets and lists are written down.

use core::{fmt::Debug, ops::Deref};

use crate::{PackedOffset, WeightOffset};

/// How the tables of a model are written down: by the compiler, or in the program that it writes.
pub trait Stage: Copy + Debug + PartialEq + 'static {
    /// A number of units, rows or steps.
    type Size: Clone + Debug + PartialEq;
    /// Where a parameter starts among all weights.
    type Weight: Clone + Debug + PartialEq;
    /// Where a packed matrix or vector starts among the packed weights.
    type Packed: Clone + Debug + PartialEq;
    /// A list of tables.
    type List<T: Clone + Debug + PartialEq + 'static>: Clone
        + Debug
        + PartialEq
        + Deref<Target = [T]>;
}

/// The tables of a program: every size is a number, every list is `'static`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {}

impl Stage for Fixed {
    type Size = usize;
    type Weight = WeightOffset;
    type Packed = PackedOffset;
    type List<T: Clone + Debug + PartialEq + 'static> = &'static [T];
}
