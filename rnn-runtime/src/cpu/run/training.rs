//! Training: all rows and all steps at once, rows divided among threads.

use rnn_tables::{Axis, BufferRef, GradientCondition, Instruction};

use super::{
    Penalties, RunScan, START, ScanCall,
    moves::{Moves, copies, moves},
};
use crate::{
    cpu::{
        kernel::{Memory, NativeF32, Panels},
        ops::{self, Times},
        simd::Isa,
    },
    executor::{Concurrent, Executor, execute},
    learner::{InputView, StepSeed, Values},
};

/// A batch in training.
pub struct Training<'a> {
    /// The instruction set.
    pub isa: Isa,
    /// The values.
    pub m: Memory<'a>,
    /// The packed weights.
    pub panels: Panels<'a, NativeF32>,
    /// All weights as the user sees them.
    pub weights: &'a mut [f32],
    /// Their gradients; none forwards.
    pub gradients: &'a mut [f32],
    /// The inputs.
    pub x: &'a [InputView<'a>],
    /// The length of each axis.
    pub axes: &'a [usize],
    /// Rows of the whole batch.
    pub batch: usize,
    /// What random numbers are drawn from.
    pub seed: StepSeed,
    /// Whether the gradients of the inputs are wanted.
    pub input_gradient: bool,
    /// What activity regularisers cost; `None` backwards.
    pub penalties: Option<&'a Penalties>,
    /// The kernels.
    pub scan: RunScan,
}

impl<'a> Moves<'a> for Training<'a> {
    fn times(&self, axis: Axis) -> Times {
        axis.map_or(Times::ONE, |a| Times::all(self.axes[a]))
    }

    fn input(&self, input: usize) -> (InputView<'a>, usize) {
        (self.x[input], 0)
    }

    fn rows(&mut self, cost: usize, f: impl Fn(&mut Memory<'_>, &[f32]) + Sync) {
        let weights = &*self.weights;
        ops::parallel(self.m.reborrow(), cost, &|mut m| f(&mut m, weights));
    }
}

