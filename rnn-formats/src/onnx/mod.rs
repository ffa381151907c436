//! ONNX: a graph of operators becomes layers.
//!
//! What an exporter writes around a recurrent operator is undone in three stages. The graph is read (`proto`, `graph`).
//! What is known before the model runs is computed, with symbols for sizes that are not (`fold`), and what flows at run
//! time is followed through transposes, slices and reshapes as words about its axes (`flow`, `structure`). The
//! operators that compute become layers (`maths`, `recurrent`), which are joined where one layer of Keras does what
//! several did (`fuse`) and put in words (`emit`).

mod activation;
mod array;
mod axes;
mod cells;
mod decode;
mod dim;
mod emit;
mod emit_rnn;
mod flow;
mod fold;
mod fold_maths;
mod fuse;
mod graph;
mod inputs;
mod maths;
mod names;
mod net;
mod patterns;
mod proto;
mod recurrent;
mod states;
mod structure;
mod unrolled;
mod wire;

use std::collections::HashMap;

use crate::{Beside, Error, Imported};
use array::{Array, Budget};
use flow::{Flow, Kind, Part, Src};
use graph::{Graph, Node};
use inputs::Inputs;
use maths::{Maths, Val};
use net::Net;
use states::Carried;
use structure::Moves;

/// What becomes of states that a graph takes as inputs and gives as outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum States {
    /// The model takes them (`initial_state`) and gives them (`return_state`), as the graph does.
    InAndOut,
    /// They are left out: states start at zero, and a stream keeps them from step to step. The macro has
    /// `import("model.onnx", states = stream)` for it.
    Stream,
}

/// Reads an ONNX model. `beside` reads the files that it keeps large tensors in.
///
/// # Errors
/// [`Error::Damaged`] with the offset, [`Error::Beside`] for another file, and [`Error::NotUnderstood`] with one line for
/// each node that no layer does.
pub fn read(bytes: &[u8], beside: Beside<'_>) -> Result<Imported, Error> {
    read_with(bytes, beside, States::InAndOut)
}

/// Reads an ONNX model, and says what becomes of its states.
///
/// ```
/// use rnn_formats::onnx::{States, read_with};
///
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let error = read_with(b"no model", &mut none, States::Stream).unwrap_err();
/// assert!(error.to_string().starts_with("damaged at byte"));
/// ```
///
/// # Errors
/// As [`read`], and with [`States::Stream`] for states that are anything but inputs which come back as outputs.
pub fn read_with(bytes: &[u8], beside: Beside<'_>, states: States) -> Result<Imported, Error> {
    let model = proto::model(bytes)?;
    let mut metadata = Vec::new();
    let mut tell = |name: &str, value: String| {
        if !value.is_empty() && value != "0" {
            metadata.push((name.to_owned(), value));
        }
    };
    tell("producer", model.producer.to_owned());
    tell("producer_version", model.producer_version.to_owned());
    tell("ir_version", model.ir_version.to_string());
    for (domain, version) in &model.opsets {
        let domain = if domain.is_empty() { "ai.onnx" } else { domain };
        tell(&format!("opset {domain}"), version.to_string());
    }
    for (key, value) in &model.metadata {
        tell(key, (*value).to_owned());
    }
    let mut notes = Vec::new();
    if model.functions > 0 {
        notes.push(format!(
            "the file defines {} functions of its own, which are not read",
            model.functions
        ));
    }
    let mut others = decode::Others::new(beside);
    let mut graph = graph::graph(model, &mut others)?;
    patterns::find(&mut graph);
    notes.append(&mut graph.notes);
    let size = bytes.len().saturating_add(others.bytes);
    // What the axes of the inputs are shows where they are read; then the graph is followed again.
    let mut kinds: HashMap<(usize, usize), Kind> = HashMap::new();
    let mut fewest: Vec<String> = Vec::new();
    let mut tries = graph.inputs.len().saturating_mul(3).min(48);
    loop {
        let mut budget = Budget::new(size);
        let mut followed = Followed::default();
        let lines = followed.follow(&graph, &kinds, &mut budget);
        let before = kinds.clone();
        kinds.extend(std::mem::take(&mut followed.inputs.learnt));
        if lines.is_empty() {
            let Followed {
                mut net,
                inputs,
                mut outputs,
                layouts,
                ..
            } = followed;
            let line = |line: String| Error::not_understood(line);
            let mut kept = Vec::new();
            if states == States::Stream {
                let carried = Carried::of(&net, &graph, &inputs, &outputs);
                if !carried.wrong.is_empty() {
                    return Err(Error::NotUnderstood(carried.refusal()));
                }
                kept = carried.leave_out(&mut net, &graph, &inputs, &mut outputs);
            }
            fuse::fuse(&mut net, &mut outputs, &mut budget).map_err(line)?;
            let is_left = |name: &String| outputs.iter().any(|(output, ..)| output == name);
            let layouts = layouts.into_iter().filter(|(name, _)| is_left(name));
            notes.extend(layouts.map(|(_, note)| note));
            notes.append(&mut net.notes);
            let followed = emit::Followed {
                graph: &graph,
                net: &net,
                inputs: &inputs,
                outputs: &outputs,
                kept: &kept,
            };
            return emit::imported(&followed, metadata, notes);
        }
        if fewest.is_empty() || lines.len() <= fewest.len() {
            fewest = lines;
        }
        if kinds == before || tries == 0 {
            return Err(Error::NotUnderstood(fewest));
        }
        tries -= 1;
    }
}

