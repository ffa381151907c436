//! The passes: each takes one typed stage to the next.

mod check_cell;
mod check_layers;
mod names;
#[cfg(test)]
mod tests;

pub use check_cell::check_cell;

use crate::{diagnostics::Diagnostics, ir::LayerGraph, syntax::ModelAst};

/// Every pass, in order. A model with mistakes stops behind the pass that found them, with all of
/// that pass's messages in `found`.
pub fn run(model: &ModelAst, found: &mut Diagnostics) -> Option<LayerGraph> {
    // Shapes first: everything behind this line relies on them and reports no mistakes of a user.
    check_layers::check_layers(model, found)
}
