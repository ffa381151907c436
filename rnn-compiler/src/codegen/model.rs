//! The code of a model: a type, what is known about it, and its four ways to run.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    cells::{Counter, Emitted, form, phases, steps, sweep},
    io,
    packing::{Packing, computed, packing},
    phase::reference,
    run, spec,
};
use crate::ir::{
    OpKind, Plan,
    plan::{Buffer, CellPlan, Extent, Mode, Ref},
};

/// The code of a model.
pub fn generate(plan: &Plan) -> TokenStream {
    let layers = &plan.graph.layers;
    let rt = layers.krate.clone();
    let asserts = layers.assertions.iter().map(|a| {
        let (condition, message) = (&a.condition, &a.message);
        quote_spanned!(a.span=> const _: () = ::core::assert!(#condition, #message);)
    });
    let (attrs, vis) = (&layers.attrs, &layers.vis);
    let name = match &layers.name {
        Some(name) => name.clone(),
        None => format_ident!("__Model"),
    };
    let io = io::io(&rt, plan);
    let body = implementation(&rt, plan, &name, &io);
    let types = &io.items;
    let item = quote! {
        #(#attrs)*
        #vis struct #name { core: #rt::Core }
        #types
        #[allow(unused, non_camel_case_types, non_upper_case_globals, clippy::all, clippy::pedantic)]
        const _: () = {
            #(#asserts)*
            #body
        };
    };
    match &layers.name {
        Some(_) => item,
        None => quote!({ #item <#name as #rt::Model>::new() }),
    }
}

fn implementation(
    rt: &TokenStream,
    plan: &Plan,
    name: &proc_macro2::Ident,
    io: &io::Io,
) -> TokenStream {
    let packing = packing(rt, plan);
    let mut counter = Counter::default();
    let (computed, computed_items) = computed(rt, plan, &packing, &mut counter);
    let mut items = TokenStream::new();
    let mut step = io.stream_inputs.clone();
    let mut cost = Vec::new();
    let streams = plan.whole.is_none();
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let at = |v: usize| reference(rt, &plan.stream.values[v]);
        if let Some(cell) = cell {
            let span = Span::call_site().located_at(op.span);
            let mut emit = |p| phases(rt, plan, &packing, i, p, &mut counter);
            if streams {
                let e: Emitted = emit(&cell.stream);
                items.extend(e.items);
                let calls = steps(rt, &e.step, true, None);
                let (held, calls) = held_step(rt, plan, i, cell, &calls);
                items.extend(held);
                step.extend(quote_spanned!(span=> #calls));
                step.extend(stream_finals(rt, plan, i, cell));
            }
            let e = emit(&cell.inference);
            let inference = form("Inference", i);
            cost.push(quote!(<#inference as #rt::Sweep>::COST));
            items.extend(sweep(rt, &inference, &e, cell.unroll, true));
            if !matches!(op.kind, OpKind::Normalize { .. }) {
                let first = starts_given(plan, i);
                items.extend(sweep(
                    rt,
                    &form("Forward", i),
                    &emit(&cell.forward),
                    None,
                    true,
                ));
                items.extend(sweep(
                    rt,
                    &form("Backward", i),
                    &emit(&cell.backward),
                    None,
                    first,
                ));
            }
            items.extend(run::held(rt, plan, i, cell));
        } else if streams {
            match &op.kind {
                OpKind::Gather {
                    table,
                    input,
                    vocabulary,
                } => {
                    let to = at(op.outputs[0]);
                    let width = plan.graph.values[op.outputs[0]].width.tokens();
                    let (table, x) = (Packing::param(*table), &io.step_fields[*input]);
                    let rows = vocabulary.tokens();
                    step.extend(
                        quote!(m.embed(&#to, #width, &weights[#table.0..], #rows, #x.get());),
                    );
                }
                OpKind::MaskIds { input } => {
                    let (to, x) = (at(op.outputs[0]), &io.step_fields[*input]);
                    step.extend(quote!(m.set(&#to, &[if #x.get() == 0 { 0.0 } else { 1.0 }]);));
                }
                _ => {}
            }
        }
    }
    let spec = spec::spec(rt, plan, &packing, name, &quote!(0 #(+ #cost)*));
    let infer = run::infer(rt, plan);
    let (forward, backward) = (run::forward(rt, plan), run::backward(rt, plan));
    let types = &io.types;
    let step_output = &io.step_output;
    let stream = streams.then(|| quote!(::core::assert!(m.holds(__STREAM_LEN, __PACKED)); #step));
    let can_stream = match &plan.whole {
        None => quote!(impl #rt::Streamable for #name {}),
        Some(why) => cannot_stream(rt, plan, name, why),
    };
    let packing_items = &packing.items;
    let buffers = buffers(rt, plan);
    quote! {
        #packing_items
        #buffers
        #items
        #computed_items
        impl #rt::Program for #name {
            #spec
            #types
            type Computed = #computed;
            fn core(&self) -> &#rt::Core { &self.core }
            fn core_mut(&mut self) -> &mut #rt::Core { &mut self.core }
            fn from_core(core: #rt::Core) -> Self { #name { core } }
            #[inline(always)]
            fn step<__S: #rt::Simd>(s: __S, m: &mut #rt::Memory<'_>, weights: &[f32], t: usize, x: &Self::StepInput) {
                #stream
            }
            #[inline(always)]
            fn step_output(values: &[f32]) -> Self::StepOutput<'_> { #step_output }
            fn infer(c: &mut #rt::Inference<'_>) { #infer }
            fn forward(c: &mut #rt::Training<'_>) { #forward }
            fn backward(c: &mut #rt::Training<'_>) { #backward }
        }
        #can_stream
    }
}

/// A model that needs the whole sequence would stream if a type of ours had a trait that it has not,
/// which rustc reports in our words. The type is another than the model, since rustc would report
/// `Streamable` of the model otherwise; the lifetime is there because rustc checks a bound without
/// any on the spot.
fn cannot_stream(
    rt: &TokenStream,
    plan: &Plan,
    name: &proc_macro2::Ident,
    why: &str,
) -> TokenStream {
    let model = match &plan.graph.layers.name {
        Some(name) => format!("`{name}`"),
        None => "this model".to_owned(),
    };
    let message = format!("[RNN0300]: {model} cannot stream: {why}");
    let message = message.replace('{', "{{").replace('}', "}}");
    quote! {
        #[diagnostic::on_unimplemented(
            message = #message,
            label = "a stream sees one step at a time",
            note = "help: use `predict`, or leave this layer out"
        )]
        pub trait __Streams {}
        pub struct __Whole<'a>(&'a ());
        impl #rt::Streamable for #name where for<'a> __Whole<'a>: __Streams {}
    }
}

/// Whether the gradient of the states before the first step is wanted: they come from somewhere.
fn starts_given(plan: &Plan, op: usize) -> bool {
    match &plan.graph.ops[op].kind {
        OpKind::Cell(c) => c.initial.iter().any(Option::is_some),
        _ => false,
    }
}

/// The phases of one step of a stream, which a masked step leaves out.
fn held_step(
    rt: &TokenStream,
    plan: &Plan,
    op: usize,
    cell: &CellPlan,
    calls: &TokenStream,
) -> (TokenStream, TokenStream) {
    let OpKind::Cell(c) = &plan.graph.ops[op].kind else {
        return (quote!(), calls.clone());
    };
    let Some(mask) = c.mask else {
        return (quote!(), calls.clone());
    };
    let name = format_ident!("__HS{op}");
    let states = cell.stream_states.iter().map(|(r, w)| (r, w.tokens()));
    let values = &plan.stream.values;
    let outputs = plan.graph.ops[op].outputs.iter();
    let outputs = outputs.map(|&v| (&values[v], plan.graph.values[v].width.tokens()));
    let table = run::held_table(rt, &values[mask], states, outputs, c.zero_output);
    (
        quote!(const #name: #rt::CarryOver = #table;),
        quote!(if !m.held(&#name, t) { #calls }),
    )
}

/// The states that others read, after a step of a stream.
fn stream_finals(rt: &TokenStream, plan: &Plan, op: usize, cell: &CellPlan) -> TokenStream {
    let OpKind::Cell(c) = &plan.graph.ops[op].kind else {
        return quote!();
    };
    let finals = c.finals.iter().zip(&cell.stream_states);
    finals
        .filter_map(|(to, (state, width))| {
            let to = reference(rt, &plan.stream.values[(*to)?]);
            let after = Ref {
                after: true,
                ..state.clone()
            };
            let (from, width) = (reference(rt, &after), width.tokens());
            Some(quote!(m.copy_row(&#from, t, &#to, t, #width, 0);))
        })
        .collect()
}

fn row(rt: &TokenStream, b: &Buffer) -> TokenStream {
    let (width, unaligned) = (b.width.tokens(), b.slack);
    quote!(#rt::row_len(#width, #unaligned))
}

fn buffers(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let mut at = quote!(0);
    let mut offsets = TokenStream::new();
    let mut stream = Vec::new();
    for (i, b) in plan.stream.buffers.iter().enumerate() {
        let name = format_ident!("__S{i}");
        let row = row(rt, b);
        let (count, steps) = match b.extent {
            Extent::Ring => (2usize, quote!(Ring)),
            _ => (1, quote!(One)),
        };
        offsets.extend(quote!(const #name: usize = #at;));
        at = quote!(#name + #row * #count);
        stream.push(quote!(#rt::Buf::new(#name, #row, 1, #count, #rt::Extent::#steps)));
    }
    let table = |mode: &Mode| {
        let list = mode.buffers.iter().map(|b| {
            let (width, unaligned) = (b.width.tokens(), b.slack);
            let extent = match b.extent {
                Extent::One => quote!(One),
                Extent::Ring => quote!(Ring),
                Extent::All => quote!(All),
                Extent::Last => quote!(Last),
            };
            let axis = b.axis.unwrap_or(0);
            quote! {
                #rt::Buffer {
                    width: #width, unaligned: #unaligned, extent: #rt::Extent::#extent, axis: #axis,
                }
            }
        });
        quote!(&[#(#list),*])
    };
    let (inference, training) = (table(&plan.inference), table(&plan.training));
    quote! {
        #offsets
        const __STREAM_LEN: usize = #at;
        const __STREAM: &[#rt::Buf] = &[#(#stream),*];
        const __INFERENCE: &[#rt::Buffer] = #inference;
        const __TRAINING: &[#rt::Buffer] = #training;
    }
}