/// A graph that was followed from its inputs to its outputs.
#[derive(Default)]
struct Followed {
    net: Net,
    inputs: Inputs,
    values: Vec<Option<Val>>,
    /// Names in the file, the part if one became several, and values.
    outputs: Vec<(String, Option<usize>, Src)>,
    /// What somebody has to know about the axes of outputs, by their names.
    layouts: Vec<(String, String)>,
}

impl Followed {
    /// All that is not understood, one line each.
    fn follow(
        &mut self,
        graph: &Graph<'_>,
        kinds: &HashMap<(usize, usize), Kind>,
        budget: &mut Budget,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        self.values = vec![None; graph.names.len()];
        for (value, array) in &graph.constants {
            self.set(*value, Val::Const(array.clone()));
        }
        for (number, input) in graph.inputs.iter().enumerate() {
            match self.inputs.flow(number, input, kinds, &mut self.net) {
                Ok(flow) => self.set(input.value, Val::Flow(flow)),
                Err(line) => lines.push(line),
            }
        }
        for node in &graph.nodes {
            let mut inputs = Vec::new();
            let mut known = true;
            for value in &node.inputs {
                let found = value.and_then(|v| self.values.get(v).cloned().flatten());
                // What failed before has said so itself.
                known &= value.is_none() || found.is_some();
                inputs.push(found);
            }
            if !known {
                continue;
            }
            self.net.hint = names::hint(&node.name);
            match self.node(node, &inputs, graph.opset, budget) {
                Ok(found) => {
                    for (index, _) in node.outputs.iter().enumerate().skip(found.len()) {
                        if node.gives(index) {
                            lines.push(format!(
                                "{}: its output {index} is not understood",
                                node.title
                            ));
                        }
                    }
                    for (out, value) in node.outputs.iter().zip(found) {
                        if let Some(out) = out {
                            self.set(*out, value);
                        }
                    }
                }
                Err(why) => lines.push(format!("{}: {why}", node.title)),
            }
        }
        for (value, name) in &graph.outputs {
            match self.values.get(*value).cloned().flatten() {
                Some(Val::Flow(flow)) => {
                    if let Err(why) = self.output(name, &flow, budget) {
                        lines.push(format!("output `{name}`: {why}"));
                    }
                }
                Some(Val::Const(_)) => lines.push(format!(
                    "output `{name}`: it is a constant, or the size of something"
                )),
                None if lines.is_empty() => {
                    lines.push(format!("output `{name}`: no node gives it"));
                }
                None => {}
            }
        }
        lines
    }

    fn set(&mut self, value: usize, to: Val) {
        if let Some(place) = self.values.get_mut(value) {
            *place = Some(to);
        }
    }

