//! The statements of a graph as they were written.

use std::fmt;

use proc_macro2::{Ident, Span};

use super::ast::{LayerAst, ValueAst, separated};

/// One statement of a graph.
#[derive(Clone, Debug)]
pub enum Statement {
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
        targets: Vec<Target>,
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
    /// A statement that could not be read, which has been reported. Uses of its names are no
    /// mistakes, as nothing is known of them.
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
pub enum Target {
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

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, axes) = match self {
            InputKind::Ids(axis) => ("ids", axis.as_slice()),
            InputKind::Mask(axis) => ("mask", axis.as_slice()),
            InputKind::Floats(axes) => ("", axes.as_slice()),
        };
        f.write_str(word)?;
        if axes.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        separated(f, axes)?;
        f.write_str("]")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Name(name) => write!(f, "{name}"),
            Target::Skip(_) => f.write_str("_"),
        }
    }
}

impl fmt::Display for ChainAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names(f, &self.sources, self.tuple)?;
        for layer in &self.layers {
            match layer {
                Some(layer) => write!(f, " -> {layer}")?,
                None => f.write_str(" -> …")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Input { name, kind, .. } => write!(f, "input {name}: {kind};"),
            Statement::Layer { name, layer } => match layer {
                Some(layer) => write!(f, "layer {name} = {layer};"),
                None => write!(f, "layer {name} = …;"),
            },
            Statement::Let {
                targets,
                tuple,
                value,
            } => {
                f.write_str("let ")?;
                names(f, targets, *tuple)?;
                write!(f, " = {value};")
            }
            Statement::Output { name, value } => write!(f, "output {name} = {value};"),
            Statement::Unreadable { .. } => f.write_str("…;"),
        }
    }
}

fn names(f: &mut fmt::Formatter<'_>, names: &[impl fmt::Display], tuple: bool) -> fmt::Result {
    if tuple {
        f.write_str("(")?;
    }
    separated(f, names)?;
    if tuple {
        f.write_str(")")?;
    }
    Ok(())
}
