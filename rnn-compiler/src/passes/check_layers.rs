//! `ModelAst → LayerGraph`: arguments, shapes and names.

use proc_macro2::Span;
use quote::quote;

use crate::{
    cell::{Value, size::Size},
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    ir::{Assertion, CellUse, Layer, LayerGraph, LayerKind, Shape, Time},
    layer::{self, Before, Context, Given, LayerDef, Names},
    layers::{self, LAYERS},
    syntax::{Body, LayerAst, ModelAst},
};

/// Layers that Keras has and that will come.
const NOT_YET: &[&str] = &[
    "Add",
    "Attention",
    "AveragePooling1D",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "ConvLSTM1D",
    "Cropping1D",
    "ELU",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "StackedRNNCells",
    "TimeDistributed",
    "UpSampling1D",
    "ZeroPadding1D",
];

/// Checks all layers; `None` if there was any mistake, each of which is in `found`.
pub fn check_layers(model: &ModelAst, found: &mut Diagnostics) -> Option<LayerGraph> {
    let Body::Chain(chain) = &model.body else {
        return None;
    };
    // A model without layers has been reported.
    let first = chain.first()?;
    let readable = found.is_empty();
    let mut checker = Checker {
        model,
        found,
        names: Names::default(),
        before: Vec::new(),
        layers: Vec::new(),
        assertions: Vec::new(),
        complete: true,
    };
    if let Some(first) = first {
        checker.input(first);
    }
    for (i, layer) in chain.iter().enumerate() {
        match layer {
            Some(layer) => checker.layer(layer, chain.get(i + 1).and_then(Option::as_ref)),
            None => checker.unreadable(),
        }
    }
    if let ([Some(only)], true) = (chain.as_slice(), readable)
        && only.name == "Input"
    {
        checker.mistake(
            Diagnostic::new(
                "RNN0104",
                only.name.span(),
                "this model has an input and nothing that computes",
            )
            .help(format!(
                "write layers behind it: {only} -> LSTM(64) -> Dense(10)"
            )),
        );
    }
    let Checker {
        layers,
        assertions,
        complete,
        ..
    } = checker;
    complete.then(|| LayerGraph {
        krate: model.krate.clone(),
        attrs: model.attrs.clone(),
        vis: model.vis.clone(),
        name: model.name.clone(),
        output: layers.len().saturating_sub(1),
        layers,
        assertions,
    })
}

struct Checker<'a> {
    model: &'a ModelAst,
    found: &'a mut Diagnostics,
    names: Names,
    before: Vec<Before>,
    layers: Vec<Layer>,
    assertions: Vec<Assertion>,
    /// Whether every layer so far is right.
    complete: bool,
}

