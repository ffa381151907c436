//! A user's layers as a network: what an import gives of a file.

use std::collections::BTreeMap;

use rnn_compiler::{
    ir::{LayerGraph, LayerKind},
    syntax::{
        ArgumentAst, BodyAst, ChainAst, InputKind, LayerAst, StatementAst, TargetAst, ValueAst,
        ValueKind,
    },
};
use rnn_formats::{Network, NetworkInput, NetworkLayer, Value};

use crate::failure::{Done, Failure};

/// The network of a text. `graph` is what the compiler has made of it: names of layers come from there.
pub fn of(body: &BodyAst, graph: &LayerGraph) -> Done<Network> {
    let written = graph
        .layers
        .iter()
        .filter(|l| !l.hidden && !matches!(l.kind, LayerKind::Input));
    let mut builder = Builder {
        network: Network::default(),
        values: BTreeMap::new(),
        layers: BTreeMap::new(),
        names: written
            .map(|l| (l.class.clone(), l.name.clone(), l.outputs.len()))
            .collect(),
    };
    match body {
        BodyAst::Chain(layers) => builder.chain_alone(layers)?,
        BodyAst::Graph(statements) => {
            for statement in statements {
                builder.statement(statement)?;
            }
        }
        _ => return Err(lost()),
    }
    Ok(builder.network)
}

fn lost() -> Failure {
    Failure::new("these layers are not understood as a network")
}

struct Builder<'a> {
    network: Network,
    values: BTreeMap<String, Value>,
    /// Layers that are named by `layer` statements.
    layers: BTreeMap<String, &'a LayerAst>,
    /// The class, the name and the results of each call.
    names: Vec<(String, String, usize)>,
}

impl<'a> Builder<'a> {
    fn input(&mut self, name: &str, text: String) -> Value {
        self.network.inputs.push(NetworkInput {
            name: name.to_owned(),
            text,
        });
        let value = Value::Input(self.network.inputs.len() - 1);
        self.values.insert(name.to_owned(), value);
        value
    }

    fn chain_alone(&mut self, layers: &'a [Option<LayerAst>]) -> Done<()> {
        let all: Option<Vec<&LayerAst>> = layers.iter().map(Option::as_ref).collect();
        let all = all.ok_or_else(lost)?;
        let (text, rest) = match all.split_first() {
            Some((first, rest)) if first.name == "Input" => {
                let axes: Vec<String> = first.arguments.iter().map(|a| a.to_string()).collect();
                let ids = rest.first().is_some_and(|l| l.name == "Embedding");
                let axes = axes.join(", ");
                let text = match (ids, axes.as_str()) {
                    (true, "_") => "ids".to_owned(),
                    (true, axes) => format!("ids[{axes}]"),
                    (false, axes) => format!("[{axes}]"),
                };
                (text, rest)
            }
            _ => ("ids".to_owned(), &all[..]),
        };
        let mut from = vec![self.input("input", text)];
        for layer in rest {
            from = self.call(layer, &from)?;
        }
        self.output("output", &from)
    }

    fn statement(&mut self, statement: &'a StatementAst) -> Done<()> {
        match statement {
            StatementAst::Input { name, kind, .. } => {
                let text = match kind {
                    InputKind::Floats(_) => kind.to_string(),
                    other => other.to_string(),
                };
                self.input(&name.to_string(), text);
            }
            StatementAst::Layer { name, layer } => {
                let layer = layer.as_ref().ok_or_else(lost)?;
                self.layers.insert(name.to_string(), layer);
            }
            StatementAst::Let { targets, value, .. } => {
                let results = self.chain(value)?;
                for (target, value) in targets.iter().zip(results) {
                    if let TargetAst::Name(name) = target {
                        self.values.insert(name.to_string(), value);
                    }
                }
            }
            StatementAst::Output { name, value } => {
                let results = self.chain(value)?;
                self.output(&name.to_string(), &results)?;
            }
            StatementAst::Unreadable { .. } => return Err(lost()),
        }
        Ok(())
    }

    fn output(&mut self, name: &str, values: &[Value]) -> Done<()> {
        let first = values.first().ok_or_else(lost)?;
        self.network.outputs.push((name.to_owned(), *first));
        Ok(())
    }

    /// The results of the last layer of a chain.
    fn chain(&mut self, chain: &'a ChainAst) -> Done<Vec<Value>> {
        let sources = chain
            .sources
            .iter()
            .map(|name| self.named(&name.to_string()));
        let mut from = sources.collect::<Done<Vec<Value>>>()?;
        for layer in &chain.layers {
            from = self.call(layer.as_ref().ok_or_else(lost)?, &from)?;
        }
        Ok(from)
    }

    fn named(&self, name: &str) -> Done<Value> {
        self.values.get(name).copied().ok_or_else(lost)
    }

    fn call(&mut self, layer: &LayerAst, from: &[Value]) -> Done<Vec<Value>> {
        let number = self.network.layers.len();
        let (class, name, results) = self.names.get(number).cloned().ok_or_else(lost)?;
        // A call of a layer with a name has the layer's arguments, and its own: states, a mask.
        let shared = self.layers.get(&layer.name.to_string()).copied();
        let own = shared.unwrap_or(layer);
        if own.name != class {
            return Err(lost());
        }
        let mut arguments = Vec::new();
        let given: &[ArgumentAst] = shared.map_or(&[], |_| &layer.arguments);
        for argument in own.arguments.iter().chain(given) {
            match &argument.name {
                Some(name) if name == "name" => {}
                Some(name) if name == "initial_state" || name == "mask" => {
                    arguments.push(format!("{name} = {}", self.values_text(&argument.value)?));
                }
                _ => arguments.push(argument.to_string()),
            }
        }
        // A layer makes a mask as its last result, which has no name here.
        let results = match own.name.to_string().as_str() {
            "Embedding" | "Masking" => 1,
            _ => results,
        };
        self.network.layers.push(NetworkLayer {
            class,
            arguments,
            name: Some(name),
            inputs: from.to_vec(),
            results,
        });
        let value = |result| Value::Of {
            layer: number,
            result,
        };
        Ok((0..results).map(value).collect())
    }

    /// Values as the network names them.
    fn values_text(&self, value: &ValueAst) -> Done<String> {
        match &value.kind {
            ValueKind::Path(path) => {
                let name = path.get_ident().ok_or_else(lost)?.to_string();
                Ok(self.network.value(self.named(&name)?))
            }
            ValueKind::List(all) => {
                let all = all.iter().map(|v| self.values_text(v));
                Ok(format!("[{}]", all.collect::<Done<Vec<_>>>()?.join(", ")))
            }
            _ => Err(lost()),
        }
    }
}
