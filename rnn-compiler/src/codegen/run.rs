//! The three runs over a batch: inference, training forwards, training backwards.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{
    both::{self, Parts, Run},
    cells::form,
    names::{none, some},
    packing::Packing,
    phase::{reference, slice},
};
use crate::{
    cell::size::Size,
    ir::{
        AxisId, CellOp, Op, OpKind, Plan, ValueId,
        plan::{CellPlan, Mode, Ref},
    },
};

/// The times of an axis, or the one of a value without.
pub(super) fn times(axis: Option<AxisId>) -> TokenStream {
    match axis {
        Some(a) => quote!(c.axis(#a)),
        None => quote!(c.one()),
    }
}

/// A table of what a masked step holds.
pub(super) fn held_table<'a>(
    rt: &TokenStream,
    mask: &Ref,
    states: impl Iterator<Item = (&'a Ref, TokenStream)>,
    outputs: impl Iterator<Item = (&'a Ref, TokenStream)>,
    zero_output: bool,
) -> TokenStream {
    let slice = |(r, width): (&Ref, TokenStream)| slice(rt, r, &width);
    let (states, outputs) = (states.map(slice), outputs.map(slice));
    let mask = reference(rt, mask);
    quote! {
        #rt::CarryOver {
            mask: #mask, states: &[#(#states),*], outputs: &[#(#outputs),*], inputs: &[],
            zero_output: #zero_output,
        }
    }
}

/// What masked steps of a batch hold: `__HI3` in inference, `__HF3` and `__HB3` in training.
pub(super) fn held(rt: &TokenStream, plan: &Plan, op: usize, cell: &CellPlan) -> TokenStream {
    let o = &plan.graph.ops[op];
    let OpKind::Cell(c) = &o.kind else {
        return quote!();
    };
    let Some(mask) = c.mask else { return quote!() };
    let width = |v: ValueId| plan.graph.values[v].width.tokens();
    let mut code = TokenStream::new();
    type Which = fn(&(Ref, Ref, Size)) -> &Ref;
    let tables: [(&str, &Mode, Which); 2] = [
        ("HI", &plan.inference, |s| &s.0),
        ("HF", &plan.training, |s| &s.1),
    ];
    for (what, mode, which) in tables {
        let name = format_ident!("__{what}{op}");
        let states = cell.states.iter().map(|s| (which(s), s.2.tokens()));
        let outputs = o.outputs.iter().map(|&v| (&mode.values[v], width(v)));
        let table = held_table(rt, &mode.values[mask], states, outputs, c.zero_output);
        code.extend(quote!(const #name: #rt::CarryOver = #table;));
    }
    let name = format_ident!("__HB{op}");
    let pair = |r: &Ref, width: TokenStream| slice(rt, r, &width);
    let mask = reference(rt, &plan.training.values[mask]);
    let states = cell
        .state_gradients
        .iter()
        .map(|(r, w)| pair(r, w.tokens()));
    let outputs = o.outputs.iter().enumerate();
    let outputs = outputs.map(|(i, &v)| pair(output_gradient(plan, cell, o, i), width(v)));
    let inputs = o.inputs.iter().map(|&v| pair(&plan.gradients[v], width(v)));
    let zero_output = c.zero_output;
    code.extend(quote! {
        const #name: #rt::CarryOver = #rt::CarryOver {
            mask: #mask, states: &[#(#states),*], outputs: &[#(#outputs),*],
            inputs: &[#(#inputs),*], zero_output: #zero_output,
        };
    });
    code
}

/// Where a cell reads the gradient of an output.
fn output_gradient<'a>(plan: &'a Plan, cell: &'a CellPlan, op: &Op, i: usize) -> &'a Ref {
    match cell.spread.get(i) {
        Some(Some(spread)) => spread,
        _ => &plan.gradients[op.outputs[i]],
    }
}

/// Copying the model's inputs; tables copy rows by ids themselves.
fn inputs(rt: &TokenStream, plan: &Plan, mode: &Mode) -> TokenStream {
    let layers = &plan.graph.layers;
    let all = layers.inputs.iter().zip(&plan.graph.inputs).enumerate();
    all.filter(|(_, ((_, id), _))| !layers.layers[*id].outputs[0].is_ids())
        .map(|(i, (_, &v))| {
            let value = &plan.graph.values[v];
            let (to, width) = (reference(rt, &mode.values[v]), value.width.tokens());
            let times = times(value.axis);
            quote!(let times = #times; c.input(#i, &#to, #width, times);)
        })
        .collect()
}

/// What an operation without a cell does forwards: the same in inference and in training.
fn plain(rt: &TokenStream, plan: &Plan, mode: &Mode, op: &Op) -> TokenStream {
    let at = |v: ValueId| reference(rt, &mode.values[v]);
    let width = |v: ValueId| plan.graph.values[v].width.tokens();
    let axis = |v: ValueId| times(plan.graph.values[v].axis);
    let out = op.outputs[0];
    let (to, own) = (at(out), axis(out));
    let Some(&input) = op.inputs.first() else {
        let w = width(out);
        return match &op.kind {
            OpKind::Gather { input, table, .. } => {
                let table = Packing::param(*table);
                quote!(let times = #own; c.gather(#input, &#to, #w, #table, times);)
            }
            OpKind::MaskIds { input } => quote!(let times = #own; c.mask_ids(#input, &#to, times);),
            _ => quote!(),
        };
    };
    let (from, w, t) = (at(input), width(input), axis(input));
    match &op.kind {
        OpKind::Reshape => {
            let wt = width(out);
            quote!(let (tf, tt) = (#t, #own); c.reshape(&#from, #w, tf, &#to, #wt, tt);)
        }
        OpKind::Permute => quote!(let times = #t; c.permute(&#from, #w, times, &#to);),
        OpKind::Repeat => quote!(let times = #own; c.repeat(&#from, &#to, #w, times);),
        OpKind::Reverse => quote!(let times = #own; c.reverse(&#from, &#to, #w, times);),
        OpKind::Penalty(r) => {
            let (l1, l2) = (r.l1 as f32, r.l2 as f32);
            quote!(let times = #t; c.penalty(&#from, #w, #l1, #l2, times);)
        }
        _ => quote!(),
    }
}

/// States before the first step and after the last.
fn start(
    rt: &TokenStream,
    mode: &Mode,
    c: &CellOp,
    cell: &CellPlan,
    which: fn(&(Ref, Ref, Size)) -> &Ref,
) -> TokenStream {
    let states = cell.states.iter().zip(&c.initial);
    states
        .map(|(s, initial)| {
            let (r, width) = (reference(rt, which(s)), s.2.tokens());
            match initial {
                None => quote!(c.start(&#r, #width);),
                Some(v) => {
                    let from = reference(rt, &mode.values[*v]);
                    quote!(c.start_from(&#r, &#from, #width);)
                }
            }
        })
        .collect()
}

fn finish(
    rt: &TokenStream,
    mode: &Mode,
    c: &CellOp,
    cell: &CellPlan,
    which: fn(&(Ref, Ref, Size)) -> &Ref,
) -> TokenStream {
    let states = cell.states.iter().zip(&c.finals);
    states
        .filter_map(|(s, to)| {
            let (r, width) = (reference(rt, which(s)), s.2.tokens());
            let to = reference(rt, &mode.values[(*to)?]);
            Some(quote!(c.finish(&#to, &#r, #width, times);))
        })
        .collect()
}

pub(super) fn infer(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let mode = &plan.inference;
    let mut code = inputs(rt, plan, mode);
    let mut pairs = both::pairs(rt, plan, Run::Inference);
    let mut once = false;
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        if plan.blocks && op.axis.is_none() && !once {
            once = true;
            code.extend(quote!(if !c.is_last() {
                return;
            }));
        }
        let Some(cell) = cell else {
            code.extend(plain(rt, plan, mode, op));
            continue;
        };
        let (times, name) = (times(op.axis), form("Inference", i));
        let c = match &op.kind {
            OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => c,
            _ => continue,
        };
        let first = start(rt, mode, c, cell, |s| &s.0);
        let last = finish(rt, mode, c, cell, |s| &s.0);
        let sweep = match c.mask {
            None => quote!(c.sweep::<#name>(times);),
            Some(_) => {
                let held = format_ident!("__HI{i}");
                quote!(c.sweep_masked::<#name>(times, &#held);)
            }
        };
        let parts = Parts {
            lets: quote!(let times = #times;),
            before: first,
            run: sweep,
            after: last,
        };
        code.extend(both::forwards(&mut pairs, i, parts));
    }
    code
}

pub(super) fn forward(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let mode = &plan.training;
    let mut code = inputs(rt, plan, mode);
    let mut pairs = both::pairs(rt, plan, Run::Forward);
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let times = times(op.axis);
        let place = |v: ValueId| reference(rt, &mode.values[v]);
        code.extend(match (&op.kind, cell) {
            (
                OpKind::Dropout {
                    rate,
                    every_step,
                    stream,
                },
                _,
            ) => {
                let (from, to) = (place(op.inputs[0]), place(op.outputs[0]));
                let width = plan.graph.values[op.inputs[0]].width.tokens();
                let rate = *rate as f32;
                quote!(let times = #times; c.dropout(&#from, &#to, #width, #rate, #stream, times, #every_step);)
            }
            (OpKind::GaussianNoise { stddev, stream }, _) => {
                let (from, to) = (place(op.inputs[0]), place(op.outputs[0]));
                let width = plan.graph.values[op.inputs[0]].width.tokens();
                let stddev = *stddev as f32;
                quote!(let times = #times; c.gaussian_noise(&#from, &#to, #width, #stddev, #stream, times);)
            }
            (OpKind::Normalize { .. }, _) => {
                let n = normalize(rt, plan, i, op);
                quote!(let times = #times; c.normalize(&#n, times);)
            }
            (OpKind::Cell(c), Some(cell)) => {
                let first = start(rt, mode, c, cell, |s| &s.1);
                let last = finish(rt, mode, c, cell, |s| &s.1);
                let noises = cell.noises.iter().zip(&c.trained().noises).enumerate();
                let noises = noises.map(|(k, (r, noise))| {
                    let (to, width) = (reference(rt, r), noise.width.tokens());
                    let (rate, stream) = (noise.rate as f32, c.stream.wrapping_add((k as u64) << 40));
                    quote!(c.noise(&#to, #width, #rate, #stream);)
                });
                let name = form("Forward", i);
                let sweep = match c.mask {
                    None => quote!(c.forward::<#name>(times);),
                    Some(_) => {
                        let held = format_ident!("__HF{i}");
                        quote!(c.forward_masked::<#name>(times, &#held);)
                    }
                };
                let parts = Parts {
                    lets: quote!(let times = #times;),
                    before: quote!(#(#noises)* #first),
                    run: sweep,
                    after: last,
                };
                both::forwards(&mut pairs, i, parts)
            }
            _ => plain(rt, plan, mode, op),
        });
    }
    code
}

fn normalize(rt: &TokenStream, plan: &Plan, i: usize, op: &Op) -> TokenStream {
    let OpKind::Normalize {
        cell,
        momentum,
        epsilon,
        mask,
    } = &op.kind
    else {
        return quote!();
    };
    let place = |name: &str| {
        let found = cell.cell.params.iter().position(|p| p.name == name);
        found.map(|p| Packing::param(cell.params[p]))
    };
    let option = |p: Option<TokenStream>| p.map_or_else(none, |p| some(&p));
    let (gamma, beta) = (option(place("gamma")), option(place("beta")));
    let (mean, variance) = (place("moving_mean"), place("moving_variance"));
    let values = &plan.training.values;
    let (input, output) = (op.inputs[0], op.outputs[0]);
    let (from, to) = (
        reference(rt, &values[input]),
        reference(rt, &values[output]),
    );
    let (d_from, d_to) = (
        reference(rt, &plan.gradients[input]),
        reference(rt, &plan.gradients[output]),
    );
    let mask = option(mask.map(|m| reference(rt, &values[m])));
    let kept = plan.kept[i].as_ref().map(|r| reference(rt, r));
    let width = cell.cell.inputs[0].width.tokens();
    let (momentum, epsilon) = (*momentum as f32, *epsilon as f32);
    quote! {
        #rt::Normalize {
            input: #from, output: #to, d_output: #d_to, d_input: #d_from, saved: #kept, mask: #mask,
            width: #width, gamma: #gamma, beta: #beta, moving_mean: #mean,
            moving_variance: #variance, momentum: #momentum, epsilon: #epsilon,
        }
    }
}

pub(super) fn backward(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let graph = &plan.graph;
    let mut code = TokenStream::new();
    // Values that nobody reads, and states that go on to the next call: no gradient comes back.
    let silent = graph.unread.iter().copied();
    for v in silent.chain(graph.states.iter().map(|s| s.output)) {
        let value = &graph.values[v];
        let (d, width) = (reference(rt, &plan.gradients[v]), value.width.tokens());
        let times = times(value.axis);
        code.extend(quote!(let times = #times; c.clear(&#d, #width, times);));
    }
    // Only the gradient of the model's inputs needs what no parameter stands in front of.
    let trained = |op: &Op| op.outputs.iter().any(|&o| graph.values[o].trained);
    let mut pairs = both::pairs(rt, plan, Run::Backward);
    for (i, (op, cell)) in graph.ops.iter().zip(&plan.cells).enumerate().rev() {
        if graph.makes_masks(op) {
            continue;
        }
        let one = op_backward(rt, plan, i, op, cell.as_ref());
        code.extend(both::backwards(&mut pairs, i, one, trained(op)));
    }
    code
}

fn op_backward(rt: &TokenStream, plan: &Plan, i: usize, op: &Op, cell: Option<&CellPlan>) -> Parts {
    let parts = |run| Parts {
        run,
        ..Parts::default()
    };
    let graph = &plan.graph;
    let d = |v: ValueId| reference(rt, &plan.gradients[v]);
    let width = |v: ValueId| graph.values[v].width.tokens();
    let axis = |v: ValueId| times(graph.values[v].axis);
    let wanted = match op.inputs.iter().any(|&v| graph.values[v].trained) {
        true => quote!(true),
        false => quote!(c.wants_input_gradient()),
    };
    let out = op.outputs[0];
    let (d_to, own) = (d(out), axis(out));
    let Some(&input) = op.inputs.first() else {
        return parts(match &op.kind {
            OpKind::Gather { input, table, .. } if graph.params[*table].trainable => {
                let (table, w) = (Packing::param(*table), width(out));
                quote!(let times = #own; c.scatter(#input, &#d_to, #w, #table, times);)
            }
            _ => quote!(),
        });
    };
    let (d_from, w, t) = (d(input), width(input), axis(input));
    parts(match &op.kind {
        OpKind::Fork => {
            let parts = op.outputs.iter().map(|&o| d(o));
            quote!(let times = #t; c.add(&[#(&#parts),*], &#d_from, #w, times);)
        }
        OpKind::Dropout {
            rate,
            every_step,
            stream,
        } => {
            let rate = *rate as f32;
            quote!(let times = #t; c.dropout(&#d_to, &#d_from, #w, #rate, #stream, times, #every_step);)
        }
        OpKind::Reshape => {
            let wt = width(out);
            quote!(let (tf, tt) = (#t, #own); c.reshape(&#d_to, #wt, tt, &#d_from, #w, tf);)
        }
        OpKind::Permute => {
            let wt = width(out);
            quote!(let times = #own; c.permute(&#d_to, #wt, times, &#d_from);)
        }
        OpKind::Repeat => quote!(let times = #own; c.sum(&#d_to, &#d_from, #w, times);),
        OpKind::Reverse => quote!(let times = #t; c.reverse(&#d_to, &#d_from, #w, times);),
        OpKind::Penalty(r) => {
            let value = reference(rt, &plan.training.values[input]);
            let (l1, l2) = (r.l1 as f32, r.l2 as f32);
            quote!(let times = #t; c.penalty_gradient(&#value, &#d_from, #w, #l1, #l2, times);)
        }
        OpKind::Normalize { .. } => {
            let n = normalize(rt, plan, i, op);
            quote! {
                let (times, wanted) = (#t, #wanted);
                c.normalize_backward(&#n, times, wanted);
            }
        }
        OpKind::Cell(c) => match cell {
            Some(cell) => return cell_backward(rt, plan, i, op, c, cell, &wanted),
            None => quote!(),
        },
        // The gradient is in the same place.
        OpKind::Gather { .. } | OpKind::MaskIds { .. } | OpKind::GaussianNoise { .. } => quote!(),
    })
}

fn cell_backward(
    rt: &TokenStream,
    plan: &Plan,
    i: usize,
    op: &Op,
    c: &CellOp,
    cell: &CellPlan,
    wanted: &TokenStream,
) -> Parts {
    let graph = &plan.graph;
    let times = times(op.axis);
    let outputs = op.outputs.iter().enumerate().map(|(k, &v)| {
        let (d, width) = (
            reference(rt, &plan.gradients[v]),
            graph.values[v].width.tokens(),
        );
        match cell.spread.get(k) {
            Some(Some(spread)) => {
                let spread = reference(rt, spread);
                quote!(c.at_last(&#spread, &#d, #width, times);)
            }
            _ if graph.values[v].only_last => quote!(c.only_last(&#d, #width, times);),
            _ => quote!(),
        }
    });
    let ends = cell
        .state_gradients
        .iter()
        .zip(&c.finals)
        .map(|((r, width), end)| {
            let (r, width) = (reference(rt, r), width.tokens());
            match end {
                None => quote!(c.end(&#r, #width, times);),
                Some(v) => {
                    let from = reference(rt, &plan.gradients[*v]);
                    quote!(c.end_from(&#r, &#from, #width, times);)
                }
            }
        });
    let begins = cell
        .state_gradients
        .iter()
        .zip(&c.initial)
        .filter_map(|((r, width), v)| {
            let (r, width) = (reference(rt, r), width.tokens());
            let to = reference(rt, &plan.gradients[(*v)?]);
            Some(quote!(c.start_gradient(&#to, &#r, #width);))
        });
    let name = form("Backward", i);
    let (matrices, vectors) = gradients(rt, cell);
    let clears = op
        .inputs
        .iter()
        .zip(&c.backward.inputs)
        .filter_map(|(&v, parts)| {
            let whole = parts.len() == 1 && parts[0].width == graph.values[v].width;
            let (d, width) = (
                reference(rt, &plan.gradients[v]),
                graph.values[v].width.tokens(),
            );
            (!whole).then(|| quote!(c.clear(&#d, #width, times);))
        });
    let totals = cell.totals.iter().map(|(r, width)| {
        let (r, width) = (reference(rt, r), width.tokens());
        quote!(c.clear_row(&#r, #width);)
    });
    let (run, weights) = match c.mask {
        None => (
            quote!(c.backward::<#name>(times, wanted);),
            quote!(c.weights(&[#(#matrices),*], &[#(#vectors),*], times);),
        ),
        Some(mask) => {
            let held = format_ident!("__HB{i}");
            let mask = reference(rt, &plan.training.values[mask]);
            (
                quote!(c.backward_masked::<#name>(times, wanted, &#held);),
                quote!(c.weights_masked(&[#(#matrices),*], &[#(#vectors),*], times, &#mask);),
            )
        }
    };
    let weights = (!cell.matrices.is_empty() || !cell.vectors.is_empty()).then_some(weights);
    Parts {
        lets: quote!(let (times, wanted) = (#times, #wanted);),
        before: quote!(#(#outputs)* #(#ends)* #(#clears)* #(#totals)*),
        run,
        after: quote!(#(#begins)* #weights),
    }
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
                operand: #operand, k: #k, gradient: #delta, width: #width,
                to: #rt::MatrixSlice {
                    param: #param, columns: #columns, row: #row, column: #column,
                },
            }
        }
    });
    let vectors = cell.vectors.iter().map(|g| {
        let (delta, width) = (reference(rt, &g.delta.0), g.delta.1.tokens());
        let (param, offset) = (Packing::param(g.part.0), g.part.1.tokens());
        let total = g.total;
        quote! {
            #rt::VectorGradient {
                gradient: #delta, width: #width, accumulated: #total,
                to: #rt::VectorSlice { param: #param, offset: #offset },
            }
        }
    });
    (matrices.collect(), vectors.collect())
}
