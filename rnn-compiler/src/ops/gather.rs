//! Rows of a table, by the ids of one of the model's inputs.

use super::given;
use crate::{
    cell::size::Size,
    diagnostics::Sound,
    ir::{Instruction, OpCall, OpDef, ParamId, Pass, Reference},
};

/// Copies rows of a table.
#[derive(Debug)]
pub struct Gather {
    /// Which of the model's inputs has the ids.
    pub input: usize,
    /// The table.
    pub table: ParamId,
    /// Size of the vocabulary.
    pub vocabulary: Size,
    /// The table is trained.
    pub trained: bool,
}

impl OpDef for Gather {
    fn param(&self) -> Option<(ParamId, bool)> {
        Some((self.table, self.trained))
    }

    fn explain(&self) -> Option<String> {
        Some("copies rows of its table".to_owned())
    }

    fn forward(&self, call: &OpCall, _: Pass) -> Sound<Option<Instruction>> {
        let output = given(call)?;
        Ok(Some(Instruction::Gather {
            input: self.input,
            table: self.table,
            vocabulary: self.vocabulary.clone(),
            to: output.at.clone(),
            width: output.width.clone(),
            axis: output.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        let output = given(call)?;
        Ok(self.trained.then(|| Instruction::Scatter {
            input: self.input,
            table: self.table,
            gradient: output.gradient.clone(),
            width: output.width.clone(),
            axis: output.axis,
        }))
    }

    /// The result for a table that is the identity matrix.
    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        let row = |id: &f64| {
            let id = *id as usize;
            (0..x.to_width).map(move |i| f64::from(u8::from(i == id)))
        };
        x.data.iter().flat_map(row).collect()
    }
}
