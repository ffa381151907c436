//! Where weights lie: unpacked, one parameter after another, as users see them; and packed, as kernels
//! read them.

use crate::{BufferRef, Fixed, Stage};

/// The index of a float among all weights, which are in the order of the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeightOffset(pub usize);

/// The index of a float among the packed weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackedOffset(pub usize);

/// A rectangle of a matrix of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSlice<S: Stage = Fixed> {
    /// The parameter.
    pub param: S::Weight,
    /// Columns of the whole parameter.
    pub columns: S::Size,
    /// First row.
    pub row: S::Size,
    /// First column.
    pub column: S::Size,
}

/// A part of a vector of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSlice<S: Stage = Fixed> {
    /// The parameter.
    pub param: S::Weight,
    /// First float.
    pub offset: S::Size,
}

/// One gate of a packed matrix and what it is packed from.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedGate<S: Stage = Fixed> {
    /// What it is packed from.
    pub from: MatrixSlice<S>,
    /// Rows of the product: the length of its operand.
    pub k: S::Size,
    /// Units: columns of the product.
    pub width: S::Size,
    /// The rectangle is `[width, k]` and is read by columns.
    pub transposed: bool,
    /// Where the packed matrix starts.
    pub to: S::Packed,
    /// Which of its gates this is.
    pub gate: usize,
    /// How many gates it has.
    pub gates: usize,
}

/// A packed vector and what it is packed from.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedVector<S: Stage = Fixed> {
    /// What it is packed from.
    pub from: VectorSlice<S>,
    /// Floats.
    pub width: S::Size,
    /// Where it starts.
    pub to: S::Packed,
}

/// The gradient of a rectangle of a matrix: the sum of `operandᵀ · gradient` over rows and steps.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixGradient<S: Stage = Fixed> {
    /// What the matrix was multiplied by, `k` floats.
    pub operand: BufferRef<S>,
    /// Rows of the rectangle.
    pub k: S::Size,
    /// The gradient of the product, `width` floats.
    pub gradient: BufferRef<S>,
    /// Columns of the rectangle.
    pub width: S::Size,
    /// The rectangle.
    pub to: MatrixSlice<S>,
}

/// The gradient of a part of a vector: the sum of `gradient` over rows and steps.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorGradient<S: Stage = Fixed> {
    /// The gradient of each use, `width` floats.
    pub gradient: BufferRef<S>,
    /// Floats.
    pub width: S::Size,
    /// `gradient` has been accumulated over the steps of each row: it is summed over rows only.
    pub accumulated: bool,
    /// The part.
    pub to: VectorSlice<S>,
}

impl VectorSlice<Fixed> {
    /// Its first float among all weights.
    pub const fn start(&self) -> usize {
        self.param.0 + self.offset
    }
}

impl MatrixSlice<Fixed> {
    /// The float of its first row and column among all weights.
    pub const fn start(&self) -> usize {
        self.param.0 + self.row * self.columns + self.column
    }
}

impl Copy for MatrixSlice<Fixed> {}
impl Copy for VectorSlice<Fixed> {}
impl Copy for PackedGate<Fixed> {}
impl Copy for PackedVector<Fixed> {}
impl Copy for MatrixGradient<Fixed> {}
impl Copy for VectorGradient<Fixed> {}
