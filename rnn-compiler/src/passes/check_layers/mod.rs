//! `ModelAst → LayerGraph`: arguments, shapes, masks and names.

mod chain;
mod graph;
mod input;
mod shared;

use std::collections::BTreeMap;

use proc_macro2::Span;
use quote::quote;

use shared::SharedLayer;

use std::rc::Rc;

use crate::{
    cell::Value,
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    ir::{
        Assertion, CellUse, Layer, LayerGraph, LayerId, LayerKind, ModelOutput, OpenAxis,
        ParamOptions, Port, Shape, Time, UsedCell,
    },
    layer::{
        self, Before, Built, Context, Incoming, LayerArguments, LayerDef, Names, Origin, OutMask,
        Scope,
    },
    layers::{self, LAYERS},
    ops,
    syntax::{self, ArgumentAst, BodyAst, LayerAst, ModelAst},
};

/// Checks all layers. Gives `None` if there was a mistake; `found` has all mistakes.
pub fn check_layers(model: &ModelAst, found: &mut Diagnostics) -> Option<LayerGraph> {
    let readable = found.is_empty();
    let mut checker = Checker {
        model,
        found,
        names: Names::default(),
        layers: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        scope: Scope::new(),
        used: BTreeMap::new(),
        lets: Vec::new(),
        hidden: Vec::new(),
        tuples: Vec::new(),
        shared: BTreeMap::new(),
        axes: 0,
        axis_names: BTreeMap::new(),
        assertions: Vec::new(),
        complete: true,
    };
    match &model.body {
        BodyAst::Chain(chain) => {
            // A model without layers has been reported.
            chain.first()?;
            checker.chain(chain, readable);
        }
        BodyAst::Graph(statements) => checker.graph(statements),
    }
    let Checker {
        layers,
        inputs,
        outputs,
        assertions,
        complete,
        ..
    } = checker;
    complete.then(|| LayerGraph {
        krate: model.krate.clone(),
        attrs: model.attrs.clone(),
        vis: model.vis.clone(),
        name: model.name.clone(),
        layers,
        inputs,
        outputs,
        assertions,
    })
}

/// What a layer gives.
#[derive(Clone, Default)]
struct Results {
    outputs: Vec<Incoming>,
    states: Vec<(String, Incoming)>,
}

struct Checker<'a> {
    model: &'a ModelAst,
    found: &'a mut Diagnostics,
    names: Names,
    layers: Vec<Layer>,
    inputs: Vec<(String, LayerId)>,
    outputs: Vec<ModelOutput>,
    /// Values by name.
    scope: Scope,
    /// Names that were bound, by what they are called now.
    used: BTreeMap<String, graph::Binding>,
    /// The names of all `let`s, also of those below.
    lets: Vec<String>,
    /// Names that a later binding hides and that nothing had read.
    hidden: Vec<(String, graph::Binding)>,
    /// For each `let` of several names: whether any of them has been read.
    tuples: Vec<bool>,
    shared: BTreeMap<String, SharedLayer>,
    /// Number of open axes.
    axes: usize,
    axis_names: BTreeMap<String, OpenAxis>,
    assertions: Vec<Assertion>,
    /// Whether every layer so far is right.
    complete: bool,
}

