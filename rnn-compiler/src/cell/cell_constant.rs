//! The constant of a cell's type that stands for a name of the program, wherever the cell is used.

use proc_macro2::{Ident, Span};
use quote::{ToTokens as _, format_ident};

/// The constant that a parameter of a cell starts with.
#[derive(Clone, Debug)]
pub struct CellConstant {
    /// How the model names the cell.
    pub cell: syn::Path,
    /// The path as it was written in the cell.
    pub written: syn::Path,
    /// Where it was written.
    pub span: Span,
}

impl PartialEq for CellConstant {
    fn eq(&self, other: &Self) -> bool {
        (&self.cell, &self.written) == (&other.cell, &other.written)
    }
}

impl CellConstant {
    /// The constant of the cell's type.
    pub fn constant(&self) -> Ident {
        constant(&self.written)
    }
}

/// A path as it is written.
pub(super) fn text(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

/// The constant for a path.
pub(super) fn constant(path: &syn::Path) -> Ident {
    let names = path.segments.iter().map(|s| s.ident.to_string());
    let names = names.collect::<Vec<_>>().join("__");
    format_ident!(
        "__own_{}",
        names.replace("r#", ""),
        span = Span::call_site()
    )
}
