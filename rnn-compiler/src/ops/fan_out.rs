//! The value itself, for several readers: their gradients are summed.

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Between, Instruction, OpCall, OpDef, Pass, Reference, Shares},
};

/// One value for several readers.
#[derive(Debug)]
pub struct FanOut;

impl OpDef for FanOut {
    fn shares(&self) -> Shares {
        Shares {
            inference: true,
            training: true,
            gradient: false,
        }
    }

    fn between_directions(&self) -> Between {
        Between::FansOut
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        None
    }

    fn forward(&self, _: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        Ok(None)
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let (input, _) = one(call)?;
        let readers = call.outputs.iter();
        Ok(Some(Instruction::Sum {
            from: readers.map(|reader| reader.gradient.clone()).collect(),
            to: input.gradient.clone(),
            width: input.width.clone(),
            axis: input.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        x.data.to_vec()
    }
}