impl Training<'_> {
    /// Runs `f` on all rows, divided among threads if what a row costs is worth it.
    fn rows(&mut self, cost: usize, f: impl Fn(&mut Memory<'_>) + Sync) {
        Moves::rows(self, cost, |m, _| f(m));
    }

    /// All times of an axis, or the one of a value without.
    pub fn times(&self, axis: Axis) -> Times {
        Moves::times(self, axis)
    }

    fn is_wanted(&self, gradient: GradientCondition) -> bool {
        gradient == GradientCondition::Always || self.input_gradient
    }

    /// Sums up, clears and scatters gradients. [`moves`] has all other moves.
    fn gradients(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::Scatter {
                input,
                table,
                ref gradient,
                width,
                axis,
            } => {
                let (x, times) = (self.x[input], self.times(axis));
                if let Values::Ids(ids) = x.values {
                    let gradients = &mut self.gradients[table.0..];
                    ops::scatter(&mut self.m, gradient, width, gradients, ids, x.time, times);
                }
            }
            Instruction::SumOverTime {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let times = self.times(axis);
                self.rows(copies(width, times), |m| {
                    ops::sum(m, from, to, width, times);
                });
            }
            Instruction::Sum {
                from,
                ref to,
                width,
                axis,
            } => {
                let times = self.times(axis);
                let cost = copies(width, times).saturating_mul(from.len().max(1));
                self.rows(cost, |m| ops::add(m, from, to, width, times));
            }
            Instruction::Clear {
                ref to,
                width,
                axis,
            } => {
                let times = self.times(axis);
                ops::zero(&mut self.m, to, width, times);
            }
            Instruction::ClearAccumulator { ref to, width } => {
                ops::zero(&mut self.m, to, width, Times::ONE);
            }
            Instruction::Input { .. }
            | Instruction::Gather { .. }
            | Instruction::MaskIds { .. }
            | Instruction::Reshape { .. }
            | Instruction::Permute { .. }
            | Instruction::Reverse { .. }
            | Instruction::Repeat { .. } => moves(self, instruction),
            // These are run before this function is asked, and the last three by `execute`.
            Instruction::Perturb { .. }
            | Instruction::PerturbBackward { .. }
            | Instruction::DropoutMask { .. }
            | Instruction::Penalty { .. }
            | Instruction::PenaltyBackward { .. }
            | Instruction::Normalize { .. }
            | Instruction::NormalizeBackward { .. }
            | Instruction::StartState { .. }
            | Instruction::StartStateFrom { .. }
            | Instruction::FinishState { .. }
            | Instruction::EndGradient { .. }
            | Instruction::EndGradientFrom { .. }
            | Instruction::StartGradient { .. }
            | Instruction::OnlyLastGradient { .. }
            | Instruction::BroadcastLastGradient { .. }
            | Instruction::Scan { .. }
            | Instruction::WeightGradients { .. }
            | Instruction::IfInputGradient { .. }
            | Instruction::Concurrent { .. }
            | Instruction::AfterLastBlock => {
                unreachable!("{instruction:?} moves no gradient")
            }
        }
    }

    /// States before the first step and after the last, and their gradients.
    fn states(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::StartState { ref state, width } => {
                ops::zero(&mut self.m, state, width, START);
            }
            Instruction::StartStateFrom {
                ref state,
                ref value,
                width,
            } => ops::copy(&mut self.m, value, Times::ONE, state, START, width),
            Instruction::StartGradient {
                ref value,
                ref state,
                width,
            } => ops::copy(&mut self.m, state, START, value, Times::ONE, width),
            Instruction::FinishState {
                ref value,
                ref state,
                width,
                axis,
            } => {
                let last = self.times(axis).last();
                ops::copy(&mut self.m, &after(state), last, value, Times::ONE, width);
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
                self.end(state, width, axis);
                let last = self.times(axis).last();
                ops::copy(&mut self.m, value, Times::ONE, &after(state), last, width);
            }
            Instruction::OnlyLastGradient {
                ref gradient,
                width,
                axis,
            } => {
                let times = self.times(axis);
                if times.steps > 1 {
                    ops::zero(&mut self.m, gradient, width, Times { steps: 1, ..times });
                }
            }
            Instruction::BroadcastLastGradient {
                ref to,
                ref from,
                width,
                axis,
            } => {
                let times = self.times(axis);
                ops::zero(&mut self.m, to, width, times);
                ops::copy(&mut self.m, from, Times::ONE, to, times.last(), width);
            }
            ref other => self.gradients(other),
        }
    }

    /// Zeroes the gradient of a state after the last step; and before it, which a cell that does not
    /// read its state never writes.
    fn end(&mut self, gradient: &BufferRef, width: usize, axis: Axis) {
        let last = self.times(axis).last();
        for after in [false, true] {
            let gradient = BufferRef { after, ..*gradient };
            ops::zero(&mut self.m, &gradient, width, last);
        }
    }

    /// What happens in training only: random numbers, penalties, statistics of the batch.
    fn extras(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::Perturb {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => {
                let (isa, seed, times) = (self.isa, self.seed, self.times(axis));
                let draws = ops::Perturb {
                    how,
                    every_step,
                    stream,
                    seed,
                };
                self.rows(self::draws(width, times), |m| {
                    ops::perturb(isa, m, from, to, width, &draws, times);
                });
            }
            Instruction::PerturbBackward {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => {
                let (isa, seed, times) = (self.isa, self.seed, self.times(axis));
                let draws = ops::Perturb {
                    how,
                    every_step,
                    stream,
                    seed,
                };
                self.rows(self::draws(width, times), |m| {
                    ops::perturb_backward(isa, m, from, to, width, &draws, times);
                });
            }
            Instruction::DropoutMask {
                ref to,
                width,
                rate,
                stream,
            } => {
                let seed = self.seed;
                self.rows(draws(width, Times::ONE), |m| {
                    ops::noise(m, to, width, rate, stream, seed);
                });
            }
            Instruction::Penalty {
                ref value,
                width,
                l1,
                l2,
                axis,
            } => {
                let times = self.times(axis);
                let Some(penalties) = self.penalties else {
                    return;
                };
                let m = self.m.reborrow();
                penalties.of(value, width, [l1, l2], |sums| {
                    ops::parallel_with(m, sums, copies(width, times), &|mut m, sums| {
                        ops::penalty(&mut m, value, width, l1, l2, times, sums);
                    });
                });
            }
            Instruction::PenaltyBackward {
                ref value,
                ref gradient,
                width,
                l1,
                l2,
                axis,
            } => {
                let (batch, times) = (self.batch, self.times(axis));
                self.rows(copies(width, times), |m| {
                    ops::penalty_gradient(m, value, gradient, width, l1, l2, times, batch);
                });
            }
            Instruction::Normalize { ref layer, axis } => {
                let times = self.times(axis);
                ops::normalize_forward(&mut self.m, layer, self.weights, times);
            }
            Instruction::NormalizeBackward {
                ref layer,
                axis,
                input_gradient,
            } => {
                let (times, wanted) = (self.times(axis), self.is_wanted(input_gradient));
                let (m, w, g) = (&mut self.m, &*self.weights, &mut *self.gradients);
                ops::normalize_backward(m, layer, w, g, times, wanted);
            }
            ref other => self.states(other),
        }
    }
}

