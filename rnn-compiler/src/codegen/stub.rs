//! What a model with mistakes becomes: the messages, and a stand-in that keeps rustc quiet.
//!
//! A `compile_error!` in the place of an expression gives it rustc's error type, which fits
//! everywhere and never causes a message of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::{
    diagnostics::{Diagnostic, to_compile_errors},
    syntax::ModelAst,
};

/// Messages and a stand-in for `model`. Without messages the cause is a cell that has mistakes:
/// those are shown where it is defined, and its name is the error type here.
pub fn stub(model: &ModelAst, found: &[Diagnostic]) -> TokenStream {
    let broken = model
        .cells
        .iter()
        .find(|c| c.cell.is_none())
        .map(|c| &c.path);
    match &model.name {
        Some(name) => match found.split_first() {
            Some((first, others)) => stub_type(&model.attrs, &model.vis, name, first, others),
            None => {
                let vis = &model.vis;
                quote! { #vis type #name = #broken; }
            }
        },
        None if model.item => to_compile_errors(found),
        None => match found {
            [others @ .., last] => {
                let (others, last) = (to_compile_errors(others), error(last));
                quote!({ #others #last })
            }
            [] => quote!({
                fn __stub() -> #broken {
                    loop {}
                }
                __stub()
            }),
        },
    }
}

/// A type named `name` whose uses rustc does not report, and the messages.
///
/// The alias is needed: a parameter of a type that holds an error makes every use of the type an
/// error that is already known. A struct of our own is needed, too, so that a user may implement
/// foreign traits for it.
pub(super) fn stub_type(
    attrs: &[syn::Attribute],
    vis: &syn::Visibility,
    name: &Ident,
    first: &Diagnostic,
    others: &[Diagnostic],
) -> TokenStream {
    let docs = attrs.iter().filter(|a| a.path().is_ident("doc"));
    let hidden = format_ident!("__Stub{name}", span = Span::call_site());
    let (first, others) = (error(first), to_compile_errors(others));
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, missing_docs)]
        #vis struct #hidden<const __STUB: usize>;
        #(#docs)*
        #[allow(dead_code)]
        #vis type #name = #hidden<{ #first }>;
        #others
    }
}

/// A message in the place of an expression.
fn error(d: &Diagnostic) -> TokenStream {
    let text = d.text();
    quote_spanned!(d.span=> ::core::compile_error!(#text))
}
