//! The penalty on the size of a value in training: `activity_regularizer`.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, Pass, Reference, Regularizer, Shares},
};

/// The value itself, with a penalty on its size.
#[derive(Debug)]
pub struct Penalty(pub Regularizer);

impl OpDef for Penalty {
    fn shares(&self) -> Shares {
        Shares {
            inference: true,
            training: true,
            gradient: true,
        }
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        let Regularizer { l1, l2 } = self.0;
        Some(format!("its outputs cost l1 {l1}, l2 {l2} in training"))
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let (input, _) = one(call)?;
        Ok(Some(Instruction::Penalty {
            value: input.at.clone(),
            width: input.width.clone(),
            l1: self.0.l1 as f32,
            l2: self.0.l2 as f32,
            axis: input.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, _) = one(call)?;
        Ok(Some(Instruction::PenaltyBackward {
            value: input.trained.clone(),
            gradient: input.gradient.clone(),
            width: input.width.clone(),
            l1: self.0.l1 as f32,
            l2: self.0.l2 as f32,
            axis: input.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        x.data.to_vec()
    }
}
