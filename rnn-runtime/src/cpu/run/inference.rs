//! Inference: a block of steps for some rows of a batch, on this thread.

use rnn_tables::{Axis, BufferRef, Form, Instruction};

use super::{
    Penalties, RunScan, START, ScanCall,
    moves::{Moves, moves},
};
use crate::{
    cpu::{
        kernel::{Memory, NativeF32, Panels},
        ops::{self, Times},
        simd::Isa,
    },
    executor::{Concurrent, Executor, execute},
    learner::InputView,
};

/// A block of steps for some rows of a batch.
pub struct Inference<'a> {
    /// The instruction set.
    pub isa: Isa,
    /// The rows and their values.
    pub m: Memory<'a>,
    /// The packed weights.
    pub panels: Panels<'a, NativeF32>,
    /// All weights as the user sees them.
    pub weights: &'a [f32],
    /// The inputs of the whole batch.
    pub x: &'a [InputView<'a>],
    /// The axis of each input.
    pub input_axes: &'static [Axis],
    /// The length of each axis.
    pub axes: &'a [usize],
    /// `None` without blocks.
    pub block: Option<Block>,
    /// The sums of the activity regularisers; `None` if nobody asks.
    pub penalties: Option<&'a Penalties>,
    /// There are fewer rows than threads, so another thread is free.
    pub spare: bool,
    /// The kernels.
    pub scan: RunScan,
}

/// Some steps of long sequences.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its first step.
    pub from: usize,
    /// Its steps.
    pub steps: usize,
    /// Steps of the block before.
    pub before: usize,
    /// No block follows.
    pub last: bool,
}

impl Inference<'_> {
    /// Whether this is the first block: states start here.
    fn is_first(&self) -> bool {
        self.block.is_none_or(|b| b.from == 0)
    }

    /// All times of the block on an axis, or the one of a value without.
    pub fn times(&self, axis: Axis) -> Times {
        Moves::times(self, axis)
    }

    /// First step of the block.
    pub fn from(&self) -> usize {
        self.block.map_or(0, |b| b.from)
    }
}

impl<'a> Moves<'a> for Inference<'a> {
    /// All times of the block on an axis, or the one of a value without.
    fn times(&self, axis: Axis) -> Times {
        let Some(axis) = axis else { return Times::ONE };
        match self.block {
            None => Times::all(self.axes[axis]),
            Some(b) => Times {
                first: 0,
                steps: b.steps,
                total: if b.last { b.steps } else { usize::MAX },
            },
        }
    }

    /// An input, and the block's first step of it. An input without an axis is the same in every block.
    fn input(&self, input: usize) -> (InputView<'a>, usize) {
        let from = self.input_axes[input].and(self.block).map_or(0, |b| b.from);
        (self.x[input], from)
    }

    /// Rows have been divided among threads before.
    fn rows(&mut self, _: usize, f: impl Fn(&mut Memory<'_>, &[f32]) + Sync) {
        f(&mut self.m, self.weights);
    }
}

impl Executor for Inference<'_> {
    fn run(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::Penalty {
                ref value,
                width,
                l1,
                l2,
                axis,
            } => {
                let times = self.times(axis);
                if let Some(penalties) = self.penalties {
                    penalties.of(value, width, [l1, l2], |sums| {
                        ops::penalty(&mut self.m, value, width, l1, l2, times, sums);
                    });
                }
            }
            Instruction::StartState { ref state, width } => {
                if self.is_first() {
                    ops::zero(&mut self.m, state, width, START);
                }
            }
            Instruction::StartStateFrom {
                ref state,
                ref value,
                width,
            } => {
                if self.is_first() {
                    ops::copy(&mut self.m, value, Times::ONE, state, START, width);
                }
            }
            Instruction::FinishState {
                ref value,
                ref state,
                width,
                axis,
            } => {
                let last = self.times(axis).last();
                let after = BufferRef {
                    after: true,
                    ..*state
                };
                ops::copy(&mut self.m, &after, last, value, Times::ONE, width);
            }
            Instruction::Scan {
                cell,
                axis,
                ref carry,
                ..
            } => {
                let call = ScanCall {
                    isa: self.isa,
                    times: self.times(axis),
                    m: &mut self.m,
                    panels: self.panels,
                    cell,
                    form: Form::Inference,
                    carry: carry.as_ref(),
                    before: self.block.filter(|b| b.from > 0).map(|b| b.before),
                    input_gradient: false,
                    divide: None,
                };
                (self.scan)(call);
            }
            Instruction::Input { .. }
            | Instruction::Gather { .. }
            | Instruction::MaskIds { .. }
            | Instruction::Reshape { .. }
            | Instruction::Permute { .. }
            | Instruction::Reverse { .. }
            | Instruction::Repeat { .. } => moves(self, instruction),
            Instruction::Scatter { .. }
            | Instruction::SumOverTime { .. }
            | Instruction::Sum { .. }
            | Instruction::Clear { .. }
            | Instruction::Perturb { .. }
            | Instruction::PerturbBackward { .. }
            | Instruction::DropoutMask { .. }
            | Instruction::PenaltyBackward { .. }
            | Instruction::Normalize { .. }
            | Instruction::NormalizeBackward { .. }
            | Instruction::EndGradient { .. }
            | Instruction::EndGradientFrom { .. }
            | Instruction::StartGradient { .. }
            | Instruction::OnlyLastGradient { .. }
            | Instruction::BroadcastLastGradient { .. }
            | Instruction::ClearAccumulator { .. }
            | Instruction::WeightGradients { .. }
            | Instruction::IfInputGradient { .. }
            | Instruction::Concurrent { .. }
            | Instruction::AfterLastBlock => {
                unreachable!("{instruction:?} in inference")
            }
        }
    }

    fn is_last_block(&self) -> bool {
        self.block.is_none_or(|b| b.last)
    }

    /// At once if a thread is free.
    ///
    /// # Panics
    /// If a part touches a buffer of the other while they run at once, or in a build with debug
    /// assertions.
    fn concurrent(&mut self, parts: &Concurrent<'_>) {
        let spare = self.spare;
        if !spare && !cfg!(debug_assertions) {
            execute(self, parts.first);
            return execute(self, parts.second);
        }
        let (isa, panels, weights) = (self.isa, self.panels, self.weights);
        let (x, axes) = (self.x, self.axes);
        let (input_axes, block, penalties) = (self.input_axes, self.block, self.penalties);
        let scan = self.scan;
        self.m.apart(parts.buffers, |ma, mb| {
            let part = |m| Inference {
                isa,
                m,
                panels,
                weights,
                x,
                input_axes,
                axes,
                block,
                penalties,
                spare: false,
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
