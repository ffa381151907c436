//! Recurrent neural networks compiled into Rust programs.

mod macros;

#[doc(hidden)]
pub use macros::{__rnn_cell, __rnn_model};
#[doc(hidden)]
pub use rnn_runtime as rt;

/// Everything that a program with models usually names.
pub mod prelude {
    pub use crate::{rnn_cell, rnn_model};
    pub use rnn_runtime::{Error, model::{Id, Model, Stream}};
}
