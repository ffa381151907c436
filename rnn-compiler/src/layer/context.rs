//! What a layer's `build` is given about its surroundings and what it returns; the help that explains
//! a shape by the layers before.

use std::collections::BTreeMap;

use rnn_tables::MaskRule;

use crate::{
    cell::{single, size::Size},
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    help,
    ir::{Content, LayerKind, Port, Regularizer, Shape, Time},
    syntax::{ArgumentAst, BodyAst, FetchedCell, LayerAst, ValueAst, ValueKind},
};

use super::{LayerDef, arguments::LayerArguments};

/// What made a value.
#[derive(Clone, Debug)]
pub enum Origin {
    /// An input of a chain.
    Input,
    /// An input of a graph, with its name.
    Named(String),
    /// This wrapper of the layer that is checked, which passes it one step at a time.
    Step(&'static LayerDef),
    /// A layer as it was written.
    Layer(&'static LayerDef, LayerAst),
    /// Something with a mistake that has been reported.
    Unknown,
}

/// A layer before the one that is checked.
#[derive(Clone, Debug)]
pub struct Before {
    /// As written: `LSTM(128)`.
    pub text: String,
    /// What it is.
    pub origin: Origin,
    /// The shape of its output; `None` after a mistake that leaves nothing to guess from.
    pub shape: Option<Shape>,
}

/// A value that a layer reads.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// The layers that it went through, its input first.
    pub before: Vec<Before>,
    /// Which result of which layer it is; `None` after a mistake.
    pub port: Option<Port>,
    /// The mask that says which of its steps are valid.
    pub mask: Option<Port>,
}

impl Before {
    /// The name of an input of a graph.
    pub fn input_name(&self) -> Option<&str> {
        match &self.origin {
            Origin::Named(name) => Some(name),
            _ => None,
        }
    }

    /// The layer with the flag that keeps the steps, if it has one.
    pub(super) fn with_sequences(&self) -> Option<LayerAst> {
        let Origin::Layer(def, layer) = &self.origin else {
            return None;
        };
        let flag = def.drops_time?.unless?;
        Some(def.inside().with(layer.clone(), &ArgumentAst::flag(flag)))
    }

    /// The layer with the flag that returns its states, if it has one and it is not set.
    pub fn with_states(&self) -> Option<LayerAst> {
        let Origin::Layer(def, layer) = &self.origin else {
            return None;
        };
        let states = def.takes("return_state") || def.inside().any();
        let set = def.inside().sets(layer, "return_state");
        (states && !set && def.drops_time.is_some_and(|d| d.unless.is_some())).then(|| {
            def.inside()
                .with(layer.clone(), &ArgumentAst::flag("return_state"))
        })
    }

    /// The layer without the flag that returns its states.
    pub fn without_states(&self) -> String {
        match &self.origin {
            Origin::Layer(def, layer) => def.inside().without_states(layer.clone()).to_string(),
            _ => self.text.clone(),
        }
    }

    /// The layer without the flag that keeps the steps, if it was told to keep them.
    pub fn without_sequences(&self) -> Option<LayerAst> {
        let Origin::Layer(def, layer) = &self.origin else {
            return None;
        };
        let flag = def.drops_time?.unless.filter(|_| self.keeps_sequences())?;
        Some(def.inside().without(layer.clone(), flag))
    }

    /// Whether it was told to keep the steps.
    pub(super) fn keeps_sequences(&self) -> bool {
        let Origin::Layer(def, layer) = &self.origin else {
            return false;
        };
        let flag = def.drops_time.and_then(|d| d.unless);
        flag.is_some_and(|flag| def.inside().sets(layer, flag))
    }
}

impl Incoming {
    /// Its shape, if it is known.
    pub fn shape(&self) -> Option<&Shape> {
        self.before.last()?.shape.as_ref()
    }
}

/// The values of a graph, by name. A name can stand for several: all states of a layer.
pub type Scope = BTreeMap<String, Vec<Incoming>>;

/// What a layer's `build` is given.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What it reads.
    pub inputs: &'a [Incoming],
    /// The layer after it, if there is one.
    pub next: Option<&'static LayerDef>,
    /// All layers: `RNN(…)` looks up their cells, `Bidirectional(…)` its layer.
    pub layers: &'static [&'static LayerDef],
    /// The cells that were fetched.
    pub cells: &'a [FetchedCell],
    /// The names that arguments can use: `initial_state = state`.
    pub scope: &'a Scope,
}

/// What a layer does with the mask of its input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutMask {
    /// The output has no mask.
    Lost,
    /// The output has the same mask.
    Kept,
    /// The layer makes a new one.
    Made {
        /// Which of the layer's results it is.
        result: usize,
        /// Which steps of the input it calls valid.
        rule: MaskRule,
    },
}

