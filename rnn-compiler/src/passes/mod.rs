//! The passes: each takes one typed stage to the next.

mod check_cell;
mod check_layers;
mod fan_out;
mod lower;
mod ranges;
#[cfg(test)]
mod tests;

pub use check_cell::check_cell;
pub use check_layers::check_layers;

use proc_macro2::Span;

use crate::{
    diagnostics::{Bug, Diagnostics},
    ir::OpGraph,
    syntax::ModelAst,
};
use lower::Stop;

/// Every pass, in order. A model with mistakes stops after the pass that found them, with all of
/// that pass's messages in `found`.
pub fn run(model: &ModelAst, found: &mut Diagnostics) -> Option<OpGraph> {
    // Shapes first: everything after this line relies on them and reports no user's mistakes.
    let layers = check_layers::check_layers(model, found)?;
    if !found.is_empty() {
        return None;
    }
    // Then cells: from here on a model is a list of operations, and every cell has its gradient.
    let bug = |bug: Bug, found: &mut Diagnostics| {
        found.push(bug.diagnostic(Span::call_site(), &model.tokens.to_string()));
        None
    };
    let mut ops = match lower::lower(layers, found) {
        Ok(ops) => ops,
        Err(Stop::Reported) => return None,
        Err(Stop::Bug(b)) => return bug(b, found),
    };
    // Fan-outs before buffers are assigned: each reader of a value has a gradient of its own.
    fan_out::fan_out(&mut ops);
    ops.output_ranges = ranges::output_ranges(&ops);
    Some(ops)
}
