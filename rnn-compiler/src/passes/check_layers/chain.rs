//! `A -> B -> C`

use super::{Checker, Results, input, input::MAX_VALUES};
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, ModelOutput, Shape, Time},
    layers,
    syntax::LayerAst,
};

impl Checker<'_> {
    /// The whole model as one chain. `readable`: no layer had a mistake of syntax.
    pub(super) fn chain(&mut self, chain: &[Option<LayerAst>], readable: bool) {
        let mut rest = chain;
        let mut value = Results::default();
        match chain.first() {
            Some(Some(first)) if first.name == "Input" => {
                // Structures and several axes are those of `input` statements.
                if let Some(kind) = input::of_chain(first) {
                    value = self.input("input", &kind, first.name.span());
                    rest = &chain[1..];
                }
            }
            Some(Some(first)) => value = self.implied(first),
            _ => {}
        }
        let value = self.layers(value, rest);
        if let ([Some(only)], true) = (chain, readable)
            && only.name == "Input"
        {
            self.mistake(
                Diagnostic::new("RNN0104", only.name.span(), "this model computes nothing").help(
                    format!("write layers behind it: {only} -> LSTM(64) -> Dense(10)"),
                ),
            );
        }
        if self.inputs.is_empty()
            && let Some(layer) = self.layers.first()
            && matches!(layer.kind, LayerKind::Input)
        {
            self.inputs.push(("input".into(), 0));
        }
        self.chain_outputs(&value);
    }

    /// The outputs of a chain: `output`, and what the last layer gives besides.
    fn chain_outputs(&mut self, value: &Results) {
        let outputs = (0..value.outputs.len()).map(|i| match i {
            0 => "output".to_owned(),
            i => format!("output_{i}"),
        });
        let states = value.states.iter().map(|(name, _)| name.clone());
        let names = unique(outputs.chain(states).collect());
        let values = value.states.iter().map(|(_, v)| v);
        for (name, v) in names.into_iter().zip(value.outputs.iter().chain(values)) {
            if let Some(port) = v.port {
                self.outputs.push(ModelOutput {
                    name,
                    port,
                    mask: v.mask,
                });
            }
        }
        if self.outputs.len() > MAX_VALUES {
            self.too_many_outputs(value);
        }
    }

    /// More outputs than there are tuples of arrays for.
    fn too_many_outputs(&mut self, value: &Results) {
        let last = self.outputs.last().map(|o| &self.layers[o.port.layer]);
        let Some((text, span)) = last.map(|l| (l.text.clone(), l.span)) else {
            return;
        };
        let count = self.outputs.len();
        let d = Diagnostic::new(
            "RNN0177",
            span,
            format!("{text} gives {count} outputs: a model has at most {MAX_VALUES}"),
        );
        self.mistake(if value.states.is_empty() {
            d.help("write a graph with an `output` for each that you need")
        } else {
            d.note("all of its states are outputs").help(format!(
                "write {}, or a graph with an `output` for each state that you need",
                super::without_states(&text)
            ))
        });
    }

    /// What stands before the first layer if it is no `Input`: ids before an `Embedding`, a
    /// mistake before anything else.
    fn implied(&mut self, first: &LayerAst) -> Results {
        let span = first.name.span();
        match layers::find(&first.name.to_string()) {
            // An unknown layer is reported as such; what it reads does not matter.
            None => Results::default(),
            Some(l) if l.class == "Embedding" => {
                let axis = self.open_axis(None);
                self.add_input("input_layer", "Input(_)", Shape::ids(Time::Any(axis)), span)
            }
            // What reads several values stands in a graph, where they have names.
            Some(l) if l.many && l.class != "RNN" => {
                let words = format!("{first} is the first layer, and it reads several values");
                let d = Diagnostic::new("RNN0102", span, words);
                self.mistake(d.help(format!(
                    "write a graph: `input a: [28]; input b: [28]; output y = (a, b) -> {first};`"
                )));
                Results::default()
            }
            Some(l) => {
                let (input, what) = match l.class {
                    "LSTM" | "GRU" | "SimpleRNN" | "RNN" | "Bidirectional" | "Masking"
                    | "TimeDistributed" | "SpatialDropout1D" => {
                        ("Input(_, 28)", "28 features a step and any number of steps")
                    }
                    "Flatten" | "Permute" => ("Input(28, 28)", "28 steps of 28 features"),
                    _ => ("Input(28)", "28 features"),
                };
                self.mistake(
                    Diagnostic::new(
                        "RNN0102",
                        span,
                        format!(
                            "{first} is the first layer, so the shape of its input is not known"
                        ),
                    )
                    .help(format!("write {input} -> {first} for {what}")),
                );
                Results::default()
            }
        }
    }
}

/// Names, where two of them are the same, made different: `h` of a second cell is `h_1`, unless
/// another is called so.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in &names {
        let mut free = name.clone();
        let mut n = 0;
        while all.contains(&free) || (n > 0 && names.contains(&free)) {
            n += 1;
            free = format!("{name}_{n}");
        }
        all.push(free);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn no_name_is_given_twice() {
        let of = |names: &[&str]| unique(names.iter().map(ToString::to_string).collect());
        assert_eq!(of(&["output", "h", "c"]), ["output", "h", "c"]);
        assert_eq!(
            of(&["h", "c", "h", "c", "h"]),
            ["h", "c", "h_1", "c_1", "h_2"]
        );
        // Each keeps a name of its own.
        assert_eq!(of(&["h", "h_1", "h"]), ["h", "h_1", "h_2"]);
        assert_eq!(of(&["h", "h", "h_1", "h_1"]), ["h", "h_2", "h_1", "h_1_1"]);
        assert_eq!(of(&["output", "output"]), ["output", "output_1"]);
    }
}
