//! A model as operations on values. Cells are built and differentiated; every operation is a cell or an
//! operator of `ops/`.

use std::rc::Rc;

use proc_macro2::Span;
use rnn_tables::OutputRange;

use crate::cell::{Backward, Cell, Initializer, size::Size};

use super::{Constraint, LayerGraph, LayerId, OpDef, Regularizer, Time};

/// Index of a value.
pub type ValueId = usize;

/// Index of a time axis.
pub type AxisId = usize;

/// Why a model cannot run step by step.
#[derive(Clone, Debug)]
pub struct WholeSequence {
    /// Keras's class of the layer that needs all steps at once.
    pub class: String,
    /// Where the layer stands.
    pub span: Span,
    /// The reason, for messages.
    pub why: String,
    /// Whether the reason is where states start.
    pub starts: bool,
}

/// A value between operations.
#[derive(Clone, Debug)]
pub struct ValueInfo {
    /// Units of a row.
    pub width: Size,
    /// The time axis: a row for every step; `None`: one row.
    pub axis: Option<AxisId>,
    /// It is written at every step although only the last one counts: the output of a recurrent layer
    /// without `return_sequences`.
    pub only_last: bool,
    /// It depends on a trained parameter, so its gradient is needed.
    pub trained: bool,
    /// It says which steps are valid, and has no gradient.
    pub mask: bool,
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
    /// What its size costs.
    pub regularizer: Regularizer,
    /// What it is projected onto after each step of the optimizer.
    pub constraint: Option<Constraint>,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum OpKind {
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
        /// Which steps count.
        mask: Option<ValueId>,
    },
    /// Anything else: an operator of `ops/`.
    Op(Rc<dyn OpDef>),
}

/// A cell as an operation.
#[derive(Clone, Debug)]
pub struct CellOp {
    /// The cell of inference, optimised.
    pub cell: Cell,
    /// The cell of training, if it differs because of dropout.
    pub training: Option<Cell>,
    /// The gradient of the cell of training.
    pub backward: Backward,
    /// The model's parameter for each of the cell's.
    pub params: Vec<usize>,
    /// `unroll = …`, if it was given.
    pub unroll: Option<bool>,
    /// Tells the masks of its dropout from those of other ops.
    pub stream: u64,
    /// Which steps are valid.
    pub mask: Option<ValueId>,
    /// Outputs of masked steps are zero instead of those of the step before.
    pub zero_output: bool,
    /// The states before the first step; `None`: zeros.
    pub initial: Vec<Option<ValueId>>,
    /// The values that the states after the last step become, where something reads them.
    pub finals: Vec<Option<ValueId>>,
}

impl CellOp {
    /// The cell of training.
    pub fn trained(&self) -> &Cell {
        self.training.as_ref().unwrap_or(&self.cell)
    }
}

impl Op {
    /// Whether it gives a parameter and reads nothing: what a state starts with.
    pub fn is_parameter_alone(&self) -> bool {
        self.inputs.is_empty() && matches!(self.kind, OpKind::Cell(_))
    }

    /// How a plan names it: `lstm_1, LSTM(64)`. The name is what `state` and parameters have, and what a summary lists.
    pub fn title(&self) -> String {
        format!("{}, {}", self.name, self.text)
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// What it reads, states and masks aside.
    pub inputs: Vec<ValueId>,
    /// What it writes, states aside.
    pub outputs: Vec<ValueId>,
    /// The axis that it runs over.
    pub axis: Option<AxisId>,
    /// Tells its random numbers from those of other operations.
    pub stream: u64,
    /// Where the layer stands.
    pub span: Span,
    /// The layer's name, as `state` and parameters have it: `lstm_1`.
    pub name: String,
    /// The layer, for the plan: `LSTM(64)`.
    pub text: String,
    /// The direction of a `Bidirectional` layer that it belongs to.
    pub half: Option<Half>,
}

/// One direction of a `Bidirectional` layer: both may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half {
    /// The call of the layer.
    pub layer: LayerId,
    /// The backward layer.
    pub second: bool,
}

/// A state that a stateful layer keeps from call to call: a hidden input and a hidden output.
#[derive(Clone, Debug)]
pub struct PersistentState {
    /// The layer.
    pub layer: String,
    /// The state's name in its cell.
    pub name: String,
    /// Its shape.
    pub shape: Vec<Size>,
    /// Before the first step.
    pub input: ValueId,
    /// After the last.
    pub output: ValueId,
}

/// A state in a stream.
#[derive(Clone, Debug)]
pub struct OpState {
    /// The layer.
    pub layer: String,
    /// The state's name in its cell.
    pub name: String,
}

impl OpGraph {
    /// Whether all results of an operation are masks.
    pub fn makes_masks(&self, op: &Op) -> bool {
        op.outputs.iter().all(|&o| self.values[o].mask)
    }
}

/// A model as operations.
#[derive(Clone, Debug)]
pub struct OpGraph {
    /// The layers, for names, shapes and assertions.
    pub layers: LayerGraph,
    /// The time axes.
    pub axes: Vec<Time>,
    /// Values.
    pub values: Vec<ValueInfo>,
    /// Operations, in the order in which they run.
    pub ops: Vec<Op>,
    /// Parameters, in storage order.
    pub params: Vec<ModelParam>,
    /// The value of each of the model's inputs.
    pub inputs: Vec<ValueId>,
    /// The value of each of the model's outputs.
    pub outputs: Vec<ValueId>,
    /// What numbers each output can be.
    pub output_ranges: Vec<OutputRange>,
    /// Which steps of each output are valid.
    pub masks: Vec<Option<ValueId>>,
    /// States that go on from call to call.
    pub states: Vec<PersistentState>,
    /// Values that nothing reads. The backward pass reads their gradients nevertheless, so it clears
    /// them.
    pub unread: Vec<ValueId>,
    /// The layer and the names of the states of each operation, for streams.
    pub op_states: Vec<Vec<OpState>>,
    /// Why the model cannot run step by step, if it cannot.
    pub needs_whole_sequence: Vec<WholeSequence>,
}
