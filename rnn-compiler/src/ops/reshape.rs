//! The same numbers of a row in another shape: `Reshape`, `Flatten`.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, Pass, PerStep, Reference, Shape},
};

/// The same numbers of a row, cut into other steps.
#[derive(Debug)]
pub struct Reshape;

impl OpDef for Reshape {
    fn needs_all(&self) -> Option<&'static str> {
        Some("its numbers come from several steps")
    }

    fn per_step(&self) -> PerStep {
        PerStep::View
    }

    /// The same steps of the same numbers: nothing moves.
    fn is_identity(&self, from: &Shape, to: &Shape) -> bool {
        from.time == to.time
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        Some("its numbers in another shape; needs all steps, so no stream".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Reshape {
            from: input.at.clone(),
            from_width: input.width.clone(),
            from_axis: input.axis,
            to: output.at.clone(),
            to_width: output.width.clone(),
            to_axis: output.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Reshape {
            from: output.gradient.clone(),
            from_width: output.width.clone(),
            from_axis: output.axis,
            to: input.gradient.clone(),
            to_width: input.width.clone(),
            to_axis: input.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        x.data.to_vec()
    }
}
