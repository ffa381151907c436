//! Repeats a vector at every step of a sequence.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, Pass, Reference},
};

/// One row for all steps.
#[derive(Debug)]
pub struct Repeat;

impl OpDef for Repeat {
    fn needs_all(&self) -> Option<&'static str> {
        Some("it makes steps of its own")
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        Some("a vector for every step".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Repeat {
            from: input.at.clone(),
            to: output.at.clone(),
            width: input.width.clone(),
            axis: output.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::SumOverTime {
            from: output.gradient.clone(),
            to: input.gradient.clone(),
            width: input.width.clone(),
            axis: output.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        let rows = x.data.chunks(x.width);
        rows.flat_map(|row| row.repeat(x.to_steps)).collect()
    }
}
