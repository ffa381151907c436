//! The CPU's executors: inference over some rows of a batch, and training over all of them.

mod inference;
mod moves;
mod penalties;
mod scan;
mod training;

pub use inference::{Block, Inference};
pub use penalties::Penalties;
pub use scan::{CpuProgram, RunScan, ScanCall};
pub use training::Training;

use super::ops::Times;

/// Before the first step of any axis: whatever its length, states have steps of their own.
const START: Times = Times {
    first: 0,
    steps: 1,
    total: usize::MAX,
};
