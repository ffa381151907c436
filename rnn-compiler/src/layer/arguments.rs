//! Arguments as layers declare them and as they get them.

use proc_macro2::Span;

use crate::{
    cell::{CellAst, Value, size::Size},
    ir::{CellUse, Constraint, ParamOptions, Regularizer, UsedCell},
    syntax::{LayerAst, ValueAst},
};

use super::LayerDef;

/// An argument of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Keras's name.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// The example that a message shows where this argument is missing; `None` for that of its kind.
    pub like: Option<&'static str>,
}

/// What an argument can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A size: a whole number from 1, or a `const`.
    Size,
    /// A size, or `_` for an open one.
    Length,
    /// Sizes to the end of the list; last of the arguments.
    Sizes,
    /// A number in `0..1`, 1 excluded.
    Rate,
    /// A number above 0.
    Positive,
    /// `true` or `false`; without a value, true.
    Flag,
    /// The name of an activation.
    Activation,
    /// The name of an initialiser.
    Initializer,
    /// Any number.
    Number,
    /// A whole number from 0: a seed, an axis.
    Whole,
    /// A cell with its arguments, or a list of them.
    Cell,
    /// Another layer with its arguments.
    Layer,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// `l1(0.01)`, `l2(0.01)`, `l1_l2(0.01, 0.01)`
    Regularizer,
    /// `max_norm(2)`, `non_neg`, `unit_norm`
    Constraint,
    /// Names of values of the graph: states, a mask.
    Values,
    /// Keras has it and this project does not; with what to write instead, if there is something.
    NotYet(Option<&'static str>),
}

impl Argument {
    /// An argument that must be given.
    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Argument {
            name,
            kind,
            required: true,
            like: None,
        }
    }

    /// Gives it an example of its own for messages.
    pub(crate) const fn like(self, example: &'static str) -> Self {
        Argument {
            like: Some(example),
            ..self
        }
    }

    /// An argument with a default.
    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Argument {
            name,
            kind,
            required: false,
            like: None,
        }
    }

    /// An argument that Keras has and this project does not.
    pub(crate) const fn not_yet(name: &'static str) -> Self {
        Argument::optional(name, Kind::NotYet(None))
    }

    /// An argument that is written differently here.
    pub(crate) const fn instead(name: &'static str, help: &'static str) -> Self {
        Argument::optional(name, Kind::NotYet(Some(help)))
    }
}

impl Argument {
    /// An example of its value.
    pub(super) fn one(&self) -> &'static str {
        match self.kind {
            Kind::Regularizer => "l2(0.01)",
            Kind::Constraint => "max_norm(2)",
            Kind::Initializer => "glorot_uniform",
            Kind::Choice([first, ..]) => first,
            Kind::Whole => "1",
            Kind::Values if self.name == "mask" => "m",
            Kind::Values => "state",
            Kind::Positive => "0.001",
            Kind::Size | Kind::Length => "64",
            _ => self.example(),
        }
    }

    /// An example of the arguments of a layer that requires this one.
    pub(super) fn example(&self) -> &'static str {
        self.like.unwrap_or(match self.kind {
            Kind::Rate | Kind::Number => "0.5",
            Kind::Positive => "0.1",
            Kind::Activation => "relu",
            Kind::Cell => "MyCell(32)",
            Kind::Layer => "LSTM(64)",
            Kind::Length => "_, 28",
            Kind::Sizes => "2, 1",
            _ => "64",
        })
    }
}

/// Arguments of Keras's base class `Layer`, which every layer has.
pub const EVERYWHERE: &[Argument] = &[
    Argument::optional("activity_regularizer", Kind::Regularizer),
    Argument::optional("trainable", Kind::Flag),
    Argument::instead("dtype", "leave it out: everything is computed in f32"),
    Argument::instead("autocast", "leave it out: everything is computed in f32"),
    Argument::instead(
        "input_shape",
        "put an `Input` before the first layer: `Input(28, 28) -> …`",
    ),
    Argument::instead(
        "input_length",
        "put an `Input` before the `Embedding`: `Input(20) -> Embedding(…)`",
    ),
    Argument::instead(
        "implementation",
        "leave it out: every cell takes the fast path",
    ),
    Argument::instead(
        "training",
        "leave it out: `predict` and `stream` are inference, a `Trainer` trains",
    ),
    Argument::instead("time_major", "leave it out: the batch is the first axis"),
    Argument::instead(
        "zero_output_for_mask",
        "Keras has it on the recurrent layers: write `LSTM(64, zero_output_for_mask)`",
    ),
];

/// Arguments that users give to layers that do not have them. One of these names without a value is
/// read as the argument, never as the value of another argument.
pub(super) const OF_OTHERS: &[&str] = &[
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "mask_zero",
    "use_bias",
    "reset_after",
    "unit_forget_bias",
];

