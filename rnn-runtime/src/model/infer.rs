//! Inference over a batch: rows divided among threads, long sequences cut into blocks of time.

use super::{AxisSpec, Core, Program, Spec, program::lay_out};
use crate::{
    cpu::{
        arena::Arena,
        ops::{self, Sweep, Times},
        phase::{Held, Memory, Ref},
        simd::Isa,
    },
    error::Error,
    learner::{InputView, Values},
};

/// Floats of buffers that a thread should have in use at once, so that they stay in the cache.
const BLOCK_FLOATS: usize = 64 * 1024;

/// A block of steps for some rows of a batch.
pub struct Inference<'a> {
    isa: Isa,
    m: Memory<'a>,
    weights: &'a [f32],
    x: &'a [InputView<'a>],
    /// The axis of each input.
    input_axes: &'static [Option<usize>],
    /// The length of each axis.
    axes: &'a [usize],
    /// First step of the block, its steps, and those of the block before; `None` without blocks.
    block: Option<Block>,
    /// What activity regularisers cost, one number a row; empty if nobody asks.
    penalties: &'a mut [f64],
    batch: usize,
    /// Another thread has nothing to do: there are fewer rows than threads.
    spare: bool,
}

#[derive(Clone, Copy)]
struct Block {
    from: usize,
    steps: usize,
    before: usize,
    last: bool,
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
    fn from(&self) -> usize {
        self.block.map_or(0, |b| b.from)
    }

