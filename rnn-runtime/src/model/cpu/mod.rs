//! How the CPU runs a model: packed weights, threads, blocks of time, the buffers of training. A model
//! on another device has files of its own beside these.

mod batch;
mod code;
mod learn;
mod stream;

#[cfg(feature = "cuda")]
pub(super) use batch::{Outcome, axes};
pub(super) use batch::{infer, predict};
pub(super) use code::{CpuCode, StreamCode, TrainingCode};
#[cfg(feature = "cuda")]
pub(super) use learn::nothing_to_go_back_over;
pub(super) use learn::{State, backward, evaluate, forward};
pub(super) use stream::packed_weights;
pub use stream::{IntoStream, OwnedStream, SharedStream};
