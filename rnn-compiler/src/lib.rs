//! The compiler behind `rnn_model!` and `rnn_cell!`: an ordinary library.
#![forbid(unsafe_code)]

pub mod cell;
pub mod cursor;
pub mod diagnostics;
pub mod ir;
