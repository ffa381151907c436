//! Inputs, and values that change their places.

use rnn_tables::{Axis, BufferRef, Instruction};

use super::{Pass, order::SortedIds, width_of};
use crate::{
    cuda::{
        layout::int,
        parameters::{
            Gather, MaskIds, Permute, Repeat, Reshape, Reverse, Scatter, Sum, SumOverTime,
        },
    },
    error::Error,
};

impl Pass<'_> {
    /// Inputs, and values that change their positions.
    pub(super) fn moves(&self, instruction: &Instruction) -> Result<(), Error> {
        let rows = self.rows()?;
        match *instruction {
            Instruction::Input {
                input,
                ref to,
                width,
                axis,
            } => self.copy_in(to, self.inputs[input].floats, width, axis),
            Instruction::Gather {
                input,
                table,
                ref to,
                width,
                axis,
                ..
            } => {
                let gather = Gather {
                    to: self.view(to, axis),
                    table: self.weights.after(table.0),
                    ids: self.inputs[input].ids,
                    rows,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                };
                self.each(&gather, width, axis)
            }
            Instruction::Scatter {
                input,
                table,
                ref gradient,
                width,
                axis,
            } => {
                let places = self.count(1, axis);
                let order = SortedIds::at(self.inputs[input].order, places);
                let scatter = Scatter {
                    from: self.view(gradient, axis),
                    gradient: self.gradients.after(table.0),
                    ids: order.ids,
                    starts: order.starts,
                    places: order.places,
                    count: order.count,
                    steps: self.int_steps(axis)?,
                    rows,
                    width: width_of(width)?,
                };
                self.device.each(&scatter, width, places, 1)
            }
            Instruction::MaskIds {
                input,
                ref to,
                axis,
            } => {
                let mask = MaskIds {
                    to: self.view(to, axis),
                    ids: self.inputs[input].ids,
                    rows,
                    steps: self.int_steps(axis)?,
                };
                self.each(&mask, 1, axis)
            }
            Instruction::Reshape {
                ref from,
                from_width,
                from_axis,
                ref to,
                to_width,
                to_axis,
            } => {
                let reshape = Reshape {
                    from: self.view(from, from_axis),
                    to: self.view(to, to_axis),
                    rows,
                    floats: int(from_width * self.steps(from_axis), "numbers of a row")?,
                    from_width: width_of(from_width)?,
                    to_width: width_of(to_width)?,
                };
                let floats = from_width * self.steps(from_axis);
                self.device.each(&reshape, floats, self.layout.rows, 1)
            }
            Instruction::Permute {
                ref from,
                width,
                axis,
                ref to,
            } => {
                let permute = Permute {
                    from: self.view(from, axis),
                    to: self.layout.view(self.values, to, width),
                    rows,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                };
                self.each(&permute, width, axis)
            }
            Instruction::Reverse {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let reverse = Reverse {
                    from: self.view(from, axis),
                    to: self.view(to, axis),
                    rows,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                };
                self.each(&reverse, width, axis)
            }
            Instruction::Repeat {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let repeat = Repeat {
                    from: self.view(from, None),
                    to: self.view(to, axis),
                    rows,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                };
                self.each(&repeat, width, axis)
            }
            Instruction::SumOverTime {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let sum = SumOverTime {
                    from: self.view(from, axis),
                    to: self.view(to, None),
                    rows,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                };
                self.each(&sum, width, None)
            }
            Instruction::Sum {
                from,
                ref to,
                width,
                axis,
            } => self.sum(from, to, width, axis),
            Instruction::Clear {
                ref to,
                width,
                axis,
            } => self.clear(self.view(to, axis), 0, self.steps(axis), width),
            Instruction::ClearAccumulator { ref to, width } => {
                self.clear(self.view(to, None), 0, 1, width)
            }
            ref other => self.states(other),
        }
    }

    /// The sum of several values, of which the result may be one.
    fn sum(
        &self,
        from: &[BufferRef],
        to: &BufferRef,
        width: usize,
        axis: Axis,
    ) -> Result<(), Error> {
        let target = self.view(to, axis);
        let (rows, steps, width) = (self.rows()?, self.int_steps(axis)?, width_of(width)?);
        // The result first, if it is one of them: the others are added to what is there.
        let place = |r: &BufferRef| (r.buffer, r.offset, r.after);
        let mut from: Vec<&BufferRef> = from.iter().collect();
        from.sort_by_key(|r| place(r) != place(to));
        let Some((first, rest)) = from.split_first() else {
            return self.clear(target, 0, self.steps(axis), width as usize);
        };
        let Some((second, rest)) = rest.split_first() else {
            let floats = width as usize * self.steps(axis);
            let copy = Reshape {
                from: self.view(first, axis),
                to: target,
                rows,
                floats: int(floats, "numbers of a row")?,
                from_width: width,
                to_width: width,
            };
            return self.device.each(&copy, floats, self.layout.rows, 1);
        };
        let mut one = Sum {
            from: self.view(first, axis),
            and_: self.view(second, axis),
            to: target,
            rows,
            steps,
            width,
        };
        self.each(&one, width as usize, axis)?;
        for next in rest {
            (one.from, one.and_) = (target, self.view(next, axis));
            self.each(&one, width as usize, axis)?;
        }
        Ok(())
    }
}
