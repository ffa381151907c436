//! The code of a model: its type, its description, its kernels, and one step of a stream. What a batch
//! runs is data: the schedules in the description ([`info`]).

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    cells::{Counter, Emitted, form, kernels, scan},
    info, io,
    kernel::Rows,
    packing::{computed, own_shapes, packing},
    program_weights::{KnownWeights, ToStream, program_weights},
    stream,
    tables::Print,
};
use crate::{
    diagnostics::Sound,
    ir::{OpKind, WholeSequence},
    schedule::{BufferPlan, Plan},
};

/// The code of a model, with its weights if they are known.
///
/// # Errors
/// If the plan contradicts itself, which is a mistake of the compiler.
pub fn generate(plan: &Plan, weights: Option<&KnownWeights>) -> Sound<TokenStream> {
    let layers = &plan.graph.layers;
    let rt = layers.krate.clone();
    let asserts = layers.assertions.iter().map(|a| {
        let (condition, message) = (&a.condition, &a.message);
        quote_spanned!(a.span=> const _: () = ::core::assert!(#condition, #message);)
    });
    let (attrs, vis) = (&layers.attrs, &layers.vis);
    // A named model derives what its program asks for; nobody can ask for anything where there is no name.
    let (name, derived) = match &layers.name {
        Some(name) => (name.clone(), quote!()),
        None => (
            format_ident!("__Model"),
            quote!(#[derive(::core::clone::Clone, ::core::fmt::Debug)]),
        ),
    };
    let io = io::io(&rt, plan);
    let body = implementation(&rt, plan, &name, &io, weights)?;
    let (types, step_types) = (&io.items, &io.step_items);
    let batch_types = match types.is_empty() {
        true => quote!(),
        false => quote!(#rt::with_std! { #types }),
    };
    let item = quote! {
        #(#attrs)*
        #derived
        #vis struct #name {
            #[allow(dead_code)]
            data: #rt::ModelData,
        }
        #step_types
        #batch_types
        #[allow(unused, non_camel_case_types, non_upper_case_globals, clippy::all, clippy::pedantic)]
        const _: () = {
            #(#asserts)*
            #body
        };
    };
    Ok(match &layers.name {
        Some(_) => item,
        None => quote!({ #item #rt::new_model!(#name) }),
    })
}

fn implementation(
    rt: &TokenStream,
    plan: &Plan,
    name: &Ident,
    io: &io::Io,
    weights: Option<&KnownWeights>,
) -> Sound<TokenStream> {
    let packing = packing(rt, plan);
    let mut counter = Counter::default();
    let computed = computed(rt, plan, &mut counter)?;
    let (computed, computed_items, cuda_computed) =
        (computed.program, computed.items, computed.cuda);
    let mut items = TokenStream::new();
    let mut scans = TokenStream::new();
    let mut training_scans = TokenStream::new();
    let mut cuda_scans = TokenStream::new();
    // The kernels of a stream's step, by operation.
    let mut streams: Vec<Option<Emitted>> = Vec::new();
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let Some(cell) = cell else {
            streams.push(None);
            continue;
        };
        let mut emit = |k, rows| kernels(rt, k, op.span, &mut counter, rows);
        streams.push(match &plan.needs_whole_sequence {
            None => Some(emit(&cell.stream, Rows::One(name))?),
            Some(_) => None,
        });
        let (mask, first) = match &op.kind {
            OpKind::Cell(c) => (c.mask, c.initial.iter().any(Option::is_some)),
            _ => (None, false),
        };
        let mut one = |what: &str, e: &Emitted, unroll, first, [plain, masked]: [&str; 2]| {
            let (name, variant) = (form(what, i), format_ident!("{what}"));
            let (on_device, layer) = (&e.cuda, op.title());
            cuda_scans.extend(quote! {
                #rt::CudaForm {
                    cell: #i, layer: #layer, form: #rt::Form::#variant, first: #first, scan: #on_device
                },
            });
            items.extend(scan(rt, &name, e, unroll, first));
            let how = format_ident!("{}", if mask.is_some() { masked } else { plain });
            let scans = if what == "Inference" {
                &mut scans
            } else {
                &mut training_scans
            };
            scans.extend(quote!((#rt::Form::#variant, #i) => call.#how::<#name>(),));
        };
        let forwards = ["forward", "forward_masked"];
        one(
            "Inference",
            &emit(&cell.inference, Rows::Some)?,
            cell.unroll,
            true,
            forwards,
        );
        if !matches!(op.kind, OpKind::Normalize { .. }) {
            one(
                "Forward",
                &emit(&cell.forward, Rows::Some)?,
                None,
                true,
                forwards,
            );
            let backwards = ["backward", "backward_masked"];
            one(
                "Backward",
                &emit(&cell.backward, Rows::Some)?,
                None,
                first,
                backwards,
            );
        }
    }
    let info = info::model_info(rt, plan, &packing, name)?;
    let stream_info = info::stream_info(rt, plan, &packing, &io.step_outputs);
    let (types, step_types, step_output) = (&io.types, &io.step_types, &io.step_output);
    let step = stream::stream(rt, plan, &io.step_fields, &streams)?;
    let start = stream::start(rt, plan, &streams)?;
    let start = match plan.schedules.stream_start.is_empty() || plan.needs_whole_sequence.is_some()
    {
        true => quote!(),
        false => {
            quote! {
                #[inline(always)]
                fn start<__S: #rt::Simd, __W: #rt::PanelFormat>(
                    s: __S,
                    m: &mut #rt::StepMemory<'_, Self, __W>,
                ) {
                    #start
                }
            }
        }
    };
    let stream_kernels = streams.iter().flatten().map(|e| &e.items);
    let step = match &plan.needs_whole_sequence {
        None => step,
        Some(_) => quote!(),
    };
    let can_stream = match &plan.needs_whole_sequence {
        None => step_by_step(rt, name, &io.call, None),
        Some(whole) => {
            let help = whole_sequence_help(whole, weights);
            cannot_stream(rt, plan, name, &io.call, whole, &help)
        }
    };
    let own_shapes = own_shapes(&plan.graph.params);
    let needs = plan.needs_whole_sequence.as_ref().map(never);
    let in_program =
        weights.map(|weights| program_weights(rt, plan, name, weights, needs.as_ref()));
    let trained = weights.map(|weights| {
        let read_from = &weights.read_from;
        quote! {
            const TRAINED: ::core::option::Option<#rt::TrainedModel> = ::core::option::Option::Some(#rt::TrainedModel {
                weights: <#name as #rt::ProgramModel>::WEIGHTS,
                others: __OTHERS_IN_PROGRAM,
                read_from: #read_from,
            });
        }
    });
    let packing_items = &packing.items;
    let [stream_buffers, buffers] = buffers(rt, plan);
    Ok(quote! {
        #packing_items
        #stream_buffers
        #(#stream_kernels)*
        #computed_items
        #[doc(hidden)]
        impl #rt::StreamProgram for #name {
            #stream_info
            type Values = #rt::Inline<{ #rt::lines(__STREAM_LEN) }>;
            #step_types
            type Computed = #computed;
            #[inline(always)]
            fn step<__S: #rt::Simd, __W: #rt::PanelFormat>(
                s: __S,
                m: &mut #rt::StepMemory<'_, Self, __W>,
                tables: #rt::Tables<'_>,
                x: &Self::StepInput,
            ) {
                #step
            }
            #start
            #[inline(always)]
            fn step_output(values: #rt::StepResults<'_, Self>) -> Self::StepOutput<'_> { #step_output }
        }
        #in_program
        #rt::with_std! {
            #own_shapes
            #buffers
            #items
            #[doc(hidden)]
            impl #rt::Program for #name {
                #info
                #trained
                #types
                fn data(&self) -> &#rt::ModelData { &self.data }
                fn data_mut(&mut self) -> &mut #rt::ModelData { &mut self.data }
                fn from_data(data: #rt::ModelData) -> Self { #name { data } }
            }
            #[doc(hidden)]
            impl #rt::CpuProgram for #name {
                // Inline, so that a library leaves both to the programs that use it, and each compiles what it calls.
                #[inline]
                fn scan(call: #rt::ScanCall<'_, '_>) {
                    match (call.form(), call.cell()) {
                        #scans
                        _ => call.unknown(),
                    }
                }
                #[inline]
                fn scan_training(call: #rt::ScanCall<'_, '_>) {
                    match (call.form(), call.cell()) {
                        #training_scans
                        _ => call.unknown(),
                    }
                }
            }
            #rt::with_cuda! {
                #[doc(hidden)]
                impl #rt::CudaProgram for #name {
                    const CUDA: #rt::CudaCode = #rt::CudaCode {
                        computed: &[#cuda_computed],
                        forms: &[#cuda_scans],
                    };
                }
            }
        }
        #can_stream
    })
}

