//! A model as a graph of layers, every shape known or symbolic.
//!
//! A [`Layer`] is one call: a layer that is used twice appears twice, the second time with
//! [`Layer::shared`]. Its inputs and results are numbered, so that layers with several results (states,
//! both directions, masks) need no special case.

use std::rc::Rc;

use proc_macro2::{Ident, Span, TokenStream};
use rnn_tables::MaskRule;

use super::OpDef;
pub use crate::cell::CellUse;

use crate::cell::{Initializer, size::Size};

/// An open time axis: any number of steps, the same for all values on it.
#[derive(Clone, Debug)]
pub struct OpenAxis {
    /// Tells axes apart.
    pub id: usize,
    /// The name that the model gives it; `None` for `_`.
    pub name: Option<String>,
}

impl PartialEq for OpenAxis {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for OpenAxis {}

/// The time axis of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// No time axis: `[batch, features]`.
    None,
    /// Any length: `[batch, time, features]`.
    Any(OpenAxis),
    /// Exactly this many steps.
    Steps(Size),
}

impl Time {
    /// An open axis without further knowledge: the guess after a mistake.
    pub fn unknown() -> Time {
        Time::Any(OpenAxis {
            id: usize::MAX,
            name: None,
        })
    }

    /// Whether it is an open axis.
    pub fn is_open(&self) -> bool {
        matches!(self, Time::Any(_))
    }
}

/// What a value consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Numbers.
    Numbers,
    /// Class ids.
    Ids,
    /// Whether a step is valid.
    Mask,
}

/// The shape of a value, batch axis aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What it consists of.
    pub content: Content,
    /// The time axis.
    pub time: Time,
    /// The axes of one step; none for ids and masks.
    pub axes: Vec<Size>,
}

impl Shape {
    /// Vectors of so many features.
    pub fn vector(time: Time, features: Size) -> Shape {
        Shape {
            content: Content::Numbers,
            time,
            axes: vec![features],
        }
    }

    /// Class ids.
    pub fn ids(time: Time) -> Shape {
        Shape {
            content: Content::Ids,
            time,
            axes: vec![],
        }
    }

    /// A mask.
    pub fn mask(time: Time) -> Shape {
        Shape {
            content: Content::Mask,
            time,
            axes: vec![],
        }
    }

    /// Whether these are class ids.
    pub fn is_ids(&self) -> bool {
        self.content == Content::Ids
    }

    /// Whether it has a time axis.
    pub fn is_sequence(&self) -> bool {
        self.time != Time::None
    }

    /// All axes of the value as one array: the steps, if it has any, then the axes of a step. `None` if
    /// the number of steps is open.
    pub fn known_axes(&self) -> Option<Vec<Size>> {
        match &self.time {
            Time::None => Some(self.axes.clone()),
            Time::Steps(steps) => {
                Some([std::slice::from_ref(steps), self.axes.as_slice()].concat())
            }
            Time::Any(_) => None,
        }
    }

    /// Numbers of one step: the product of its axes.
    pub fn width(&self) -> Size {
        self.axes.iter().fold(Size::known(1), |n, s| &n * s)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[batch")?;
        match &self.time {
            Time::None => {}
            Time::Any(axis) => write!(f, ", {}", axis.name.as_deref().unwrap_or("time"))?,
            Time::Steps(t) => write!(f, ", {t}")?,
        }
        for axis in &self.axes {
            write!(f, ", {axis}")?;
        }
        f.write_str("]")
    }
}

/// Index of a layer in its graph; a layer comes after those it reads.
pub type LayerId = usize;

/// One result of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The layer.
    pub layer: LayerId,
    /// Which of its results: outputs first, then states, then the mask that it makes.
    pub index: usize,
}

/// The penalty that the loss adds for the size of a parameter or an output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularizer {
    /// Times the sum of the absolute values.
    pub l1: f64,
    /// Times the sum of the squares.
    pub l2: f64,
}

/// What a parameter is projected onto after a step of the optimizer. A negative axis counts from the
/// end; [lowering](crate::passes), which knows the parameter's shape, makes it positive.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// Columns not longer than this.
    MaxNorm {
        /// The length.
        max: f64,
        /// The axes along which length is measured.
        axis: Vec<i64>,
    },
    /// Columns of a length within these bounds.
    MinMaxNorm {
        /// The shortest.
        min: f64,
        /// The longest.
        max: f64,
        /// How much of the way is taken in one step.
        rate: f64,
        /// The axes along which length is measured.
        axis: Vec<i64>,
    },
    /// No number below zero.
    NonNeg,
    /// Columns of length one.
    UnitNorm {
        /// The axes along which length is measured.
        axis: Vec<i64>,
    },
}

/// What a layer says of its parameters beyond their shape and start.
#[derive(Clone, Debug, Default)]
pub struct ParamOptions {
    /// By the parameter's name: `kernel`.
    pub regularizers: Vec<(String, Regularizer)>,
    /// By the parameter's name.
    pub constraints: Vec<(String, Constraint)>,
    /// `trainable = false`: no optimizer changes them.
    pub frozen: bool,
    /// `seed`, for the masks of the cell's dropout.
    pub seed: Option<u64>,
}

/// A cell in a layer.
#[derive(Clone, Debug)]
pub struct UsedCell {
    /// The cell with its arguments.
    pub cell: CellUse,
    /// The part of its parameters' names between the layer's name and their own: `lstm_cell` in
    /// `RNN([LSTMCell(32), …])`.
    pub prefix: Option<String>,
    /// Regularisers, constraints, whether it is trained.
    pub options: ParamOptions,
}

