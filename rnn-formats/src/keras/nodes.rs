//! The calls of a layer in a configuration, in the forms of Keras 3 and Keras 2.

use serde_json::{Map, Value};

use super::object::items;

/// A value that a call reads: a result of a call of a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref {
    pub layer: String,
    pub call: usize,
    pub result: usize,
}

/// An argument of an operation.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Ref(Ref),
    Number(f64),
}

/// One call.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The values that it reads, in order.
    pub inputs: Vec<Ref>,
    /// The same with the numbers between them, for operations.
    pub operands: Vec<Operand>,
    pub initial: Vec<Ref>,
    pub mask: Option<Ref>,
    /// Whether Keras looks for no mask but the one that is given.
    pub only_mask: bool,
    /// Arguments that are not understood.
    pub unknown: Vec<String>,
}

impl Node {
    /// All values that it needs.
    pub fn refs(&self) -> impl Iterator<Item = &Ref> {
        self.inputs.iter().chain(&self.initial).chain(&self.mask)
    }
}

/// The calls of a layer.
pub(super) fn nodes(entry: &Map<String, Value>, recurrent: bool) -> Vec<Node> {
    let Some(list) = entry.get("inbound_nodes").and_then(Value::as_array) else {
        return Vec::new();
    };
    list.iter()
        .map(|node| match node {
            Value::Object(map) if map.contains_key("args") => new(map, recurrent),
            other => old(other, recurrent),
        })
        .collect()
}

/// `{"args": […], "kwargs": {…}}`, with tensors as objects.
fn new(map: &Map<String, Value>, recurrent: bool) -> Node {
    let mut node = Node::default();
    let none = Vec::new();
    let args = map.get("args").and_then(Value::as_array).unwrap_or(&none);
    for (i, arg) in args.iter().enumerate() {
        match (recurrent, i) {
            // `sequences`, `initial_state`, `mask`, `training`
            (true, 1) => collect(arg, &mut node.initial),
            (true, 2) => node.mask = refs(arg).into_iter().next(),
            (true, 3) => {}
            _ => operands(arg, &mut node.operands),
        }
    }
    if let Some(kwargs) = map.get("kwargs").and_then(Value::as_object) {
        for (name, value) in kwargs {
            match name.as_str() {
                "initial_state" => collect(value, &mut node.initial),
                "mask" => node.mask = refs(value).into_iter().next(),
                "training" => {}
                // What the first argument is called where it has its name.
                "inputs" | "sequences" | "x" | "x1" | "x2" => operands(value, &mut node.operands),
                _ if refs(value).is_empty() => {}
                other => node.unknown.push(other.to_owned()),
            }
        }
    }
    node.inputs = values(&node.operands);
    node.only_mask = !node.initial.is_empty();
    node
}

/// `[["x", 0, 0, {…}], …]`, or objects of such.
fn old(value: &Value, recurrent: bool) -> Node {
    let mut node = Node::default();
    collect(value, &mut node.inputs);
    let mut all = Vec::new();
    arguments(value, &mut all);
    for (name, value) in all {
        match name.as_str() {
            "initial_state" => collect(value, &mut node.initial),
            "mask" => node.mask = refs(value).into_iter().next(),
            "training" => {}
            _ if refs(value).is_empty() => {}
            other => node.unknown.push(other.to_owned()),
        }
    }
    if recurrent && node.inputs.len() > 1 {
        let states = node.inputs.split_off(1);
        node.initial.extend(states);
    }
    node.operands = node.inputs.iter().cloned().map(Operand::Ref).collect();
    node
}

/// The keyword arguments of old nodes.
fn arguments<'c>(value: &'c Value, all: &mut Vec<(&'c String, &'c Value)>) {
    match value {
        Value::Array(list) => match old_ref(list) {
            Some(_) => all.extend(list.get(3).and_then(Value::as_object).into_iter().flatten()),
            None => list.iter().for_each(|v| arguments(v, all)),
        },
        Value::Object(map) => map.values().for_each(|v| arguments(v, all)),
        _ => {}
    }
}

/// Tensors and numbers, in order.
fn operands(value: &Value, all: &mut Vec<Operand>) {
    if let Some(number) = value.as_f64() {
        all.push(Operand::Number(number));
        return;
    }
    if let Some(list) = items(value)
        && old_ref(list).is_none()
    {
        list.iter().for_each(|v| operands(v, all));
        return;
    }
    let mut found = Vec::new();
    collect(value, &mut found);
    all.extend(found.into_iter().map(Operand::Ref));
}

fn values(operands: &[Operand]) -> Vec<Ref> {
    let refs = operands.iter().filter_map(|o| match o {
        Operand::Ref(r) => Some(r.clone()),
        Operand::Number(_) => None,
    });
    refs.collect()
}

/// All tensors in a value, those of objects by the order of their names.
pub(super) fn refs(value: &Value) -> Vec<Ref> {
    let mut all = Vec::new();
    collect(value, &mut all);
    all
}

fn collect(value: &Value, all: &mut Vec<Ref>) {
    if let Some(list) = items(value) {
        match old_ref(list) {
            Some(found) => all.push(found),
            None => list.iter().for_each(|v| collect(v, all)),
        }
        return;
    }
    let Value::Object(map) = value else { return };
    let tensor = map.get("class_name").and_then(Value::as_str) == Some("__keras_tensor__");
    let history = || map.get("config")?.get("keras_history").and_then(items);
    match history().filter(|_| tensor).and_then(|list| old_ref(list)) {
        Some(found) => all.push(found),
        None => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            entries.into_iter().for_each(|(_, v)| collect(v, all));
        }
    }
}

/// `["x", 0, 0]`, perhaps with more.
fn old_ref(list: &[Value]) -> Option<Ref> {
    let number = |v: &Value| usize::try_from(v.as_u64()?).ok();
    match list {
        [Value::String(layer), call, result, ..] => Some(Ref {
            layer: layer.clone(),
            call: number(call)?,
            result: number(result)?,
        }),
        _ => None,
    }
}
