//! The macros by the names that users write.

/// The items that expanded code names, including the macros that cells call. The code that one version
/// expands names the module of that version only.
#[doc(hidden)]
pub mod __private_0_1 {
    pub use rnn_macros::{__rnn_cell, __rnn_model};
    pub use rnn_runtime::code::*;
}

#[doc = include_str!("macros/rnn_model.md")]
#[macro_export]
macro_rules! rnn_model {
    ($($tokens:tt)*) => {
        $crate::__private_0_1::__rnn_model! { @krate($crate::__private_0_1) $($tokens)* }
    };
}

#[doc = include_str!("macros/rnn_cell.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($tokens:tt)*) => {
        $crate::__private_0_1::__rnn_cell! { @krate($crate::__private_0_1) $($tokens)* }
    };
}
