//! Names that no item of a user's can capture.
//!
//! The code that a macro emits is resolved in the user's scope: the user may have a `struct R` where the
//! code has a type parameter `R`, or may have imported another `None`. So all emitted definitions start
//! with two underscores, and all uses have the whole path. `tests/capture.rs` checks the emitted code.

use proc_macro2::TokenStream;
use quote::quote;

/// `None`.
pub(super) fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

/// `Some(x)`.
pub(super) fn some(x: &TokenStream) -> TokenStream {
    quote!(::core::option::Option::Some(#x))
}
