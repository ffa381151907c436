//! What the code of a model calls in inference: a block of steps for some rows of a batch.

use super::penalties::Penalties;
use crate::{
    cpu::{
        ops::{self, Sweep, Times},
        phase::Memory,
        simd::Isa,
    },
    learner::{InputView, Values},
};
use rnn_tables::{BufferRef, CarryOver, WeightOffset};

/// A block of steps for some rows of a batch.
pub struct Inference<'a> {
    pub(super) isa: Isa,
    pub(super) m: Memory<'a>,
    pub(super) weights: &'a [f32],
    pub(super) x: &'a [InputView<'a>],
    /// The axis of each input.
    pub(super) input_axes: &'static [Option<usize>],
    /// The length of each axis.
    pub(super) axes: &'a [usize],
    /// First step of the block, its steps, and those of the block before; `None` without blocks.
    pub(super) block: Option<Block>,
    /// What activity regularisers cost; `None` if nobody asks.
    pub(super) penalties: Option<&'a Penalties>,
    pub(super) batch: usize,
    /// Another thread has nothing to do: there are fewer rows than threads.
    pub(super) spare: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) from: usize,
    pub(super) steps: usize,
    pub(super) before: usize,
    pub(super) last: bool,
}

impl Inference<'_> {
    /// Whether this is the first block: states start here.
    pub fn is_first(&self) -> bool {
        self.block.is_none_or(|b| b.from == 0)
    }

    /// Whether this is the last block: what needs only the last step runs now.
    pub fn is_last(&self) -> bool {
        self.block.is_none_or(|b| b.last)
    }

    /// All times of the block on axis `a`.
    pub fn axis(&self, a: usize) -> Times {
        match self.block {
            None => Times::all(self.axes[a]),
            Some(b) => Times {
                first: 0,
                steps: b.steps,
                total: if b.last { b.steps } else { usize::MAX },
            },
        }
    }

    /// The time of values without an axis.
    pub fn one(&self) -> Times {
        Times::ONE
    }

    /// First step of the block.
    pub(super) fn from(&self) -> usize {
        self.block.map_or(0, |b| b.from)
    }

    /// Copies the block's part of input `index`: floats, or a mask's 1 and 0.
    pub fn input(&mut self, index: usize, to: &BufferRef, width: usize, times: Times) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Floats(values) = x.values {
            ops::copy_in(&mut self.m, to, width, values, x.time, from, times);
        }
    }

    /// Copies rows of a table by the ids of input `index`; `table` is its first float among all
    /// weights.
    pub fn gather(
        &mut self,
        index: usize,
        to: &BufferRef,
        width: usize,
        table: WeightOffset,
        times: Times,
    ) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Ids(ids) = x.values {
            let table = &self.weights[table.0..];
            ops::gather(&mut self.m, to, width, table, ids, x.time, from, times);
        }
    }

    /// 1 where the id of input `index` is not 0, else 0.
    pub fn mask_ids(&mut self, index: usize, to: &BufferRef, times: Times) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Ids(ids) = x.values {
            ops::mask_ids(&mut self.m, to, ids, x.time, from, times);
        }
    }

    /// Sets a state to zero before the first step, if this is the first block.
    pub fn start(&mut self, state: &BufferRef, width: usize) {
        if self.is_first() {
            ops::zero(&mut self.m, state, width, START);
        }
    }

    /// Sets a state to a value without an axis before the first step, if this is the first block.
    pub fn start_from(&mut self, state: &BufferRef, value: &BufferRef, width: usize) {
        if self.is_first() {
            ops::copy(&mut self.m, value, Times::ONE, state, START, width);
        }
    }

    /// `value`, without an axis, becomes the state after the last step.
    pub fn finish(&mut self, value: &BufferRef, state: &BufferRef, width: usize, times: Times) {
        let after = BufferRef {
            after: true,
            ..*state
        };
        ops::copy(&mut self.m, &after, times.last(), value, Times::ONE, width);
    }

    /// Runs a cell.
    pub fn sweep<C: Sweep>(&mut self, times: Times) {
        ops::forward::<C>(self.isa, &mut self.m, times);
    }

    /// Runs a cell at the places that a mask leaves; at the others states and outputs stay.
    pub fn sweep_masked<C: Sweep>(&mut self, times: Times, held: &CarryOver) {
        let before = self.block.filter(|b| b.from > 0).map(|b| b.before);
        ops::forward_masked::<C>(self.isa, &mut self.m, times, held, before);
    }

    /// The sum of values.
    pub fn add(&mut self, from: &[&BufferRef], to: &BufferRef, width: usize, times: Times) {
        ops::add(&mut self.m, from, to, width, times);
    }

    /// A value without an axis at every time.
    pub fn repeat(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        ops::repeat(&mut self.m, from, to, width, times);
    }

    /// The sum over time, a value without an axis.
    pub fn sum(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        ops::sum(&mut self.m, from, to, width, times);
    }

    /// The numbers of each row in another shape.
    pub fn reshape(
        &mut self,
        from: &BufferRef,
        wf: usize,
        tf: Times,
        to: &BufferRef,
        wt: usize,
        tt: Times,
    ) {
        ops::reshape(&mut self.m, from, wf, tf, to, wt, tt);
    }

    /// Time and features exchanged.
    pub fn permute(&mut self, from: &BufferRef, wf: usize, tf: Times, to: &BufferRef) {
        ops::permute(&mut self.m, from, wf, tf, to);
    }

    /// The steps the other way round.
    pub fn reverse(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        ops::reverse(&mut self.m, from, to, width, times);
    }

    /// What an activity regulariser makes of a value.
    pub fn penalty(&mut self, value: &BufferRef, width: usize, l1: f32, l2: f32, times: Times) {
        if let Some(penalties) = self.penalties {
            penalties.of(value, width, [l1, l2], |sums| {
                ops::penalty(&mut self.m, value, width, l1, l2, times, sums);
            });
        }
    }

    /// Runs two parts that have no buffer in common, at once if a thread is free: `second` are the
    /// buffers that the second part reads and writes, the first part has all others. The two
    /// directions of a `Bidirectional` layer.
    ///
    /// # Panics
    /// If a part touches a buffer of the other while they run at once, or in a build with debug
    /// assertions.
    pub fn both(
        &mut self,
        second: &[usize],
        a: impl FnOnce(&mut Inference<'_>) + Send,
        b: impl FnOnce(&mut Inference<'_>) + Send,
    ) {
        let spare = self.spare;
        if !spare && !cfg!(debug_assertions) {
            a(self);
            return b(self);
        }
        let (isa, weights, x, axes) = (self.isa, self.weights, self.x, self.axes);
        let (input_axes, block, batch) = (self.input_axes, self.block, self.batch);
        let penalties = self.penalties;
        self.m.apart(second, |ma, mb| {
            let part = |m| Inference {
                isa,
                m,
                weights,
                x,
                input_axes,
                axes,
                block,
                penalties,
                batch,
                spare: false,
            };
            let (mut ca, mut cb) = (part(ma), part(mb));
            if spare {
                rayon::join(|| a(&mut ca), || b(&mut cb));
            } else {
                a(&mut ca);
                b(&mut cb);
            }
        });
    }

    /// Rows of the whole batch.
    pub fn batch(&self) -> usize {
        self.batch
    }
}

/// Input `index`, and the block's first step of it: one without an axis is there in every block.
fn view<'a>(
    x: &'a [InputView<'a>],
    axes: &[Option<usize>],
    block: Option<Block>,
    index: usize,
) -> (InputView<'a>, usize) {
    let from = axes[index].and(block).map_or(0, |b| b.from);
    (x[index], from)
}

/// Before the first step of any axis: whatever its length, states have steps of their own.
pub(super) const START: Times = Times {
    first: 0,
    steps: 1,
    total: usize::MAX,
};
