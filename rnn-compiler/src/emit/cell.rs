//! What `rnn_cell!` becomes: a type for the documentation, and a macro that hands the cell's tokens
//! to the models that use it.
//!
//! A procedural macro sees its own tokens only. So where a model names a cell, `rnn_model!` expands to a
//! call of the cell's macro with the model's tokens, and that macro calls `rnn_model!` again with the
//! cell's tokens in front. The macro has the name of the cell's type, since types and macros do not
//! collide.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::stub::stub_type;
use crate::{
    cell::CellAst,
    diagnostics::{Diagnostic, to_compile_errors},
    syntax::ModelAst,
};

/// A cell without mistakes. `rt` is the module whose items the code names.
pub fn cell(cell: &CellAst, rt: &TokenStream) -> TokenStream {
    let CellAst {
        attrs,
        vis,
        name,
        tokens,
        ..
    } = cell;
    let handed = quote!(@cell);
    let hands_on = hands_on(vis, name, tokens, &handed, Some(tokens));
    let usage = usage(cell);
    let own_numbers = own_numbers(cell, rt);
    quote! {
        #(#attrs)*
        #[doc = ""]
        #[doc = #usage]
        #[derive(
            ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug,
            ::core::default::Default, ::core::cmp::PartialEq, ::core::cmp::Eq
        )]
        #[allow(dead_code)]
        #vis struct #name;
        #own_numbers
        #hands_on
    }
}

/// The numbers of the program that parameters start with, as constants of the cell's type.
fn own_numbers(cell: &CellAst, rt: &TokenStream) -> TokenStream {
    let all = cell.own_numbers();
    if all.is_empty() {
        return quote!();
    }
    let name = &cell.name;
    let constants = all.iter().map(|(constant, path)| {
        let span = path.span();
        let own = quote_spanned!(span=> #rt::OwnInit::new(#rt::axes_of(&#path), |shape, values| #rt::write_own(&#path, shape, values)));
        quote!(pub const #constant: #rt::OwnInit = #own;)
    });
    quote! {
        #rt::with_std! {
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            impl #name { #(#constants)* }
        }
    }
}

/// A cell with mistakes: its name becomes rustc's error type, and models that use it are quiet.
pub fn broken_cell(tokens: &TokenStream, found: &[Diagnostic]) -> TokenStream {
    let Some((vis, name)) = outline(tokens) else {
        return to_compile_errors(found);
    };
    let Some((first, others)) = found.split_first() else {
        return TokenStream::new();
    };
    let stub = stub_type(&[], &vis, &name, first, others);
    let hands_on = hands_on(&vis, &name, tokens, &quote!(@broken), None);
    quote! { #stub #hands_on }
}

/// The call that fetches a cell: `path::Cell! { … }`, with everything that `rnn_model!` was given.
pub fn fetch(model: &ModelAst, path: &syn::Path, cells: &TokenStream) -> TokenStream {
    let (krate, tokens) = (&model.krate, &model.tokens);
    quote! { #path! { @krate(#krate) @path(#path) #cells #tokens } }
}

/// The hidden macro and its re-export under the cell's name.
fn hands_on(
    vis: &syn::Visibility,
    name: &Ident,
    tokens: &TokenStream,
    word: &TokenStream,
    body: Option<&TokenStream>,
) -> TokenStream {
    // Exported macros share one namespace in a crate, so two cells of one name in two modules need two
    // hidden names, even if their tokens are the same. Their positions in the sources tell them apart.
    let hidden = format_ident!(
        "__rnn_cell_{name}_{:016x}",
        hash(&format!("{} {tokens}", source_position(name.span()))),
        span = Span::call_site()
    );
    let exported = matches!(vis, syn::Visibility::Public(_));
    let export = exported.then(|| quote!(#[macro_export]));
    let body = body.map(|b| quote!({ #b }));
    let span = Span::call_site();
    let rule = quote_spanned! {span=>
        (@krate($($krate:tt)*) @path($($path:tt)*) $($rest:tt)*) => {
            $($krate)*::__rnn_model! { @krate($($krate)*) #word($($path)*) #body $($rest)* }
        };
    };
    quote! {
        #[doc(hidden)]
        #[allow(non_local_definitions, unused_macros)]
        #export
        macro_rules! #hidden { #rule }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #hidden as #name;
    }
}

/// Visibility and name of a cell that could not be parsed.
fn outline(tokens: &TokenStream) -> Option<(syn::Visibility, Ident)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let keyword = trees
        .iter()
        .position(|t| matches!(t, TokenTree::Ident(i) if i == "cell"))?;
    let Some(TokenTree::Ident(name)) = trees.get(keyword + 1) else {
        return None;
    };
    syn::parse2::<Ident>(quote!(#name)).ok()?;
    let start = trees[..keyword]
        .iter()
        .position(|t| matches!(t, TokenTree::Ident(i) if i == "pub"));
    let vis = start
        .map(|s| trees[s..keyword].iter().cloned().collect())
        .unwrap_or_default();
    Some((
        syn::parse2(vis).unwrap_or(syn::Visibility::Inherited),
        name.clone(),
    ))
}

/// How the cell is used, for its documentation.
fn usage(cell: &CellAst) -> String {
    let arguments: Vec<String> = cell
        .arguments
        .iter()
        .map(|a| match &a.default {
            None => a.name.to_string(),
            Some(_) => format!("{} = …", a.name),
        })
        .collect();
    format!(
        "A cell of a recurrent layer: `RNN({}({}))` in `rnn_model!`.",
        cell.name,
        arguments.join(", ")
    )
}

/// File, line and column of `span`: the same in every build of the same sources.
fn source_position(span: Span) -> String {
    let start = span.start();
    format!("{}:{}:{}", span.file(), start.line, start.column)
}

/// FNV-1a of `text`: the same in every build, unlike the standard library's hashes.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
