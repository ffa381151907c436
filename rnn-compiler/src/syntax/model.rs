//! A model as it was written.

use proc_macro2::{Ident, Span, TokenStream};

use super::{
    ast::{LayerAst, path_text},
    statement::StatementAst,
};
use crate::cell::CellAst;

/// One `rnn_model!`.
#[derive(Clone, Debug)]
pub struct ModelAst {
    /// The path of the facade's hidden module, whose items expanded code names.
    pub krate: TokenStream,
    /// The cells that were fetched for this model.
    pub cells: Vec<FetchedCell>,
    /// Documentation and other attributes of the named form.
    pub attrs: Vec<syn::Attribute>,
    /// Visibility of the named form.
    pub vis: syn::Visibility,
    /// Name of the named form; `None` for an inline expression.
    pub name: Option<Ident>,
    /// Whether this is the named form, even if its name could not be read.
    pub item: bool,
    /// The layers.
    pub body: BodyAst,
    /// The file that the model, or its weights, are read from.
    pub source: Option<SourceAst>,
    /// The user's tokens without those that the macros pass to one another. They are handed on to the
    /// macro of a cell.
    pub tokens: TokenStream,
}

/// A file that a model names: `import("amp.keras")`, `import("voice.onnx", states = stream)`, or
/// `weights = "amp.safetensors"`.
#[derive(Clone, Debug)]
pub struct SourceAst {
    /// What is read from it.
    pub kind: SourceKind,
    /// The path, as it was written.
    pub path: String,
    /// Whether a stream keeps the states that an ONNX graph takes and gives: `states = stream`.
    pub stream: bool,
    /// Where it was written.
    pub span: Span,
}

/// What is read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Layers and weights.
    Model,
    /// Weights alone.
    Weights,
}

/// What is between the braces, or after the `=`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BodyAst {
    /// `A -> B -> C`; `None` for a layer that could not be read. Empty if nothing could be read. Both have
    /// been reported.
    Chain(Vec<Option<LayerAst>>),
    /// `input x: [_, 28]; output y = x -> LSTM(64);`, in the order written. There are inputs and outputs,
    /// or statements that could not be read. Names have not been looked up.
    Graph(Vec<StatementAst>),
}

/// A cell whose macro has handed in its tokens.
#[derive(Clone, Debug)]
pub struct FetchedCell {
    /// The path by which the model names it.
    pub path: syn::Path,
    /// The cell; `None` if it has mistakes, which are shown where it is defined.
    pub cell: Option<CellAst>,
}

impl FetchedCell {
    /// Whether this is the cell that a model names by `path`.
    pub fn is(&self, path: &syn::Path) -> bool {
        path_text(&self.path) == path_text(path)
    }
}
