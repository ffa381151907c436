//! What the user wrote: tokens to [`ModelAst`], every part with its span.
//!
//! The three forms of `rnn_model!` differ in their head only; all hold a [`Body`].

mod ast;
mod chain;
mod parse;

pub use ast::{ArgumentAst, Body, GivenCell, LayerAst, ModelAst, ValueAst, ValueKind, path_text};