/// Cells with states, one on top of the other, over time.
#[derive(Clone, Debug)]
pub struct Rnn {
    /// What Keras calls a layer of this class: `lstm`; `rnn` for `RNN` of any cell.
    pub stem: &'static str,
    /// The cells; each reads what the one before it gives.
    pub cells: Vec<UsedCell>,
    /// The outputs of all steps rather than of the last one.
    pub return_sequences: bool,
    /// The states after the last step, too.
    pub return_state: bool,
    /// Last step first.
    pub go_backwards: bool,
    /// `unroll`: `None` lets the plan decide.
    pub unroll: Option<bool>,
    /// States go on from call to call.
    pub stateful: bool,
    /// Outputs of masked steps are zero instead of those of the step before.
    pub zero_output_for_mask: bool,
    /// The shapes of the states of all cells, and their names.
    pub states: Vec<(String, Vec<Size>)>,
    /// The shapes of the outputs of the last cell.
    pub outputs: Vec<Vec<Size>>,
    /// `seed`, for the masks of dropout.
    pub seed: Option<u64>,
}

/// What a layer does.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// One of the model's inputs.
    Input,
    /// Rows of a table; its mask, if it makes one, is result 1.
    Embedding {
        /// Size of the vocabulary.
        input_dim: Size,
        /// Features of a row.
        output_dim: Size,
        /// How the table starts.
        init: Initializer,
        /// Id 0 is padding.
        mask_zero: bool,
        /// Regularisers, constraints, whether it is trained.
        options: ParamOptions,
    },
    /// Cells with states over time. Results: outputs, then states.
    Rnn(Box<Rnn>),
    /// Two recurrent layers, the second of which reads from the last step to the first. Results: the
    /// merged output, or both outputs without a merge; then the states of both.
    Bidirectional {
        /// First step first.
        forward: Box<Rnn>,
        /// Last step first.
        backward: Box<Rnn>,
        /// The cell that merges both outputs; `None` gives both.
        merge: Option<CellUse>,
        /// What the outputs and the states of each cost, before they are merged.
        activity: [Option<Regularizer>; 2],
    },
    /// A cell without states, applied to every row and every step: `Dense`, `Add`. It may have
    /// several inputs; a second output is the mask that it makes.
    Pointwise {
        /// The cell.
        cell: UsedCell,
    },
    /// Normalises by the statistics of the batch in training and by the moving statistics in inference.
    BatchNormalization {
        /// The formula of inference, over `gamma`, `beta`, `moving_mean`, `moving_variance`.
        cell: UsedCell,
        /// Weight of the old moving statistics.
        momentum: f64,
        /// Added to the variance.
        epsilon: f64,
    },
    /// An operator that is no cell: `Dropout`, `Reshape`.
    Op(Rc<dyn OpDef>),
    /// The value itself.
    Identity,
}

/// One call of a layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Keras's automatic name: `lstm`, `lstm_1`, or the user's (`name = "encoder"`).
    pub name: String,
    /// As written, for messages: `LSTM(64)`.
    pub text: String,
    /// Keras's class, for the summary: `LSTM`; for `RNN(cell)` the class is `RNN`.
    pub class: String,
    /// Where it stands.
    pub span: Span,
    /// What it reads.
    pub inputs: Vec<Port>,
    /// The mask that says which of its steps are valid.
    pub mask: Option<Port>,
    /// States before the first step; none stand for zeros.
    pub initial: Vec<Port>,
    /// What it does.
    pub kind: LayerKind,
    /// The shapes of its results.
    pub outputs: Vec<Shape>,
    /// Which steps of its first input the mask that it makes calls valid.
    pub mask_rule: Option<MaskRule>,
    /// What the size of its first output costs.
    pub activity: Option<Regularizer>,
    /// An earlier call of the same layer: it has the same weights.
    pub shared: Option<LayerId>,
    /// The user did not write it: a mask made of two masks, or steps that become an axis of a state.
    pub hidden: bool,
}

/// A result of the model.
#[derive(Clone, Debug)]
pub struct ModelOutput {
    /// Its name: `output` in a chain.
    pub name: String,
    /// What it is.
    pub port: Port,
    /// The mask that says which of its steps are valid.
    pub mask: Option<Port>,
}

/// A model, checked.
#[derive(Clone, Debug)]
pub struct LayerGraph {
    /// The path of all that expanded code names, as the macro passed it in.
    pub krate: TokenStream,
    /// Documentation and other attributes of the named form.
    pub attrs: Vec<syn::Attribute>,
    /// Visibility of the named form.
    pub vis: syn::Visibility,
    /// Name of the named form; `None` for an inline expression.
    pub name: Option<Ident>,
    /// The layers, each after those it reads.
    pub layers: Vec<Layer>,
    /// The model's inputs, in order: layers of [`LayerKind::Input`], named as the model names them.
    pub inputs: Vec<(String, LayerId)>,
    /// Its outputs, in order.
    pub outputs: Vec<ModelOutput>,
    /// What only rustc can check, because it depends on `const`s.
    pub assertions: Vec<Assertion>,
}

impl LayerGraph {
    /// The shape of a result.
    pub fn shape(&self, port: Port) -> &Shape {
        &self.layers[port.layer].outputs[port.index]
    }
}

/// A condition on `const`s, emitted as `const _: () = assert!(condition, message);`.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// An expression of type `bool`, usable in a `const`.
    pub condition: TokenStream,
    /// What is wrong if it does not hold, in the form of all messages.
    pub message: String,
    /// Where the size that it checks stands.
    pub span: Span,
}
