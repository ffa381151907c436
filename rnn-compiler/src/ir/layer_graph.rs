//! A model as a graph of layers, every shape known or symbolic.

use proc_macro2::{Ident, Span, TokenStream};

pub use crate::cell::CellUse;
use crate::cell::{Initializer, size::Size};

/// The time axis of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// No time axis: `[batch, features]`.
    None,
    /// Any length: `[batch, time, features]`.
    Any,
    /// Exactly this many steps.
    Steps(Size),
}

/// The shape of a value, batch axis aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Class ids rather than floats; then `features` is 1.
    pub ids: bool,
    /// The time axis.
    pub time: Time,
    /// Features of one step.
    pub features: Size,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[batch")?;
        match &self.time {
            Time::None => {}
            Time::Any => f.write_str(", time")?,
            Time::Steps(t) => write!(f, ", {t}")?,
        }
        if !self.ids {
            write!(f, ", {}", self.features)?;
        }
        f.write_str("]")
    }
}

/// Index of a layer in its graph; a layer comes after those it reads.
pub type LayerId = usize;

/// What a layer does.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// The model's input.
    Input,
    /// Rows of a table.
    Embedding {
        /// Size of the vocabulary.
        input_dim: Size,
        /// Features of a row.
        output_dim: Size,
        /// How the table starts.
        init: Initializer,
    },
    /// A cell with states, swept over time.
    Rnn {
        /// The cell.
        cell: CellUse,
        /// All steps' outputs rather than the last one's.
        return_sequences: bool,
        /// Last step first.
        go_backwards: bool,
        /// `unroll`: `None` lets the plan decide.
        unroll: Option<bool>,
    },
    /// A cell without states, applied to every row and every step: `Dense`, `Activation`.
    Pointwise {
        /// The cell.
        cell: CellUse,
    },
    /// Normalises by the statistics of the batch in training, by the moving ones in inference.
    BatchNormalization {
        /// The formula of inference, over `gamma`, `beta`, `moving_mean`, `moving_variance`.
        cell: CellUse,
        /// Weight of the old moving statistics.
        momentum: f64,
        /// Added to the variance.
        epsilon: f64,
    },
    /// Sets a fraction of the values to 0 in training and scales the others up.
    Dropout {
        /// The fraction, in `0..1`.
        rate: f64,
    },
    /// `[batch, time, features]` to `[batch, time * features]`.
    Flatten,
}

/// One layer.
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
    /// The layers it reads.
    pub inputs: Vec<LayerId>,
    /// What it does.
    pub kind: LayerKind,
    /// Shape of its output.
    pub shape: Shape,
}

/// A model, checked.
#[derive(Clone, Debug)]
pub struct LayerGraph {
    /// The path of the facade crate: `$crate` as passed in.
    pub krate: TokenStream,
    /// Documentation and other attributes of the named form.
    pub attrs: Vec<syn::Attribute>,
    /// Visibility of the named form.
    pub vis: syn::Visibility,
    /// Name of the named form; `None` for an inline expression.
    pub name: Option<Ident>,
    /// The layers, inputs first.
    pub layers: Vec<Layer>,
    /// The layer whose value is the model's output.
    pub output: LayerId,
    /// What only rustc can check, because it depends on `const`s.
    pub assertions: Vec<Assertion>,
}

/// A condition on `const`s, emitted as `const _: () = assert!(condition, message);`.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// An expression of type `bool`, usable in a `const`.
    pub condition: TokenStream,
    /// What is wrong if it does not hold, in the form of all messages.
    pub message: String,
    /// Where the size stands that it is about.
    pub span: Span,
}
