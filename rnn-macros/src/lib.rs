//! Procedural macros of [`recurrent`](https://docs.rs/recurrent): a page that calls `rnn-compiler`.
//!
//! Use them through `recurrent::rnn_model!` and `recurrent::rnn_cell!`, which pass the path of the
//! facade crate in front of the user's tokens.

use proc_macro::TokenStream;

/// `rnn_model!` after `@krate(path)`.
#[doc(hidden)]
#[proc_macro]
pub fn __rnn_model(tokens: TokenStream) -> TokenStream {
    rnn_compiler::expand_model(tokens.into()).into()
}

/// `rnn_cell!` after `@krate(path)`.
#[doc(hidden)]
#[proc_macro]
pub fn __rnn_cell(tokens: TokenStream) -> TokenStream {
    rnn_compiler::expand_cell(tokens.into()).into()
}
