//! Names that a user's items cannot take.
//!
//! What a macro emits is read in its user's scope: a type parameter `R` there is the user's `struct
//! R`, and `None` the variant that he imported. So everything that is defined here starts with two
//! underscores, and everything that is used is written with its whole path; `tests/capture.rs` reads
//! the emitted code for it.

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
