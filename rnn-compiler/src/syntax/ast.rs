//! A model as it was written.

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

use super::statement::Statement;
use crate::cell::CellAst;

/// One `rnn_model!`.
#[derive(Clone, Debug)]
pub struct ModelAst {
    /// The path of the facade crate.
    pub krate: TokenStream,
    /// The cells that were fetched for this model.
    pub cells: Vec<GivenCell>,
    /// Documentation and other attributes of the named form.
    pub attrs: Vec<syn::Attribute>,
    /// Visibility of the named form.
    pub vis: syn::Visibility,
    /// Name of the named form; `None` for an inline expression.
    pub name: Option<Ident>,
    /// Whether this is the named form, also if its name could not be read.
    pub item: bool,
    /// The layers.
    pub body: Body,
    /// The user's tokens, without what the macros pass to one another: handed on to a cell.
    pub tokens: TokenStream,
}

/// What is between the braces, or behind the `=`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Body {
    /// `A -> B -> C`; `None` for a layer that could not be read, which has been reported. Empty if
    /// nothing could be read, which has been reported, too.
    Chain(Vec<Option<LayerAst>>),
    /// `input x: [_, 28]; output y = x -> LSTM(64);`, in the order written. That there are inputs
    /// and outputs, or that they could not be read, has been made sure; names have not been looked
    /// up.
    Graph(Vec<Statement>),
}

/// A cell that its macro handed in.
#[derive(Clone, Debug)]
pub struct GivenCell {
    /// The path by which the model names it.
    pub path: syn::Path,
    /// The cell; `None` if it has mistakes, which are shown where it is defined.
    pub cell: Option<CellAst>,
}

/// `LSTM(64, return_sequences)`; in a graph also `shared`, the use of a `layer` statement, which is
/// told apart where names are looked up.
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

/// A value with its place.
#[derive(Clone, Debug)]
pub struct ValueAst {
    /// What it is.
    pub kind: ValueKind,
    /// Where it starts.
    pub span: Span,
}

impl ValueAst {
    /// The layer that a value is if it stands where a layer is wanted: `LSTM(64)` in
    /// `Bidirectional(LSTM(64))`. `None` for what cannot be one, such as `64` or `cells::MyCell`.
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

/// A path as one writes it.
pub fn path_text(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

/// Items with `, ` between them.
pub(super) fn separated(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item: fmt::Display>,
) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, arguments: &[ArgumentAst]) -> fmt::Result {
    f.write_str("(")?;
    separated(f, arguments)?;
    f.write_str(")")
}

impl fmt::Display for LayerAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.arguments.is_empty() {
            Ok(())
        } else {
            list(f, &self.arguments)
        }
    }
}

impl fmt::Display for ArgumentAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} = ")?;
        }
        write!(f, "{}", self.value)
    }
}

impl fmt::Display for ValueAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ValueKind::Open => f.write_str("_"),
            ValueKind::Whole(n) => write!(f, "{n}"),
            ValueKind::Number(x) => write!(f, "{x}"),
            ValueKind::Flag(b) => write!(f, "{b}"),
            ValueKind::Text(s) => write!(f, "{s:?}"),
            ValueKind::Path(p) => f.write_str(&path_text(p)),
            ValueKind::Call(p, arguments) => {
                f.write_str(&path_text(p))?;
                list(f, arguments)
            }
            ValueKind::List(values) => {
                f.write_str("[")?;
                separated(f, values)?;
                f.write_str("]")
            }
            ValueKind::Struct(parts) => {
                f.write_str("{ ")?;
                separated(f, parts.iter().map(|(name, v)| format!("{name}: {v}")))?;
                f.write_str(" }")
            }
        }
    }
}