/// What a layer's `build` returns. After a mistake the shapes are the best guess, so that the layers
/// after it are checked, too.
#[derive(Debug)]
pub struct Built {
    /// What it does; `None` after a mistake.
    pub kind: Option<LayerKind>,
    /// The shapes of its results; empty if they cannot be guessed.
    pub shapes: Vec<Shape>,
    /// How many of them are outputs; the rest are states and masks.
    pub outputs: usize,
    /// What it does with the mask.
    pub mask: OutMask,
    /// The mask that it reads, if that is not the mask of its first input.
    pub reads_mask: Option<Port>,
    /// What it reads besides its inputs: the masks of its inputs.
    pub also_reads: Vec<Port>,
    /// States before the first step.
    pub initial: Vec<Port>,
    /// The penalty on the size of its output, beyond that of its own arguments.
    pub activity: Option<Regularizer>,
}

impl Built {
    /// A layer without mistakes that keeps masks.
    pub fn new(kind: LayerKind, shape: Shape) -> Self {
        Built {
            kind: Some(kind),
            shapes: vec![shape],
            outputs: 1,
            mask: OutMask::Kept,
            reads_mask: None,
            also_reads: Vec::new(),
            initial: Vec::new(),
            activity: None,
        }
    }

    /// A layer with a mistake that has been reported.
    pub fn failed(shape: Option<Shape>) -> Self {
        Built {
            kind: None,
            outputs: shape.iter().len(),
            shapes: shape.into_iter().collect(),
            mask: OutMask::Lost,
            reads_mask: None,
            also_reads: Vec::new(),
            initial: Vec::new(),
            activity: None,
        }
    }

    /// Takes the mask from the output.
    pub fn without_mask(mut self) -> Self {
        self.mask = OutMask::Lost;
        self
    }
}

