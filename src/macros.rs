//! The macros by the names that users write.

/// The compiler behind [`rnn_model!`](crate::rnn_model); the cells' macros call it, too.
#[doc(hidden)]
pub use rnn_macros::{__rnn_cell, __rnn_model};

#[doc = include_str!("macros/rnn_model.md")]
#[macro_export]
macro_rules! rnn_model {
    ($($tokens:tt)*) => { $crate::__rnn_model! { @krate($crate) $($tokens)* } };
}

#[doc = include_str!("macros/rnn_cell.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($tokens:tt)*) => { $crate::__rnn_cell! { @krate($crate) $($tokens)* } };
}
