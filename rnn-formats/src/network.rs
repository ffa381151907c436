//! The layers of a file, and the text of `rnn_model!` that they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// The arguments of layers that are flags: they stand alone where they are true, as in `LSTM(16, return_sequences)`.
pub const FLAGS: &[&str] = &[
    "center",
    "go_backwards",
    "keepdims",
    "learn_initial_state",
    "mask_zero",
    "reset_after",
    "return_sequences",
    "return_state",
    "rms_scaling",
    "scale",
    "stateful",
    "trainable",
    "unit_forget_bias",
    "unroll",
    "use_bias",
    "zero_output_for_mask",
];

/// What flows from one layer to the next: result `index` of the layer number `of`, or the input number `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
///
/// Two layers of one class and one name are two calls of one layer, with one set of weights. What belongs to a call
/// (`initial_state = …`, `mask = …`) stands among the arguments, with the names that [`Network::value`] gives.
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
    ///
    /// ```
    /// use rnn_formats::{Body, Network, NetworkInput, NetworkLayer, Value};
    ///
    /// let layer = |class: &str, arguments: &[&str], from| NetworkLayer {
    ///     class: class.into(),
    ///     arguments: arguments.iter().map(|a| a.to_string()).collect(),
    ///     name: None,
    ///     inputs: vec![from],
    ///     results: 1,
    /// };
    /// let result = |layer| Value::Of { layer, result: 0 };
    /// let mut network = Network {
    ///     inputs: vec![NetworkInput { name: "x".into(), text: "[_, 1]".into() }],
    ///     layers: vec![layer("LSTM", &["16"], Value::Input(0)), layer("Dense", &["1"], result(0))],
    ///     outputs: vec![("y".into(), result(1))],
    ///     cells: Vec::new(),
    /// };
    /// assert_eq!(network.body(), Body::Chain("Input(_, 1) -> LSTM(16) -> Dense(1)".into()));
    /// // Two outputs are no chain.
    /// network.outputs.push(("states".into(), result(0)));
    /// assert!(matches!(network.body(), Body::Graph(_)));
    /// ```
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
            ids if ids.starts_with("ids[") && self.layers.first()?.class == "Embedding" => {
                format!(
                    "Input({})",
                    ids.trim_start_matches("ids[").trim_end_matches(']')
                )
            }
            shape if shape.starts_with('[') => {
                format!(
                    "Input({})",
                    shape.trim_start_matches('[').trim_end_matches(']')
                )
            }
            _ => return None,
        };
        let (first, names) = (self.first_calls(), self.names());
        for (number, layer) in self.layers.iter().enumerate() {
            let alone = layer.inputs[..] == [before] && layer.results == 1;
            let shared = first.get(number) != Some(&number);
            if !alone || shared || layer.arguments.iter().any(|a| of_call(a)) {
                return None;
            }
            if !text.is_empty() {
                text.push_str(" -> ");
            }
            let name = names.get(number).and_then(Option::as_deref);
            text.push_str(&layer.text_named(&layer.arguments, name));
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
        let (firsts, names) = (self.first_calls(), self.names());
        let calls = firsts.iter().enumerate();
        let called: BTreeSet<usize> = calls
            .filter(|(number, first)| number != *first)
            .map(|(_, first)| *first)
            .collect();
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
            let first = firsts.get(number).copied().unwrap_or(number);
            let name = names.get(number).and_then(Option::as_deref);
            let call = match called.contains(&first) {
                false => layer.text_named(&layer.arguments, name),
                true => {
                    let (of_calls, own): (Vec<String>, Vec<String>) =
                        layer.arguments.iter().cloned().partition(|a| of_call(a));
                    if first == number {
                        let own = layer.text_named(&own, name);
                        let _ = writeln!(text, "layer l{first} = {own};");
                    }
                    match of_calls.is_empty() {
                        true => format!("l{first}"),
                        false => format!("l{first}({})", of_calls.join(", ")),
                    }
                }
            };
            let _ = writeln!(text, "let {to} = {from} -> {call};");
        }
        for (name, value) in &self.outputs {
            let _ = writeln!(text, "output {name} = {};", self.value(*value));
        }
        text
    }

    /// For each layer the number of the first call of the same layer.
    fn first_calls(&self) -> Vec<usize> {
        let mut known = BTreeMap::new();
        let all = self.layers.iter().enumerate();
        all.map(|(number, layer)| match &layer.name {
            Some(name) => *known.entry((&layer.class, name)).or_insert(number),
            None => number,
        })
        .collect()
    }

    /// The name that the text gives to each layer: none where the compiler counts the same (`lstm`, `lstm_1`), and one more
    /// where it would count a name that another layer has.
    fn names(&self) -> Vec<Option<String>> {
        let taken: BTreeSet<&str> = self
            .layers
            .iter()
            .filter_map(|l| l.name.as_deref())
            .collect();
        let mut calls = BTreeMap::<usize, usize>::new();
        for first in self.first_calls() {
            *calls.entry(first).or_insert(0) += 1;
        }
        let mut counts = BTreeMap::<String, usize>::new();
        // Of each class the last number that was needed to tell a name from those of other layers.
        let mut last = BTreeMap::<String, usize>::new();
        let mut names = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let stem = stem(&layer.class);
            let count = counts.entry(stem.clone()).or_insert(0);
            let counted = |n: usize| match n {
                0 => stem.clone(),
                n => format!("{stem}_{n}"),
            };
            let shared = calls.get(&number).is_none_or(|calls| *calls != 1);
            names.push(match &layer.name {
                Some(name) if !shared && *name == counted(*count) => {
                    *count += 1;
                    None
                }
                Some(name) => Some(name.clone()),
                None if !taken.contains(counted(*count).as_str()) => {
                    *count += 1;
                    None
                }
                None => {
                    // The compiler does not count it, so its name is one that the compiler never counts.
                    let number = last.entry(stem.clone()).or_insert(0);
                    loop {
                        *number += 1;
                        let name = format!("{stem}.{number}");
                        if !taken.contains(name.as_str()) {
                            break Some(name);
                        }
                    }
                }
            });
        }
        names
    }

    /// What a value is called in the text.
    ///
    /// ```
    /// use rnn_formats::{Network, Value};
    ///
    /// let state = Value::Of { layer: 3, result: 1 };
    /// assert_eq!(Network::default().value(state), "v3_1");
    /// ```
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
    ///
    /// ```
    /// use rnn_formats::{NetworkLayer, Value};
    ///
    /// let layer = NetworkLayer {
    ///     class: "LSTM".into(),
    ///     arguments: vec!["16".into()],
    ///     name: Some("encoder".into()),
    ///     inputs: vec![Value::Input(0)],
    ///     results: 1,
    /// };
    /// assert_eq!(layer.text(), "LSTM(16, name = \"encoder\")");
    /// ```
    pub fn text(&self) -> String {
        self.text_named(&self.arguments, self.name.as_deref())
    }

    fn text_named(&self, arguments: &[String], name: Option<&str>) -> String {
        let name = name.iter().map(|name| format!("name = {name:?}"));
        let all: Vec<String> = arguments.iter().cloned().chain(name).collect();
        match all.is_empty() {
            true => self.class.clone(),
            false => format!("{}({})", self.class, all.join(", ")),
        }
    }
}