impl Context<'_> {
    /// The layer of that class.
    pub(super) fn layer(&self, class: &str) -> Option<&'static LayerDef> {
        self.layers.iter().copied().find(|l| l.class == class)
    }

    /// The layer that this cell belongs to.
    pub(super) fn layer_of_cell(&self, class: &str) -> Option<&'static LayerDef> {
        self.layers.iter().copied().find(|l| l.is_cell(class))
    }

    /// The shape before the layer, if it is known.
    pub fn input(&self) -> Option<&Shape> {
        self.inputs.first()?.shape()
    }

    /// The layers before it, the input first.
    pub fn before(&self) -> &[Before] {
        self.inputs.first().map_or(&[], |i| &i.before)
    }

    /// The values that an argument names: `initial_state = state`, `initial_state = [h, c]`.
    pub fn named(
        &self,
        given: &LayerArguments<'_>,
        argument: &str,
        found: &mut Diagnostics,
    ) -> Option<Vec<(Incoming, String)>> {
        // Keras nests the states of several cells: `[[h1, c1], [h2]]`.
        fn flat<'v>(value: &'v ValueAst, all: &mut Vec<&'v ValueAst>) {
            match &value.kind {
                ValueKind::List(list) => list.iter().for_each(|v| flat(v, all)),
                _ => all.push(value),
            }
        }
        let mut list = Vec::new();
        flat(given.raw(argument)?, &mut list);
        let mut all = Vec::new();
        for v in list {
            let name = match &v.kind {
                ValueKind::Path(path) => single(path),
                _ => None,
            };
            match name.as_ref().and_then(|n| self.scope.get(n)) {
                Some(values) => all.extend(
                    values
                        .iter()
                        .map(|i| (i.clone(), name.clone().unwrap_or_default())),
                ),
                None => {
                    let d = Diagnostic::new(
                        "RNN0150",
                        v.span,
                        format!(
                            "`{argument}` of {} needs the name of a value, found `{v}`",
                            given.text
                        ),
                    );
                    found.push(if self.scope.is_empty() {
                        let d = d.note("only a model with named values has such");
                        d.help(format!("write a graph: `{}`", graph_with(given, argument)))
                    } else {
                        let known = || self.scope.keys().map(String::as_str);
                        match name.and_then(|n| did_you_mean(&n, known()).map(str::to_owned)) {
                            Some(meant) => d.help(format!("did you mean `{meant}`?")),
                            None => d.help(format!(
                                "there are {}",
                                known().collect::<Vec<_>>().join(", ")
                            )),
                        }
                    });
                    return None;
                }
            }
        }
        Some(all)
    }

    /// The shape before the layer if it consists of floats; ids are reported.
    pub fn floats(&self, given: &LayerArguments<'_>, found: &mut Diagnostics) -> Option<&Shape> {
        let shape = self.input()?;
        if shape.content == Content::Numbers {
            return Some(shape);
        }
        if shape.content == Content::Mask {
            found.push(
                Diagnostic::new(
                    "RNN0106",
                    given.span,
                    format!(
                        "{} needs numbers [batch, …, features], found a mask {shape}",
                        given.text
                    ),
                )
                .help("a mask is an argument: `x -> LSTM(64, mask = m)`"),
            );
            return None;
        }
        found.push(
            Diagnostic::new(
                "RNN0106",
                given.span,
                format!(
                    "{} needs numbers [batch, …, features], found class ids {shape}",
                    given.text
                ),
            )
            .note(format!(
                "{} has a length and no features",
                self.before().last().map_or("", |b| b.text.as_str())
            ))
            .help(match self.before().last().and_then(Before::input_name) {
                Some(name) => format!(
                    "write `input {name}: [_, 28];` for 28 features a step, or Embedding(1000, 64) before {}",
                    given.text
                ),
                None => format!(
                    "write Input(_, 28) for 28 features a step, or Embedding(1000, 64) before {}",
                    given.text
                ),
            }),
        );
        None
    }

    /// The shape before the layer if it is a sequence; anything else is reported.
    pub fn sequence(&self, given: &LayerArguments<'_>, found: &mut Diagnostics) -> Option<&Shape> {
        let shape = self.floats(given, found)?;
        if shape.time != Time::None {
            return Some(shape);
        }
        let d = Diagnostic::new(
            "RNN0107",
            given.span,
            format!(
                "{} needs a sequence [batch, time, features], found {shape}",
                given.text
            ),
        );
        found.push(self.explain_no_time(d, given.text));
        None
    }

    /// Says which layer removed the time axis, and what to write instead.
    fn explain_no_time(&self, d: Diagnostic, text: &str) -> Diagnostic {
        let has_time = |b: &&Before| b.shape.as_ref().is_none_or(|s| s.time != Time::None);
        // The layer right after the last value that had a time axis.
        let step = self.before().last();
        let step = step.filter(|b| matches!(b.origin, Origin::Step(_)));
        let culprit = step.or(match self.before().iter().rposition(|b| has_time(&b)) {
            Some(last) => self.before().get(last + 1),
            None => self.before().first(),
        });
        let Some(culprit) = culprit else { return d };
        let before = &culprit.text;
        let features = culprit.shape.as_ref().map(|s| s.width().to_string());
        let features = features.unwrap_or_default();
        let no_time = format!("{before} is one vector of {features} features, with no time axis");
        match &culprit.origin {
            Origin::Step(LayerDef { class, .. }) => {
                let d = d.note(format!("{class} gives its layer one step, which has no time axis"));
                match &culprit.shape {
                    Some(step) if step.axes.len() > 1 => d.help(format!(
                        "put the numbers of a step side by side: `{class}(Flatten) -> {text}`; sequences inside of steps are not supported"
                    )),
                    _ => d.help(format!("write {text} without {class}")),
                }
            }
            Origin::Named(name) => d.note(no_time).help(format!("write `input {name}: [_, {features}];` for sequences of any length, or `input {name}: [10, {features}];` for 10 steps")),
            Origin::Input => d.note(no_time).help(format!("write Input(_, {features}) for sequences of any length, or Input(10, {features}) for 10 steps")),
            Origin::Layer(def, _) => {
                let does = def.drops_time.map_or("gives one vector", |drops| drops.does);
                d.note(format!("{before} before it {does}"))
                    .help(match culprit.with_sequences() {
                        Some(layer) => format!("write {layer}"),
                        None => format!("remove {}, or move it after {text}", def.class),
                    })
            }
            Origin::Unknown => d,
        }
    }
}

/// The model as a graph, which has a value that `argument` can name.
fn graph_with(given: &LayerArguments<'_>, argument: &str) -> BodyAst {
    let name = match given.raw(argument).map(|v| &v.kind) {
        Some(ValueKind::Path(path)) => single(path),
        _ => None,
    };
    let layer = given.written.clone();
    if argument == "mask" {
        return help::with_mask(layer, name);
    }
    let outputs: &[&str] = match given.choice("merge_mode") {
        Some("none") => &["forward", "backward"],
        _ => &["y"],
    };
    help::with_initial_state(layer, &given.def.inside(), outputs, name)
}

/// The layer that made a vector from a sequence, if it has a flag that keeps the steps and `value` is
/// its output rather than a state.
pub(super) fn last_output(value: &Incoming) -> Option<&Before> {
    let last = value.before.iter().rposition(|b| {
        let shape = b.shape.as_ref();
        shape.is_some_and(|s| s.time != Time::None)
    })?;
    let layer = value.before.get(last + 1)?;
    let state = last + 2 == value.before.len() && value.port.is_some_and(|p| p.index > 0);
    let flag = match &layer.origin {
        Origin::Layer(def, _) => def.drops_time.and_then(|d| d.unless),
        _ => None,
    };
    flag.filter(|_| !state).map(|_| layer)
}

/// A guess for the shape after a layer with a mistake: the time axis of its input, or an open one.
pub(super) fn guess(input: Option<&Shape>, features: Option<&Size>) -> Option<Shape> {
    let time = input.map_or_else(Time::unknown, |s| s.time.clone());
    Some(Shape::vector(time, features?.clone()))
}
