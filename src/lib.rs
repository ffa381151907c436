//! Recurrent neural networks compiled into Rust programs.

mod macros;

#[doc(hidden)]
pub use macros::{__rnn_cell, __rnn_model};
