//! The executor of a CUDA device: it runs the schedules that the CPU runs, one instruction after another, each by one or
//! a few kernels. Nothing waits for the device.

mod moves;
mod order;
mod scan;
mod states;
mod training;

use rnn_tables::{Axis, BufferRef, GradientCondition, Instruction};

use super::{
    code::CudaForm,
    device::Launcher,
    layout::{Layout, NOTHING, int},
    parameters::{
        Clear, CopyIn, CopyOut, CopyStep, Doubles, Floats, Operation, Seeds, View, Words,
    },
    program::Kernels,
};
use crate::{
    error::Error,
    executor::{Concurrent, Executor, execute},
    precision::Precision,
};

pub(super) use order::sort;
pub(super) use training::{penalties, scratch_floats};

/// An input on the device, `[batch][time][features]` or ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceInput {
    /// Floats; null for ids.
    pub floats: Floats,
    /// Ids; null for floats.
    pub ids: Words,
    /// The ids in order, as [`sort`] writes it; null if no gradient goes over them.
    pub order: Words,
}

/// One run of a schedule over a batch.
pub(super) struct Pass<'a> {
    pub device: Launcher<'a>,
    pub kernels: &'a Kernels,
    pub forms: &'static [CudaForm],
    /// What products are made in.
    pub precision: Precision,
    pub layout: &'a Layout<'a>,
    pub values: Floats,
    pub packed: Floats,
    /// All weights as the user sees them.
    pub weights: Floats,
    /// Their gradients; null forwards.
    pub gradients: Floats,
    /// Room for the terms of gradients, so many floats.
    pub scratch: (Floats, usize),
    /// Sums of activity regularisers, one row of the batch after another for each of so many; null if nobody asks.
    pub penalties: Doubles,
    pub penalties_room: usize,
    /// How many of them there are so far.
    pub penalties_seen: usize,
    pub seeds: Seeds,
    pub inputs: &'a [DeviceInput],
    /// The length of each axis.
    pub axes: &'a [usize],
    /// Training, not inference.
    pub training: bool,
    /// Whether the gradients of the inputs are wanted.
    pub input_gradient: bool,
    /// The first error; nothing runs after it.
    pub failed: Option<Error>,
}

/// Whether a whole-number parameter fits.
fn width_of(width: usize) -> Result<i32, Error> {
    int(width, "units")
}

impl Pass<'_> {
    fn rows(&self) -> Result<i32, Error> {
        int(self.layout.rows, "rows")
    }

    /// Steps of an axis; a value without one has a single step.
    fn steps(&self, axis: Axis) -> usize {
        axis.map_or(1, |a| self.axes[a])
    }

    fn int_steps(&self, axis: Axis) -> Result<i32, Error> {
        int(self.steps(axis), "steps")
    }

    /// A vector on an axis.
    pub fn view(&self, r: &BufferRef, axis: Axis) -> View {
        self.layout.view(self.values, r, self.steps(axis))
    }

    /// A state of a step of whatever axis: no step of it is the last.
    fn state(&self, r: &BufferRef) -> View {
        self.layout.view(self.values, r, usize::MAX)
    }

    fn mask(&self, r: Option<&BufferRef>, axis: Axis) -> View {
        r.map_or(NOTHING, |r| self.view(r, axis))
    }

    /// So many values of each row and step.
    fn count(&self, width: usize, axis: Axis) -> usize {
        self.layout
            .rows
            .saturating_mul(self.steps(axis))
            .saturating_mul(width)
    }

    /// Starts a kernel for every float of a value.
    fn each<P: Operation>(&self, parameters: &P, width: usize, axis: Axis) -> Result<(), Error> {
        self.device
            .each(parameters, width, self.layout.rows, self.steps(axis))
    }

    fn wants(&self, gradient: GradientCondition) -> bool {
        gradient == GradientCondition::Always || self.input_gradient
    }

    /// Copies an array of the host's layout into a buffer.
    pub fn copy_in(
        &self,
        to: &BufferRef,
        x: Floats,
        width: usize,
        axis: Axis,
    ) -> Result<(), Error> {
        let copy = CopyIn {
            to: self.view(to, axis),
            x,
            rows: self.rows()?,
            steps: self.int_steps(axis)?,
            width: width_of(width)?,
        };
        self.each(&copy, width, axis)
    }

    /// Copies a buffer to an array of the host's layout.
    pub fn copy_out(
        &self,
        from: &BufferRef,
        y: Floats,
        width: usize,
        axis: Axis,
    ) -> Result<(), Error> {
        let copy = CopyOut {
            from: self.view(from, axis),
            y,
            rows: self.rows()?,
            steps: self.int_steps(axis)?,
            width: width_of(width)?,
        };
        self.each(&copy, width, axis)
    }

    /// Fills a buffer with zeros.
    pub fn clear_all(&self, to: &BufferRef, width: usize, axis: Axis) -> Result<(), Error> {
        self.clear(self.view(to, axis), 0, self.steps(axis), width)
    }

    fn clear(&self, to: View, first: usize, steps: usize, width: usize) -> Result<(), Error> {
        let clear = Clear {
            to,
            rows: self.rows()?,
            first: int(first, "steps")?,
            steps: int(steps, "steps")?,
            width: width_of(width)?,
        };
        self.device.each(&clear, width, self.layout.rows, steps)
    }

    /// One step of a value becomes one step of another.
    fn copy(
        &self,
        from: View,
        from_time: usize,
        to: View,
        to_time: usize,
        width: usize,
    ) -> Result<(), Error> {
        let copy = CopyStep {
            from,
            to,
            from_time: int(from_time, "steps")?,
            to_time: int(to_time, "steps")?,
            rows: self.rows()?,
            width: width_of(width)?,
        };
        self.each(&copy, width, None)
    }

    fn one(&mut self, instruction: &Instruction) -> Result<(), Error> {
        match *instruction {
            Instruction::Scan {
                cell,
                form,
                axis,
                ref carry,
                input_gradient,
                ..
            } => {
                // In inference no condition is asked: everything there is wanted.
                let wanted = !self.training || self.wants(input_gradient);
                self.scan(cell, form, axis, carry.as_ref(), wanted)
            }
            Instruction::WeightGradients {
                matrices,
                vectors,
                axis,
                ref mask,
            } => self.weight_gradients(matrices, vectors, axis, mask.as_ref()),
            ref other => self.extras(other),
        }
    }
}

impl Executor for Pass<'_> {
    /// Starts the instruction. The first error is kept, and nothing is started after it.
    fn run(&mut self, instruction: &Instruction) {
        if self.failed.is_none() {
            self.failed = self.one(instruction).err();
        }
    }

    fn wants_input_gradient(&self) -> bool {
        self.input_gradient
    }

    /// The scans of two directions: a GPU has multiprocessors for both.
    fn concurrent(&mut self, parts: &Concurrent<'_>) {
        if self.failed.is_some() {
            return;
        }
        let device = self.device;
        let side = match device.fork() {
            Ok(side) => side,
            Err(e) => {
                self.failed = Some(e);
                return;
            }
        };
        execute(self, parts.first);
        self.device = side;
        execute(self, parts.second);
        self.device = device;
        // Whatever has failed: what was started has to end before its buffers are used again.
        let joined = device.join(&side);
        self.failed = self.failed.take().or(joined.err());
    }
}

/// The same vector after the step.
fn after(state: &BufferRef) -> BufferRef {
    BufferRef {
        after: true,
        ..*state
    }
}
