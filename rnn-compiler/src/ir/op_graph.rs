//! A model as operations on values: cells built and differentiated, everything a kernel or an op
//! of the runtime.

use proc_macro2::Span;

use crate::cell::{Backward, Cell, Initializer, size::Size};

use super::LayerGraph;

/// Index of a value.
pub type ValueId = usize;

/// A value between operations.
#[derive(Clone, Debug)]
pub struct Value {
    /// Units of a row.
    pub width: Size,
    /// It has a time axis: a row for every step, else one row that belongs to the last step.
    pub sequence: bool,
    /// It is written at every step although only the last one counts: what a recurrent layer
    /// returns without `return_sequences`.
    pub only_last: bool,
}

/// A parameter of the model.
#[derive(Clone, Debug)]
pub struct ModelParam {
    /// `lstm/kernel`
    pub name: String,
    /// Its shape.
    pub shape: Vec<Size>,
    /// How it starts.
    pub init: Initializer,
    /// Whether an optimizer changes it.
    pub trainable: bool,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum OpKind {
    /// Rows of a table, by the model's ids.
    Gather {
        /// The table's parameter.
        table: usize,
        /// Size of the vocabulary.
        vocabulary: Size,
    },
    /// A cell.
    Cell(Box<CellOp>),
    /// Statistics of the batch in training, a cell in inference.
    Normalize {
        /// Inference.
        cell: Box<CellOp>,
        /// Weight of the old moving statistics.
        momentum: f64,
        /// Added to the variance.
        epsilon: f64,
    },
    /// Nothing in inference.
    Dropout {
        /// The fraction set to 0.
        rate: f64,
    },
    /// The steps side by side.
    Flatten,
    /// The steps the other way round.
    Reverse,
}

/// A cell as an operation.
#[derive(Clone, Debug)]
pub struct CellOp {
    /// The cell, optimised.
    pub cell: Cell,
    /// Its gradient.
    pub backward: Backward,
    /// The model's parameter for each of the cell's.
    pub params: Vec<usize>,
    /// `unroll = …`, if it was given.
    pub unroll: Option<bool>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// What it reads; for `Gather` the model's ids.
    pub input: ValueId,
    /// What it writes.
    pub output: ValueId,
    /// Where the layer stands.
    pub span: Span,
    /// The layer, for the plan: `LSTM(64)`.
    pub text: String,
}

/// A model as operations.
#[derive(Clone, Debug)]
pub struct OpGraph {
    /// The layers, for names, shapes and assertions.
    pub layers: LayerGraph,
    /// Values; the first is the model's input.
    pub values: Vec<Value>,
    /// Operations, in the order in which they run.
    pub ops: Vec<Op>,
    /// Parameters, in storage order.
    pub params: Vec<ModelParam>,
    /// The model's output.
    pub output: ValueId,
}
