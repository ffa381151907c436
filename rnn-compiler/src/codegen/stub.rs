//! What a model with mistakes becomes: the messages, and a stand-in that keeps rustc quiet.
//!
//! A `compile_error!` in the place of a type or an expression gives it rustc's error type, which
//! fits everywhere and never causes a message of its own.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

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
        Some(name) => {
            let vis = &model.vis;
            let docs = model.attrs.iter().filter(|a| a.path().is_ident("doc"));
            let (place, others) = match found {
                [first, others @ ..] => (error(first), others),
                [] => (quote!(#broken), found),
            };
            let others = to_compile_errors(others);
            quote! { #(#docs)* #vis type #name = #place; #others }
        }
        None => match found {
            [others @ .., last] => {
                let (others, last) = (to_compile_errors(others), error(last));
                quote!({ #others #last })
            }
            [] => quote!({
                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                let stub: #broken = loop {};
                stub
            }),
        },
    }
}

/// A message in the place of a type or an expression.
pub(super) fn error(d: &Diagnostic) -> TokenStream {
    let text = d.text();
    quote_spanned!(d.span=> ::core::compile_error!(#text))
}
