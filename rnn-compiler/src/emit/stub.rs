//! What a model with mistakes becomes: the messages, and a stand-in that keeps rustc quiet.
//!
//! A `compile_error!` that stands for an expression has rustc's error type, which fits everywhere and
//! never causes a message of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::{
    diagnostics::{Diagnostic, to_compile_errors},
    syntax::{BodyAst, ModelAst, StatementAst},
};

/// Messages and a stand-in for `model`. Without messages the cause is a cell with mistakes: these are
/// shown where the cell is defined, and its name is the error type here.
pub fn stub(model: &ModelAst, found: &[Diagnostic]) -> TokenStream {
    let broken = model
        .cells
        .iter()
        .find(|c| c.cell.is_none())
        .map(|c| &c.path);
    match &model.name {
        Some(name) => match found.split_first() {
            Some((first, others)) => {
                let stub = stub_type(&model.attrs, &model.vis, name, first, others);
                let structures = structures(model, name);
                quote! { #stub #structures }
            }
            None => {
                let vis = &model.vis;
                let structures = structures(model, name);
                quote! { #vis type #name = #broken; #structures }
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

/// The structures of the inputs and outputs of a graph, so that their names are known. Every field
/// has the type of the stub, which fits everywhere.
fn structures(model: &ModelAst, name: &Ident) -> TokenStream {
    let BodyAst::Graph(statements) = &model.body else {
        return TokenStream::new();
    };
    let of = |wanted: &str| -> Vec<&Ident> {
        let mut all: Vec<&Ident> = Vec::new();
        for s in statements {
            let names: &[Ident] = match s {
                StatementAst::Input { name, .. } if wanted == "input" => std::slice::from_ref(name),
                StatementAst::Output { name, .. } if wanted == "output" => {
                    std::slice::from_ref(name)
                }
                StatementAst::Unreadable { word, names } if *word == wanted => names,
                _ => &[],
            };
            for one in names {
                // A name that is there twice has been reported.
                if !all.contains(&one) {
                    all.push(one);
                }
            }
        }
        all
    };
    let (inputs, outputs) = (of("input"), of("output"));
    let vis = &model.vis;
    let structure = |end: &str, fields: &[&Ident], borrows: bool| {
        let of = format_ident!("{}{end}", name);
        let (parameter, field) = match borrows {
            true => (quote!(<'a>), quote!(&'a #name)),
            false => (quote!(), quote!(#name)),
        };
        (fields.len() > 1).then(|| {
            quote! {
                #[allow(dead_code, missing_docs)]
                #[derive(::core::clone::Clone, ::core::fmt::Debug)]
                #vis struct #of #parameter { #(pub #fields: #field,)* }
            }
        })
    };
    [
        structure("Input", &inputs, true),
        structure("Step", &inputs, false),
        structure("Output", &outputs, false),
        structure("StepOutput", &outputs, true),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A type named `name` whose uses rustc does not report, and the messages.
///
/// The alias is needed: a type argument with an error makes every use of the type an error that rustc
/// has already reported. A struct of our own is needed, too, so that users can implement foreign traits
/// for it.
pub(super) fn stub_type(
    attrs: &[syn::Attribute],
    vis: &syn::Visibility,
    name: &Ident,
    first: &Diagnostic,
    others: &[Diagnostic],
) -> TokenStream {
    let docs = attrs.iter().filter(|a| a.path().is_ident("doc"));
    // As an argument, `r#Name` goes in as `Name`.
    let hidden = format_ident!("__Stub{}", name, span = Span::call_site());
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

/// A message that stands for an expression.
fn error(d: &Diagnostic) -> TokenStream {
    let text = d.text();
    quote_spanned!(d.span=> ::core::compile_error!(#text))
}
