//! Weights that are a part of the program.

use std::path::PathBuf;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::schedule::Plan;

/// The weights of a model as its program has them.
#[derive(Clone, Debug, Default)]
pub struct KnownWeights {
    /// Packed in panels of 16, the computed vectors included.
    pub packed: Vec<f32>,
    /// The tables that a stream reads as they are, from this one of all weights on.
    pub tables: (usize, Vec<f32>),
    /// Runs of weights that are nowhere else as they are, with the number of the first.
    pub others: Vec<(usize, Vec<f32>)>,
    /// The states of a stream that do not start at zero, by their numbers.
    pub start_states: Vec<(usize, Vec<f32>)>,
    /// What the `const`s of the model are where the weights fit.
    pub sizes: Vec<(syn::Path, usize)>,
    /// The files that were read: a program is compiled again when one changes.
    pub files: Vec<PathBuf>,
    /// The file as the user named it.
    pub file: String,
    /// Where the user named it.
    pub span: Option<Span>,
    /// What was read, for people.
    pub read_from: String,
    /// What a user does if the model cannot stream.
    pub to_stream: ToStream,
}

/// What a user does whose model cannot stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToStream {
    /// The layers are the user's.
    #[default]
    OwnLayers,
    /// They are those of a file.
    OfFile,
    /// They are those of a file whose states a stream may keep: how the file is named then.
    KeepStates(String),
}

/// The items of a model with its weights in the program. `needs` is the bound that never holds of a model that cannot stream.
pub(super) fn program_weights(
    rt: &TokenStream,
    plan: &Plan,
    name: &Ident,
    weights: &KnownWeights,
    needs: Option<&TokenStream>,
) -> TokenStream {
    let span = weights.span.unwrap_or_else(Span::call_site);
    let sizes = weights.sizes.iter().map(|(path, n)| {
        let message = format!(
            "[RNN0313]: {} does not fit the model: the size is {n} there",
            weights.file
        );
        let n = Literal::usize_unsuffixed(*n);
        quote_spanned!(span=> const _: () = ::core::assert!(#path == #n, #message);)
    });
    // It makes cargo compile the program again when the file changes; nothing refers to it, so it is in no binary.
    let files = weights.files.iter().filter_map(|path| path.to_str());
    let files = files.map(|path| {
        quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        )
    });
    let packed = bytes(rt, "__PACKED_IN_PROGRAM", &weights.packed);
    let (first, tables) = (
        weights.tables.0,
        bytes(rt, "__TABLES_IN_PROGRAM", &weights.tables.1),
    );
    let mut other_items = TokenStream::new();
    let mut others = TokenStream::new();
    for (i, (at, values)) in weights.others.iter().enumerate() {
        let name = format!("__OTHERS_IN_PROGRAM_{i}");
        other_items.extend(bytes(rt, &name, values));
        let name = format_ident!("{name}");
        others.extend(quote!((#at, #name.floats()),));
    }
    let start_states = weights.start_states.iter().map(|(state, values)| {
        let values = values.iter().map(|v| {
            let size = Literal::f32_unsuffixed(v.abs());
            match v.is_sign_negative() {
                true => quote!(-#size),
                false => quote!(#size),
            }
        });
        quote!((#state, &[#(#values),*]))
    });
    let stream = match &plan.graph.layers.name {
        Some(_) => stream(rt, plan, name, needs),
        None => TokenStream::new(),
    };
    quote! {
        #(#sizes)*
        #(#files)*
        #packed
        #tables
        #[doc(hidden)]
        impl #rt::ProgramModel for #name {
            const WEIGHTS: #rt::ProgramWeights = #rt::ProgramWeights {
                packed: __PACKED_IN_PROGRAM.floats(),
                tables: #rt::Tables::new(__TABLES_IN_PROGRAM.floats(), #first),
            };
            const START_STATES: &'static [(usize, &'static [f32])] = &[#(#start_states),*];
        }
        #stream
        #rt::with_std! {
            #other_items
            const __OTHERS_IN_PROGRAM: &[(usize, &[f32])] = &[#others];
        }
    }
}

/// The model's own stream: a constant, so that a `static` can hold one. A model that cannot stream has it under a bound, or
/// rustc would find `Model::stream` in its place, and speak of its arguments.
fn stream(rt: &TokenStream, plan: &Plan, name: &Ident, needs: Option<&TokenStream>) -> TokenStream {
    let vis = &plan.graph.layers.vis;
    let bound = needs.map(|needs| quote!(where #needs));
    quote! {
        impl #name {
            /// A stream at the start of a sequence, over the weights in the program: no allocation, and nothing to do before
            /// the first step. It is a constant, so that a `static` can hold one, and owns its states.
            #vis const fn stream() -> #rt::ProgramStream<#name> #bound {
                #rt::StreamOver::at_start()
            }
        }
    }
}

/// A `static` of floats.
fn bytes(rt: &TokenStream, name: &str, values: &[f32]) -> TokenStream {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let (name, len, literal) = (
        format_ident!("{name}"),
        bytes.len(),
        Literal::byte_string(&bytes),
    );
    quote!(static #name: #rt::Aligned<#len> = #rt::Aligned(*#literal);)
}
