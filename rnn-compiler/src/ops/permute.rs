//! Exchanges steps and features.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, Pass, Reference},
};

/// `[time, features]` to `[features, time]`.
#[derive(Debug)]
pub struct Permute;

impl OpDef for Permute {
    fn needs_all(&self) -> Option<&'static str> {
        Some("its steps are features of all steps")
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        Some("steps and features change places; needs all steps, so no stream".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Permute {
            from: input.at.clone(),
            width: input.width.clone(),
            axis: input.axis,
            to: output.at.clone(),
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Permute {
            from: output.gradient.clone(),
            width: output.width.clone(),
            axis: output.axis,
            to: input.gradient.clone(),
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        let mut all = Vec::new();
        for row in x.data.chunks(x.steps * x.width) {
            let feature = |f: usize| (0..x.steps).map(move |t| row[t * x.width + f]);
            all.extend((0..x.width).flat_map(feature));
        }
        all
    }
}
