//! Costs that decisions rest on.

use crate::ir::CellOp;

/// Longest sequence that `unroll = true` unrolls; beyond it the code would not fit a cache.
pub const MOST_STEPS: usize = 64;

/// Whether to unroll a scan of `steps` steps.
pub fn unroll(c: &CellOp, steps: usize) -> bool {
    match c.unroll {
        Some(wanted) => wanted && steps <= MOST_STEPS,
        None => false,
    }
}
