//! A model as it was written.

use proc_macro2::{Ident, TokenStream};

use super::{
    ast::{LayerAst, path_text},
    statement::Statement,
};
use crate::cell::CellAst;

/// One `rnn_model!`.
#[derive(Clone, Debug)]
pub struct ModelAst {
    /// The path of all that expanded code names: a hidden module of the facade.
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

/// What is between the braces, or after the `=`.
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

impl GivenCell {
    /// Whether this is the cell that a model names by `path`.
    pub fn is(&self, path: &syn::Path) -> bool {
        path_text(&self.path) == path_text(path)
    }
}
