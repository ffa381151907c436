//! A graph that grows: nodes, constants, names of values.

use std::collections::BTreeSet;

use super::proto::{Attribute, Kind, Message, node, tensor};

/// A node that is written if somebody reads one of its outputs.
#[derive(Debug)]
struct Node {
    kind: String,
    name: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    attributes: Vec<(String, Attribute)>,
}

/// A graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Each after those that it reads.
    nodes: Vec<Node>,
    /// Names and messages.
    constants: Vec<(String, Message)>,
    /// Names of the outputs.
    outputs: BTreeSet<String>,
    /// Names of constants.
    known: BTreeSet<String>,
    count: usize,
    /// The layer whose nodes are added: it is the first part of their names.
    pub layer: String,
}

impl Graph {
    /// A name that no value has.
    pub fn fresh(&mut self) -> String {
        self.count += 1;
        format!("{}.{}", self.layer, self.count)
    }

    /// Adds a node of several results.
    pub fn several(
        &mut self,
        kind: &str,
        inputs: &[&str],
        results: usize,
        attributes: &[(&str, Attribute)],
    ) -> Vec<String> {
        let outputs: Vec<String> = (0..results).map(|_| self.fresh()).collect();
        let attributes = attributes.iter();
        self.nodes.push(Node {
            kind: kind.to_owned(),
            name: format!("/{}/{kind}_{}", self.layer, self.nodes.len()),
            inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
            outputs: outputs.clone(),
            attributes: attributes
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        });
        outputs
    }

    /// Adds a node.
    pub fn with(
        &mut self,
        kind: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
    ) -> String {
        let mut all = self.several(kind, inputs, 1, attributes);
        all.pop().unwrap_or_default()
    }

    /// Adds a node without attributes.
    pub fn node(&mut self, kind: &str, inputs: &[&str]) -> String {
        self.with(kind, inputs, &[])
    }

    /// Gives a value another name.
    pub fn output(&mut self, name: &str, value: &str) {
        self.outputs.insert(name.to_owned());
        self.nodes.push(Node {
            kind: "Identity".to_owned(),
            name: format!("/output/{name}"),
            inputs: vec![value.to_owned()],
            outputs: vec![name.to_owned()],
            attributes: Vec::new(),
        });
    }

    /// A constant of floats; of one name there is one.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        if self.known.insert(name.to_owned()) {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            let constant = tensor(name, Kind::Float, shape, &bytes);
            self.constants.push((name.to_owned(), constant));
        }
        name.to_owned()
    }

    /// A number.
    pub fn number(&mut self, value: f32) -> String {
        let name = format!("number.{value}");
        self.floats(&name, &[], &[value])
    }

    /// A list of whole numbers.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let all: Vec<String> = values.iter().map(i64::to_string).collect();
        let name = format!("ints.{}", all.join("."));
        if self.known.insert(name.clone()) {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            let constant = tensor(&name, Kind::Int, &[values.len()], &bytes);
            self.constants.push((name.clone(), constant));
        }
        name
    }

    /// One whole number, without an axis.
    pub fn index(&mut self, value: i64) -> String {
        let name = format!("index.{value}");
        if self.known.insert(name.clone()) {
            let constant = tensor(&name, Kind::Int, &[], &value.to_le_bytes());
            self.constants.push((name.clone(), constant));
        }
        name
    }

    /// The axes of a value in another order.
    pub fn transposed(&mut self, value: &str, order: &[i64]) -> String {
        let order = Attribute::Ints(order.to_vec());
        self.with("Transpose", &[value], &[("perm", order)])
    }

    /// Leaves out nodes and constants that no output needs. A result that no node and no output reads gets an empty name, and is
    /// left out if it is the last of its node.
    fn leave_out_unread(&mut self) {
        let mut read = self.outputs.clone();
        let nodes = std::mem::take(&mut self.nodes);
        for mut node in nodes.into_iter().rev() {
            for output in node.outputs.iter_mut().filter(|name| !read.contains(*name)) {
                output.clear();
            }
            while node.outputs.last().is_some_and(String::is_empty) {
                node.outputs.pop();
            }
            if !node.outputs.is_empty() {
                read.extend(node.inputs.iter().cloned());
                self.nodes.push(node);
            }
        }
        self.nodes.reverse();
        self.constants.retain(|(name, _)| read.contains(name));
    }

    /// The model.
    pub fn model(mut self, inputs: &[Message], outputs: &[Message]) -> Vec<u8> {
        self.leave_out_unread();
        let graph = Message::new()
            .each(&self.nodes, |m, n| {
                let node = node(&n.kind, &n.name, &n.inputs, &n.outputs, &n.attributes);
                m.message(1, &node)
            })
            .text(2, "model")
            .each(&self.constants, |m, (_, constant)| m.message(5, constant))
            .each(inputs, |m, input| m.message(11, input))
            .each(outputs, |m, output| m.message(12, output));
        // The eighth version of the format, in which there is the opset 17.
        Message::new()
            .int(1, 8)
            .text(2, "recurrent")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, &graph)
            .message(8, &Message::new().text(1, "").int(2, 17))
            .bytes()
    }
}
