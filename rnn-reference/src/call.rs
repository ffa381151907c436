//! The arguments and the results of a call.

use std::collections::BTreeMap;

use rnn_compiler::ir::Content;
use rnn_tables::Perturbation;

/// The weights of a model by name, such as `lstm/kernel`, each row-major.
pub type Weights = BTreeMap<String, Vec<f64>>;

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamInfo {
    /// `lstm/kernel`
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether an optimizer changes it.
    pub trainable: bool,
}

/// One input of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputInfo {
    /// `x`; `input` in a chain.
    pub name: String,
    /// Numbers, ids or a mask.
    pub content: Content,
    /// `None` without a time axis, `Some(None)` for any number of steps.
    pub steps: Option<Option<usize>>,
    /// Numbers of one step; 1 for ids and masks.
    pub width: usize,
    /// The axes of one step; none for ids and masks.
    pub features: Vec<usize>,
}

/// A state that stays between calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateInfo {
    /// The layer, and the cell inside it if there are several: `rnn/lstm_cell`.
    pub layer: String,
    /// Its name in the cell: `h`.
    pub name: String,
    /// Its numbers for one row.
    pub width: usize,
}

/// Numbers that training draws for a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// The layer, and the cell inside it if there are several: `dropout`, `rnn/lstm_cell`.
    pub layer: String,
    /// What they are.
    pub drawn: Drawn,
    /// Whether each step has numbers of its own.
    pub every_step: bool,
    /// Numbers of a row (and step).
    pub width: usize,
    /// The `seed` of the layer.
    pub seed: Option<u64>,
    /// How many calls of the same layer stand before.
    pub call: usize,
    /// The index of the cell in its stack; 0 without a stack.
    pub cell: usize,
    /// The index among the dropout masks of its cell.
    pub mask: usize,
}

/// What training draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drawn {
    /// The mask of a cell's dropout, a factor for each number: 0 with this probability, otherwise
    /// `1 / (1 - rate)`.
    Factors {
        /// The probability.
        rate: f64,
    },
    /// What a layer perturbs its values by: 1 where a value stays and 0 where it is dropped, or
    /// standard normal numbers.
    Perturbation(Perturbation),
}

/// A batch for one input, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Rows.
    pub batch: usize,
    /// Steps; 1 for an input without a time axis.
    pub time: usize,
    /// `[batch, time, features]`, empty for class ids. For a mask `[batch, time]`: 1 for a valid
    /// step, 0 for a padded one.
    pub floats: Vec<f64>,
    /// `[batch, time]`, empty for features and masks.
    pub ids: Vec<u32>,
}

/// One call of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// A batch for every input, in the model's order.
    pub inputs: Vec<Input>,
    /// `[batch, width]` for each of [`ReferenceModel::states`](super::ReferenceModel::states); empty for
    /// zeros.
    pub states: Vec<Vec<f64>>,
    /// `[batch, width]` or `[batch, time, width]` for each of
    /// [`ReferenceModel::draws`](super::ReferenceModel::draws). Needed in training only, where an empty list
    /// is refused.
    pub draws: Vec<Vec<f64>>,
    /// The forward pass of training rather than inference.
    pub training: bool,
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputData {
    /// Its name; `output` in a chain.
    pub name: String,
    /// Its steps; `None` without a time axis.
    pub steps: Option<usize>,
    /// Numbers of one step.
    pub width: usize,
    /// `[batch, (time,) width]`, row-major.
    pub data: Vec<f64>,
    /// `[batch, time]`: which steps are valid, if that is known.
    pub mask: Option<Vec<bool>>,
}

/// What a call gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The outputs, in the model's order.
    pub outputs: Vec<OutputData>,
    /// The states after the last step, for the next call.
    pub states: Vec<Vec<f64>>,
    /// What the sizes of outputs and states cost (`activity_regularizer`), the mean over the rows.
    pub penalty: f64,
}