/// Whether an argument belongs to a call rather than to a layer.
fn of_call(argument: &str) -> bool {
    argument.starts_with("initial_state =") || argument.starts_with("mask =")
}

/// What the compiler calls the first layer of a class without a name: `GlobalMaxPooling1D` is `global_max_pooling1d`.
pub(crate) fn stem(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut out = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let after = letters.get(i + 1);
        // A capital starts a word after a small letter, and before one: `SimpleRNN`, `RNNCell`.
        if c.is_uppercase()
            && before.is_some_and(|b| b.is_lowercase() || after.is_some_and(|a| a.is_lowercase()))
        {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A name for an input or an output that Rust takes: `my input` as `my_input`. Names that [`Network::value`] gives to values are
/// not among them.
///
/// ```
/// use rnn_formats::rust_name;
///
/// assert_eq!(rust_name("serving_default_x:0"), "serving_default_x_0");
/// assert_ne!(rust_name("type"), "type");
/// ```
pub fn rust_name(name: &str) -> String {
    const WORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
        "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
        "in", "input", "layer", "let", "loop", "macro", "match", "mod", "move", "mut", "output",
        "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait",
        "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
        "yield",
    ];
    let mut own: String = name
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
            _ => '_',
        })
        .take(100)
        .collect();
    if !own.starts_with(|c: char| c.is_ascii_lowercase()) {
        own.insert_str(0, "x_");
    }
    let numbered = own.strip_prefix(['v', 'l']).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '_')
    });
    if numbered || WORDS.contains(&own.as_str()) {
        own.push_str("_value");
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(class: &str, argument: &str, name: Option<&str>, from: Value) -> NetworkLayer {
        NetworkLayer {
            class: class.into(),
            arguments: vec![argument.into()],
            name: name.map(str::to_owned),
            inputs: vec![from],
            results: 1,
        }
    }

    fn row(all: &[(&str, Option<&str>)]) -> Network {
        let of = |n: usize| match n {
            0 => Value::Input(0),
            n => Value::Of {
                layer: n - 1,
                result: 0,
            },
        };
        let layers = all.iter().enumerate();
        Network {
            inputs: vec![NetworkInput {
                name: "x".into(),
                text: "[_, 2]".into(),
            }],
            layers: layers
                .map(|(n, (class, name))| layer(class, "4", *name, of(n)))
                .collect(),
            outputs: vec![("y".into(), of(all.len()))],
            cells: vec![],
        }
    }

    #[test]
    fn names_that_are_counted_anyway_are_left_out() {
        let network = row(&[
            ("SimpleRNN", Some("simple_rnn")),
            ("SimpleRNN", Some("simple_rnn_1")),
            ("Dense", Some("head")),
        ]);
        let text = "Input(_, 2) -> SimpleRNN(4) -> SimpleRNN(4) -> Dense(4, name = \"head\")";
        assert_eq!(network.body(), Body::Chain(text.into()));
        // A name before its time is written, and does not count.
        let network = row(&[("LSTM", Some("lstm_1")), ("LSTM", Some("lstm"))]);
        let text = "Input(_, 2) -> LSTM(4, name = \"lstm_1\") -> LSTM(4)";
        assert_eq!(network.body(), Body::Chain(text.into()));
    }

    #[test]
    fn a_layer_without_a_name_takes_none_of_another() {
        let network = row(&[("Dropout", None), ("Dense", Some("dropout"))]);
        let text =
            "Input(_, 2) -> Dropout(4, name = \"dropout.1\") -> Dense(4, name = \"dropout\")";
        assert_eq!(network.body(), Body::Chain(text.into()));
    }

    #[test]
    fn two_calls_of_one_layer() {
        let mut network = row(&[("LSTM", Some("lstm")), ("LSTM", Some("lstm"))]);
        for layer in &mut network.layers {
            layer.inputs = vec![Value::Input(0)];
        }
        network.layers[1]
            .arguments
            .push("initial_state = v0".into());
        let text = "input x: [_, 2];\nlayer l0 = LSTM(4, name = \"lstm\");\nlet v0 = x -> l0;\n\
                    let v1 = x -> l0(initial_state = v0);\noutput y = v1;\n";
        assert_eq!(network.body(), Body::Graph(text.into()));
    }

    #[test]
    fn names_of_rust() {
        for (name, own) in [
            ("my input", "my_input"),
            ("v3", "v3_value"),
            ("v", "v"),
            ("fn", "fn_value"),
            ("3", "x_3"),
            ("H", "h"),
        ] {
            assert_eq!(rust_name(name), own);
        }
    }
}
