//! The nouns that the compiler and the runtime of [`recurrent`](https://docs.rs/recurrent) share:
//! buffers, slices of weights, kernels and the instructions of a schedule.
//!
//! Each type is written once and is generic over a [`Stage`]. While the compiler works, a size is
//! symbolic, because it may be a `const` of the user's, and a list is a vector. In the program that
//! it writes a size is a `usize` and a list is `'static` ([`Fixed`]). Printing a table turns one into
//! the other.
#![no_std]
#![forbid(unsafe_code)]

mod buffer;
mod instruction;
mod kernel;
mod mask;
mod output;
mod panels;
mod stage;
mod weights;

pub use buffer::{Buffer, BufferRef, Extent, Slice};
pub use instruction::{
    Axis, CarryOver, Form, GradientCondition, Instruction, Normalize, Perturbation,
};
pub use kernel::{Kernel, Segment};
pub use mask::{InputMask, MaskRule};
pub use output::OutputRange;
pub use panels::{
    PORTABLE_UNITS, READ_PAST, ROW_ALIGN, pack_matrix, pack_vector, packed_len, packed_start,
    padded, small_panel, unpack_matrix, unpack_vector,
};
pub use stage::{Fixed, Stage};
pub use weights::{
    MatrixGradient, MatrixSlice, PackedGate, PackedOffset, PackedVector, VectorGradient,
    VectorSlice, WeightOffset,
};
