//! What a layer does to a batch: scans of cells over time, and the few layers that are no cells.

mod add;
mod copy;
mod divide;
mod dropout;
mod gather;
mod gradient;
mod masked;
mod noise;
mod normal;
mod normalize;
mod penalty;
mod perturb;
mod scan;
mod shape;

pub use add::{add, repeat, sum};
pub use copy::{copy, copy_in, copy_out, reverse, zero};
pub(crate) use divide::{COPY, DRAW, WORTH_A_THREAD, half, parts};
pub use divide::{parallel, parallel_masked, parallel_with, threads};
pub use gather::{gather, mask_ids, scatter};
pub use gradient::{weight_gradients, weight_gradients_masked};
pub use masked::{backward_masked, forward_masked};
pub use noise::noise;
pub use normalize::{normalize_backward, normalize_forward};
pub use penalty::{penalty, penalty_gradient};
pub use perturb::{Perturb, perturb, perturb_backward};
pub use scan::{Scan, backward, forward};
pub use shape::{permute, reshape};

use super::kernel::Memory;

/// Which times an op runs for: `first..first + steps` of an axis with `total` steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// First time.
    pub first: usize,
    /// How many.
    pub steps: usize,
    /// Steps of the axis: what [`Extent::Last`](rnn_tables::Extent::Last) tells the last step by. `usize::MAX`
    /// if the last step is still to come, in a later block.
    pub total: usize,
}

impl Times {
    /// The time of a value without an axis.
    pub const ONE: Times = Times::all(1);

    /// All times of an axis of `steps` steps.
    pub const fn all(steps: usize) -> Times {
        Times {
            first: 0,
            steps,
            total: steps,
        }
    }

    /// The times as a range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.first..self.first + self.steps
    }

    /// One past the last time.
    pub(super) fn end(self) -> usize {
        self.first + self.steps
    }

    /// Whether the last step of the axis is among them.
    pub(super) fn is_last(self) -> bool {
        self.steps > 0 && self.end() == self.total
    }

    /// The last of them.
    pub fn last(self) -> Times {
        Times {
            first: self.end().saturating_sub(1),
            steps: self.steps.min(1),
            ..self
        }
    }
}

/// `m`, on the axis of `times`.
pub fn on<'a>(m: &'a mut Memory<'_>, times: Times) -> Memory<'a> {
    let mut m = m.reborrow();
    m.total = times.total;
    m
}
