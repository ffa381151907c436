//! How the CPU runs a model: packed weights, threads, blocks of time, the buffers of training. A model
//! on another device has files of its own beside these.

mod batch;
mod code;
mod data;
mod learn;
mod stream;

pub(super) use batch::predict;
pub(super) use code::{CpuCode, StreamCode};
pub use data::ModelData;
pub(super) use learn::{input_gradient, want_input_gradient};
