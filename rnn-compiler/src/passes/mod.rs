//! The passes: each takes one typed stage to the next.

mod check_cell;
mod check_layers;
mod fork;
mod lower;
mod plan;
#[cfg(test)]
mod tests;

pub use check_cell::check_cell;
pub use check_layers::check_layers;

use crate::{diagnostics::Diagnostics, ir::Plan, syntax::ModelAst};

/// Every pass, in order. A model with mistakes stops behind the pass that found them, with all of
/// that pass's messages in `found`.
pub fn run(model: &ModelAst, found: &mut Diagnostics) -> Option<Plan> {
    // Shapes first: everything behind this line relies on them and reports no mistakes of a user.
    let layers = check_layers::check_layers(model, found)?;
    if !found.is_empty() {
        return None;
    }
    // Then cells: from here on a model is a list of operations, and every cell has its gradient.
    let mut ops = lower::lower(layers, found)?;
    // Values with several readers before buffers are handed out: each reader has a gradient.
    fork::fork(&mut ops);
    // Last the decisions, when all forms of all cells are known: buffers and weights are shared.
    Some(plan::plan(ops))
}
