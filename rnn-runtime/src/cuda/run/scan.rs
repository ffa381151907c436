//! Scans of cells over time, and what their masked steps carry over.

use rnn_tables::{Axis, CarryOver, Form, Slice};

use super::{Pass, after, width_of};
use crate::{
    cuda::{
        code::{CudaForm, CudaKernel},
        device::THREADS,
        layout::{NOTHING, int},
        parameters::{ClearMasked, Hold, HoldOutputs, Release, Run, View},
        source::Block,
    },
    error::Error,
};

impl Pass<'_> {
    /// Runs a fused kernel for the steps `first..first + steps` of an axis.
    fn fused(
        &self,
        k: &'static CudaKernel,
        axis: Axis,
        first: usize,
        steps: usize,
        mask: View,
        fresh: bool,
    ) -> Result<(), Error> {
        let loaded = self.kernels.kernel(k);
        let run = Run {
            values: self.values,
            packed: self.packed,
            mask: mask.base,
            mask_row: mask.row,
            rows: self.rows()?,
            first: int(first, "steps")?,
            steps: int(steps, "steps")?,
            total: self.int_steps(axis)?,
            fresh: i32::from(fresh),
        };
        let offsets = self.offsets(&loaded.buffers);
        let serial = if k.adds { 1 } else { steps };
        let positions = self.layout.rows.saturating_mul(serial);
        int(positions, "rows and steps")?;
        let tiles = positions.div_ceil(loaded.shape.positions());
        let units = match k.table.reductions.is_empty() {
            true => k.table.width.div_ceil(loaded.shape.units()),
            false => 1,
        };
        if tiles == 0 || units == 0 {
            return Ok(());
        }
        // Weights that a block reads serve all of its warps, but few blocks leave multiprocessors without work.
        let most = THREADS as usize / 32;
        let warps = (tiles * units / self.device.multiprocessors()).clamp(1, most);
        let blocks = (tiles.div_ceil(warps) as u32, units as u32);
        self.device
            .fused(&loaded.function, &run, &offsets, blocks, 32 * warps as u32)
    }

    /// Where buffers start.
    fn offsets(&self, buffers: &[usize]) -> Vec<i64> {
        buffers
            .iter()
            .map(|b| self.layout.start(*b) as i64)
            .collect()
    }

    /// Runs the kernels of a form's step over all steps, if they have been written as one.
    fn persistent(
        &self,
        form: &CudaForm,
        axis: Axis,
        mask: View,
        fresh: bool,
    ) -> Result<bool, Error> {
        // As few rows a block as leave no multiprocessor without work.
        let block = Block::of(self.layout.rows, self.device.multiprocessors());
        let Some(persistent) = self.kernels.persistent(form, block) else {
            return Ok(false);
        };
        let steps = self.int_steps(axis)?;
        let run = Run {
            values: self.values,
            packed: self.packed,
            mask: mask.base,
            mask_row: mask.row,
            rows: self.rows()?,
            first: 0,
            steps,
            total: steps,
            fresh: i32::from(fresh),
        };
        let offsets = self.offsets(&persistent.buffers);
        let rows = block.rows(self.precision.of(form.form));
        let blocks = (self.layout.rows.div_ceil(rows) as u32, 1);
        self.device
            .fused(&persistent.function, &run, &offsets, blocks, THREADS)?;
        Ok(true)
    }

    /// Runs a kernel once, for all rows.
    pub fn once(&self, k: &'static CudaKernel) -> Result<(), Error> {
        self.fused(k, None, 0, 1, NOTHING, false)
    }

    /// Runs a cell over time.
    pub(super) fn scan(
        &self,
        cell: usize,
        form: Form,
        axis: Axis,
        carry: Option<&CarryOver>,
        input_gradient: bool,
    ) -> Result<(), Error> {
        let Some(form) = self.forms.iter().find(|f| f.cell == cell && f.form == form) else {
            unreachable!("cell {cell} has no {form:?}");
        };
        let backward = form.form == Form::Backward;
        let steps = self.steps(axis);
        let mask = self.mask(carry.map(|c| &c.mask), axis);
        let fresh = !backward;
        if let Some(carry) = carry.filter(|c| backward && !c.zero_output) {
            self.release(carry, mask, axis)?;
        }
        for k in form.scan.prologue {
            if input_gradient || !k.only_input_gradient {
                self.fused(k, axis, 0, steps, mask, fresh)?;
            }
        }
        let done = self.persistent(form, axis, mask, fresh)?;
        for i in 0..if done { 0 } else { steps } {
            let t = if backward { steps - 1 - i } else { i };
            for k in form.scan.step {
                if t > 0 || form.first || !k.only_state_gradients {
                    self.fused(k, axis, t, 1, mask, fresh)?;
                }
            }
            if let Some(carry) = carry {
                for Slice { at, width } in carry.states {
                    let before = self.state(at);
                    let after = self.state(&after(at));
                    let (from, to) = if backward {
                        (after, before)
                    } else {
                        (before, after)
                    };
                    let hold = Hold {
                        from,
                        to,
                        mask,
                        time: int(t, "steps")?,
                        rows: self.rows()?,
                        width: width_of(*width)?,
                    };
                    self.each(&hold, *width, None)?;
                }
            }
        }
        for k in form.scan.post_loop {
            if input_gradient || !k.only_input_gradient {
                self.fused(k, axis, 0, steps, mask, fresh)?;
            }
        }
        match carry {
            Some(carry) if backward && input_gradient => self.clear_masked(carry, mask, axis),
            Some(carry) if !backward => self.hold_outputs(carry, mask, axis),
            _ => Ok(()),
        }
    }

    fn release(&self, carry: &CarryOver, mask: View, axis: Axis) -> Result<(), Error> {
        for Slice { at, width } in carry.outputs {
            let release = Release {
                output: self.view(at, axis),
                mask,
                rows: self.rows()?,
                steps: self.int_steps(axis)?,
                width: width_of(*width)?,
            };
            self.each(&release, *width, None)?;
        }
        Ok(())
    }

    fn hold_outputs(&self, carry: &CarryOver, mask: View, axis: Axis) -> Result<(), Error> {
        for Slice { at, width } in carry.outputs {
            let hold = HoldOutputs {
                output: self.view(at, axis),
                mask,
                rows: self.rows()?,
                steps: self.int_steps(axis)?,
                width: width_of(*width)?,
                zero: i32::from(carry.zero_output),
            };
            self.each(&hold, *width, None)?;
        }
        Ok(())
    }

    fn clear_masked(&self, carry: &CarryOver, mask: View, axis: Axis) -> Result<(), Error> {
        for Slice { at, width } in carry.inputs {
            let clear = ClearMasked {
                to: self.view(at, axis),
                mask,
                rows: self.rows()?,
                steps: self.int_steps(axis)?,
                width: width_of(*width)?,
            };
            self.each(&clear, *width, axis)?;
        }
        Ok(())
    }
}
