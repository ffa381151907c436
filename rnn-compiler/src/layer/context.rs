//! What a layer is told about its surroundings, what it answers, and why a shape is as it is.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use crate::{
    cell::size::Size,
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    ir::{Content, LayerKind, Port, Regularizer, Shape, Time},
    syntax::{ArgumentAst, Body, GivenCell, LayerAst, ModelAst, ValueAst, ValueKind},
};

use super::{LayerDef, arguments::Given};

/// What stands before a layer inside `TimeDistributed`: one step.
pub(crate) const STEP: &str = "a step";

/// A layer before the one that is checked.
#[derive(Clone, Debug)]
pub struct Before {
    /// As written: `LSTM(128)`.
    pub text: String,
    /// `LSTM`
    pub class: String,
    /// Its output; unknown after a mistake that leaves nothing to guess from.
    pub shape: Option<Shape>,
}

/// A value that a layer reads.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// The layers that it went through, its input first.
    pub before: Vec<Before>,
    /// Which result of which layer it is; `None` after a mistake.
    pub port: Option<Port>,
    /// Which steps of it are real.
    pub mask: Option<Port>,
}

impl Incoming {
    /// Its shape, if it is known.
    pub fn shape(&self) -> Option<&Shape> {
        self.before.last()?.shape.as_ref()
    }
}

/// The values of a graph, by name. A name can stand for several: all states of a layer.
pub type Scope = BTreeMap<String, Vec<Incoming>>;

/// What a layer is told.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What it reads.
    pub inputs: &'a [Incoming],
    /// The class of the layer behind.
    pub next: Option<&'a str>,
    /// All layers: `RNN(…)` looks up their cells, `Bidirectional(…)` its layer.
    pub layers: &'static [&'static LayerDef],
    /// The cells that were fetched.
    pub cells: &'a [GivenCell],
    /// The names that arguments can use: `initial_state = state`.
    pub scope: &'a Scope,
}

/// What becomes of the mask of what a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutMask {
    /// It is not known behind the layer.
    Lost,
    /// It holds behind the layer, too.
    Kept,
    /// The layer makes a new one: this result.
    Made(usize),
}

/// What a layer answers. After a mistake the shapes are the best guess, so that the layers behind
/// are checked too.
#[derive(Debug)]
pub struct Built {
    /// What it does; `None` after a mistake.
    pub kind: Option<LayerKind>,
    /// The shapes of its results; empty if none can be told.
    pub shapes: Vec<Shape>,
    /// How many of them are outputs; the rest are states and masks.
    pub outputs: usize,
    /// What becomes of the mask.
    pub mask: OutMask,
    /// Which steps of its input are real, where that is not what its first input brings.
    pub reads_mask: Option<Port>,
    /// What it reads besides its inputs: their masks.
    pub also_reads: Vec<Port>,
    /// States before the first step.
    pub initial: Vec<Port>,
    /// What the size of its output costs, beyond what its own arguments say.
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

    /// Behind it nothing is known of a mask.
    pub fn without_mask(mut self) -> Self {
        self.mask = OutMask::Lost;
        self
    }
}