impl Checker<'_> {
    fn mistake(&mut self, d: Diagnostic) {
        self.complete = false;
        self.found.push(d);
    }

    /// An open axis of its own.
    fn open_axis(&mut self, name: Option<String>) -> OpenAxis {
        self.axes += 1;
        OpenAxis {
            id: self.axes - 1,
            name,
        }
    }

    /// Layers one after the other; `None` for one that could not be read.
    fn layers(&mut self, mut value: Results, chain: &[Option<LayerAst>]) -> Results {
        for (i, layer) in chain.iter().enumerate() {
            let next = chain.get(i + 1).and_then(Option::as_ref);
            if let (Some(layer), false) = (layer, value.states.is_empty()) {
                self.states_dropped(&value, layer);
            }
            value = match layer {
                Some(layer) => self.layer(layer, &value.outputs, next),
                None => {
                    self.complete = false;
                    nothing(value.outputs.first(), "")
                }
            };
        }
        value
    }

    /// Reports a layer after one that returns states: it would read the output only and drop the states
    /// silently.
    fn states_dropped(&mut self, value: &Results, layer: &LayerAst) {
        let giver = value.outputs.first().and_then(|o| o.before.last());
        let before = giver.map_or(String::new(), |b| b.text.clone());
        let without = giver.map_or(String::new(), Before::without_states);
        let names: Vec<&str> = value.states.iter().map(|(n, _)| n.as_str()).collect();
        self.mistake(
            Diagnostic::new(
                "RNN0167",
                layer.name.span(),
                format!(
                    "{before} gives its states ({}), too, and {layer} reads one value",
                    names.join(", ")
                ),
            )
            .help(match self.model.body {
                BodyAst::Chain(_) => format!("write {without}"),
                BodyAst::Graph(_) => format!(
                    "write {without}, or take the values apart: `let (y, _) = … -> {before}; … y -> {layer}`"
                ),
            }),
        );
    }

    /// One call of a layer.
    fn layer(&mut self, ast: &LayerAst, inputs: &[Incoming], next: Option<&LayerAst>) -> Results {
        let name = ast.name.to_string();
        let at = ast.name.span();
        let (ast, of) = match self.called(ast) {
            Some(Ok(call)) => (call, Some(name)),
            Some(Err(Reported)) => return nothing(inputs.first(), &ast.to_string()),
            None => (ast.clone(), None),
        };
        let text = ast.to_string();
        let span = ast.name.span();
        let Some(def) = layers::find(&ast.name.to_string()) else {
            self.unknown(&ast);
            return nothing(inputs.first(), &text);
        };
        if let Some(here) = syntax::sized(&ast, &layers::classes()) {
            self.mistake(layer::foreign(span, here));
            return nothing(inputs.first(), &text);
        }
        if let Some(d) = around_nothing(def, &ast, inputs) {
            self.mistake(d);
            return nothing(inputs.first(), &text);
        }
        let given = layer::bind(def, &ast, &text, self.found);
        for (_, value) in &given.raw {
            self.read(value);
        }
        let mut built = if inputs.len() > 1 && !def.reads.several() {
            self.found.push(
                Diagnostic::new(
                    "RNN0115",
                    span,
                    format!("{text} reads one value, found {}", inputs.len()),
                )
                .help(format!("join them first: `Concatenate -> {text}`")),
            );
            Built::failed(None)
        } else {
            let context = Context {
                inputs,
                next: next.and_then(|n| layers::find(&n.name.to_string())),
                layers: LAYERS,
                cells: &self.model.cells,
                scope: &self.scope,
            };
            (def.build)(&given, &context, self.found)
        };
        let first = of.as_ref().and_then(|of| self.shared.get(of)?.first);
        let name = match (first, &of) {
            (Some(first), _) => self.layers[first].name.clone(),
            (None, of) => {
                let own = of.as_ref().map(|of| (of.clone(), span));
                let given = given.name.as_ref().or(own.as_ref());
                self.names.name(def.stem, &text, given, span, self.found)
            }
        };
        let initial = self.initial(&built.initial, &text, span);
        let id = self.layers.len();
        let read: Option<Vec<Port>> = inputs.iter().map(|i| i.port).collect();
        let also = std::mem::take(&mut built.also_reads);
        let read = read.map(|r| [r, also].concat());
        let whole = match (built.kind.take(), given.complete, read) {
            (Some(kind), true, Some(read)) => {
                self.positive(&given, &kind);
                self.same_weights(first, &kind, inputs, &text, at);
                self.one_stateful(first, &kind, &text, at);
                let mask = match kind {
                    LayerKind::Pointwise { .. } => None,
                    _ => built.reads_mask.or(inputs.first().and_then(|i| i.mask)),
                };
                let mask_rule = match built.mask {
                    OutMask::Made { rule, .. } => Some(rule),
                    _ => None,
                };
                self.layers.push(Layer {
                    name,
                    text: text.clone(),
                    class: def.summary.unwrap_or(def.class).into(),
                    span,
                    inputs: read,
                    mask,
                    initial,
                    kind,
                    outputs: built.shapes.clone(),
                    mask_rule,
                    activity: given.activity().or(built.activity),
                    shared: first,
                    hidden: false,
                });
                if let (Some(of), None) = (of, first)
                    && let Some(shared) = self.shared.get_mut(&of)
                {
                    shared.first = Some(id);
                }
                true
            }
            _ => {
                self.complete = false;
                false
            }
        };
        let made = Before {
            text,
            origin: match def.is_input() {
                true => Origin::Input,
                false => Origin::Layer(def, ast),
            },
            shape: None,
        };
        self.results(id, inputs, &built, &made, whole)
    }

    /// The states before the first step. Where a state has several axes, the known steps of a value become
    /// its first axis.
    fn initial(&mut self, ports: &[Port], text: &str, span: Span) -> Vec<Port> {
        let mut all = Vec::new();
        for &port in ports {
            let shape = &self.layers[port.layer].outputs[port.index];
            let axes = match shape.known_axes() {
                Some(axes) if shape.is_sequence() => axes,
                _ => {
                    all.push(port);
                    continue;
                }
            };
            let whole = Shape {
                content: shape.content,
                time: Time::None,
                axes,
            };
            self.layers.push(Layer {
                name: "state".into(),
                text: format!("a state of {text}"),
                class: "Reshape".into(),
                span,
                inputs: vec![port],
                mask: None,
                initial: vec![],
                kind: LayerKind::Op(Rc::new(ops::Reshape)),
                outputs: vec![whole],
                mask_rule: None,
                activity: None,
                shared: None,
                hidden: true,
            });
            all.push(Port {
                layer: self.layers.len() - 1,
                index: 0,
            });
        }
        all
    }

    /// The results of a layer as later layers see them.
    fn results(
        &mut self,
        id: LayerId,
        inputs: &[Incoming],
        built: &Built,
        made: &Before,
        whole: bool,
    ) -> Results {
        let mask = match built.mask {
            OutMask::Lost => None,
            // A layer with a mistake is not in the graph.
            _ if !whole => None,
            OutMask::Made { result, .. } => Some(Port {
                layer: id,
                index: result,
            }),
            OutMask::Kept => match built.reads_mask {
                Some(mask) => Some(mask),
                // The mask of its first input, as in Keras: `tree.flatten(mask)[0]`.
                None if whole && self.runs_over_time(id) => self.layers[id].mask,
                None => self.mask_of(inputs),
            },
        };
        let before = inputs.first().map_or(&[][..], |i| &i.before);
        let one = |index: usize, mask: Option<Port>| Incoming {
            before: [
                before,
                &[Before {
                    shape: built.shapes.get(index).cloned(),
                    ..made.clone()
                }],
            ]
            .concat(),
            port: whole.then_some(Port { layer: id, index }),
            mask,
        };
        let outputs = (0..built.outputs.max(1)).map(|i| one(i, mask)).collect();
        let mut states = Vec::new();
        if whole {
            let names: Vec<String> = match &self.layers[id].kind {
                LayerKind::Rnn(rnn) => rnn.states.iter().map(|s| s.0.clone()).collect(),
                LayerKind::Bidirectional {
                    forward, backward, ..
                } => {
                    let all = forward.states.iter().map(|s| format!("forward_{}", s.0));
                    all.chain(backward.states.iter().map(|s| format!("backward_{}", s.0)))
                        .collect()
                }
                _ => vec![],
            };
            let made = usize::from(matches!(built.mask, OutMask::Made { .. }));
            let ports = built.outputs..built.shapes.len() - made;
            states = ports
                .zip(names)
                .map(|(i, name)| (name, one(i, None)))
                .collect();
        }
        Results { outputs, states }
    }

    /// Whether a layer runs a cell from step to step.
    fn runs_over_time(&self, id: LayerId) -> bool {
        matches!(
            self.layers[id].kind,
            LayerKind::Rnn(_) | LayerKind::Bidirectional { .. }
        )
    }

    /// The mask of values that are merged: a step is valid if it is in any of them, and in all
    /// steps if one of them has no mask (`keras/src/layers/merging/base_merge.py`).
    fn mask_of(&mut self, inputs: &[Incoming]) -> Option<Port> {
        let masks: Vec<Port> = inputs.iter().map(|i| i.mask).collect::<Option<_>>()?;
        let mut masks = masks.into_iter();
        let mut all = masks.next()?;
        for mask in masks {
            if mask == all {
                continue;
            }
            const TEXT: &str = "cell AnyMask() { input a: [n]; input b: [m]; output max(a, b); }";
            let cell = layer::parse(TEXT, self.found)?;
            let shape = self.layers[all.layer].outputs[all.index].clone();
            self.layers.push(Layer {
                name: "any_mask".into(),
                text: "the mask of several values".into(),
                class: "AnyMask".into(),
                span: self.layers[all.layer].span,
                inputs: vec![all, mask],
                mask: None,
                initial: vec![],
                kind: LayerKind::Pointwise {
                    cell: UsedCell {
                        cell: CellUse {
                            cell,
                            arguments: vec![],
                        },
                        prefix: None,
                        options: ParamOptions::default(),
                    },
                },
                outputs: vec![shape],
                mask_rule: None,
                activity: None,
                shared: None,
                hidden: true,
            });
            all = Port {
                layer: self.layers.len() - 1,
                index: 0,
            };
        }
        Some(all)
    }

    /// Sizes that are `const`s have to be above 0, which only rustc can tell.
    fn positive(&mut self, given: &LayerArguments<'_>, kind: &LayerKind) {
        let own = given
            .values
            .iter()
            .map(|(name, value, span)| (*name, value, *span));
        // The arguments of cells and layers inside are not the layer's own.
        let inside: Vec<&UsedCell> = match kind {
            _ if given.raw.is_empty() => vec![],
            LayerKind::Rnn(rnn) if given.raw("cell").is_some() => rnn.cells.iter().collect(),
            LayerKind::Bidirectional {
                forward, backward, ..
            } => match given.raw("backward_layer") {
                None => forward.cells.iter().collect(),
                Some(_) => forward.cells.iter().chain(&backward.cells).collect(),
            },
            LayerKind::Pointwise { cell } if given.raw("layer").is_some() => vec![cell],
            _ => vec![],
        };
        let of_cell = inside
            .iter()
            .flat_map(|c| &c.cell.arguments)
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
        if let Some(values) = self.scope.get(&name) {
            // A statement that could not be read has been reported.
            if values.iter().all(|v| v.port.is_some()) {
                let words = format!("`{name}` is a value; a layer stands after `->`");
                let d = Diagnostic::new("RNN0101", span, words);
                self.mistake(d.help(format!(
                    "write a layer that is used several times as `layer {name} = Dense(64);`"
                )));
            }
            self.complete = false;
            return;
        }
        let near = did_you_mean(&name, known()).filter(|near| *near == name.to_uppercase());
        if let (Some(here), None) = (syntax::layer_here(ast, &layers::classes()), near) {
            return self.mistake(layer::foreign(span, here));
        }
        let d = Diagnostic::new("RNN0101", span, format!("there is no layer `{name}`"));
        let is_cell = |l: &&LayerDef| l.is_cell(&name) || l.stack == Some(&name);
        let cell = LAYERS.iter().any(is_cell);
        // A name with a small letter is that of a `layer` statement.
        let small = name.starts_with(char::is_lowercase);
        let shared = || self.shared.keys().map(String::as_str);
        let d = match did_you_mean(&name, known()) {
            _ if small && did_you_mean(&name, shared()).is_some() => {
                let meant = did_you_mean(&name, shared()).unwrap_or_default();
                d.help(format!("did you mean `{meant}`?"))
            }
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

/// The message for a wrapper without a layer that stands after the layer that it was meant for.
fn around_nothing(def: &LayerDef, ast: &LayerAst, inputs: &[Incoming]) -> Option<Diagnostic> {
    let inside = def.inside();
    let bare = inside.any() && ast.arguments.is_empty();
    let Origin::Layer(before, layer) = &inputs.first()?.before.last()?.origin else {
        return None;
    };
    if !bare || !before.takes("return_sequences") {
        return None;
    }
    let whole = ast.clone().and(ArgumentAst::of(layer.as_value()));
    let words = format!("{} stands around a layer, not after it", def.class);
    let d = Diagnostic::new("RNN0122", ast.name.span(), words);
    Some(d.help(format!("write `{whole}` in place of both")))
}

/// The result of a layer that could not be checked.
fn nothing(before: Option<&Incoming>, text: &str) -> Results {
    let before = before.map_or(&[][..], |i| &i.before);
    let unknown = Before {
        text: text.to_owned(),
        origin: Origin::Unknown,
        shape: None,
    };
    Results {
        outputs: vec![Incoming {
            before: [before, &[unknown]].concat(),
            port: None,
            mask: None,
        }],
        states: vec![],
    }
}
