//! The description of a model, as constants.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{
    names::{none, some},
    packing::{Packing, params},
    tables::Print,
};
use crate::{
    cell::size::Size,
    diagnostics::{OrBug as _, Sound},
    ir::{BufferRef, Content, Instruction, LayerId, LayerKind, OpKind, Port, Shape, Time, ValueId},
    schedule::Plan,
};

fn sizes(list: &[Size]) -> TokenStream {
    let list = list.iter().map(Size::tokens);
    quote!(&[#(#list),*])
}

fn refs(rt: &TokenStream, all: &[BufferRef], which: &[ValueId]) -> TokenStream {
    let list = which.iter().map(|&v| all[v].print(rt));
    quote!(&[#(#list),*])
}

/// `ValueSpec` of an input or output.
fn value(rt: &TokenStream, name: &str, shape: &Shape) -> TokenStream {
    let ids = shape.is_ids();
    let time = match &shape.time {
        Time::None => none(),
        Time::Any(_) => some(&none()),
        Time::Steps(t) => some(&some(&t.tokens())),
    };
    let features = sizes(&shape.axes);
    quote!(#rt::ValueSpec { name: #name, ids: #ids, time: #time, features: #features })
}

/// The rows of the summary, one a layer, however often it is called; and the row that each output comes
/// from.
fn rows(rt: &TokenStream, plan: &Plan) -> Sound<[TokenStream; 2]> {
    let graph = &plan.graph.layers;
    let layers = &graph.layers;
    let owner = |id: LayerId| layers[id].shared.unwrap_or(id);
    let shown: Vec<LayerId> = (0..layers.len())
        .filter(|&id| layers[id].shared.is_none() && !layers[id].hidden)
        .collect();
    let row: BTreeMap<LayerId, usize> = shown.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    // A hidden layer that turns steps into an axis of a state stands for the layer that it reads.
    let giver = |id: LayerId| match &layers[id] {
        l if l.hidden => l.inputs.first().map_or(id, |p| p.layer),
        _ => id,
    };
    let mut edges: Vec<Vec<TokenStream>> = vec![Vec::new(); shown.len()];
    for (id, layer) in layers.iter().enumerate().filter(|(_, l)| !l.hidden) {
        // A mask that a layer makes follows the layer's values; a mask that is an input does not.
        let is_mask = |p: &&Port| graph.shape(**p).content == Content::Mask;
        let values = layer.inputs.iter().filter(|p| !is_mask(p));
        let masks = layer.inputs.iter().filter(is_mask).chain(&layer.mask);
        let masks = masks.filter(|m| matches!(layers[m.layer].kind, LayerKind::Input));
        let mut from: Vec<(LayerId, &str)> = values.map(|p| (p.layer, "Value")).collect();
        let states = layer
            .initial
            .iter()
            .map(|p| (giver(p.layer), "InitialState"));
        for other in states.chain(masks.map(|p| (p.layer, "Mask"))) {
            if !from.contains(&other) {
                from.push(other);
            }
        }
        edges[row[&owner(id)]].extend(from.iter().filter_map(|&(from, role)| {
            let (row, role) = (row.get(&owner(from))?, Ident::new(role, Span::call_site()));
            Some(quote!((#row, #rt::Role::#role)))
        }));
    }
    let rows = shown.iter().zip(edges).map(|(&id, inputs)| {
        let l = &layers[id];
        let (name, class) = (&l.name, &l.class);
        let text = match l.kind {
            LayerKind::Input => "",
            _ => l.text.as_str(),
        };
        // A mask is no output.
        let numbers = |s: &&Shape| s.content != Content::Mask || l.outputs.len() == 1;
        let shapes = l.outputs.iter().filter(numbers).map(|shape| {
            let time = match &shape.time {
                Time::None => None,
                Time::Any(_) => Some(none()),
                Time::Steps(t) => Some(some(&t.tokens())),
            };
            let axes = shape.axes.iter().map(|a| some(&a.tokens()));
            let axes = time.into_iter().chain(axes);
            quote!(&[#(#axes),*])
        });
        quote! {
            #rt::LayerRow {
                name: #name, class: #class, text: #text, shapes: &[#(#shapes),*], prefix: #name, inputs: &[#(#inputs),*]
            }
        }
    });
    let outputs = graph.outputs.iter();
    let outputs = outputs.map(|o| {
        let row = row.get(&owner(giver(o.port.layer)));
        row.or_bug("an output comes from a layer without a row")
    });
    let outputs = outputs.collect::<Sound<Vec<_>>>()?;
    Ok([quote!(&[#(#rows),*]), quote!(&[#(#outputs),*])])
}

/// For each `Embedding`, the input that it reads, its name and its vocabulary.
fn vocabulary(plan: &Plan) -> TokenStream {
    let layers = &plan.graph.layers;
    let list = layers.layers.iter().filter_map(|l| match &l.kind {
        LayerKind::Embedding { input_dim, .. } => {
            let from = l.inputs.first()?.layer;
            let input = layers.inputs.iter().position(|(_, id)| *id == from)?;
            let (name, n) = (&l.name, input_dim.tokens());
            Some(quote!((#input, #name, #n)))
        }
        _ => None,
    });
    quote!(&[#(#list),*])
}

/// The masks that can be told from the inputs alone, each once.
fn input_masks(rt: &TokenStream, plan: &Plan) -> TokenStream {
    let layers = &plan.graph.layers;
    let input = |id: LayerId| layers.inputs.iter().position(|(_, i)| *i == id);
    let list = layers.layers.iter().enumerate().filter_map(|(id, l)| {
        let rule = l.mask_rule?;
        let i = input(l.inputs.first().map_or(id, |read| read.layer))?;
        let rule = rule.print(rt);
        Some(quote!(#rt::InputMask { input: #i, rule: #rule }))
    });
    let mut seen = BTreeSet::new();
    let list = list.filter(|m| seen.insert(m.to_string()));
    quote!(&[#(#list),*])
}

pub(super) fn model_info(
    rt: &TokenStream,
    plan: &Plan,
    packing: &Packing,
    name: &proc_macro2::Ident,
) -> Sound<TokenStream> {
    let graph = &plan.graph;
    let layers = &graph.layers;
    let title = layers
        .name
        .as_ref()
        .map_or("rnn_model".to_owned(), |_| name.to_string());
    let params = params(rt, &graph.params);
    let inputs = layers.inputs.iter();
    let inputs = inputs.map(|(name, id)| value(rt, name, &layers.layers[*id].outputs[0]));
    let outputs = layers.outputs.iter();
    let outputs = outputs.map(|o| value(rt, &o.name, layers.shape(o.port)));
    let option = |a: Option<usize>| a.map_or_else(none, |a| some(&quote!(#a)));
    let output_ranges = graph.output_ranges.iter().map(|r| r.print(rt));
    let input_axes = graph.inputs.iter().map(|&v| option(graph.values[v].axis));
    let output_axes = graph.outputs.iter().map(|&v| option(graph.values[v].axis));
    let axes = graph.axes.iter().enumerate().map(|(a, time)| match time {
        Time::Steps(n) => {
            let n = n.tokens();
            Ok(quote!(#rt::AxisSpec::Fixed(#n)))
        }
        _ => {
            let mut inputs = graph.inputs.iter();
            let from = inputs.position(|&v| graph.values[v].axis == Some(a));
            let from = from.or_bug("an open axis is that of no input")?;
            Ok(quote!(#rt::AxisSpec::Input(#from)))
        }
    });
    let axes = axes.collect::<Sound<Vec<_>>>()?;
    let states = graph.states.iter().map(|s| {
        let (layer, name, shape) = (&s.layer, &s.name, sizes(&s.shape));
        let at = |all: &[BufferRef], v: ValueId| all[v].print(rt);
        let input = at(&plan.inference.values, s.input);
        let training_input = at(&plan.training.values, s.input);
        let output = at(&plan.inference.values, s.output);
        let training_output = at(&plan.training.values, s.output);
        quote! {
            #rt::StateSpec {
                layer: #layer, name: #name, shape: #shape, input: #input,
                training_input: #training_input, output: #output, training_output: #training_output,
            }
        }
    });
    let [rows, output_layers] = rows(rt, plan)?;
    let vocabulary = vocabulary(plan);
    let input_masks = input_masks(rt, plan);
    let fields = &packing.fields;
    let text = &plan.text;
    let inference_outputs = refs(rt, &plan.inference.values, &graph.outputs);
    let training_outputs = refs(rt, &plan.training.values, &graph.outputs);
    let output_gradients = refs(rt, &plan.gradients, &graph.outputs);
    let numbers = layers.inputs.iter().zip(&graph.inputs);
    let input_gradients = numbers.map(|((_, id), &v)| {
        let numbers = layers.layers[*id].outputs[0].content == Content::Numbers;
        match numbers {
            true => some(&plan.gradients[v].print(rt)),
            false => none(),
        }
    });
    let masks = |all: &[BufferRef]| {
        let list = graph.masks.iter().map(|m| match m {
            Some(m) => some(&all[*m].print(rt)),
            None => none(),
        });
        quote!(&[#(#list),*])
    };
    let output_masks = masks(&plan.inference.values);
    let training_masks = masks(&plan.training.values);
    let blocks = plan.blocks;
    let cost = plan.cells.iter().flatten().map(|c| c.inference.cost());
    let cost = cost.fold(Size::known(0), |sum, cost| &sum + &cost).tokens();
    let schedules = &plan.schedules;
    let inference = schedules.inference.print(rt);
    let (forward, backward) = (schedules.forward.print(rt), schedules.backward.print(rt));
    Ok(quote! {
        const INFO: #rt::ModelInfo = #rt::ModelInfo {
            name: #title,
            params: #params,
            inputs: &[#(#inputs),*],
            input_axes: &[#(#input_axes),*],
            outputs: &[#(#outputs),*],
            output_ranges: &[#(#output_ranges),*],
            output_axes: &[#(#output_axes),*],
            axes: &[#(#axes),*],
            states: &[#(#states),*],
            layers: #rows,
            output_layers: #output_layers,
            plan: #text,
            vocabulary: #vocabulary,
            input_masks: #input_masks,
            #fields
            inference: __INFERENCE,
            training: __TRAINING,
            inference_outputs: #inference_outputs,
            training_outputs: #training_outputs,
            output_gradients: #output_gradients,
            input_gradients: &[#(#input_gradients),*],
            output_masks: #output_masks,
            training_masks: #training_masks,
            schedules: #rt::Schedules { inference: #inference, forward: #forward, backward: #backward },
            blocks: #blocks,
            cost: #cost,
        };
    })
}

/// The description of a model's stream.
pub(super) fn stream_info(
    rt: &TokenStream,
    plan: &Plan,
    packing: &Packing,
    outputs: &TokenStream,
) -> TokenStream {
    let graph = &plan.graph;
    let mut stream_states = Vec::new();
    for ((cell, names), op) in plan.cells.iter().zip(&graph.op_states).zip(&graph.ops) {
        let (Some(cell), OpKind::Cell(c)) = (cell, &op.kind) else {
            continue;
        };
        let all = cell.stream_states.iter().zip(names).zip(&c.cell.states);
        for ((s, n), state) in all {
            let (layer, name, shape) = (&n.layer, &n.name, sizes(&state.shape));
            let buf = s.at.print(rt);
            stream_states.push(quote! {
                #rt::StreamState { layer: #layer, name: #name, shape: #shape, buf: #buf }
            });
        }
    }
    let is_table = |i: &Instruction| matches!(i, Instruction::Gather { .. });
    let reads_tables = plan.schedules.stream.iter().any(is_table);
    let fields = &packing.stream_fields;
    let starts = !plan.schedules.stream_start.is_empty();
    quote! {
        const STREAM: #rt::StreamInfo = #rt::StreamInfo {
            #fields
            reads_tables: #reads_tables,
            starts: #starts,
            buffers: __STREAM,
            len: __STREAM_LEN,
            outputs: #outputs,
            states: &[#(#stream_states),*],
        };
    }
}
