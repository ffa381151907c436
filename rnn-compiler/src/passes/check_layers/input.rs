//! Inputs of a model: `input x: [_, 28];`, `input s: ids;`, `Input(_, { a: 2, b: 1 })`.

use proc_macro2::Span;
use quote::quote;

use super::{Checker, Results};
use rnn_tables::MaskRule;

use crate::{
    cell::{MAX_SIZE, is_const, single, size::Size},
    diagnostics::Diagnostic,
    ir::{Assertion, Content, Layer, LayerKind, Shape, Time},
    layer::{Before, Incoming, Origin},
    layers,
    syntax::{BodyAst, InputKind, LayerAst, ValueAst, ValueKind},
};

/// A chain's `Input` with a structure or with more than one axis of features, as a statement.
pub(super) fn of_chain(layer: &LayerAst) -> Option<InputKind> {
    let values: Vec<ValueAst> = layer.arguments.iter().map(|a| a.value.clone()).collect();
    let structure = values
        .iter()
        .any(|v| matches!(v.kind, ValueKind::Struct(_)));
    let unnamed = layer.arguments.iter().all(|a| a.name.is_none());
    (unnamed && (structure || values.len() > 2)).then_some(InputKind::Floats(values))
}

/// Most axes of an input, time and batch aside: as many as there are arrays for.
const MAX_AXES: usize = 3;
/// Most inputs or outputs of a model: as many as there are tuples for.
pub(super) const MAX_VALUES: usize = 16;

/// Whether this is a length in time that is open: `_`, `time`.
fn open(value: &ValueAst) -> bool {
    match &value.kind {
        ValueKind::Open => true,
        ValueKind::Path(path) => !is_const(path) && single(path).is_some(),
        _ => false,
    }
}

