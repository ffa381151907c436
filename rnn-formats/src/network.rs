//! The layers of a file, and the text of `rnn_model!` that they are.

use std::fmt::Write as _;

/// What flows from one layer to the next: result `index` of the layer number `of`, or the input number `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An input of the model.
    Input(usize),
    /// A result of a layer: 0 is its output, its states follow.
    Of {
        /// The number of the layer in [`Network::layers`].
        layer: usize,
        /// Which of its results.
        result: usize,
    },
}

/// An input of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkInput {
    /// A name of Rust.
    pub name: String,
    /// Its type as `rnn_model!` writes it in a graph: `[_, 8]` (`_` is the time), `[8]`, `ids`, `mask`.
    pub text: String,
}

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkLayer {
    /// What `rnn_model!` writes, without `name`: the class, and the arguments, in Keras's words: `("LSTM", ["16", "return_sequences"])`.
    pub class: String,
    /// Arguments, positional ones first.
    pub arguments: Vec<String>,
    /// The layer's name: its tensors are called `NAME/…`. `None` for a layer without tensors that needs none.
    pub name: Option<String>,
    /// What it reads; several are `(a, b) -> Add`.
    pub inputs: Vec<Value>,
    /// How many results it has: 1, and one for each state with `return_state`.
    pub results: usize,
}

/// A whole model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// What it reads.
    pub inputs: Vec<NetworkInput>,
    /// Its layers, each after those that it reads.
    pub layers: Vec<NetworkLayer>,
    /// What it gives: names of Rust, and values.
    pub outputs: Vec<(String, Value)>,
    /// Cells that its layers name, for what Keras has not: the name, and the text of `rnn_cell!`.
    pub cells: Vec<(String, String)>,
}

/// The text of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// What stands after `struct Name =`: layers in a row.
    Chain(String),
    /// What stands in `struct Name { … }`: inputs, layers, outputs.
    Graph(String),
}

impl Network {
    /// The text that `rnn_model!` reads: a chain if there is one input and one output and each layer reads the one before.
    pub fn body(&self) -> Body {
        match self.chain() {
            Some(text) => Body::Chain(text),
            None => Body::Graph(self.graph()),
        }
    }

    fn chain(&self) -> Option<String> {
        let [input] = &self.inputs[..] else {
            return None;
        };
        let mut before = Value::Input(0);
        let mut text = match input.text.as_str() {
            // `Embedding` says that it reads ids.
            "ids" if self.layers.first()?.class == "Embedding" => String::new(),
            shape if shape.starts_with('[') => {
                format!(
                    "Input({})",
                    shape.trim_start_matches('[').trim_end_matches(']')
                )
            }
            _ => return None,
        };
        for (number, layer) in self.layers.iter().enumerate() {
            if layer.inputs[..] != [before] || layer.results != 1 {
                return None;
            }
            if !text.is_empty() {
                text.push_str(" -> ");
            }
            text.push_str(&layer.text());
            before = Value::Of {
                layer: number,
                result: 0,
            };
        }
        match &self.outputs[..] {
            [(_, value)] if *value == before && !self.layers.is_empty() => Some(text),
            _ => None,
        }
    }

    fn graph(&self) -> String {
        let mut text = String::new();
        for input in &self.inputs {
            let _ = writeln!(text, "input {}: {};", input.name, input.text);
        }
        for (number, layer) in self.layers.iter().enumerate() {
            let from: Vec<String> = layer.inputs.iter().map(|&v| self.value(v)).collect();
            let from = match &from[..] {
                [one] => one.clone(),
                several => format!("({})", several.join(", ")),
            };
            let results: Vec<String> = (0..layer.results)
                .map(|result| {
                    self.value(Value::Of {
                        layer: number,
                        result,
                    })
                })
                .collect();
            let to = match &results[..] {
                [one] => one.clone(),
                several => format!("({})", several.join(", ")),
            };
            let _ = writeln!(text, "let {to} = {from} -> {};", layer.text());
        }
        for (name, value) in &self.outputs {
            let _ = writeln!(text, "output {name} = {};", self.value(*value));
        }
        text
    }

    /// What a value is called in the text.
    pub fn value(&self, value: Value) -> String {
        match value {
            Value::Input(index) => self
                .inputs
                .get(index)
                .map_or_else(|| format!("input_{index}"), |input| input.name.clone()),
            Value::Of { layer, result: 0 } => format!("v{layer}"),
            Value::Of { layer, result } => format!("v{layer}_{result}"),
        }
    }
}

impl NetworkLayer {
    /// `LSTM(16, return_sequences, name = "lstm")`.
    pub fn text(&self) -> String {
        let name = self.name.iter().map(|name| format!("name = {name:?}"));
        let all: Vec<String> = self.arguments.iter().cloned().chain(name).collect();
        match all.is_empty() {
            true => self.class.clone(),
            false => format!("{}({})", self.class, all.join(", ")),
        }
    }
}