/// What a stream and a call need of a model, under a bound where it cannot stream.
fn step_by_step(
    rt: &TokenStream,
    name: &Ident,
    call: &io::Call,
    bound: Option<TokenStream>,
) -> TokenStream {
    let io::Call {
        generics,
        input,
        output,
        steps,
    } = call;
    let bound = bound.map(|bound| quote!(where #bound));
    quote! {
        impl #rt::Streamable for #name #bound {}
        #[doc(hidden)]
        impl #generics #rt::CallWith<#input> for #name #bound {
            type Output = #output;
            #[inline(always)]
            fn steps(x: &#input) -> &[Self::StepInput] { #steps }
        }
    }
}

/// What a user does whose model cannot stream.
fn whole_sequence_help(whole: &WholeSequence, weights: Option<&KnownWeights>) -> String {
    match weights.map(|weights| &weights.to_stream) {
        Some(ToStream::KeepStates(import)) if whole.starts => {
            format!("write `{import}`: a stream keeps the states then")
        }
        Some(ToStream::KeepStates(_) | ToStream::OfFile) => {
            "use `predict`, or a file whose model has no such layer".to_owned()
        }
        Some(ToStream::OwnLayers) | None => "use `predict`, or leave this layer out".to_owned(),
    }
}

/// The type that has the name of the layer that does not run step by step, at its place. It is in a module, since a model may
/// have the name of a layer.
fn layer_in_the_way(whole: &WholeSequence) -> Ident {
    Ident::new(&whole.class, Span::call_site().located_at(whole.span))
}

/// The bound that never holds.
fn never(whole: &WholeSequence) -> TokenStream {
    let layer = layer_in_the_way(whole);
    quote!(for<'a> needs::#layer: needs::StepByStep<'a>)
}

/// Models that cannot stream implement `Streamable` under a bound that never holds, so that `stream()`
/// shows our message. rustc names the type and the trait of that bound, and shows where the type stands:
/// they say which layer does not run step by step, and the place is that of the layer. The lifetime is
/// there because rustc checks a bound without any on the spot.
fn cannot_stream(
    rt: &TokenStream,
    plan: &Plan,
    name: &Ident,
    call: &io::Call,
    whole: &WholeSequence,
    help: &str,
) -> TokenStream {
    let model = match &plan.graph.layers.name {
        Some(name) => format!("`{name}`"),
        None => "this model".to_owned(),
    };
    let message = format!("[RNN0300]: {model} cannot stream: {}", whole.why);
    let literal = |text: &str| text.replace('{', "{{").replace('}', "}}");
    let (message, note) = (literal(&message), literal(&format!("help: {help}")));
    let layer = layer_in_the_way(whole);
    let layer_item = quote_spanned!(layer.span()=> pub struct #layer;);
    let streams = step_by_step(rt, name, call, Some(never(whole)));
    quote! {
        mod needs {
            #[diagnostic::on_unimplemented(
                message = #message,
                label = "a stream sees one step at a time",
                note = #note
            )]
            pub trait StepByStep<'a> {}
            #layer_item
            pub struct OtherLayers;
            // rustc would propose an implementation if there were none.
            impl StepByStep<'_> for OtherLayers {}
        }
        #streams
    }
}

/// The buffers of a stream, which lie at constant addresses, and those of the other modes.
fn buffers(rt: &TokenStream, plan: &Plan) -> [TokenStream; 2] {
    let table = |mode: &BufferPlan| mode.buffers.print(rt);
    let (inference, training) = (table(&plan.inference), table(&plan.training));
    let (stream, count) = (table(&plan.stream), plan.stream.buffers.len());
    let stream = quote! {
        const __STREAM_BUFFERS: &[#rt::Buffer] = #stream;
        const __STREAM: &[#rt::Buf] = &#rt::stream_layout::<#count>(__STREAM_BUFFERS);
        const __STREAM_LEN: usize = #rt::stream_len(__STREAM);
    };
    let others = quote! {
        const __INFERENCE: &[#rt::Buffer] = #inference;
        const __TRAINING: &[#rt::Buffer] = #training;
    };
    [stream, others]
}
