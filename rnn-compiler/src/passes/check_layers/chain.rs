//! `A -> B -> C`

use super::{Checker, Results, input, input::MAX_VALUES};
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, ModelOutput, Shape, Time},
    layer::{Before, LayerDef, Reads},
    layers,
    syntax::LayerAst,
};

impl Checker<'_> {
    /// The whole model as one chain. `readable`: no layer had a mistake of syntax.
    pub(super) fn chain(&mut self, chain: &[Option<LayerAst>], readable: bool) {
        let mut rest = chain;
        let mut value = Results::default();
        match chain.first() {
            Some(Some(first)) if is_input(first) => {
                // Structures and several axes work as in `input` statements.
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
            && is_input(only)
        {
            self.mistake(
                Diagnostic::new("RNN0104", only.name.span(), "this model computes nothing").help(
                    format!("write layers after it: {only} -> LSTM(64) -> Dense(10)"),
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

    /// The outputs of a chain: `output`, and the other results of the last layer.
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

    /// Reports more outputs than there are tuples of arrays for.
    fn too_many_outputs(&mut self, value: &Results) {
        let last = self.outputs.last().map(|o| &self.layers[o.port.layer]);
        let Some((text, span)) = last.map(|l| (l.text.clone(), l.span)) else {
            return;
        };
        let giver = value.outputs.first().and_then(|o| o.before.last());
        let without = giver.map_or(String::new(), Before::without_states);
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
                "write {without}, or a graph with an `output` for each state that you need"
            ))
        });
    }

    /// The input of a chain that does not start with `Input`: ids before an `Embedding`; before any other
    /// layer this is a mistake.
    fn implied(&mut self, first: &LayerAst) -> Results {
        let span = first.name.span();
        match layers::find(&first.name.to_string()) {
            // An unknown layer is reported as unknown; its input does not matter.
            None => Results::default(),
            Some(l) if l.reads == Reads::Ids => {
                let axis = self.open_axis(None);
                self.add_input("input_layer", "Input(_)", Shape::ids(Time::Any(axis)), span)
            }
            // A layer of several values needs a graph, where values have names.
            Some(l) if l.reads == Reads::Several => {
                let words = format!("{first} is the first layer, and it reads several values");
                let d = Diagnostic::new("RNN0102", span, words);
                self.mistake(d.help(format!(
                    "write a graph: `input a: [28]; input b: [28]; output y = (a, b) -> {first};`"
                )));
                Results::default()
            }
            Some(l) => {
                let what = match l.reads {
                    Reads::Sequence | Reads::Sequences => {
                        "28 features a step and any number of steps"
                    }
                    Reads::KnownSteps => "28 steps of 28 features",
                    _ => "28 features",
                };
                let input = l.reads.example(28).unwrap_or_default();
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

/// Whether a layer is an input of the model.
fn is_input(layer: &LayerAst) -> bool {
    layers::find(&layer.name.to_string()).is_some_and(LayerDef::is_input)
}

/// Makes equal names different: `h` of a second cell becomes `h_1`, unless another value has that name.
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
