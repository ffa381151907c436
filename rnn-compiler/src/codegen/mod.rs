//! Stages to tokens.

mod cell;
mod stub;

pub use cell::{broken_cell, cell, fetch};
pub use stub::stub;

use proc_macro2::TokenStream;
use quote::quote;

use crate::ir::LayerGraph;

/// The code of a model.
pub fn generate(graph: &LayerGraph) -> TokenStream {
    let LayerGraph {
        attrs,
        vis,
        name,
        assertions,
        ..
    } = graph;
    let asserts = assertions.iter().map(|a| {
        let (condition, message) = (&a.condition, &a.message);
        quote::quote_spanned!(a.span=> const _: () = ::core::assert!(#condition, #message);)
    });
    let text: Vec<String> = graph
        .layers
        .iter()
        .map(|l| format!("{} {}: {}", l.text, l.name, l.shape))
        .collect();
    let text = text.join("; ");
    match name {
        Some(name) => quote! {
            #(#attrs)* #vis struct #name;
            impl #name { pub const TEXT: &'static str = #text; }
            #(#asserts)*
        },
        None => quote!({ #(#asserts)* #text }),
    }
}
