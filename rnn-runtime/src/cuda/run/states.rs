//! States before the first step and after the last, and their gradients.

use rnn_tables::{Axis, BufferRef, Instruction};

use super::{Pass, after};
use crate::error::Error;

impl Pass<'_> {
    /// States before the first step and after the last, and their gradients.
    pub(super) fn states(&self, instruction: &Instruction) -> Result<(), Error> {
        match *instruction {
            Instruction::StartState { ref state, width } => {
                self.clear(self.state(state), 0, 1, width)
            }
            Instruction::StartStateFrom {
                ref state,
                ref value,
                width,
            } => self.copy(self.view(value, None), 0, self.state(state), 0, width),
            Instruction::StartGradient {
                ref value,
                ref state,
                width,
            } => self.copy(self.state(state), 0, self.view(value, None), 0, width),
            Instruction::FinishState {
                ref value,
                ref state,
                width,
                axis,
            } => {
                let last = self.steps(axis).saturating_sub(1);
                self.copy(
                    self.state(&after(state)),
                    last,
                    self.view(value, None),
                    0,
                    width,
                )
            }
            Instruction::EndGradient {
                ref state,
                width,
                axis,
            } => self.end(state, width, axis),
            Instruction::EndGradientFrom {
                ref state,
                ref value,
                width,
                axis,
            } => {
                self.end(state, width, axis)?;
                let last = self.steps(axis).saturating_sub(1);
                self.copy(
                    self.view(value, None),
                    0,
                    self.state(&after(state)),
                    last,
                    width,
                )
            }
            Instruction::OnlyLastGradient {
                ref gradient,
                width,
                axis,
            } => match self.steps(axis) {
                0 | 1 => Ok(()),
                _ => self.clear(self.view(gradient, axis), 0, 1, width),
            },
            Instruction::BroadcastLastGradient {
                ref to,
                ref from,
                width,
                axis,
            } => {
                let steps = self.steps(axis);
                self.clear(self.view(to, axis), 0, steps, width)?;
                let last = steps.saturating_sub(1);
                self.copy(self.view(from, None), 0, self.view(to, axis), last, width)
            }
            ref other => unreachable!("{other:?} on a device"),
        }
    }

    /// Zeroes the gradient of a state after the last step; and before it, which a cell that does not
    /// read its state never writes.
    fn end(&self, gradient: &BufferRef, width: usize, axis: Axis) -> Result<(), Error> {
        let last = self.steps(axis).saturating_sub(1);
        for after in [false, true] {
            let gradient = BufferRef { after, ..*gradient };
            self.clear(self.state(&gradient), last, 1, width)?;
        }
        Ok(())
    }
}
