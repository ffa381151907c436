//! A compiled model: its weights, and what can be done with it.
//!
//! The compiler implements [`Program`]; everything that a user calls is in [`Model`], [`Stream`]
//! and [`crate::learner::Learner`], once for all models.

mod core;
mod infer;
mod input;
mod learn;
mod program;
mod stream;
mod summary;
mod user;

pub use self::core::Core;
pub use infer::Inference;
pub use input::{Id, Ids, IntoInput, Kind, Rows, Sequence, Token};
pub use learn::Training;
pub use program::{BufSpec, Computed, Extent, LayerRow, Nothing, Program, Spec};
pub use stream::{Stream, Streamable};
pub use user::Model;
