//! The executor of a CUDA device: it runs the schedules that the CPU runs, one instruction after another, each by one or
//! a few kernels. Nothing waits for the device.

use std::collections::BTreeMap;

use cudarc::driver::{CudaFunction, CudaSlice};
use rnn_tables::{
    Axis, BufferRef, CarryOver, Form, GradientCondition, Instruction, MatrixGradient, Perturbation,
    Slice, VectorGradient,
};

use super::{
    code::{CudaForm, CudaKernel},
    device::{CudaDevice, THREADS},
    layout::{Layout, NOTHING, Packing, int},
    parameters::{
        AddParts, Clear, ClearMasked, CopyIn, CopyOut, CopyStep, Doubles, DropoutMask, Floats,
        Gather, Hold, HoldOutputs, MaskIds, Normalize, NormalizeBackward, NormalizeSums, Operation,
        Penalty, PenaltyBackward, Permute, Perturb, Release, Repeat, Reshape, Reverse, Run,
        Scatter, Seeds, Statistics, Sum, SumOverTime, VectorGradient as VectorSums, View, Words,
    },
    source,
};
use crate::{error::Error, executor::Executor};

/// A kernel that has been loaded.
pub(super) struct Loaded {
    pub function: CudaFunction,
    /// The buffers of its `Offsets`.
    pub buffers: Vec<usize>,
    /// Positions of a warp.
    pub positions: usize,
}

/// The kernels of some forms, by the address of what they were made from.
#[derive(Default)]
pub(super) struct Kernels {
    loaded: BTreeMap<usize, Loaded>,
}

/// What tells one kernel of a program from another.
fn key(k: &'static CudaKernel) -> usize {
    std::ptr::from_ref(k).addr()
}

impl Kernels {
    /// Compiles kernels, all in one program, whose buffers are `specs`.
    pub fn load(
        device: &CudaDevice,
        kernels: &[&'static CudaKernel],
        specs: &'static [rnn_tables::Buffer],
        packing: &Packing,
    ) -> Result<Kernels, Error> {
        if kernels.is_empty() {
            return Ok(Kernels::default());
        }
        let mut text = super::parameters::declarations();
        for part in super::device::COMMON {
            text += part;
        }
        text += include_str!("kernels/fused.cuh");
        let mut written = Vec::with_capacity(kernels.len());
        for (i, k) in kernels.iter().enumerate() {
            let one = source::kernel(i, k, specs, packing);
            text += &one.text;
            written.push(one);
        }
        let module = device.module(&text)?;
        let mut loaded = BTreeMap::new();
        for (i, (k, one)) in kernels.iter().zip(written).enumerate() {
            let function = module.load_function(&format!("kernel{i}"));
            let function = function.map_err(|e| super::device::failed("a kernel is missing", e))?;
            loaded.insert(
                key(k),
                Loaded {
                    function,
                    buffers: one.buffers,
                    positions: one.positions,
                },
            );
        }
        Ok(Kernels { loaded })
    }
}

/// An input on the device, `[batch][time][features]` or ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceInput {
    /// Floats; null for ids.
    pub floats: Floats,
    /// Ids; null for floats.
    pub ids: Words,
    /// Its place in [`Pass::sorted`].
    pub index: usize,
}

/// The places of the ids of an input, sorted by id: what a scatter goes over.
pub(super) struct SortedIds {
    pub ids: CudaSlice<u32>,
    pub starts: CudaSlice<u32>,
    pub places: CudaSlice<u32>,
    pub count: usize,
}

