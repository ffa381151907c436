//! The graph of a file with names resolved, in an order in which it can be computed.

use std::collections::HashMap;

use super::array::{Array, Data};
use super::decode::{self, Others};
use super::dim::Dim;
use super::proto;
use crate::Error;

/// A node. Inputs and outputs are numbers of values; an input that is left out is `None`.
pub(super) struct Node<'f> {
    /// `` `/lstm/LSTM` (LSTM) ``, for messages.
    pub title: String,
    /// Its name in the file; may be empty.
    pub name: String,
    /// The operator, `domain.operator` if it is not ONNX's own.
    pub op: String,
    pub inputs: Vec<Option<usize>>,
    pub outputs: Vec<Option<usize>>,
    attributes: Vec<proto::Attribute<'f>>,
    tensors: Vec<(&'f str, Array)>,
}

/// An input of the graph that is no initialiser.
pub(super) struct Input<'f> {
    pub value: usize,
    pub name: &'f str,
    /// The axes; `None` if the file does not say.
    pub shape: Option<Vec<proto::Extent<'f>>>,
    /// Whether it has whole numbers.
    pub whole: bool,
}

/// A graph.
pub(super) struct Graph<'f> {
    /// Each node after those that it reads; those that no output needs are left out.
    pub nodes: Vec<Node<'f>>,
    /// The names of all values.
    pub names: Vec<&'f str>,
    /// Values that are known from the start.
    pub constants: Vec<(usize, Array)>,
    pub inputs: Vec<Input<'f>>,
    pub outputs: Vec<(usize, &'f str)>,
    /// The version of ONNX's operators.
    pub opset: i64,
    pub notes: Vec<String>,
}

impl Node<'_> {
    fn attribute(&self, name: &str) -> Option<&proto::Attribute<'_>> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// Whether the node has an attribute.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name)?.int
    }

    /// A float.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name)?.float
    }

    /// A string.
    pub fn string(&self, name: &str) -> Option<String> {
        let bytes = self.attribute(name)?.string?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Whole numbers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| &a.ints[..])
    }

    /// Floats.
    pub fn floats(&self, name: &str) -> &[f32] {
        self.attribute(name).map_or(&[], |a| &a.floats[..])
    }

    /// Strings.
    pub fn strings(&self, name: &str) -> Vec<String> {
        let all = self.attribute(name).map_or(&[][..], |a| &a.strings[..]);
        all.iter()
            .map(|b| String::from_utf8_lossy(b).into_owned())
            .collect()
    }

    /// A tensor.
    pub fn tensor(&self, name: &str) -> Option<&Array> {
        self.tensors
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, t)| t)
    }

    /// The number of an input's value.
    pub fn input(&self, index: usize) -> Option<usize> {
        self.inputs.get(index).copied().flatten()
    }

    /// Whether somebody could read an output.
    pub fn gives(&self, index: usize) -> bool {
        self.outputs.get(index).copied().flatten().is_some()
    }

    /// Makes another node of this one, which gives the same values.
    pub fn becomes(
        &mut self,
        op: &str,
        inputs: Vec<Option<usize>>,
        tensors: Vec<(&'static str, Array)>,
    ) {
        op.clone_into(&mut self.op);
        self.inputs = inputs;
        self.attributes.clear();
        self.tensors = tensors;
    }
}

/// The values by name.
#[derive(Default)]
struct Names<'f> {
    numbers: HashMap<&'f str, usize>,
    all: Vec<&'f str>,
}

impl<'f> Names<'f> {
    fn number(&mut self, name: &'f str) -> usize {
        *self.numbers.entry(name).or_insert_with(|| {
            self.all.push(name);
            self.all.len() - 1
        })
    }
}