    /// Copies the block's part of input `index`: floats, or a mask's 1 and 0.
    pub fn input(&mut self, index: usize, to: &Ref, width: usize, times: Times) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Floats(values) = x.values {
            ops::copy_in(&mut self.m, to, width, values, x.time, from, times);
        }
    }

    /// Copies rows of a table by the ids of input `index`; `table` is its first float among all
    /// weights.
    pub fn gather(&mut self, index: usize, to: &Ref, width: usize, table: usize, times: Times) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Ids(ids) = x.values {
            let table = &self.weights[table..];
            ops::gather(&mut self.m, to, width, table, ids, x.time, from, times);
        }
    }

    /// 1 where the id of input `index` is not 0, else 0.
    pub fn mask_ids(&mut self, index: usize, to: &Ref, times: Times) {
        let (x, from) = view(self.x, self.input_axes, self.block, index);
        if let Values::Ids(ids) = x.values {
            ops::mask_ids(&mut self.m, to, ids, x.time, from, times);
        }
    }

    /// Sets a state to zero before the first step, if this is the first block.
    pub fn start(&mut self, state: &Ref, width: usize) {
        if self.is_first() {
            ops::zero(&mut self.m, state, width, START);
        }
    }

    /// Sets a state to a value without an axis before the first step, if this is the first block.
    pub fn start_from(&mut self, state: &Ref, value: &Ref, width: usize) {
        if self.is_first() {
            ops::copy(&mut self.m, value, Times::ONE, state, START, width);
        }
    }

    /// `value`, without an axis, becomes the state after the last step.
    pub fn finish(&mut self, value: &Ref, state: &Ref, width: usize, times: Times) {
        let after = Ref { shift: 1, ..*state };
        ops::copy(&mut self.m, &after, times.last(), value, Times::ONE, width);
    }

    /// Runs a cell.
    pub fn sweep<C: Sweep>(&mut self, times: Times) {
        ops::forward::<C>(self.isa, &mut self.m, times);
    }

    /// Runs a cell at the places that a mask leaves; at the others states and outputs stay.
    pub fn sweep_masked<C: Sweep>(&mut self, times: Times, held: &Held) {
        let before = self.block.filter(|b| b.from > 0).map(|b| b.before);
        ops::forward_masked::<C>(self.isa, &mut self.m, times, held, before);
    }

    /// The sum of values.
    pub fn add(&mut self, from: &[&Ref], to: &Ref, width: usize, times: Times) {
        ops::add(&mut self.m, from, to, width, times);
    }

    /// A value without an axis at every time.
    pub fn repeat(&mut self, from: &Ref, to: &Ref, width: usize, times: Times) {
        ops::repeat(&mut self.m, from, to, width, times);
    }

    /// The sum over time, a value without an axis.
    pub fn sum(&mut self, from: &Ref, to: &Ref, width: usize, times: Times) {
        ops::sum(&mut self.m, from, to, width, times);
    }

    /// The numbers of each row in another shape.
    pub fn reshape(&mut self, from: &Ref, wf: usize, tf: Times, to: &Ref, wt: usize, tt: Times) {
        ops::reshape(&mut self.m, from, wf, tf, to, wt, tt);
    }

    /// Time and features exchanged.
    pub fn permute(&mut self, from: &Ref, wf: usize, tf: Times, to: &Ref) {
        ops::permute(&mut self.m, from, wf, tf, to);
    }

    /// The steps the other way round.
    pub fn reverse(&mut self, from: &Ref, to: &Ref, width: usize, times: Times) {
        ops::reverse(&mut self.m, from, to, width, times);
    }

    /// What an activity regulariser makes of a value.
    pub fn penalty(&mut self, value: &Ref, width: usize, l1: f32, l2: f32, times: Times) {
        ops::penalty(&mut self.m, value, width, l1, l2, times, self.penalties);
    }

    /// Runs two parts that have no buffer in common, at once if a thread is free: `second` are the
    /// buffers that the second part reads and writes, the first part has all others. The two
    /// directions of a `Bidirectional` layer.
    ///
    /// # Panics
    /// If a part touches a buffer of the other.
    pub fn both(
        &mut self,
        second: &[usize],
        a: impl FnOnce(&mut Inference<'_>) + Send,
        b: impl FnOnce(&mut Inference<'_>) + Send,
    ) {
        let spare = self.spare;
        let mut other = vec![0.0; self.penalties.len()];
        let (isa, weights, x, axes) = (self.isa, self.weights, self.x, self.axes);
        let (input_axes, block, batch) = (self.input_axes, self.block, self.batch);
        let (first, other_part) = (&mut *self.penalties, &mut *other);
        self.m.apart(second, |ma, mb| {
            let part = |m, penalties| Inference {
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
            let (mut ca, mut cb) = (part(ma, first), part(mb, other_part));
            if spare {
                rayon::join(|| a(&mut ca), || b(&mut cb));
            } else {
                a(&mut ca);
                b(&mut cb);
            }
        });
        for (p, o) in self.penalties.iter_mut().zip(other) {
            *p += o;
        }
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

/// The length of each axis of a checked batch.
pub(super) fn axes(spec: &Spec, x: &[InputView<'_>]) -> Vec<usize> {
    let length = |a: &AxisSpec| match *a {
        AxisSpec::Input(i) => x[i].time,
        AxisSpec::Fixed(n) => n,
    };
    spec.axes.iter().map(length).collect()
}

/// What a run gives.
#[derive(Default)]
pub(super) struct Outcome {
    /// Each output, `[batch, (time,) features]`.
    pub outputs: Vec<Vec<f32>>,
    /// The mask of each output, `[batch, time]`.
    pub masks: Vec<Option<Vec<f32>>>,
    /// What the activity regularisers cost.
    pub penalty: f32,
}

impl Outcome {
    /// Makes room for the outputs of a batch and, if they are wanted, for their masks.
    pub(super) fn reserve(&mut self, spec: &Spec, axes: &[usize], batch: usize, masks: bool) {
        let time = |i: usize| spec.output_axes[i].map_or(1, |a| axes[a]);
        self.outputs.resize(spec.outputs.len(), Vec::new());
        for (i, (y, out)) in self.outputs.iter_mut().zip(spec.outputs).enumerate() {
            y.resize(
                batch * time(i) * out.features.iter().product::<usize>(),
                0.0,
            );
        }
        self.masks.resize(spec.outputs.len(), None);
        for (i, (mask, r)) in self.masks.iter_mut().zip(spec.output_masks).enumerate() {
            match r {
                Some(_) if masks => mask.get_or_insert_default().resize(batch * time(i), 0.0),
                _ => *mask = None,
            }
        }
    }
}

/// A value that leaves the run: `y` is `[rows][time][width]`.
struct Sink<'a> {
    from: Ref,
    width: usize,
    axis: Option<usize>,
    y: &'a mut [f32],
}

/// Where the outputs, and the masks if there is room for them, go.
fn sinks<'a>(spec: &Spec, into: &'a mut Outcome) -> Vec<Sink<'a>> {
    let mut list = Vec::new();
    for (i, y) in into.outputs.iter_mut().enumerate() {
        list.push(Sink {
            from: spec.inference_outputs[i],
            width: spec.outputs[i].features.iter().product(),
            axis: spec.output_axes[i],
            y,
        });
    }
    for (i, mask) in into.masks.iter_mut().enumerate() {
        if let (Some(y), Some(from)) = (mask, spec.output_masks[i]) {
            let axis = spec.output_axes[i];
            list.push(Sink {
                from,
                width: 1,
                axis,
                y,
            });
        }
    }
    list
}

/// Runs a checked batch. With `whole`, everything that training looks at: masks and penalties.
pub(super) fn infer<P: Program>(
    core: &Core,
    x: &[InputView<'_>],
    batch: usize,
    into: &mut Outcome,
    whole: bool,
) -> Result<(), Error> {
    let spec = &P::SPEC;
    let isa = core.isa()?;
    let stored = core.states.lock().load(spec, batch)?;
    let mut left: Vec<Vec<f32>> = stored.clone();
    let axes = axes(spec, x);
    into.reserve(spec, &axes, batch, whole);
    let packed = core.packed::<P>();
    let time = axes.iter().copied().max().unwrap_or(1);
    let worth = batch.saturating_mul(time).saturating_mul(spec.cost) / 400_000;
    let threads = worth.clamp(1, rayon::current_num_threads());
    let row: usize = spec.inference.iter().map(|b| b.row).sum();
    let block = spec.blocks.then(|| {
        // Even, so that states end where they start.
        let fit = BLOCK_FLOATS / (row * batch.div_ceil(threads)).max(1);
        (fit.clamp(8, 256) & !1).min(time)
    });
    let lengths = match block {
        Some(block) => vec![block; axes.len()],
        None => axes.clone(),
    };
    let (bufs, len) = lay_out(spec.inference, batch, &lengths);
    // Another thread may be using the buffers of this model: then take new ones.
    let mut own = Arena::default();
    let mut kept = core.scratch.try_lock();
    let arena = match &mut kept {
        Ok(kept) => &mut **kept,
        Err(_) => &mut own,
    };
    arena.grow(len);
    let run = Run {
        isa,
        weights: &core.weights,
        x,
        batch,
        axes: &axes,
        block,
        time,
        states: &stored,
        program: std::marker::PhantomData::<P>,
    };
    let mut penalties = vec![0.0; if whole { batch } else { 0 }];
    let mut list = sinks(spec, into);
    for (state, y) in spec.states.iter().zip(&mut left) {
        list.push(Sink {
            from: state.output,
            width: state.width(),
            axis: None,
            y,
        });
    }
    let m = Memory::new(arena.floats_mut(), packed, &bufs, 1, batch);
    run.divide(m, list, &mut penalties, threads);
    into.penalty = (penalties.iter().sum::<f64>() / batch as f64) as f32;
    core.states.lock().save(spec, batch, left);
    Ok(())
}

struct Run<'a, P> {
    isa: Isa,
    weights: &'a [f32],
    x: &'a [InputView<'a>],
    batch: usize,
    axes: &'a [usize],
    /// Steps of a block; `None` if the whole sequence runs at once.
    block: Option<usize>,
    /// Steps of the longest axis.
    time: usize,
    /// The states of stateful layers.
    states: &'a [Vec<f32>],
    program: std::marker::PhantomData<P>,
}

impl<P: Program> Run<'_, P> {
    fn divide(&self, m: Memory<'_>, y: Vec<Sink<'_>>, penalties: &mut [f64], threads: usize) {
        let rows = m.rows();
        if threads < 2 || rows.len() < 2 {
            return self.rows(m, y, penalties, threads > 1);
        }
        let left = threads / 2;
        let half = rows.len() * left / threads;
        let half = if half >= 8 { half / 4 * 4 } else { half.max(1) };
        let (a, b) = m.split(rows.start + half);
        let (ya, yb) = y
            .into_iter()
            .map(|sink| {
                let Sink {
                    from,
                    width,
                    axis,
                    y,
                } = sink;
                let (ya, yb) = y.split_at_mut(y.len() / rows.len() * half);
                let sink = |y| Sink {
                    from,
                    width,
                    axis,
                    y,
                };
                (sink(ya), sink(yb))
            })
            .unzip();
        let (pa, pb) = penalties.split_at_mut(half.min(penalties.len()));
        rayon::join(
            || self.divide(a, ya, pa, left),
            || self.divide(b, yb, pb, threads - left),
        );
    }

    fn rows(&self, mut m: Memory<'_>, mut y: Vec<Sink<'_>>, penalties: &mut [f64], spare: bool) {
        for (state, x) in P::SPEC.states.iter().zip(self.states) {
            ops::copy_in(&mut m, &state.input, state.width(), x, 1, 0, Times::ONE);
        }
        let Some(block) = self.block else {
            return self.block(m.reborrow(), None, &mut y, penalties, spare);
        };
        let mut from = 0;
        while from < self.time {
            let steps = block.min(self.time - from);
            let last = from + steps == self.time;
            let before = block;
            let block = Block {
                from,
                steps,
                before,
                last,
            };
            self.block(m.reborrow(), Some(block), &mut y, penalties, spare);
            from += steps;
        }
    }

    fn block(
        &self,
        mut m: Memory<'_>,
        block: Option<Block>,
        y: &mut [Sink<'_>],
        penalties: &mut [f64],
        spare: bool,
    ) {
        m.fresh = block.is_none_or(|b| b.from == 0);
        let mut c = Inference {
            isa: self.isa,
            m,
            weights: self.weights,
            x: self.x,
            input_axes: P::SPEC.input_axes,
            axes: self.axes,
            block,
            penalties,
            batch: self.batch,
            spare,
        };
        P::infer(&mut c);
        for sink in y {
            let (times, time, from) = match sink.axis {
                Some(a) => (c.axis(a), self.axes[a], c.from()),
                None if c.is_last() => (Times::ONE, 1, 0),
                None => continue,
            };
            let (r, width) = (&sink.from, sink.width);
            ops::copy_out(&mut c.m, r, width, sink.y, time, from, times);
        }
    }
}
