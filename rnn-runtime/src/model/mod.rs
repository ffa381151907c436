//! A compiled model: its weights, and what can be done with it.
//!
//! The compiler implements [`Program`]; everything that a user calls is in [`Model`], [`Stream`]
//! and [`crate::learner::Learner`], once for all models.

mod any_stream;
mod check;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod data;
#[doc(hidden)]
pub mod elsewhere;
mod graph;
mod input;
mod learner;
mod output;
mod param;
mod program;
mod stateful;
mod summary;
mod user;

pub use crate::stream::{CallWith, Id, Stream, StreamOver, StreamWeights, Streamable};
pub use any_stream::{AnyStream, FromNumbers};
pub use cpu::{IntoStream, OwnedStream, SharedStream};
#[cfg(feature = "cuda")]
#[doc(hidden)]
pub use cuda::cuda_sources;
pub use data::ModelData;
pub use input::{
    Batch, Feature, Ids, IntoInput, Kind, Masks, Real, Rows, Rows2, Rows3, Sequence, Sequence2,
    Sequence3, Token,
};
pub use output::Outputs;
pub use program::{
    AxisSpec, LayerRow, ModelInfo, Program, Role, Schedules, StateSpec, TrainedModel,
};
pub use stateful::LayerState;
pub use user::Model;
