//! What a fused kernel reads and writes.

use crate::{BufferRef, Fixed, Stage};

/// One operand of a product and the packed matrix that it is multiplied by.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<S: Stage = Fixed> {
    /// The operand: `k` floats of every row.
    pub operand: BufferRef<S>,
    /// Its length: rows of the matrix.
    pub k: S::Size,
    /// The packed matrix.
    pub matrix: S::Packed,
    /// Matrices of the kernel's width side by side.
    pub gates: usize,
    /// The operand is a state that is zero before the first step, so the product is left out there. False
    /// for a state that starts from a value (`initial_state`, a stateful layer).
    pub carried: bool,
}

/// The tables of a fused kernel: matrix products with pointwise maths after them. For `width` units
/// of some rows it sums the products, evaluates the maths on them and stores the results once.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel<S: Stage = Fixed> {
    /// Units.
    pub width: S::Size,
    /// Products: each is the sum of its segments, which have the same number of gates.
    pub products: S::List<S::List<Segment<S>>>,
    /// Vectors of `width` floats that are read.
    pub loads: S::List<BufferRef<S>>,
    /// Vectors of parameters that are read, packed.
    pub vectors: S::List<S::Packed>,
    /// Row scalars that are read: results of reductions.
    pub scalars: S::List<BufferRef<S>>,
    /// Vectors of `width` floats that are written.
    pub stores: S::List<BufferRef<S>>,
    /// Row scalars that are results of reductions or computed from them. Each has a whole row to itself, for
    /// partial sums.
    pub reductions: S::List<BufferRef<S>>,
}

impl Copy for Segment<Fixed> {}
impl Copy for Kernel<Fixed> {}