impl Executor for Training<'_> {
    fn run(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::Scan {
                cell,
                form,
                axis,
                ref carry,
                input_gradient,
                cost,
            } => {
                let call = ScanCall {
                    isa: self.isa,
                    times: self.times(axis),
                    input_gradient: self.is_wanted(input_gradient),
                    m: &mut self.m,
                    panels: self.panels,
                    cell,
                    form,
                    carry: carry.as_ref(),
                    before: None,
                    divide: Some(cost),
                };
                (self.scan)(call);
            }
            Instruction::WeightGradients {
                matrices,
                vectors,
                axis,
                ref mask,
            } => {
                let (isa, times) = (self.isa, self.times(axis));
                let (m, g) = (&mut self.m, &mut *self.gradients);
                match mask {
                    None => ops::weight_gradients(isa, m, matrices, vectors, g, times),
                    Some(mask) => {
                        ops::weight_gradients_masked(isa, m, matrices, vectors, g, times, mask);
                    }
                }
            }
            ref other => self.extras(other),
        }
    }

    fn wants_input_gradient(&self) -> bool {
        self.input_gradient
    }

    /// At once if there are fewer rows than threads and so much to do that another thread pays.
    /// Neither part has the weights or their gradients.
    ///
    /// # Panics
    /// If a part touches a buffer of the other, or weights, while they run at once, or in a build with
    /// debug assertions.
    fn concurrent(&mut self, parts: &Concurrent<'_>) {
        let rows = self.m.rows().len();
        let cost = parts.cost.saturating_mul(self.times(parts.axis).steps);
        let spare = ops::threads(rows, cost) > 1 && rows < rayon::current_num_threads();
        if !spare && !cfg!(debug_assertions) {
            execute(self, parts.first);
            return execute(self, parts.second);
        }
        let (isa, panels, x) = (self.isa, self.panels, self.x);
        let (axes, batch) = (self.axes, self.batch);
        let (seed, input_gradient, penalties) = (self.seed, self.input_gradient, self.penalties);
        let scan = self.scan;
        self.m.apart(parts.buffers, |ma, mb| {
            let part = |m| Training {
                isa,
                m,
                panels,
                weights: &mut [],
                gradients: &mut [],
                x,
                axes,
                batch,
                seed,
                input_gradient,
                penalties,
                scan,
            };
            let (mut a, mut b) = (part(ma), part(mb));
            let (first, second) = (parts.first, parts.second);
            if spare {
                rayon::join(|| execute(&mut a, first), || execute(&mut b, second));
            } else {
                execute(&mut a, first);
                execute(&mut b, second);
            }
        });
    }
}

/// The same vector after the step.
fn after(state: &BufferRef) -> BufferRef {
    BufferRef {
        after: true,
        ..*state
    }
}

/// The work of drawing so many random numbers at every time, for one row.
fn draws(width: usize, times: Times) -> usize {
    (width * ops::DRAW).saturating_mul(times.steps)
}
