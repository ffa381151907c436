//! The code of a model: a type, what is known about it, and its four ways to run.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    cells::{Counter, Emitted, form, phases, steps, sweep},
    packing::{Packing, computed, packing, params},
    phase::reference,
};
use crate::ir::{
    Op, OpKind, Plan, Shape, Time,
    plan::{Buffer, CellPlan, Extent, Mode, Ref},
};

/// The code of a model.
pub fn generate(plan: &Plan) -> TokenStream {
    let layers = &plan.graph.layers;
    let krate = &layers.krate;
    let rt = quote!(#krate::rt::code);
    let asserts = layers.assertions.iter().map(|a| {
        let (condition, message) = (&a.condition, &a.message);
        quote_spanned!(a.span=> const _: () = ::core::assert!(#condition, #message);)
    });
    let (attrs, vis) = (&layers.attrs, &layers.vis);
    let name = match &layers.name {
        Some(name) => name.clone(),
        None => format_ident!("__Model"),
    };
    let body = implementation(&rt, plan, &name);
    let item = quote! {
        #(#attrs)*
        #vis struct #name { core: #rt::Core }
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

fn implementation(rt: &TokenStream, plan: &Plan, name: &proc_macro2::Ident) -> TokenStream {
    let packing = packing(rt, plan);
    let mut counter = Counter::default();
    let (computed, computed_items) = computed(rt, plan, &packing, &mut counter);
    let mut items = TokenStream::new();
    let mut step = TokenStream::new();
    let mut cost = Vec::new();
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        if let Some(cell) = cell {
            let span = Span::call_site().located_at(op.span);
            let mut emit = |p| phases(rt, plan, &packing, i, p, &mut counter);
            if plan.streams {
                let e: Emitted = emit(&cell.stream);
                items.extend(e.items);
                let calls = steps(rt, &e.step);
                step.extend(quote_spanned!(span=> #calls));
            }
            let e = emit(&cell.inference);
            let inference = form("Inference", i);
            cost.push(quote!(<#inference as #rt::Sweep>::COST));
            items.extend(sweep(rt, &inference, &e, cell.unroll));
            if !matches!(op.kind, OpKind::Normalize { .. }) {
                items.extend(sweep(rt, &form("Forward", i), &emit(&cell.forward), None));
                items.extend(sweep(rt, &form("Backward", i), &emit(&cell.backward), None));
            }
        } else if let (OpKind::Gather { table, .. }, true) = (&op.kind, plan.streams) {
            let to = reference(rt, &plan.stream.values[op.output]);
            let (width, table) = (
                plan.graph.values[op.output].width.tokens(),
                Packing::param(*table),
            );
            step.extend(quote!(m.embed(&#to, #width, &weights[#table..], x.get());));
        }
    }
    let spec = spec(rt, plan, &packing, name, &quote!(0 #(+ #cost)*));
    let infer = infer(rt, plan);
    let (forward, backward) = (forward(rt, plan), backward(rt, plan));
    let types = types(rt, plan);
    let stream_input = match plan.graph.layers.layers[0].shape.ids {
        true => quote!(),
        false => {
            let r = reference(rt, &plan.stream.values[0]);
            quote!(m.set(&#r, x);)
        }
    };
    let output = &plan.stream.values[plan.graph.output];
    let (stream, streamable) = if plan.streams {
        let out = output.buf;
        (
            quote! {
                assert!(m.holds(__STREAM_LEN, __PACKED));
                #stream_input
                #step
            },
            quote! {
                fn step_output(values: &[f32]) -> &Self::StepOutput {
                    #rt::array(values, __STREAM[#out].offset())
                }
            },
        )
    } else {
        (
            quote!(),
            quote!(fn step_output(values: &[f32]) -> &Self::StepOutput { #rt::array(values, 0) }),
        )
    };
    let can_stream = plan
        .streams
        .then(|| quote!(impl #rt::Streamable for #name {}));
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
            fn step<S: #rt::Simd>(s: S, m: &mut #rt::Memory<'_>, weights: &[f32], t: usize, x: &Self::StepInput) {
                #stream
            }
            #[inline(always)]
            #streamable
            fn infer(c: &mut #rt::Inference<'_>) { #infer }
            fn forward(c: &mut #rt::Training<'_>) { #forward }
            fn backward(c: &mut #rt::Training<'_>) { #backward }
        }
        #can_stream
    }
}

fn row(rt: &TokenStream, b: &Buffer) -> TokenStream {
    let width = b.width.tokens();
    let slack = if b.slack { quote!(+ 32) } else { quote!() };
    quote!((#rt::padded(#width) #slack))
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
        stream.push(quote!(#rt::Buf::new(#name, #row, 1, #count, #rt::Steps::#steps)));
    }
    let table = |mode: &Mode| {
        let list = mode.buffers.iter().map(|b| {
            let row = row(rt, b);
            let extent = match b.extent {
                Extent::One => quote!(One),
                Extent::Ring => quote!(Ring),
                Extent::All => quote!(All),
                Extent::Last => quote!(Last),
            };
            quote!(#rt::BufSpec { row: #row, extent: #rt::Extent::#extent })
        });
        quote!(&[#(#list),*])
    };
    let (inference, training) = (table(&plan.inference), table(&plan.training));
    quote! {
        #offsets
        const __STREAM_LEN: usize = #at;
        const __STREAM: &[#rt::Buf] = &[#(#stream),*];
        const __INFERENCE: &[#rt::BufSpec] = #inference;
        const __TRAINING: &[#rt::BufSpec] = #training;
    }
}

/// `ValueSpec` of an input or output.
fn value(rt: &TokenStream, name: &str, shape: &Shape) -> TokenStream {
    let ids = shape.ids;
    let time = match &shape.time {
        Time::None => quote!(None),
        Time::Any => quote!(Some(None)),
        Time::Steps(t) => {
            let t = t.tokens();
            quote!(Some(Some(#t)))
        }
    };
    let features = if ids {
        quote!(&[])
    } else {
        let f = shape.features.tokens();
        quote!(&[#f])
    };
    quote!(#rt::ValueSpec { name: #name, ids: #ids, time: #time, features: #features })
}

fn spec(
    rt: &TokenStream,
    plan: &Plan,
    packing: &Packing,
    name: &proc_macro2::Ident,
    cost: &TokenStream,
) -> TokenStream {
    let layers = &plan.graph.layers;
    let title = layers
        .name
        .as_ref()
        .map_or("rnn_model".to_owned(), |_| name.to_string());
    let params = params(rt, &plan.graph.params);
    let input = value(rt, "input", &layers.layers[0].shape);
    let output = value(rt, "output", &layers.layers[layers.output].shape);
    let rows = layers.layers.iter().map(|l| {
        let (name, class) = (&l.name, &l.class);
        let shape = l
            .shape
            .to_string()
            .replace("[batch", "(None")
            .replace("time", "None")
            .replace(']', ")");
        quote!(#rt::LayerRow { name: #name, class: #class, shape: #shape, prefix: #name })
    });
    let vocabulary = layers
        .layers
        .iter()
        .zip(1..)
        .find_map(|(l, _)| match &l.kind {
            crate::ir::LayerKind::Embedding { input_dim, .. } => {
                let (name, n) = (&l.name, input_dim.tokens());
                Some(quote!(Some((#name, #n))))
            }
            _ => None,
        })
        .unwrap_or(quote!(None));
    let fields = &packing.fields;
    let text = &plan.text;
    let out = plan.graph.output;
    let output_ref = reference(rt, &plan.inference.values[out]);
    let training_output = reference(rt, &plan.training.values[out]);
    let output_gradient = reference(rt, &plan.gradients[out]);
    let input_gradient = if layers.layers[0].shape.ids {
        quote!(None)
    } else {
        let r = reference(rt, &plan.gradients[0]);
        quote!(Some(#r))
    };
    let blocks = plan.streams;
    quote! {
        const SPEC: #rt::Spec = #rt::Spec {
            name: #title,
            params: #params,
            inputs: &[#input],
            outputs: &[#output],
            layers: &[#(#rows),*],
            plan: #text,
            vocabulary: #vocabulary,
            #fields
            stream: __STREAM,
            stream_len: __STREAM_LEN,
            inference: __INFERENCE,
            training: __TRAINING,
            output: #output_ref,
            training_output: #training_output,
            output_gradient: #output_gradient,
            input_gradient: #input_gradient,
            blocks: #blocks,
            cost: #cost,
        };
    }
}

fn types(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let layers = &plan.graph.layers;
    let (first, last) = (&layers.layers[0].shape, &layers.layers[layers.output].shape);
    let kind = match (first.ids, &first.time) {
        (true, _) => quote!(Ids),
        (false, Time::None) => quote!(Rows),
        (false, _) => quote!(Sequence),
    };
    let axes = match last.time {
        Time::None => quote!(Ix2),
        _ => quote!(Ix3),
    };
    let input = if first.ids {
        let n = layers
            .layers
            .iter()
            .find_map(|l| match &l.kind {
                crate::ir::LayerKind::Embedding { input_dim, .. } => Some(input_dim.tokens()),
                _ => None,
            })
            .unwrap_or(quote!(0));
        quote!(#rt::Id<{ #n }>)
    } else {
        let n = first.features.tokens();
        quote!([f32; #n])
    };
    let output = last.features.tokens();
    quote! {
        type Input = #rt::#kind;
        type OutputDim = #rt::#axes;
        type StepInput = #input;
        type StepOutput = [f32; #output];
    }
}

/// The times that an operation runs for: all, or the last.
fn times(plan: &Plan, op: &Op) -> TokenStream {
    if plan.graph.values[op.input].sequence {
        quote!(c.all())
    } else {
        quote!(c.last())
    }
}

/// Copying the model's input, if it is no ids.
fn input(rt: &TokenStream, plan: &Plan, mode: &Mode) -> TokenStream {
    let first = &plan.graph.values[0];
    if plan.graph.layers.layers[0].shape.ids {
        return quote!();
    }
    let (to, width) = (reference(rt, &mode.values[0]), first.width.tokens());
    let times = if first.sequence {
        quote!(c.all())
    } else {
        quote!(c.last())
    };
    quote!(let times = #times; c.input(&#to, #width, times);)
}

fn infer(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let mode = &plan.inference;
    let mut code = input(rt, plan, mode);
    let mut last_only = false;
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let times = times(plan, op);
        if !plan.graph.values[op.input].sequence && !last_only {
            last_only = true;
            code.extend(quote!(if !c.is_last() {
                return;
            }));
        }
        let (from, to) = (
            reference(rt, &mode.values[op.input]),
            reference(rt, &mode.values[op.output]),
        );
        let width = plan.graph.values[op.input].width.tokens();
        code.extend(match (&op.kind, cell) {
            (OpKind::Gather { table, .. }, _) => {
                let width = plan.graph.values[op.output].width.tokens();
                let table = Packing::param(*table);
                quote!(let times = #times; c.gather(&#to, #width, #table, times);)
            }
            (OpKind::Dropout { .. }, _) => quote!(),
            (OpKind::Flatten, _) => quote!(c.flatten(&#from, &#to, #width);),
            (OpKind::Reverse, _) => quote!(c.reverse(&#from, &#to, #width);),
            (_, Some(cell)) => {
                let starts = starts(rt, cell, |s| &s.0);
                let name = form("Inference", i);
                quote!(#starts let times = #times; c.sweep::<#name>(times);)
            }
            (_, None) => quote!(),
        });
    }
    code
}

/// Setting states to zero.
fn starts(
    rt: &TokenStream,
    cell: &CellPlan,
    which: impl Fn(&(Ref, Ref, crate::cell::size::Size)) -> &Ref,
) -> TokenStream {
    cell.states
        .iter()
        .map(|s| {
            let (r, width) = (reference(rt, which(s)), s.2.tokens());
            quote!(c.start(&#r, #width);)
        })
        .collect()
}

fn forward(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let mode = &plan.training;
    let mut code = input(rt, plan, mode);
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let times = times(plan, op);
        let (from, to) = (
            reference(rt, &mode.values[op.input]),
            reference(rt, &mode.values[op.output]),
        );
        let width = plan.graph.values[op.input].width.tokens();
        code.extend(match (&op.kind, cell) {
            (OpKind::Gather { table, .. }, _) => {
                let width = plan.graph.values[op.output].width.tokens();
                let table = Packing::param(*table);
                quote!(let times = #times; c.gather(&#to, #width, #table, times);)
            }
            (OpKind::Dropout { rate }, _) => {
                let (rate, layer) = (*rate as f32, i as u64);
                quote!(let times = #times; c.dropout(&#from, &#to, #width, #rate, #layer, times);)
            }
            (OpKind::Flatten, _) => quote!(c.flatten(&#from, &#to, #width);),
            (OpKind::Reverse, _) => quote!(c.reverse(&#from, &#to, #width);),
            (OpKind::Normalize { .. }, _) => {
                let n = normalize(rt, plan, i, op);
                quote!(let times = #times; c.normalize(&#n, times);)
            }
            (_, Some(cell)) => {
                let starts = starts(rt, cell, |s| &s.1);
                let name = form("Forward", i);
                quote!(#starts let times = #times; c.forward::<#name>(times);)
            }
            (_, None) => quote!(),
        });
    }
    code
}

fn normalize(rt: &TokenStream, plan: &Plan, i: usize, op: &Op) -> TokenStream {
    let OpKind::Normalize {
        cell,
        momentum,
        epsilon,
    } = &op.kind
    else {
        return quote!();
    };
    let place = |name: &str| {
        let found = cell.cell.params.iter().position(|p| p.name == name);
        found.map(|p| Packing::param(cell.params[p]))
    };
    let option = |p: Option<TokenStream>| p.map_or(quote!(None), |p| quote!(Some(#p)));
    let (gamma, beta) = (option(place("gamma")), option(place("beta")));
    let (mean, variance) = (place("moving_mean"), place("moving_variance"));
    let values = &plan.training.values;
    let (from, to) = (
        reference(rt, &values[op.input]),
        reference(rt, &values[op.output]),
    );
    let (d_from, d_to) = (
        reference(rt, &plan.gradients[op.input]),
        reference(rt, &plan.gradients[op.output]),
    );
    let kept = plan.kept[i].as_ref().map(|r| reference(rt, r));
    let width = cell.cell.inputs[0].width.tokens();
    let (momentum, epsilon) = (*momentum as f32, *epsilon as f32);
    quote! {
        #rt::Normalize {
            input: #from, output: #to, d_output: #d_to, d_input: #d_from, kept: #kept,
            width: #width, gamma: #gamma, beta: #beta, moving_mean: #mean,
            moving_variance: #variance, momentum: #momentum, epsilon: #epsilon,
        }
    }
}

fn backward(rt: &TokenStream, plan: &Plan) -> TokenStream {
    // Values whose gradient only serves that of the model's input.
    let mut from_input = vec![false; plan.graph.values.len()];
    from_input[0] = true;
    for op in &plan.graph.ops {
        if matches!(
            op.kind,
            OpKind::Flatten | OpKind::Reverse | OpKind::Dropout { .. }
        ) {
            from_input[op.output] = from_input[op.input];
        }
    }
    let mut code = TokenStream::new();
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate().rev() {
        let times = times(plan, op);
        let wanted = if from_input[op.input] {
            quote!(c.wants_input_gradient())
        } else {
            quote!(true)
        };
        let (d_from, d_to) = (
            reference(rt, &plan.gradients[op.input]),
            reference(rt, &plan.gradients[op.output]),
        );
        let width = plan.graph.values[op.input].width.tokens();
        let out_width = plan.graph.values[op.output].width.tokens();
        let only_last = plan.graph.values[op.output]
            .only_last
            .then(|| quote!(c.only_last(&#d_to, #out_width);));
        code.extend(match (&op.kind, cell) {
            (OpKind::Gather { table, .. }, _) => {
                let table = Packing::param(*table);
                quote!(let times = #times; c.scatter(&#d_to, #out_width, #table, times);)
            }
            (OpKind::Dropout { rate }, _) => {
                let (rate, layer) = (*rate as f32, i as u64);
                quote! {
                    let (times, wanted) = (#times, #wanted);
                    if wanted {
                        c.dropout(&#d_to, &#d_from, #width, #rate, #layer, times);
                    }
                }
            }
            (OpKind::Flatten, _) => quote!(if #wanted { c.unflatten(&#d_to, &#d_from, #width); }),
            (OpKind::Reverse, _) => quote!(if #wanted { c.reverse(&#d_to, &#d_from, #width); }),
            (OpKind::Normalize { .. }, _) => {
                let n = normalize(rt, plan, i, op);
                quote! {
                    let (times, wanted) = (#times, #wanted);
                    c.normalize_backward(&#n, times, wanted);
                }
            }
            (_, Some(cell)) => {
                let ends = cell.state_gradients.iter().map(|(r, width)| {
                    let (r, width) = (reference(rt, r), width.tokens());
                    quote!(c.end(&#r, #width);)
                });
                let name = form("Backward", i);
                let (matrices, vectors) = gradients(rt, cell);
                let whole = match &op.kind {
                    OpKind::Cell(c) => {
                        c.backward.inputs[0].len() == 1
                            && c.backward.inputs[0][0].width == c.cell.inputs[0].width
                    }
                    _ => true,
                };
                let clear = (!whole).then(|| quote!(c.clear(&#d_from, #width, times);));
                quote! {
                    #only_last
                    #(#ends)*
                    let (times, wanted) = (#times, #wanted);
                    #clear
                    c.backward::<#name>(times, wanted);
                    c.weights(&[#(#matrices),*], &[#(#vectors),*], times);
                }
            }
            (_, None) => quote!(),
        });
    }
    code
}

fn gradients(rt: &TokenStream, cell: &CellPlan) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let matrices = cell.matrices.iter().map(|g| {
        let (operand, k) = (reference(rt, &g.operand.0), g.operand.1.tokens());
        let (delta, width) = (reference(rt, &g.delta.0), g.delta.1.tokens());
        let (param, columns, row, column) = &g.part;
        let param = Packing::param(*param);
        let (columns, row, column) = (columns.tokens(), row.tokens(), column.tokens());
        quote! {
            #rt::MatrixGradient {
                operand: #operand, k: #k, delta: #delta, width: #width,
                param: #param, columns: #columns, row: #row, column: #column,
            }
        }
    });
    let vectors = cell.vectors.iter().map(|g| {
        let (delta, width) = (reference(rt, &g.delta.0), g.delta.1.tokens());
        let (param, offset) = (Packing::param(g.part.0), g.part.1.tokens());
        quote!(#rt::VectorGradient { delta: #delta, width: #width, to: #param + #offset })
    });
    (matrices.collect(), vectors.collect())
}