/// Resolves the names of a graph.
pub(super) fn graph<'f>(
    model: proto::Model<'f>,
    others: &mut Others<'_>,
) -> Result<Graph<'f>, Error> {
    let Some(written) = model.graph else {
        return Err(Error::Unknown(
            "there is no graph in this file: is it a model of ONNX?".to_owned(),
        ));
    };
    let opset = model
        .opsets
        .iter()
        .find(|(d, _)| ["", "ai.onnx"].contains(d));
    let mut lines = Vec::new();
    let mut notes = Vec::new();
    if written.sparse > 0 {
        lines.push(format!(
            "{} sparse initialisers are not understood",
            written.sparse
        ));
    }
    let mut names = Names::default();
    // What makes each value, in words.
    let mut made: HashMap<usize, String> = HashMap::new();
    let mut constants = Vec::new();
    for t in &written.initializers {
        let number = names.number(t.name);
        if made.insert(number, "an initialiser".to_owned()).is_some() {
            lines.push(format!("two initialisers have the name `{}`", t.name));
        }
        match decode::tensor(t, others) {
            Ok(array) => constants.push((number, array)),
            Err(Error::NotUnderstood(more)) => lines.extend(more),
            Err(e) => return Err(e),
        }
    }
    let mut inputs = Vec::new();
    for v in written.inputs {
        let number = names.number(v.name);
        match made.get(&number).map(String::as_str) {
            // Older files list initialisers among the inputs.
            Some("an initialiser") => continue,
            Some(_) => lines.push(format!("two inputs have the name `{}`", v.name)),
            None => {}
        }
        made.insert(number, "an input".to_owned());
        let whole = match v.data_type {
            Some(t) => decode::is_whole(t).ok_or_else(|| decode::type_name(t)),
            None => Err("what is no tensor".to_owned()),
        };
        match whole {
            Ok(whole) => inputs.push(Input {
                value: number,
                name: v.name,
                shape: v.shape,
                whole,
            }),
            Err(kind) => lines.push(format!("input `{}`: {kind} is not understood", v.name)),
        }
    }
    let mut nodes = Vec::new();
    for node in written.nodes {
        let title = match node.name {
            "" => format!("node {} ({})", nodes.len(), node.op),
            name => format!("node `{name}` ({})", node.op),
        };
        let mut number = |n: &&'f str| (!n.is_empty()).then(|| names.number(n));
        let ins: Vec<Option<usize>> = node.inputs.iter().map(&mut number).collect();
        let outs: Vec<Option<usize>> = node.outputs.iter().map(&mut number).collect();
        for out in outs.iter().flatten() {
            if let Some(first) = made.insert(*out, title.clone()) {
                lines.push(format!(
                    "{title}: gives `{}`, which {first} has given",
                    names.all[*out]
                ));
            }
        }
        let mut tensors = Vec::new();
        for a in &node.attributes {
            if let Some(t) = &a.tensor {
                match decode::tensor(t, others) {
                    Ok(array) => tensors.push((a.name, array)),
                    Err(Error::NotUnderstood(more)) => {
                        lines.extend(more.into_iter().map(|l| format!("{title}: {l}")));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        let own = ["", "ai.onnx"].contains(&node.domain);
        nodes.push(Node {
            title,
            name: node.name.to_owned(),
            op: match own {
                true => node.op.to_owned(),
                false => format!("{}.{}", node.domain, node.op),
            },
            inputs: ins,
            outputs: outs,
            attributes: node.attributes,
            tensors,
        });
    }
    for node in &nodes {
        for value in node.inputs.iter().flatten() {
            if !made.contains_key(value) {
                let name = names.all[*value];
                lines.push(format!("{}: its input `{name}` is missing: no node, initialiser or input has this name", node.title));
            }
        }
    }
    let mut outputs = Vec::new();
    for v in &written.outputs {
        let number = names.number(v.name);
        match made.contains_key(&number) {
            true => outputs.push((number, v.name)),
            false => lines.push(format!("output `{}` is given by no node", v.name)),
        }
    }
    if outputs.is_empty() && lines.is_empty() {
        lines.push("the graph has no outputs".to_owned());
    }
    let before = nodes.len();
    let mut nodes = match lines.is_empty() {
        true => sorted(nodes, names.all.len(), &mut lines),
        false => nodes,
    };
    if !lines.is_empty() {
        return Err(Error::NotUnderstood(lines));
    }
    let read = needed(&mut nodes, &outputs, names.all.len());
    if nodes.len() < before {
        notes.push(format!(
            "{} of {before} nodes are left out: no output needs them",
            before - nodes.len()
        ));
    }
    let unread: Vec<String> = constants
        .iter()
        .filter(|(v, _)| !read.get(*v).copied().unwrap_or(false))
        .map(|(v, _)| format!("`{}`", names.all[*v]))
        .collect();
    if !unread.is_empty() {
        notes.push(format!(
            "no output needs the initialisers {}, which are left out",
            unread.join(", ")
        ));
    }
    Ok(Graph {
        nodes,
        names: names.all,
        constants,
        inputs,
        outputs,
        opset: opset.map_or(0, |(_, version)| *version),
        notes,
    })
}

/// The nodes in an order in which each stands after those that it reads.
fn sorted<'f>(nodes: Vec<Node<'f>>, values: usize, lines: &mut Vec<String>) -> Vec<Node<'f>> {
    let mut maker: Vec<Option<usize>> = vec![None; values];
    for (number, node) in nodes.iter().enumerate() {
        for out in node.outputs.iter().flatten() {
            maker[*out] = Some(number);
        }
    }
    let makers = |node: &Node<'_>| -> Vec<usize> {
        node.inputs
            .iter()
            .flatten()
            .filter_map(|v| maker[*v])
            .collect()
    };
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut waits = vec![0_usize; nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        for m in makers(node) {
            readers[m].push(number);
            waits[number] += 1;
        }
    }
    // The lowest number that is ready comes first, so that a graph in order stays as it is.
    let mut ready: std::collections::BTreeSet<usize> =
        (0..nodes.len()).filter(|n| waits[*n] == 0).collect();
    let mut order = Vec::new();
    while let Some(number) = ready.pop_first() {
        order.push(number);
        for reader in &readers[number] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    if order.len() < nodes.len() {
        for (number, node) in nodes.iter().enumerate() {
            if waits[number] > 0 {
                lines.push(format!(
                    "{}: reads what is computed from its own output, or from that of a node that does",
                    node.title
                ));
            }
        }
    }
    let mut nodes: Vec<Option<Node<'f>>> = nodes.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|n| nodes.get_mut(n).and_then(Option::take))
        .collect()
}

/// Puts the nodes in order again and leaves out those that are not needed, after some became others.
pub(super) fn again(graph: &mut Graph<'_>) {
    let nodes = std::mem::take(&mut graph.nodes);
    let before = nodes.len();
    let mut lines = Vec::new();
    graph.nodes = sorted(nodes, graph.names.len(), &mut lines);
    // Nodes in a circle cannot come from a graph without one; if they did, their outputs are missed later.
    needed(&mut graph.nodes, &graph.outputs, graph.names.len());
    let left_out = before - graph.nodes.len();
    graph.notes.push(format!("{left_out} nodes are parts of others: layer normalisations, GELUs, or steps written out one by one"));
}

/// Leaves out the nodes that no output needs, and says which values are needed.
pub(super) fn needed(
    nodes: &mut Vec<Node<'_>>,
    outputs: &[(usize, &str)],
    values: usize,
) -> Vec<bool> {
    let mut read = vec![false; values];
    for (value, _) in outputs {
        read[*value] = true;
    }
    let mut keep = vec![false; nodes.len()];
    for (number, node) in nodes.iter().enumerate().rev() {
        if node.outputs.iter().flatten().any(|v| read[*v]) {
            keep[number] = true;
            for value in node.inputs.iter().flatten() {
                read[*value] = true;
            }
        }
    }
    let mut keep = keep.into_iter();
    nodes.retain(|_| keep.next().unwrap_or(false));
    // An output that nobody reads is none.
    for node in nodes.iter_mut() {
        for out in &mut node.outputs {
            *out = out.filter(|v| read[*v]);
        }
    }
    read
}

/// The value of a node `Constant`.
pub(super) fn constant(node: &Node<'_>) -> Result<Array, String> {
    if let Some(t) = node.tensor("value") {
        return Ok(t.clone());
    }
    let floats = |f: Vec<f32>| Data::Floats(std::rc::Rc::new(f));
    let array = if let Some(i) = node.int("value_int") {
        Some(Array::scalar(Dim::N(i)))
    } else if let Some(f) = node.float("value_float") {
        Array::new(vec![], floats(vec![f]))
    } else if let Some(i) = node.ints("value_ints") {
        Some(Array::sizes(i.iter().map(|&i| Dim::N(i)).collect()))
    } else if node.has("value_floats") {
        let all = node.floats("value_floats").to_vec();
        Array::new(vec![all.len()], floats(all))
    } else {
        None
    };
    array.ok_or_else(|| "has no value that is understood".to_owned())
}
