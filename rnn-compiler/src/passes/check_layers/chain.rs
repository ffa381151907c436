//! `A -> B -> C`

use super::{Checker, Results, input};
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
        let outputs = value.outputs.iter().enumerate().map(|(i, v)| {
            let name = match i {
                0 => "output".to_owned(),
                i => format!("output_{i}"),
            };
            (name, v)
        });
        let states = value.states.iter().enumerate().map(|(i, (name, v))| {
            // Two cells may both have an `h`.
            let again = value.states[..i].iter().filter(|(n, _)| n == name).count();
            let name = match again {
                0 => name.clone(),
                n => format!("{name}_{n}"),
            };
            (name, v)
        });
        for (name, v) in outputs.chain(states) {
            if let Some(port) = v.port {
                self.outputs.push(ModelOutput {
                    name,
                    port,
                    mask: v.mask,
                });
            }
        }
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
