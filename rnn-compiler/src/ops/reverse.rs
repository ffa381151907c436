//! Reverses the steps, for `go_backwards`.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Between, Instruction, OpCall, OpDef, Pass, Reference},
};

/// Last step first.
#[derive(Debug)]
pub struct Reverse;

impl OpDef for Reverse {
    fn needs_all(&self) -> Option<&'static str> {
        Some("it starts at the last step")
    }

    fn between_directions(&self) -> Between {
        Between::Moves
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        Some("reads the steps last to first; needs all of them, so no stream".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Reverse {
            from: input.at.clone(),
            to: output.at.clone(),
            width: input.width.clone(),
            axis: output.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Reverse {
            from: output.gradient.clone(),
            to: input.gradient.clone(),
            width: input.width.clone(),
            axis: input.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        let mut all = Vec::new();
        for row in x.data.chunks(x.steps * x.width) {
            all.extend(row.chunks(x.width).rev().flatten());
        }
        all
    }
}