impl Context<'_> {
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
        given: &Given<'_>,
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
                ValueKind::Path(path) => crate::cell::single(path),
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
                        d.help(graph_with(given, argument))
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

    /// The shape before the layer if it is floats; ids are reported.
    pub fn floats(&self, given: &Given<'_>, found: &mut Diagnostics) -> Option<&Shape> {
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
            .help(match self.before().last().and_then(|b| b.text.strip_prefix("input ")) {
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
    pub fn sequence(&self, given: &Given<'_>, found: &mut Diagnostics) -> Option<&Shape> {
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
        // The first layer behind the last one that still had a time axis.
        let step = self.before().last().filter(|b| b.class == STEP);
        let culprit = step.or(match self.before().iter().rposition(|b| has_time(&b)) {
            Some(last) => self.before().get(last + 1),
            None => self.before().first(),
        });
        let Some(culprit) = culprit else { return d };
        let before = &culprit.text;
        match culprit.class.as_str() {
            STEP => {
                let d = d.note("TimeDistributed gives its layer one step, which has no time axis");
                match &culprit.shape {
                    Some(step) if step.axes.len() > 1 => d.help(format!(
                        "put the numbers of a step side by side: `TimeDistributed(Flatten) -> {text}`; sequences inside of steps are not supported"
                    )),
                    _ => d.help(format!("write {text} without TimeDistributed")),
                }
            }
            "Input" => {
                let features = culprit
                    .shape
                    .as_ref()
                    .map(|s| s.width().to_string())
                    .unwrap_or_default();
                let d = d.note(format!(
                    "{before} is one vector of {features} features, with no time axis"
                ));
                match before.strip_prefix("input ") {
                    Some(name) => d.help(format!("write `input {name}: [_, {features}];` for sequences of any length, or `input {name}: [10, {features}];` for 10 steps")),
                    None => d.help(format!("write Input(_, {features}) for sequences of any length, or Input(10, {features}) for 10 steps")),
                }
            }
            "Flatten" => d
                .note(format!(
                    "{before} before it joins all steps into one vector"
                ))
                .help(format!("remove Flatten, or move it behind {text}")),
            class => d
                .note(format!("{before} before it returns only its last output"))
                .help(format!("write {}", with_sequences(before, class))),
        }
    }
}

/// The model as a graph, in which there is something that `argument` can name.
fn graph_with(given: &Given<'_>, argument: &str) -> String {
    // The names that the graph gives itself.
    const OWN: &[&str] = &["x", "y", "forward", "backward"];
    let name = match given.raw(argument).map(|v| &v.kind) {
        Some(ValueKind::Path(path)) => crate::cell::single(path),
        _ => None,
    };
    let name = name.filter(|n| !OWN.contains(&n.as_str()));
    let mut bare = as_written(given);
    bare.arguments.retain(|a| !sets(a, argument));
    if argument == "mask" {
        let m = name.unwrap_or("m".to_owned());
        let layer = with_flag(&bare.to_string(), &format!("mask = {m}"));
        return format!(
            "write a graph: `input x: [time, 8]; input {m}: mask[time]; output y = x -> {layer};`"
        );
    }
    let state = name.unwrap_or("state".to_owned());
    let layer = with_flag(&bare.to_string(), &format!("initial_state = {state}"));
    let outputs: &[&str] = match given.choice("merge_mode") {
        Some("none") => &["forward", "backward"],
        _ => &["y"],
    };
    let skipped = "_, ".repeat(outputs.len());
    let last = match (outputs, returns_state(&bare)) {
        (&[y], false) => format!("output {y} = x -> {layer};"),
        (names, states) => {
            let targets = names.join(", ") + if states { ", _" } else { "" };
            let outputs = names.iter().map(|n| format!(" output {n} = {n};"));
            format!("let ({targets}) = x -> {layer};") + &outputs.collect::<String>()
        }
    };
    let before = with_states(bare);
    format!("write a graph: `input x: [_, 8]; let ({skipped}{state}) = x -> {before}; {last}`")
}

/// The layer again, to write it with other arguments.
fn as_written(given: &Given<'_>) -> LayerAst {
    let tokens = given.text.parse().unwrap_or_default();
    match ModelAst::parse(tokens, &mut Diagnostics::new()).body {
        Body::Chain(layers) => layers.into_iter().flatten().next(),
        Body::Graph(_) => None,
    }
    .unwrap_or(LayerAst {
        name: Ident::new(given.class, given.span),
        arguments: Vec::new(),
    })
}

/// Whether this is the argument `name`, also as a bare flag.
fn sets(argument: &ArgumentAst, name: &str) -> bool {
    match (&argument.name, &argument.value.kind) {
        (Some(own), _) => own == name,
        (None, ValueKind::Path(path)) => path.is_ident(name),
        _ => false,
    }
}

/// The layers that an argument of `Bidirectional` is, which say what is returned.
fn direction(place: usize, argument: &ArgumentAst) -> Option<LayerAst> {
    let is = match &argument.name {
        None => place == 0,
        Some(name) => name == "layer" || name == "backward_layer",
    };
    argument.value.as_layer().filter(|_| is)
}

/// Whether the states are results of a layer.
fn returns_state(layer: &LayerAst) -> bool {
    let of = |layer: &LayerAst| {
        let mut arguments = layer.arguments.iter();
        arguments
            .any(|a| sets(a, "return_state") && !matches!(a.value.kind, ValueKind::Flag(false)))
    };
    if layer.name != "Bidirectional" {
        return of(layer);
    }
    let inside = layer.arguments.iter().enumerate();
    inside.filter_map(|(i, a)| direction(i, a)).any(|l| of(&l))
}

/// The layer with `return_state`, once. The states of both directions come from the layers inside.
fn with_states(mut layer: LayerAst) -> String {
    // Two layers have two names.
    layer.arguments.retain(|a| !sets(a, "name"));
    if layer.name != "Bidirectional" {
        layer.arguments.retain(|a| !sets(a, "return_state"));
        return with_flag(&layer.to_string(), "return_state");
    }
    let written = layer.arguments.iter().enumerate().map(|(i, a)| {
        let Some(inside) = direction(i, a) else {
            return a.to_string();
        };
        let name = a.name.as_ref().map(|n| format!("{n} = "));
        name.unwrap_or_default() + &with_states(inside)
    });
    let arguments: Vec<String> = written.collect();
    format!("{}({})", layer.name, arguments.join(", "))
}

/// `LSTM(128)` with one more argument.
fn with_flag(text: &str, flag: &str) -> String {
    match text.strip_suffix(')') {
        Some(open) => format!("{open}, {flag})"),
        None => format!("{text}({flag})"),
    }
}

/// A recurrent layer as written, with `return_sequences`, which belongs to the layers inside of
/// `Bidirectional`.
pub(super) fn with_sequences(text: &str, class: &str) -> String {
    const FLAG: &str = "return_sequences";
    if class == "Bidirectional" {
        return moved_inside(text, FLAG);
    }
    with_only(text, FLAG)
}

/// `Bidirectional(LSTM(4), return_sequences)` with the flag in each layer inside:
/// `Bidirectional(LSTM(4, return_sequences))`.
pub(super) fn moved_inside(text: &str, flag: &str) -> String {
    let Some((name, all)) = arguments_of(text) else {
        return text.to_owned();
    };
    let own = |a: &&str| *a == flag || a.starts_with(&format!("{flag} = "));
    let inside = |(i, a): (usize, &str)| {
        let named = ["layer = ", "backward_layer = "];
        let named = named.iter().find_map(|n| Some((*n, a.strip_prefix(n)?)));
        // Only the first has a place, and classes start with a capital.
        let first = i == 0 && a.starts_with(char::is_uppercase);
        match named.or(first.then_some(("", a))) {
            Some((name, layer)) => format!("{name}{}", with_only(layer, flag)),
            None => a.to_owned(),
        }
    };
    let all = all.into_iter().filter(|a| !own(a)).enumerate().map(inside);
    format!("{name}({})", all.collect::<Vec<_>>().join(", "))
}

/// A layer as written with a flag, which it may have as `return_sequences = false`.
fn with_only(layer: &str, flag: &str) -> String {
    let Some((name, all)) = arguments_of(layer) else {
        return format!("{layer}({flag})");
    };
    // A slip of the pen for it goes, too.
    let others = all.into_iter().filter(|a| {
        let name = a.split(" = ").next().unwrap_or_default();
        match flag.split_once(" = ") {
            Some((own, _)) => name != own,
            None => did_you_mean(name, [flag]).is_none(),
        }
    });
    let all: Vec<&str> = others.chain([flag]).collect();
    format!("{name}({})", all.join(", "))
}

/// `LSTM` and `4`, `return_state` of `LSTM(4, return_state)`.
fn arguments_of(text: &str) -> Option<(&str, Vec<&str>)> {
    let (name, inside) = text.strip_suffix(')')?.split_once('(')?;
    let (mut all, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0usize, false);
    for (i, c) in inside.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                all.push(inside[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    all.push(inside[start..].trim());
    all.retain(|a| !a.is_empty());
    Some((name, all))
}

/// The layer that made a vector of a sequence, and its class, if it is a recurrent one and this is
/// its output, not a state.
pub(super) fn last_output(value: &Incoming) -> Option<&Before> {
    const RECURRENT: [&str; 5] = ["LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"];
    let last = value.before.iter().rposition(|b| {
        let shape = b.shape.as_ref();
        shape.is_some_and(|s| s.time != Time::None)
    })?;
    let layer = value.before.get(last + 1)?;
    let state = last + 2 == value.before.len() && value.port.is_some_and(|p| p.index > 0);
    (RECURRENT.contains(&layer.class.as_str()) && !state).then_some(layer)
}

/// A guess for the shape behind a layer with a mistake: the time axis of its input, or an open one.
pub(super) fn guess(input: Option<&Shape>, features: Option<&Size>) -> Option<Shape> {
    let time = input.map_or_else(Time::unknown, |s| s.time.clone());
    Some(Shape::vector(time, features?.clone()))
}
