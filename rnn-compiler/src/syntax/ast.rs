//! A layer, its arguments and their values as they were written.

use proc_macro2::{Ident, Span};
use quote::ToTokens;

/// `LSTM(64, return_sequences)`; in a graph also `shared`, the use of a `layer` statement. Later passes,
/// which look up names, tell them apart.
#[derive(Clone, Debug)]
pub struct LayerAst {
    /// `LSTM`
    pub name: Ident,
    /// What is in its parentheses; none for a layer without any.
    pub arguments: Vec<ArgumentAst>,
}

/// `64`, `units = 64` or `return_sequences`
#[derive(Clone, Debug)]
pub struct ArgumentAst {
    /// The name before `=`.
    pub name: Option<Ident>,
    /// The value.
    pub value: ValueAst,
}

impl ArgumentAst {
    /// Where the argument starts.
    pub fn span(&self) -> Span {
        self.name.as_ref().map_or(self.value.span, Ident::span)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct ValueAst {
    /// What it is.
    pub kind: ValueKind,
    /// Where it starts.
    pub span: Span,
}

impl ValueAst {
    /// The value read as a layer: `LSTM(64)` in `Bidirectional(LSTM(64))`. `None` for values that cannot
    /// be a layer, such as `64` or `cells::MyCell`.
    pub fn as_layer(&self) -> Option<LayerAst> {
        let (path, arguments): (_, &[ArgumentAst]) = match &self.kind {
            ValueKind::Path(path) => (path, &[]),
            ValueKind::Call(path, arguments) => (path, arguments),
            _ => return None,
        };
        Some(LayerAst {
            name: path.get_ident()?.clone(),
            arguments: arguments.to_vec(),
        })
    }
}

/// The forms of a value; what they mean depends on the argument.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// `_`
    Open,
    /// `64`
    Whole(usize),
    /// `0.1`, `-1`
    Number(f64),
    /// `true`
    Flag(bool),
    /// `"encoder"`
    Text(String),
    /// `UNITS`, `sizes::HIDDEN`, `tanh`, `return_sequences`
    Path(syn::Path),
    /// `leaky_relu(0.1)`, `MyCell(32, activation = relu)`, `LSTM(64)`
    Call(syn::Path, Vec<ArgumentAst>),
    /// `[LSTMCell(32), GRUCell(64)]`, `[h, c]`, `[2, 3]`
    List(Vec<ValueAst>),
    /// `{ location: 2, pressure: 1 }`: at least one part, every name once
    Struct(Vec<(Ident, ValueAst)>),
}

/// A path as text, without the spaces that tokens have.
pub fn path_text(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
