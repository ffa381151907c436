//! The compiler of `rnn_model!` and `rnn_cell!`: an ordinary library.
//!
//! `tokens → ModelAst → LayerGraph → OpGraph → Plan → tokens`. The macros in `rnn-macros` only wrap
//! [`expand_model`] and [`expand_cell`]. Nothing here panics, whatever the tokens.
#![forbid(unsafe_code)]

pub mod cell;
pub mod cursor;
pub mod diagnostics;
pub mod emit;
pub mod help;
pub mod ir;
pub mod kernels;
pub mod layer;
pub mod layers;
pub mod ops;
pub mod passes;
pub mod schedule;
pub mod syntax;
#[cfg(feature = "import")]
pub mod trained;

mod expand;

pub use expand::{expand_cell, expand_model};
