//! How the CPU runs a model: packed weights, threads, blocks of time, the buffers of training. A model
//! on another device has files of its own beside these.

mod batch;
mod code;
mod learn;
mod stream;

pub(super) use batch::{Outcome, axes, infer, predict};
pub(super) use code::{CpuCode, StreamCode};
pub(super) use learn::{State, backward, evaluate, fits, forward, nothing_to_go_back_over};
