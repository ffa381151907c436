//! The mask of `mask_zero`: which steps have an id other than 0.

use super::given;
use crate::{
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, Pass, Reference},
};

/// 1 where an id of an input is not 0.
#[derive(Debug)]
pub struct MaskIds {
    /// Which of the model's inputs.
    pub input: usize,
}

impl OpDef for MaskIds {
    fn explain(&self) -> Option<String> {
        Some("masks the steps whose id is 0".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let output = given(call)?;
        Ok(Some(Instruction::MaskIds {
            input: self.input,
            to: output.at.clone(),
            axis: output.axis,
        }))
    }

    /// Ids have no gradient.
    fn backward(&self, _: &OpCall) -> Sound<Option<Instruction>> {
        Ok(None)
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        x.data
            .iter()
            .map(|&id| f64::from(u8::from(id != 0.0)))
            .collect()
    }
}
