//! Operators that are no cells, one a file. Layers name theirs in their own files; those that only
//! lowering makes are here as well.

mod fan_out;
mod gather;
mod mask_ids;
mod penalty;
mod permute;
mod perturb;
mod repeat;
mod reshape;
mod reverse;

pub use fan_out::FanOut;
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

/// The input and the output of an operator of one value.
fn one(call: &OpCall) -> Sound<(&OpValue, &OpValue)> {
    let input = call
        .inputs
        .first()
        .or_bug("an operator that reads nothing")?;
    Ok((input, given(call)?))
}

/// The output of an operator.
fn given(call: &OpCall) -> Sound<&OpValue> {
    call.outputs.first().or_bug("an operator without a result")
}
