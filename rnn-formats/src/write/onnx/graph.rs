//! A graph that grows: nodes, constants, names of values.

use std::collections::BTreeSet;

use super::proto::{Attribute, Kind, Message, node, tensor};

/// A graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
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
        let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let name = format!("/{}/{kind}_{}", self.layer, self.nodes.len());
        self.nodes
            .push(node(kind, &name, inputs, &names, attributes));
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
        let own = format!("/output/{name}");
        self.nodes
            .push(node("Identity", &own, &[value], &[name], &[]));
    }

    /// A constant of floats; of one name there is one.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        if self.known.insert(name.to_owned()) {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.constants
                .push(tensor(name, Kind::Float, shape, &bytes));
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
            self.constants
                .push(tensor(&name, Kind::Int, &[values.len()], &bytes));
        }
        name
    }

    /// One whole number, without an axis.
    pub fn index(&mut self, value: i64) -> String {
        let name = format!("index.{value}");
        if self.known.insert(name.clone()) {
            self.constants
                .push(tensor(&name, Kind::Int, &[], &value.to_le_bytes()));
        }
        name
    }

    /// The axes of a value in another order.
    pub fn transposed(&mut self, value: &str, order: &[i64]) -> String {
        let order = Attribute::Ints(order.to_vec());
        self.with("Transpose", &[value], &[("perm", order)])
    }

    /// The model.
    pub fn model(self, inputs: &[Message], outputs: &[Message]) -> Vec<u8> {
        let graph = Message::new()
            .each(&self.nodes, |m, node| m.message(1, node))
            .text(2, "model")
            .each(&self.constants, |m, constant| m.message(5, constant))
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