    /// What a node gives.
    fn node(
        &mut self,
        node: &Node<'_>,
        inputs: &[Option<Val>],
        opset: i64,
        budget: &mut Budget,
    ) -> Result<Vec<Val>, String> {
        for value in inputs.iter().flatten() {
            budget.spend(match value {
                Val::Const(_) => 8,
                Val::Flow(flow) => flow.parts.len() + flow.axes.len(),
            })?;
        }
        let constants: Vec<Option<&Array>> = inputs
            .iter()
            .map(|v| match v {
                Some(Val::Const(a)) => Some(a),
                _ => None,
            })
            .collect();
        let of_constants = |all: Vec<Array>| all.into_iter().map(Val::Const).collect();
        let of_flows = |all: Vec<Flow>| all.into_iter().map(Val::Flow).collect();
        let flows = inputs.iter().flatten().any(|v| matches!(v, Val::Flow(_)));
        if !flows && let Some(found) = fold::node(node, &constants, opset, budget) {
            return found.map(of_constants);
        }
        let first = inputs.first().and_then(Option::as_ref);
        if let Some(Val::Flow(flow)) = first {
            match node.op.as_str() {
                "Shape" => {
                    let sizes = fold::shape(node, &flow.shape())?;
                    return Ok(vec![Val::Const(Array::sizes(sizes))]);
                }
                "Size" => {
                    let size = dim::product(&flow.shape()).ok_or("its size cannot be counted")?;
                    return Ok(vec![Val::Const(Array::scalar(size))]);
                }
                _ => {}
            }
            let rest_known = inputs
                .iter()
                .skip(1)
                .flatten()
                .all(|v| matches!(v, Val::Const(_)));
            let mut moves = Moves {
                net: &mut self.net,
                budget,
                inputs: &mut self.inputs,
                opset,
            };
            if rest_known && let Some(found) = moves.node(node, flow, &constants) {
                return found.map(of_flows);
            }
        }
        let mut layers = recurrent::Layers {
            net: &mut self.net,
            budget,
            inputs: &mut self.inputs,
        };
        if let Some(family) = recurrent::family(&node.op) {
            return layers.node(node, family, inputs).map(of_flows);
        }
        if node.op == patterns::UNROLLED {
            return layers.unrolled(node, inputs).map(of_flows);
        }
        let mut maths = Maths {
            net: &mut self.net,
            budget,
            inputs: &mut self.inputs,
        };
        match maths.node(node, inputs, opset) {
            Some(found) => found.map(of_flows),
            None => Err("there is no layer for this operator".to_owned()),
        }
    }

    /// An output of the model: rows, steps, features.
    fn output(&mut self, name: &str, flow: &Flow, budget: &mut Budget) -> Result<(), String> {
        if flow.whole {
            return Err("it has whole numbers".to_owned());
        }
        let rows = flow.axes.iter().position(|a| a.kind == Kind::Batch);
        let before = flow.axes.get(..rows.unwrap_or(0)).unwrap_or_default();
        let several: usize = before.iter().filter_map(flow::Axis::features).product();
        // States of both directions after the rows are vectors of their own, too.
        let sizes = flow.features();
        let outer: usize = sizes
            .split_last()
            .map_or(1, |(_, outer)| outer.iter().product());
        let whole = |p: &Part| p.start == 0 && p.len == self.net.shape(p.src).width;
        let apart = flow.parts.len() == outer && flow.parts.iter().all(whole);
        let several = match (flow.timed(), several > 1 || !apart) {
            (true, _) => 1,
            (false, true) => several.max(1),
            (false, false) => outer.max(1),
        };
        let each = flow.width() / several;
        for part in 0..several {
            let parts: Vec<Part> = match several {
                1 => flow.parts.clone(),
                _ => flow.pick(part * each..(part + 1) * each, budget)?,
            };
            let src = self.net.whole(&parts, budget)?;
            self.outputs
                .push((name.to_owned(), (several > 1).then_some(part), src));
        }
        let layout = names::layout("output", name, &flow.axes, several > 1);
        self.layouts
            .extend(layout.map(|note| (name.to_owned(), note)));
        if self.outputs.len() > 64 {
            return Err("there are too many outputs".to_owned());
        }
        Ok(())
    }
}
