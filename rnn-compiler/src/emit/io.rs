//! The types of a model's inputs and outputs.
//!
//! One input is an array. Several inputs are a tuple of arrays or, for a named model, a structure whose
//! fields have the names of the inputs. The same holds for outputs, and for a step of a stream.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::{
    cell::size::Size,
    ir::{Content, LayerKind, Shape, Time},
    schedule::Plan,
};

/// Types and the code that depends on them.
pub(super) struct Io {
    /// Structures for batches, outside of the hidden part.
    pub items: TokenStream,
    /// Structures for steps of a stream, outside of the hidden part.
    pub step_items: TokenStream,
    /// Associated types of `Program`.
    pub types: TokenStream,
    /// Associated types of `StreamProgram`.
    pub step_types: TokenStream,
    /// How a step finds each input in `x`.
    pub step_fields: Vec<TokenStream>,
    /// The body of `step_output`.
    pub step_output: TokenStream,
    /// Where the outputs of a step lie among a stream's values, and how long they are.
    pub step_outputs: TokenStream,
    /// What `Model::call` takes, generic or not, and what it gives.
    pub call: Call,
}

/// `impl<generics> Call<input>`, whose steps are `steps` of `x`.
pub(super) struct Call {
    pub generics: TokenStream,
    pub input: TokenStream,
    pub output: TokenStream,
    pub steps: TokenStream,
}

/// The names of fields: those of the model, made into names that Rust allows.
fn fields<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Ident> {
    names
        .map(|n| match syn::parse_str::<Ident>(n) {
            Ok(mut i) => {
                i.set_span(proc_macro2::Span::call_site());
                i
            }
            Err(_) => format_ident!("r#{n}"),
        })
        .collect()
}