impl Checker<'_> {
    fn mistake(&mut self, d: Diagnostic) {
        self.complete = false;
        self.found.push(d);
    }

    /// What stands before the first layer if it is no `Input`: ids before an `Embedding`, a
    /// mistake before anything else.
    fn input(&mut self, first: &LayerAst) {
        let span = first.name.span();
        match layers::find(&first.name.to_string()) {
            // An unknown layer is reported as such; what it reads does not matter.
            None => {}
            Some(l) if l.class == "Input" => {}
            Some(l) if l.class == "Embedding" => {
                let shape = Shape {
                    ids: true,
                    time: Time::Any,
                    features: Size::known(1),
                };
                let text = "Input(_)".to_owned();
                self.before.push(Before {
                    text: text.clone(),
                    class: "Input".into(),
                    shape: Some(shape.clone()),
                });
                let name = self
                    .names
                    .name("input_layer", &text, None, span, self.found);
                let kind = LayerKind::Input;
                self.layers.push(Layer {
                    name,
                    text,
                    class: "InputLayer".into(),
                    span,
                    inputs: vec![],
                    kind,
                    shape,
                });
            }
            Some(l) => {
                let (input, what) = match l.class {
                    "LSTM" | "GRU" | "SimpleRNN" | "RNN" => {
                        ("Input(_, 28)", "28 features a step and any number of steps")
                    }
                    "Flatten" => ("Input(28, 28)", "28 steps of 28 features"),
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
            }
        }
    }

    /// A layer that could not be read: nothing is known behind it.
    fn unreadable(&mut self) {
        self.complete = false;
        self.before.push(Before {
            text: String::new(),
            class: String::new(),
            shape: None,
        });
    }

    fn layer(&mut self, ast: &LayerAst, next: Option<&LayerAst>) {
        let text = ast.to_string();
        let class = ast.name.to_string();
        let span = ast.name.span();
        let Some(def) = layers::find(&class) else {
            self.unknown(ast);
            self.before.push(Before {
                text,
                class,
                shape: None,
            });
            return;
        };
        let given = layer::bind(
            def.class,
            &text,
            span,
            def.arguments,
            &ast.arguments,
            self.found,
        );
        let next = next.map(|n| n.name.to_string());
        let context = Context {
            before: &self.before,
            next: next.as_deref(),
            layers: LAYERS,
            cells: &self.model.cells,
        };
        let built = (def.build)(&given, &context, self.found);
        let name = self
            .names
            .name(def.stem, &text, given.name.as_ref(), span, self.found);
        match (built.kind, built.shape.clone(), given.complete) {
            (Some(kind), Some(shape), true) => {
                self.positive(&given, &kind);
                self.push(def, name, text.clone(), span, kind, shape);
            }
            _ => self.complete = false,
        }
        self.before.push(Before {
            text,
            class,
            shape: built.shape,
        });
    }

    fn push(
        &mut self,
        def: &LayerDef,
        name: String,
        text: String,
        span: Span,
        kind: LayerKind,
        shape: Shape,
    ) {
        let class = if def.class == "Input" {
            "InputLayer"
        } else {
            def.class
        };
        let inputs = self.layers.len().checked_sub(1).into_iter().collect();
        self.layers.push(Layer {
            name,
            text,
            class: class.into(),
            span,
            inputs,
            kind,
            shape,
        });
    }

    /// Sizes that are `const`s have to be above 0, which only rustc can tell.
    fn positive(&mut self, given: &Given<'_>, kind: &LayerKind) {
        let own = given
            .values
            .iter()
            .map(|(name, value, span)| (*name, value, *span));
        let cells: &[(String, Value, Span)] = match kind {
            LayerKind::Rnn {
                cell: CellUse { arguments, .. },
                ..
            } if given.cell.is_some() => arguments,
            _ => &[],
        };
        let of_cell = cells
            .iter()
            .map(|(name, value, span)| (name.as_str(), value, *span));
        for (name, value, span) in own.chain(of_cell) {
            if let Value::Size(size) = value
                && size.value().is_none()
            {
                let tokens = size.tokens();
                self.assertions.push(Assertion {
                    condition: quote!(#tokens > 0),
                    message: format!(
                        "[RNN0127]: `{name}` of {} is 0\n  help: every size is at least 1",
                        given.class
                    ),
                    span,
                });
            }
        }
    }

    fn unknown(&mut self, ast: &LayerAst) {
        let name = ast.name.to_string();
        let span = ast.name.span();
        let known = || LAYERS.iter().map(|l| l.class);
        if NOT_YET.contains(&name.as_str()) {
            self.mistake(
                Diagnostic::new(
                    "RNN0100",
                    span,
                    format!("Keras's layer {name} is not supported yet"),
                )
                .help(format!(
                    "there are {}",
                    known().collect::<Vec<_>>().join(", ")
                )),
            );
            return;
        }
        let d = Diagnostic::new("RNN0101", span, format!("there is no layer `{name}`"));
        let cell = LAYERS.iter().any(|l| l.is_cell(&name));
        let d = match did_you_mean(&name, known().chain(NOT_YET.iter().copied())) {
            _ if cell => d.help(format!("a cell runs inside RNN: write RNN({ast})")),
            Some(meant) => d.help(format!("did you mean `{meant}`?")),
            None if name.starts_with(char::is_uppercase) => d
                .note(format!(
                    "there are {}",
                    known().collect::<Vec<_>>().join(", ")
                ))
                .help(format!(
                    "a cell made by rnn_cell! runs inside RNN: write RNN({ast})"
                )),
            None => d.help(format!(
                "there are {}",
                known().collect::<Vec<_>>().join(", ")
            )),
        };
        self.mistake(d);
    }
}