/// Arguments that a wrapper never passes to the layer inside: `mask` belongs to the call, and the layer
/// inside has its own `units`.
pub(super) const OF_LAYER_ONLY: &[&str] = &["mask", "units"];

/// Arguments of one call of a layer, which Keras takes in `layer(x, …)`.
pub(crate) const OF_CALL: &[&str] = &["initial_state", "mask"];

/// The arguments of one layer, checked by name and type.
#[derive(Debug)]
pub struct LayerArguments<'a> {
    /// The layer as written.
    pub written: &'a LayerAst,
    /// The same, printed for messages: `LSTM(64)`.
    pub text: &'a str,
    /// The layer's definition; for a cell, that of the layer that has it.
    pub def: &'static LayerDef,
    /// Keras's class; for a cell, the class of the cell.
    pub class: &'static str,
    /// Where the layer stands.
    pub span: Span,
    /// The values given, by name; the others have their defaults.
    pub values: Vec<(&'static str, Value, Span)>,
    /// The values of arguments of [`Kind::Cell`], [`Kind::Layer`] and [`Kind::Values`], as written.
    pub raw: Vec<(&'static str, ValueAst)>,
    /// Regularisers, by argument.
    pub regularizers: Vec<(&'static str, Regularizer)>,
    /// Constraints, by argument.
    pub constraints: Vec<(&'static str, Constraint)>,
    /// `name = "…"`
    pub name: Option<(String, Span)>,
    /// Whether no argument had a mistake.
    pub complete: bool,
}

impl LayerArguments<'_> {
    /// The value given to an argument, and where.
    pub fn get(&self, name: &str) -> Option<(&Value, Span)> {
        self.values
            .iter()
            .find(|(n, ..)| *n == name)
            .map(|(_, v, s)| (v, *s))
    }

    /// A size, if one was given; an open one counts as none.
    pub fn size(&self, name: &str) -> Option<&Size> {
        match self.get(name) {
            Some((Value::Size(size), _)) => Some(size),
            _ => None,
        }
    }

    /// All sizes of an argument of [`Kind::Sizes`].
    pub fn sizes(&self, name: &str) -> Vec<Size> {
        let of_name = self.values.iter().filter(|(n, ..)| *n == name);
        of_name
            .filter_map(|(_, v, _)| match v {
                Value::Size(s) => Some(s.clone()),
                _ => None,
            })
            .collect()
    }

    /// A flag, if it was given.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some((Value::Flag(flag), _)) => Some(*flag),
            _ => None,
        }
    }

    /// The value of an argument that is a cell, a layer or a list of values.
    pub fn raw(&self, name: &str) -> Option<&ValueAst> {
        self.raw.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// A choice, if one was given.
    pub fn choice(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some((Value::Name(chosen), _)) => Some(chosen),
            _ => None,
        }
    }

    /// A whole number, if one was given.
    pub fn whole(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some((Value::Number(x), _)) => Some(*x as u64),
            _ => None,
        }
    }

    /// The options of the layer's parameters: `kernel_regularizer` is about `kernel`,
    /// `recurrent_constraint` about `recurrent_kernel`.
    pub fn options(&self) -> ParamOptions {
        fn param(argument: &str, what: &str) -> Option<String> {
            match argument.strip_suffix(what)?.strip_suffix('_')? {
                "activity" => None,
                "recurrent" => Some("recurrent_kernel".to_owned()),
                other => Some(other.to_owned()),
            }
        }
        let regularizers = self.regularizers.iter();
        let constraints = self.constraints.iter();
        ParamOptions {
            regularizers: regularizers
                .filter_map(|(a, r)| Some((param(a, "regularizer")?, *r)))
                .collect(),
            constraints: constraints
                .filter_map(|(a, c)| Some((param(a, "constraint")?, c.clone())))
                .collect(),
            frozen: self.flag("trainable") == Some(false),
            seed: self.whole("seed"),
        }
    }

    /// The penalty on the size of the layer's output.
    pub fn activity(&self) -> Option<Regularizer> {
        let found = self.regularizers.iter();
        let mut of_output = found.filter(|(a, _)| *a == "activity_regularizer");
        of_output.next().map(|(_, r)| *r)
    }

    /// A number, or its default.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        match self.get(name) {
            Some((Value::Number(x), _)) => *x,
            _ => default,
        }
    }

    /// A use of `cell` with those of these arguments that the cell has, too.
    pub fn use_of(&self, cell: CellAst) -> CellUse {
        let takes = |name: &str| cell.arguments.iter().any(|a| a.name == name);
        let arguments = self
            .values
            .iter()
            .filter(|(name, ..)| takes(name))
            .map(|(name, value, span)| ((*name).to_owned(), value.clone(), *span))
            .collect();
        CellUse { cell, arguments }
    }

    /// The same with the options of its parameters.
    pub fn used(&self, cell: CellAst) -> UsedCell {
        UsedCell {
            cell: self.use_of(cell),
            prefix: None,
            options: self.options(),
        }
    }
}
