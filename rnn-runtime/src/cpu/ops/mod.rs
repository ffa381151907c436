//! What a layer does to a batch: sweeps of cells over time, and the few layers that are no cells.

mod copy;
mod dropout;
mod gather;
mod gradient;
mod normalize;
mod sweep;

pub use copy::{copy_in, copy_out, flatten, reverse, unflatten, zero};
pub use dropout::dropout;
pub use gather::{gather, scatter};
pub use gradient::{MatrixGradient, VectorGradient, weight_gradients};
pub use normalize::{Normalize, normalize_backward, normalize_forward};
pub use sweep::{Sweep, backward, forward, parallel};

/// Which times an op runs for: `first..first + steps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// First time.
    pub first: usize,
    /// How many.
    pub steps: usize,
}

impl Times {
    /// The times as a range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.first..self.first + self.steps
    }
}
