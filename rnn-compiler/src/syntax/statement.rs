//! The statements of a graph as they were written.

use proc_macro2::{Ident, Span};

use super::ast::{LayerAst, ValueAst};

/// One statement of a graph.
#[derive(Clone, Debug)]
pub enum StatementAst {
    /// `input x: [_, 28];`
    Input {
        /// `x`
        name: Ident,
        /// `[_, 28]`
        kind: InputKind,
        /// Where the kind stands.
        span: Span,
    },
    /// `layer shared = LSTM(64);`
    Layer {
        /// `shared`
        name: Ident,
        /// `LSTM(64)`; `None` if it could not be read, which has been reported.
        layer: Option<LayerAst>,
    },
    /// `let y = x -> LSTM(64);`, `let (y, _, c) = x -> LSTM(64, return_state);`
    Let {
        /// The names that the values get: at least one, and one only without parentheses.
        targets: Vec<TargetAst>,
        /// Whether they stand in parentheses.
        tuple: bool,
        /// What is computed.
        value: ChainAst,
    },
    /// `output logits = y -> Dense(10);`
    Output {
        /// `logits`
        name: Ident,
        /// What is computed.
        value: ChainAst,
    },
    /// A statement that could not be read, which has been reported. Uses of its names are not reported.
    Unreadable {
        /// The word that it starts with, if that is clear: `input`, `output`.
        word: &'static str,
        /// The names that it would have given.
        names: Vec<Ident>,
    },
}

/// What an input is.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// `ids`, `ids[20]`, `ids[time]`: class ids, one a step
    Ids(Option<ValueAst>),
    /// `mask`, `mask[20]`, `mask[time]`: booleans, one a step
    Mask(Option<ValueAst>),
    /// `[28]`, `[_, 28]`, `[time, 4, 5]`, `[_, { location: 2, pressure: 1 }]`: at least one axis.
    /// Every axis is a [whole number](super::ValueKind::Whole), a [path](super::ValueKind::Path) (a
    /// `const`, or the name of an open axis) or [open](super::ValueKind::Open), the last one
    /// perhaps a [structure](super::ValueKind::Struct).
    Floats(Vec<ValueAst>),
}

/// What a value of a `let` is called.
#[derive(Clone, Debug)]
pub enum TargetAst {
    /// `state`
    Name(Ident),
    /// `_`: nobody reads it
    Skip(Span),
}

/// `source -> LSTM(64) -> Dense(10)`, `(a, b) -> Add`, `y`
#[derive(Clone, Debug)]
pub struct ChainAst {
    /// The values that the first layer reads: at least one, and one only without parentheses.
    pub sources: Vec<Ident>,
    /// Whether they stand in parentheses.
    pub tuple: bool,
    /// The layers, perhaps none; `None` for one that could not be read, which has been reported.
    pub layers: Vec<Option<LayerAst>>,
    /// Where the chain starts.
    pub span: Span,
}
