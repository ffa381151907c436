//! Inference: a block of steps for some rows of a batch, on this thread.

use std::marker::PhantomData;

use rnn_tables::{Axis, BufferRef, Form, Instruction};

use super::{CpuProgram, Penalties, START, ScanCall};
use crate::{
    cpu::{
        kernel::{Memory, NativeF32, Panels},
        ops::{self, Times},
        simd::Isa,
    },
    executor::{Concurrent, Executor, execute},
    learner::{InputView, Values},
};

/// A block of steps for some rows of a batch.
pub struct Inference<'a, P> {
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
    /// What activity regularisers cost; `None` if nobody asks.
    pub penalties: Option<&'a Penalties>,
    /// Another thread has nothing to do: there are fewer rows than threads.
    pub spare: bool,
    /// The kernels.
    pub program: PhantomData<P>,
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

impl<'a, P: CpuProgram> Inference<'a, P> {
    /// Whether this is the first block: states start here.
    fn is_first(&self) -> bool {
        self.block.is_none_or(|b| b.from == 0)
    }

    /// All times of the block on an axis, or the one of a value without.
    pub fn times(&self, axis: Axis) -> Times {
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

    /// First step of the block.
    pub fn from(&self) -> usize {
        self.block.map_or(0, |b| b.from)
    }

    /// An input, and the block's first step of it: one without an axis is there in every block.
    fn input(&self, input: usize) -> (InputView<'a>, usize) {
        let from = self.input_axes[input].and(self.block).map_or(0, |b| b.from);
        (self.x[input], from)
    }
}

impl<P: CpuProgram> Executor for Inference<'_, P> {
    fn run(&mut self, instruction: &Instruction) {
        match *instruction {
            Instruction::Input {
                input,
                ref to,
                width,
                axis,
            } => {
                let ((x, from), times) = (self.input(input), self.times(axis));
                if let Values::Floats(values) = x.values {
                    ops::copy_in(&mut self.m, to, width, values, x.time, from, times);
                }
            }
            Instruction::Gather {
                input,
                table,
                ref to,
                width,
                axis,
                ..
            } => {
                let ((x, from), times) = (self.input(input), self.times(axis));
                if let Values::Ids(ids) = x.values {
                    let table = &self.weights[table.0..];
                    ops::gather(&mut self.m, to, width, table, ids, x.time, from, times);
                }
            }
            Instruction::MaskIds {
                input,
                ref to,
                axis,
            } => {
                let ((x, from), times) = (self.input(input), self.times(axis));
                if let Values::Ids(ids) = x.values {
                    ops::mask_ids(&mut self.m, to, ids, x.time, from, times);
                }
            }
            Instruction::Reshape {
                ref from,
                from_width,
                from_axis,
                ref to,
                to_width,
                to_axis,
            } => {
                let (a, b) = (self.times(from_axis), self.times(to_axis));
                ops::reshape(&mut self.m, from, from_width, a, to, to_width, b);
            }
            Instruction::Permute {
                ref from,
                width,
                axis,
                ref to,
            } => {
                let times = self.times(axis);
                ops::permute(&mut self.m, from, width, times, to);
            }
            Instruction::Reverse {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let times = self.times(axis);
                ops::reverse(&mut self.m, from, to, width, times);
            }
            Instruction::Repeat {
                ref from,
                ref to,
                width,
                axis,
            } => {
                let times = self.times(axis);
                ops::repeat(&mut self.m, from, to, width, times);
            }
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
                P::scan(call);
            }
            ref other => unreachable!("{other:?} in inference"),
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
        self.m.apart(parts.buffers, |ma, mb| {
            let part = |m| Inference::<P> {
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
                program: PhantomData,
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
