//! How the CPU runs a model: packed weights, threads, blocks of time, the buffers of training. A model
//! on another device has files of its own beside these.

mod batch;
mod data;
mod learn;
mod packing;
mod stream;

pub(super) use batch::{Outcome, axes, infer};
pub use data::ModelData;
pub(super) use learn::{input_gradient, want_input_gradient};