pub(super) fn io(rt: &TokenStream, plan: &Plan) -> Io {
    let layers = &plan.graph.layers;
    let shapes: Vec<&Shape> = layers
        .inputs
        .iter()
        .map(|(_, id)| &layers.layers[*id].outputs[0])
        .collect();
    let out_shapes: Vec<&Shape> = layers
        .outputs
        .iter()
        .map(|o| layers.shape(o.port))
        .collect();
    let kinds: Vec<TokenStream> = shapes.iter().map(|s| kind(rt, s)).collect();
    let arrays: Vec<TokenStream> = out_shapes.iter().map(|s| array(rt, s)).collect();
    let names = fields(layers.inputs.iter().map(|(n, _)| n.as_str()));
    let out_names = fields(layers.outputs.iter().map(|o| o.name.as_str()));
    let steps: Vec<TokenStream> = (0..shapes.len()).map(|i| step(rt, plan, i)).collect();
    let widths: Vec<TokenStream> = out_shapes.iter().map(|s| s.width().tokens()).collect();
    let vis = &layers.vis;
    let (mut items, mut step_items) = (TokenStream::new(), TokenStream::new());

    let input = match kinds.as_slice() {
        [one] => quote!(#one),
        all => quote!((#(#all,)*)),
    };
    let named = layers.name.as_ref();
    let mut step_input = match steps.as_slice() {
        [one] => quote!(#one),
        all => quote!((#(#all,)*)),
    };
    let mut step_fields: Vec<TokenStream> = (0..shapes.len())
        .map(|i| match shapes.len() {
            1 => quote!(x),
            _ => {
                let i = syn::Index::from(i);
                quote!(x.#i)
            }
        })
        .collect();
    if let (Some(model), true) = (named, shapes.len() > 1) {
        let (of, of_step) = (
            format_ident!("{}Input", model),
            format_ident!("{}Step", model),
        );
        let views = shapes.iter().map(|s| view(rt, s));
        let doc = format!("The inputs of a batch of [`{model}`].");
        let step_doc = format!("The inputs of one step of a stream of [`{model}`].");
        let docs = shapes.iter().map(|s| s.to_string());
        let step_docs = shapes.iter().map(|s| match s.content {
            Content::Numbers => format!("{} numbers.", s.width()),
            Content::Ids => "A class id.".to_owned(),
            Content::Mask => "Whether the step is valid.".to_owned(),
        });
        items.extend(quote! {
            #[doc = #doc]
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            #vis struct #of<'a> { #(#[doc = #docs] pub #names: #views,)* }
            impl<'a> #rt::IntoInput<'a, #input> for #of<'a> {
                fn into_input(self, to: &mut #rt::Vec<#rt::Batch<'a>>) -> ::core::result::Result<(), #rt::Error> {
                    #rt::IntoInput::<#input>::into_input((#(self.#names,)*), to)
                }
            }
        });
        if plan.needs_whole_sequence.is_none() {
            step_items.extend(quote! {
                #[doc = #step_doc]
                #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
                #vis struct #of_step { #(#[doc = #step_docs] pub #names: #steps,)* }
            });
            items.extend(quote! {
                #[doc(hidden)]
                impl #rt::FromNumbers for #of_step {
                    const LEN: usize = 0 #(+ <#steps as #rt::FromNumbers>::LEN)*;
                    fn take(x: &mut &[f32]) -> ::core::result::Result<Self, #rt::Error> {
                        ::core::result::Result::Ok(#of_step { #(#names: #rt::FromNumbers::take(x)?,)* })
                    }
                }
            });
            step_input = quote!(#of_step);
            step_fields = names.iter().map(|n| quote!(x.#n)).collect();
        }
    }

    let mut output = match arrays.as_slice() {
        [one] => quote!(#one),
        all => quote!((#(#all,)*)),
    };
    let parts: Vec<TokenStream> = plan
        .graph
        .outputs
        .iter()
        .zip(&widths)
        .map(|(&v, width)| {
            let buffer = plan.stream.values[v].buffer;
            let at = quote!(#rt::BufferRef { buffer: #buffer, offset: 0, after: false, exact: true });
            match plan.needs_whole_sequence {
                None => {
                    quote!(values.array(const { #rt::StreamSlice::<Self, { #width }>::output(&#at) }))
                }
                Some(_) => quote!(&[0.0; #width]),
            }
        })
        .collect();
    let (mut step_type, mut step_output) = match widths.as_slice() {
        [one] => (quote!(&'s [f32; #one]), parts[0].clone()),
        all => (quote!((#(&'s [f32; #all],)*)), quote!((#(#parts,)*))),
    };
    if let (Some(model), true) = (named, out_shapes.len() > 1) {
        let (of, of_step) = (
            format_ident!("{}Output", model),
            format_ident!("{}StepOutput", model),
        );
        let doc = format!("The outputs of a batch of [`{model}`].");
        let docs: Vec<String> = out_shapes.iter().map(|s| s.to_string()).collect();
        // A pattern with the name of an output could match one of the user's items.
        let locals: Vec<Ident> = (0..out_shapes.len())
            .map(|i| format_ident!("__o{i}"))
            .collect();
        items.extend(quote! {
            #[doc = #doc]
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            #vis struct #of { #(#[doc = #docs] pub #out_names: #arrays,)* }
            #[doc(hidden)]
            impl #rt::Outputs for #of {
                fn from_arrays(arrays: #rt::Vec<#rt::ArrayD<f32>>) -> ::core::result::Result<Self, #rt::Error> {
                    let (#(#locals,)*) = #rt::Outputs::from_arrays(arrays)?;
                    ::core::result::Result::Ok(#of { #(#out_names: #locals),* })
                }
            }
        });
        output = quote!(#of);
        if plan.needs_whole_sequence.is_none() {
            let step_doc = format!("The outputs of one step of a stream of [`{model}`].");
            let numbers = out_shapes.iter().map(|s| format!("{} numbers.", s.width()));
            step_items.extend(quote! {
                #[doc = #step_doc]
                #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
                #vis struct #of_step<'s> { #(#[doc = #numbers] pub #out_names: &'s [f32; #widths],)* }
            });
            step_type = quote!(#of_step<'s>);
            step_output = quote!(#of_step { #(#out_names: #parts),* });
        }
    }

    let step_outputs = plan.graph.outputs.iter().zip(&widths);
    let step_outputs = step_outputs.map(|(&v, width)| {
        let buf = plan.stream.values[v].buffer;
        quote!((__STREAM[#buf].offset(), #width))
    });
    let step_outputs = match plan.needs_whole_sequence {
        None => quote!(&[#(#step_outputs),*]),
        Some(_) => quote!(&[]),
    };
    let call = call(&shapes, &out_shapes, &step_input);

    Io {
        items,
        step_items,
        types: quote! {
            type Input = #input;
            type Output = #output;
        },
        step_types: quote! {
            type StepInput = #step_input;
            type StepOutput<'s> = #step_type;
        },
        step_fields,
        step_output,
        step_outputs,
        call,
    }
}

/// What a call takes and gives: with a time axis arrays of its steps, without one step.
fn call(inputs: &[&Shape], outputs: &[&Shape], step: &TokenStream) -> Call {
    let time = inputs.iter().map(|s| &s.time).find(|t| **t != Time::None);
    let (generics, length, steps) = match time {
        None | Some(Time::None) => (quote!(), None, quote!(::core::slice::from_ref(x))),
        Some(Time::Steps(n)) => (quote!(), Some(n.tokens()), quote!(x)),
        Some(Time::Any(_)) => {
            let steps = quote! {{
                const { ::core::assert!(__T > 0, "a sequence has at least one step") };
                x
            }};
            (quote!(<const __T: usize>), Some(quote!(__T)), steps)
        }
    };
    let outputs: Vec<TokenStream> = outputs
        .iter()
        .map(|s| {
            let width = s.width().tokens();
            match (&length, s.is_sequence()) {
                (Some(length), true) => quote!([[f32; #width]; #length]),
                _ => quote!([f32; #width]),
            }
        })
        .collect();
    Call {
        generics,
        input: match &length {
            Some(length) => quote!([#step; #length]),
            None => step.clone(),
        },
        output: match outputs.as_slice() {
            [one] => one.clone(),
            all => quote!((#(#all,)*)),
        },
        steps,
    }
}

/// The kind of an input.
fn kind(rt: &TokenStream, s: &Shape) -> TokenStream {
    match (s.content, s.is_sequence(), s.axes.len()) {
        (Content::Ids, ..) => quote!(#rt::Ids),
        (Content::Mask, ..) => quote!(#rt::Masks),
        (_, true, 0 | 1) => quote!(#rt::Sequence),
        (_, true, 2) => quote!(#rt::Sequence2),
        (_, true, _) => quote!(#rt::Sequence3),
        (_, false, 0 | 1) => quote!(#rt::Rows),
        (_, false, 2) => quote!(#rt::Rows2),
        (_, false, _) => quote!(#rt::Rows3),
    }
}

/// The array that a structure has for an input.
fn view(rt: &TokenStream, s: &Shape) -> TokenStream {
    match (s.content, usize::from(s.is_sequence()) + s.axes.len()) {
        (Content::Ids, _) => quote!(#rt::ArrayView2<'a, u32>),
        (Content::Mask, _) => quote!(#rt::ArrayView2<'a, bool>),
        (_, 1) => quote!(#rt::ArrayView2<'a, f32>),
        (_, 2) => quote!(#rt::ArrayView3<'a, f32>),
        (_, 3) => quote!(#rt::ArrayView4<'a, f32>),
        _ => quote!(#rt::ArrayView5<'a, f32>),
    }
}

/// The array of an output.
fn array(rt: &TokenStream, s: &Shape) -> TokenStream {
    match usize::from(s.is_sequence()) + s.axes.len() {
        1 => quote!(#rt::Array2<f32>),
        2 => quote!(#rt::Array3<f32>),
        3 => quote!(#rt::Array4<f32>),
        _ => quote!(#rt::ArrayD<f32>),
    }
}

/// What a step takes for an input.
fn step(rt: &TokenStream, plan: &Plan, input: usize) -> TokenStream {
    let layers = &plan.graph.layers;
    let (_, id) = &layers.inputs[input];
    let shape = &layers.layers[*id].outputs[0];
    match shape.content {
        Content::Mask => quote!(bool),
        Content::Numbers => {
            let n = shape.width().tokens();
            quote!([f32; #n])
        }
        Content::Ids => {
            // Of several tables that read the input, the smallest limits its ids.
            let tables = layers.layers.iter().filter_map(|l| match &l.kind {
                LayerKind::Embedding { input_dim, .. } if l.inputs[0].layer == *id => {
                    Some(input_dim)
                }
                _ => None,
            });
            let n = least(tables);
            quote!(#rt::Id<{ #n }>)
        }
    }
}

/// The smallest of some sizes whose values only rustc may know; 0 without any.
fn least<'a>(sizes: impl Iterator<Item = &'a Size>) -> TokenStream {
    let (known, mut open): (Vec<&Size>, Vec<&Size>) = sizes.partition(|s| s.value().is_some());
    open.dedup();
    let known = known.into_iter().min_by_key(|s| s.value());
    let all: Vec<TokenStream> = open.into_iter().chain(known).map(Size::tokens).collect();
    match all.split_first() {
        None => quote!(0),
        Some((one, [])) => quote!(#one),
        Some((first, others)) => quote! {
            let n: usize = #first;
            #(let n = if #others < n { #others } else { n };)*
            n
        },
    }
}
