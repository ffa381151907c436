//! What a layer is told about its surroundings, what it answers, and why a shape is as it is.

use crate::{
    cell::size::Size,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{LayerKind, Shape, Time},
    syntax::GivenCell,
};

use super::{LayerDef, arguments::Given};

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

/// What a layer is told.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The layers before, the input first.
    pub before: &'a [Before],
    /// The class of the layer behind.
    pub next: Option<&'a str>,
    /// All layers: `RNN(…)` looks up their cells.
    pub layers: &'static [&'static LayerDef],
    /// The cells that were fetched.
    pub cells: &'a [GivenCell],
}

/// What a layer answers. After a mistake the shape is the best guess, so that the layers behind are
/// checked too.
#[derive(Debug)]
pub struct Built {
    /// What it does; `None` after a mistake.
    pub kind: Option<LayerKind>,
    /// The shape behind it, if it can be told.
    pub shape: Option<Shape>,
}

impl Built {
    /// A layer without mistakes.
    pub fn new(kind: LayerKind, shape: Shape) -> Self {
        Built {
            kind: Some(kind),
            shape: Some(shape),
        }
    }

    /// A layer with a mistake that has been reported.
    pub fn failed(shape: Option<Shape>) -> Self {
        Built { kind: None, shape }
    }
}

impl Context<'_> {
    /// The shape before the layer, if it is known.
    pub fn input(&self) -> Option<&Shape> {
        self.before.last().and_then(|b| b.shape.as_ref())
    }

    /// The shape before the layer if it is floats; ids are reported.
    pub fn floats(&self, given: &Given<'_>, found: &mut Diagnostics) -> Option<&Shape> {
        let shape = self.input()?;
        if !shape.ids {
            return Some(shape);
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
                self.before.last().map_or("", |b| b.text.as_str())
            ))
            .help(format!(
                "write Input(_, 28) for 28 features a step, or Embedding(1000, 64) before {}",
                given.text
            )),
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
        let culprit = match self.before.iter().rposition(|b| has_time(&b)) {
            Some(last) => self.before.get(last + 1),
            None => self.before.first(),
        };
        let Some(culprit) = culprit else { return d };
        let before = &culprit.text;
        match culprit.class.as_str() {
            "Input" => {
                let features = culprit
                    .shape
                    .as_ref()
                    .map(|s| s.features.to_string())
                    .unwrap_or_default();
                d.note(format!("{before} is one vector of {features} features, with no time axis"))
                    .help(format!("write Input(_, {features}) for sequences of any length, or Input(10, {features}) for 10 steps"))
            }
            "Flatten" => d
                .note(format!(
                    "{before} before it joins all steps into one vector"
                ))
                .help(format!("remove Flatten, or move it behind {text}")),
            _ => d
                .note(format!("{before} before it returns only its last output"))
                .help(format!("write {}", with_flag(before, "return_sequences"))),
        }
    }
}

/// `LSTM(128)` with one more argument.
fn with_flag(text: &str, flag: &str) -> String {
    match text.strip_suffix(')') {
        Some(open) => format!("{open}, {flag})"),
        None => format!("{text}({flag})"),
    }
}

/// A guess for the shape behind a layer with a mistake: the time axis of its input, or an open one.
pub(super) fn guess(input: Option<&Shape>, features: Option<&Size>) -> Option<Shape> {
    let features = features?.clone();
    let time = input.map_or(Time::Any, |s| s.time.clone());
    Some(Shape {
        ids: false,
        time,
        features,
    })
}