impl Checker<'_> {
    /// An input; for a structure, its values one after another.
    pub(super) fn input(&mut self, name: &str, kind: &InputKind, span: Span) -> Results {
        match kind {
            InputKind::Ids(steps) => match self.steps(name, steps.as_ref()) {
                Some(time) => {
                    self.add_input(name, &format!("input {name}"), Shape::ids(time), span)
                }
                None => self.unknown_input(name),
            },
            InputKind::Mask(steps) => match self.steps(name, steps.as_ref()) {
                Some(time) => {
                    self.add_input(name, &format!("input {name}"), Shape::mask(time), span)
                }
                None => self.unknown_input(name),
            },
            InputKind::Floats(values) => self.floats(name, values, span),
        }
    }

    fn unknown_input(&mut self, name: &str) -> Results {
        self.complete = false;
        super::nothing(None, &format!("input {name}"))
    }

    fn floats(&mut self, name: &str, values: &[ValueAst], span: Span) -> Results {
        let (last, rest) = match values.split_last() {
            Some(split) => split,
            None => {
                self.mistake(
                    Diagnostic::new("RNN0172", span, format!("input `{name}` has no axes")).help(
                        format!("write `input {name}: [_, 28];` for sequences of 28 features"),
                    ),
                );
                return self.unknown_input(name);
            }
        };
        let time = match rest {
            [] => Some(Time::None),
            [first, ..] => self.steps(name, Some(first)),
        };
        let axes: Option<Vec<Size>> = rest.iter().skip(1).map(|v| self.size(name, v)).collect();
        let (Some(time), Some(axes)) = (time, axes) else {
            return self.unknown_input(name);
        };
        let ValueKind::Struct(fields) = &last.kind else {
            // `[time]`, most often a mask.
            if rest.is_empty() && open(last) && matches!(self.model.body, BodyAst::Graph(_)) {
                self.only_time(name, last);
                return self.unknown_input(name);
            }
            let Some(size) = self.size(name, last) else {
                return self.unknown_input(name);
            };
            let axes = [axes, vec![size]].concat();
            let shape = Shape {
                axes,
                ..Shape::vector(time, Size::known(1))
            };
            return self.add_input(name, &format!("input {name}"), shape, span);
        };
        // A nested structure: its parts are inputs of their own that the next layer reads together.
        let mut outputs = Vec::new();
        for (field, value) in fields {
            let list = match &value.kind {
                ValueKind::List(list) => list.iter().collect(),
                _ => vec![value],
            };
            let sizes: Option<Vec<Size>> = list.iter().map(|v| self.size(name, v)).collect();
            let Some(sizes) = sizes else {
                return self.unknown_input(name);
            };
            let part = match name {
                "input" => field.to_string(),
                name => format!("{name}_{field}"),
            };
            let shape = Shape {
                axes: [axes.clone(), sizes].concat(),
                ..Shape::vector(time.clone(), Size::known(1))
            };
            let one = self.add_input(&part, &format!("input {part}"), shape, field.span());
            outputs.extend(one.outputs);
        }
        Results {
            outputs,
            states: vec![],
        }
    }

    /// A length in time: open, a name, a number or a `const`.
    fn steps(&mut self, name: &str, value: Option<&ValueAst>) -> Option<Time> {
        let Some(value) = value else {
            return Some(Time::Any(self.open_axis(None)));
        };
        match &value.kind {
            ValueKind::Open => Some(Time::Any(self.open_axis(None))),
            ValueKind::Path(path) if open(value) => {
                let axis = single(path)?;
                let axis = match self.axis_names.get(&axis) {
                    Some(known) => known.clone(),
                    None => {
                        let new = self.open_axis(Some(axis.clone()));
                        self.axis_names.insert(axis, new.clone());
                        new
                    }
                };
                Some(Time::Any(axis))
            }
            _ => self.size(name, value).map(Time::Steps),
        }
    }

    /// `input m: [time];`: steps without features.
    fn only_time(&mut self, name: &str, time: &ValueAst) {
        let words = format!("input `{name}` has steps and no features, found `[{time}]`");
        let type_ =
            |p| single(p).is_some_and(|n| ["bool", "mask", "ids", "u32"].contains(&n.as_str()));
        let ids = match &time.kind {
            ValueKind::Path(p) if type_(p) => {
                let d = Diagnostic::new(
                    "RNN0172",
                    time.span,
                    format!("`{time}` is no axis of input `{name}`"),
                );
                return self.mistake(d.help(format!(
                    "write `input {name}: mask;` for booleans, `input {name}: ids;` for class ids"
                )));
            }
            ValueKind::Open => ("mask".to_owned(), "ids".to_owned()),
            _ => (format!("mask[{time}]"), format!("ids[{time}]")),
        };
        self.mistake(
            Diagnostic::new("RNN0172", time.span, words)
                .note("in brackets stand the numbers of a step: a mask and ids have none")
                .help(format!(
                    "for a mask write `input {name}: {};`, for ids `{}`, for one number a step `[{time}, 1]`",
                    ids.0, ids.1
                )),
        );
    }

    /// A size: a number from 1 or a `const`.
    fn size(&mut self, name: &str, value: &ValueAst) -> Option<Size> {
        match &value.kind {
            ValueKind::Whole(n) if (1..=MAX_SIZE).contains(n) => Some(Size::known(*n)),
            ValueKind::Path(path) if is_const(path) => Some(Size::constant(path.clone())),
            _ => {
                self.mistake(
                    Diagnostic::new(
                        "RNN0172",
                        value.span,
                        format!("an axis of input `{name}` must be a size, found `{value}`"),
                    )
                    .note("only the first of several axes can be open: it is time")
                    .help(match self.model.body {
                        BodyAst::Chain(_) => {
                            "write `Input(_, 28)` for any number of steps of 28 features".to_owned()
                        }
                        BodyAst::Graph(_) => format!(
                            "write `input {name}: [_, 28];` for any number of steps of 28 features"
                        ),
                    }),
                );
                None
            }
        }
    }

    /// An axis that is a `const` has to be above 0, which only rustc can tell.
    fn not_zero(&mut self, size: &Size, text: &str, span: Span) {
        if size.value().is_none() {
            let tokens = size.tokens();
            self.assertions.push(Assertion {
                condition: quote!(#tokens > 0),
                message: format!(
                    "[RNN0127]: an axis of {text} is 0\n  help: every size is at least 1"
                ),
                span,
            });
        }
    }

    /// Adds an input to the model.
    pub(super) fn add_input(
        &mut self,
        name: &str,
        text: &str,
        shape: Shape,
        span: Span,
    ) -> Results {
        let id = self.layers.len();
        for axis in shape.axes.iter().chain(match &shape.time {
            Time::Steps(steps) => Some(steps),
            _ => None,
        }) {
            self.not_zero(axis, text, span);
        }
        if self.inputs.iter().any(|(n, _)| n == name) {
            self.mistake(
                Diagnostic::new(
                    "RNN0173",
                    span,
                    format!("there are two inputs named `{name}`"),
                )
                .note("a part of a structure is an input named after both: `parts_location`")
                .help("give one of them another name"),
            );
            return super::nothing(None, text);
        }
        let all = shape.axes.iter().chain(match &shape.time {
            Time::Steps(steps) => Some(steps),
            _ => None,
        });
        if !crate::layer::fits(&all.cloned().collect::<Vec<_>>()) {
            self.mistake(
                Diagnostic::new(
                    "RNN0110",
                    span,
                    format!("{text} has more values than can be addressed: {shape}"),
                )
                .help("make one of its axes smaller"),
            );
            return super::nothing(None, text);
        }
        if shape.axes.len() > MAX_AXES {
            self.mistake(
                Diagnostic::new(
                    "RNN0176",
                    span,
                    format!("{text} has {} axes of features: {shape}", shape.axes.len()),
                )
                .note(format!(
                    "an input has at most {MAX_AXES}, time and batch aside"
                ))
                .help("put the numbers of some axes side by side: 4 x 5 as 20"),
            );
            return super::nothing(None, text);
        }
        if self.inputs.len() == MAX_VALUES {
            self.mistake(
                Diagnostic::new(
                    "RNN0177",
                    span,
                    format!("{text} is one too many: a model has at most {MAX_VALUES} inputs"),
                )
                .help("put the features of some inputs side by side: `input x: [_, 28];`"),
            );
        }
        let of_chain = name == "input_layer";
        let layer_name = match of_chain {
            true => self.names.name("input_layer", text, None, span, self.found),
            false => name.to_owned(),
        };
        self.layers.push(Layer {
            name: layer_name,
            text: text.to_owned(),
            class: layers::INPUT.summary.unwrap_or(layers::INPUT.class).into(),
            span,
            inputs: vec![],
            mask: None,
            initial: vec![],
            kind: LayerKind::Input,
            outputs: vec![shape.clone()],
            mask_rule: (shape.content == Content::Mask).then_some(MaskRule::Given),
            activity: None,
            shared: None,
            hidden: false,
        });
        let name = if of_chain { "input" } else { name };
        self.inputs.push((name.to_owned(), id));
        Results {
            outputs: vec![Incoming {
                before: vec![Before {
                    text: text.to_owned(),
                    origin: match of_chain {
                        true => Origin::Input,
                        false => Origin::Named(name.to_owned()),
                    },
                    shape: Some(shape),
                }],
                port: Some(crate::ir::Port {
                    layer: id,
                    index: 0,
                }),
                mask: None,
            }],
            states: vec![],
        }
    }
}