/// One run of a schedule over a batch.
pub(super) struct Pass<'a> {
    pub device: &'a CudaDevice,
    pub kernels: &'a Kernels,
    pub forms: &'static [CudaForm],
    pub layout: &'a Layout,
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
    pub sorted: &'a [Option<SortedIds>],
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
        let Some(loaded) = self.kernels.loaded.get(&key(k)) else {
            unreachable!("a kernel that has not been loaded");
        };
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
        let starts = loaded.buffers.iter().map(|b| self.layout.start(*b) as i64);
        let offsets: Vec<i64> = starts.collect();
        let warps = THREADS as usize / 32;
        let serial = if k.adds { 1 } else { steps };
        let positions = self.layout.rows.saturating_mul(serial);
        int(positions, "rows and steps")?;
        let tiles = positions.div_ceil(warps * loaded.positions);
        let units = match k.table.reductions.is_empty() {
            true => k.table.width.div_ceil(32),
            false => 1,
        };
        if tiles == 0 || units == 0 {
            return Ok(());
        }
        let blocks = (tiles as u32, units as u32);
        // SAFETY: `Kernels::load` wrote the kernel for these buffers, and `Layout` places them among the values.
        unsafe { self.device.fused(&loaded.function, &run, &offsets, blocks) }
    }

    /// Runs a kernel once, for all rows.
    pub fn once(&self, k: &'static CudaKernel) -> Result<(), Error> {
        self.fused(k, None, 0, 1, NOTHING, false)
    }

    /// Runs a cell over time.
    fn scan(
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
        if let Some(carry) = carry {
            if backward && !carry.zero_output {
                self.release(carry, mask, axis)?;
            }
        }
        for k in form.scan.prologue {
            if input_gradient || !k.only_input_gradient {
                self.fused(k, axis, 0, steps, mask, fresh)?;
            }
        }
        for i in 0..steps {
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

    /// Inputs, and values that change their positions.
    fn moves(&self, instruction: &Instruction) -> Result<(), Error> {
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
                let Some(sorted) = &self.sorted[self.inputs[input].index] else {
                    unreachable!("ids that have not been sorted");
                };
                let scatter = Scatter {
                    from: self.view(gradient, axis),
                    gradient: self.gradients.after(table.0),
                    ids: Words(self.device.address(&sorted.ids)),
                    starts: Words(self.device.address(&sorted.starts)),
                    places: Words(self.device.address(&sorted.places)),
                    count: int(sorted.count, "ids")?,
                    steps: self.int_steps(axis)?,
                    rows,
                    width: width_of(width)?,
                };
                self.device.each(&scatter, width, sorted.count, 1)
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

    /// States before the first step and after the last, and their gradients.
    fn states(&self, instruction: &Instruction) -> Result<(), Error> {
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

    /// Random changes of values, forwards or backwards.
    #[allow(clippy::too_many_arguments)]
    fn perturb(
        &self,
        how: Perturbation,
        from: &BufferRef,
        to: &BufferRef,
        width: usize,
        every_step: bool,
        stream: u64,
        axis: Axis,
        backward: bool,
    ) -> Result<(), Error> {
        let mut perturb = Perturb {
            from: self.view(from, axis),
            to: self.view(to, axis),
            seeds: self.seeds,
            stream,
            kind: 0,
            every_step: i32::from(every_step),
            rows: self.rows()?,
            steps: self.int_steps(axis)?,
            width: width_of(width)?,
            rate: 0.0,
            scale: 1.0,
            offset: 0.0,
            dropped: 0.0,
            stddev: 0.0,
        };
        match how {
            Perturbation::Bernoulli {
                rate,
                scale,
                offset,
                dropped,
            } => {
                (perturb.rate, perturb.scale) = (rate, scale);
                if !backward {
                    (perturb.offset, perturb.dropped) = (offset, dropped);
                }
            }
            Perturbation::Additive { stddev } => {
                perturb.kind = if backward { 3 } else { 1 };
                perturb.stddev = stddev;
            }
            Perturbation::Multiplicative { stddev } => {
                perturb.kind = 2;
                perturb.stddev = stddev;
            }
        }
        self.each(&perturb, width, axis)
    }

    /// What happens in training only: random numbers, penalties, statistics of the batch.
    fn extras(&mut self, instruction: &Instruction) -> Result<(), Error> {
        match *instruction {
            Instruction::Perturb {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => self.perturb(how, from, to, width, every_step, stream, axis, false),
            Instruction::PerturbBackward {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => self.perturb(how, from, to, width, every_step, stream, axis, true),
            Instruction::DropoutMask {
                ref to,
                width,
                rate,
                stream,
            } => {
                let mask = DropoutMask {
                    to: self.view(to, None),
                    seeds: self.seeds,
                    stream,
                    rows: self.rows()?,
                    width: width_of(width)?,
                    rate,
                };
                self.each(&mask, width, None)
            }
            Instruction::Penalty {
                ref value,
                width,
                l1,
                l2,
                axis,
            } => {
                if self.penalties.0 == 0 {
                    return Ok(());
                }
                assert!(
                    self.penalties_seen < self.penalties_room,
                    "more penalties than were counted"
                );
                let place = self.penalties_seen * self.layout.rows;
                self.penalties_seen += 1;
                let penalty = Penalty {
                    value: self.view(value, axis),
                    to: Doubles(self.penalties.0 + 8 * place as u64),
                    rows: self.rows()?,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                    l1,
                    l2,
                };
                self.device.run(&penalty, (penalty.rows as u32, 1, 1))
            }
            Instruction::PenaltyBackward {
                ref value,
                ref gradient,
                width,
                l1,
                l2,
                axis,
            } => {
                let penalty = PenaltyBackward {
                    value: self.view(value, axis),
                    gradient: self.view(gradient, axis),
                    rows: self.rows()?,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                    l1,
                    l2,
                };
                self.each(&penalty, width, axis)
            }
            Instruction::Normalize { ref layer, axis } => self.normalize(layer, axis),
            Instruction::NormalizeBackward {
                ref layer,
                axis,
                input_gradient,
            } => self.normalize_backward(layer, axis, self.wants(input_gradient)),
            ref other => self.moves(other),
        }
    }

    fn normalize(&self, n: &rnn_tables::Normalize, axis: Axis) -> Result<(), Error> {
        let (rows, steps, width) = (self.rows()?, self.int_steps(axis)?, width_of(n.width)?);
        let saved = self.state(&n.saved);
        let statistics = Statistics {
            input: self.view(&n.input, axis),
            saved,
            mask: self.mask(n.mask.as_ref(), axis),
            moving_mean: self.weights.after(n.moving_mean.0),
            moving_variance: self.weights.after(n.moving_variance.0),
            rows,
            steps,
            width,
            momentum: n.momentum,
            epsilon: n.epsilon,
        };
        self.device
            .run(&statistics, (n.width.div_ceil(32) as u32, 1, 1))?;
        let param =
            |p: Option<rnn_tables::WeightOffset>| p.map_or(Floats(0), |p| self.weights.after(p.0));
        let normalize = Normalize {
            input: self.view(&n.input, axis),
            output: self.view(&n.output, axis),
            saved,
            gamma: param(n.gamma),
            beta: param(n.beta),
            rows,
            steps,
            width,
        };
        self.each(&normalize, n.width, axis)
    }

    fn normalize_backward(
        &self,
        n: &rnn_tables::Normalize,
        axis: Axis,
        wanted: bool,
    ) -> Result<(), Error> {
        let (rows, steps, width) = (self.rows()?, self.int_steps(axis)?, width_of(n.width)?);
        let saved = self.state(&n.saved);
        let mask = self.mask(n.mask.as_ref(), axis);
        let gradient = |p: Option<rnn_tables::WeightOffset>| {
            p.map_or(Floats(0), |p| self.gradients.after(p.0))
        };
        assert!(2 * n.width <= self.scratch.1, "less room than was counted");
        let sums = NormalizeSums {
            input: self.view(&n.input, axis),
            d_output: self.view(&n.d_output, axis),
            saved,
            mask,
            gamma: gradient(n.gamma),
            beta: gradient(n.beta),
            means: self.scratch.0,
            rows,
            steps,
            width,
        };
        self.device
            .run(&sums, (n.width.div_ceil(32) as u32, 1, 1))?;
        if !wanted {
            return Ok(());
        }
        let backward = NormalizeBackward {
            input: self.view(&n.input, axis),
            d_output: self.view(&n.d_output, axis),
            d_input: self.view(&n.d_input, axis),
            saved,
            mask,
            gamma: n.gamma.map_or(Floats(0), |p| self.weights.after(p.0)),
            means: self.scratch.0,
            rows,
            steps,
            width,
        };
        self.each(&backward, n.width, axis)
    }

    /// The gradients of a cell's weights.
    fn weight_gradients(
        &self,
        matrices: &[MatrixGradient],
        vectors: &[VectorGradient],
        axis: Axis,
        mask: Option<&BufferRef>,
    ) -> Result<(), Error> {
        let (rows, steps) = (self.rows()?, self.int_steps(axis)?);
        int(self.count(1, axis), "rows and steps")?;
        let mask = self.mask(mask, axis);
        for m in matrices {
            let tiles = m.k.div_ceil(32) * m.width.div_ceil(32);
            let parts = parts(self.count(1, axis), tiles, m.k * m.width, self.scratch.1);
            let whole = self.gradients.after(m.to.start());
            let columns = int(m.to.columns, "columns")?;
            let (k, width) = (int(m.k, "rows")?, width_of(m.width)?);
            let gradient = super::parameters::MatrixGradient {
                operand: self.view(&m.operand, axis),
                gradient: self.view(&m.gradient, axis),
                mask,
                to: if parts == 1 { whole } else { self.scratch.0 },
                columns,
                rows,
                steps,
                k,
                width,
                parts: parts as i32,
            };
            let blocks = (
                m.k.div_ceil(32) as u32,
                m.width.div_ceil(32) as u32,
                parts as u32,
            );
            self.device.run(&gradient, blocks)?;
            if parts > 1 {
                let add = AddParts {
                    from: self.scratch.0,
                    to: whole,
                    columns,
                    k,
                    width,
                    parts: parts as i32,
                };
                self.device.each(&add, m.k * m.width, 1, 1)?;
            }
        }
        for v in vectors {
            // What was accumulated has one row without time, and nothing of masked steps.
            let (axis, mask) = if v.accumulated {
                (None, NOTHING)
            } else {
                (axis, mask)
            };
            let sums = VectorSums {
                gradient: self.view(&v.gradient, axis),
                mask,
                to: self.gradients.after(v.to.start()),
                rows,
                steps: self.int_steps(axis)?,
                width: width_of(v.width)?,
            };
            self.device
                .run(&sums, (v.width.div_ceil(32) as u32, 1, 1))?;
        }
        Ok(())
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
}

/// The same vector after the step.
fn after(state: &BufferRef) -> BufferRef {
    BufferRef {
        after: true,
        ..*state
    }
}

/// In how many parts the places of a gradient are added up, so that enough blocks are at work: each has 256 places or
/// more, and there is room for the terms of all. It depends on sizes alone, and so does the order of the sum.
fn parts(places: usize, tiles: usize, floats: usize, room: usize) -> usize {
    const BLOCKS: usize = 256;
    let wanted = (BLOCKS / tiles.max(1)).min(places / 256);
    wanted.min(room / floats.max(1)).clamp(1, 64)
}

/// Floats of room that a schedule needs for the terms of gradients.
pub(super) fn scratch_floats(schedule: &[Instruction]) -> usize {
    let of = |instruction: &Instruction| match instruction {
        Instruction::WeightGradients { matrices, .. } => matrices
            .iter()
            .map(|m| m.k * m.width)
            .max()
            .unwrap_or(0)
            .saturating_mul(16),
        Instruction::NormalizeBackward { layer, .. } => 2 * layer.width,
        _ => 0,
    };
    let most = schedule.iter().map(of).max().unwrap_or(0);
    // Small gradients may have many parts.
    most.max(1 << 16)
}

/// How many penalties a schedule has.
pub(super) fn penalties(schedule: &[Instruction]) -> usize {
    let is_penalty = |i: &&Instruction| matches!(i, Instruction::Penalty { .. });
    schedule.iter().filter(is_penalty).count()
}
