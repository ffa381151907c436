//! Operators that are no cells, a file each. A layer that is one of them names it in its file; what
//! lowering makes by itself stands here as well.

mod fork;
mod gather;
mod mask_ids;
mod penalty;
mod permute;
mod perturb;
mod repeat;
mod reshape;
mod reverse;

pub use fork::Fork;
pub use gather::Gather;
pub use mask_ids::MaskIds;
pub use penalty::Penalty;
pub use permute::Permute;
pub use perturb::Perturb;
pub use repeat::Repeat;
pub use reshape::Reshape;
pub use reverse::Reverse;

use crate::{
    diagnostics::{OrBug, Sound},
    ir::{OpCall, OpValue},
};

/// What an operator of one value reads and gives.
fn one(call: &OpCall) -> Sound<(&OpValue, &OpValue)> {
    let input = call
        .inputs
        .first()
        .or_bug("an operator that reads nothing")?;
    Ok((input, given(call)?))
}

/// What an operator gives.
fn given(call: &OpCall) -> Sound<&OpValue> {
    call.outputs.first().or_bug("an operator without a result")
}
