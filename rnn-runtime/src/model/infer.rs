//! Inference over a batch: rows divided among threads, long sequences cut into blocks of time.

use super::{Core, Program, input::shape_text, program::lay_out};
use crate::{
    cpu::{
        ops::{self, Sweep, Times},
        phase::{Memory, Ref},
        simd::Isa,
    },
    error::Error,
    learner::{InputView, ValueSpec, Values},
};

/// Floats of buffers that a thread should have in use at once, so that they stay in the cache.
const BLOCK_FLOATS: usize = 64 * 1024;

/// A block of steps for some rows of a batch.
pub struct Inference<'a> {
    isa: Isa,
    m: Memory<'a>,
    weights: &'a [f32],
    x: InputView<'a>,
    /// First step of the block in the whole sequence.
    from: usize,
    /// Steps of the block.
    steps: usize,
}

impl Inference<'_> {
    /// Whether this is the first block: states start at zero.
    pub fn is_first(&self) -> bool {
        self.from == 0
    }

    /// Whether this is the last block: what needs only the last step runs now.
    pub fn is_last(&self) -> bool {
        self.from + self.steps == self.x.time
    }

    /// All times of the block.
    pub fn all(&self) -> Times {
        Times {
            first: 0,
            steps: self.steps,
        }
    }

    /// The last time of the block.
    pub fn last(&self) -> Times {
        Times {
            first: self.steps - 1,
            steps: 1,
        }
    }

    /// Copies the block's input.
    pub fn input(&mut self, to: &Ref, width: usize, times: Times) {
        if let Values::Floats(x) = self.x.values {
            ops::copy_in(&mut self.m, to, width, x, self.x.time, self.from, times);
        }
    }

    /// Copies rows of a table by the block's ids; `table` is its first float among all weights.
    pub fn gather(&mut self, to: &Ref, width: usize, table: usize, times: Times) {
        if let Values::Ids(ids) = self.x.values {
            let table = &self.weights[table..];
            ops::gather(
                &mut self.m,
                to,
                width,
                table,
                ids,
                self.x.time,
                self.from,
                times,
            );
        }
    }

    /// Sets a state to zero, if this is the first block.
    pub fn start(&mut self, state: &Ref, width: usize) {
        if self.is_first() {
            ops::zero(&mut self.m, state, width, Times { first: 0, steps: 1 });
        }
    }

    /// Runs a cell.
    pub fn sweep<C: Sweep>(&mut self, times: Times) {
        ops::forward::<C>(self.isa, &mut self.m, times);
    }

    /// The steps side by side.
    pub fn flatten(&mut self, from: &Ref, to: &Ref, width: usize) {
        let times = self.all();
        ops::flatten(&mut self.m, from, to, width, times);
    }

    /// The steps the other way round.
    pub fn reverse(&mut self, from: &Ref, to: &Ref, width: usize) {
        let times = self.all();
        ops::reverse(&mut self.m, from, to, width, times);
    }
}

/// Checks an input against what the model was compiled for.
pub(super) fn check_input<P: Program>(x: &InputView<'_>) -> Result<(), Error> {
    let spec = &P::SPEC.inputs[0];
    let width: usize = spec.features.iter().product();
    let len = match x.values {
        Values::Floats(f) if !spec.ids => x
            .batch
            .checked_mul(x.time)
            .and_then(|n| n.checked_mul(width))
            .is_some_and(|n| n == f.len()),
        Values::Ids(i) if spec.ids => x.batch.checked_mul(x.time).is_some_and(|n| n == i.len()),
        _ => false,
    };
    let steps = match spec.time {
        None => x.time == 1,
        Some(Some(t)) => x.time == t,
        Some(None) => x.time > 0,
    };
    if !len || !steps || x.batch == 0 {
        return Err(Error::Shape {
            what: spec.name.to_owned(),
            expected: match (x.batch, x.time) {
                (0, _) => format!("{} with at least one row", shape_text(spec)),
                (_, 0) => format!("{} with at least one step", shape_text(spec)),
                _ => shape_text(spec),
            },
            found: found(x, spec, len.then_some(width)),
        });
    }
    if let (Values::Ids(ids), Some((layer, vocabulary))) = (x.values, P::SPEC.vocabulary)
        && let Some(at) = ids.iter().position(|&id| id as usize >= vocabulary)
    {
        return Err(Error::Id {
            layer: layer.to_owned(),
            id: i64::from(ids[at]),
            row: at / x.time,
            step: at % x.time,
            vocabulary,
        });
    }
    Ok(())
}

/// The shape of an input; `width` if its numbers are as many as that says.
fn found(x: &InputView<'_>, spec: &ValueSpec, width: Option<usize>) -> String {
    let (batch, time) = (x.batch, x.time);
    let width = width.map_or("…".into(), |w| w.to_string());
    match (spec.ids, spec.time) {
        (true, _) => format!("[{batch}, {time}]"),
        (false, None) => format!("[{batch}, {width}]"),
        (false, Some(_)) => format!("[{batch}, {time}, {width}]"),
    }
}

/// Floats of the output of a batch.
pub(super) fn output_len<P: Program>(x: &InputView<'_>) -> usize {
    let out = &P::SPEC.outputs[0];
    let time = if out.time.is_some() { x.time } else { 1 };
    x.batch * time * out.features.iter().product::<usize>()
}

/// Runs a checked batch; `y` is the whole output.
pub(super) fn infer<P: Program>(core: &Core, x: InputView<'_>, y: &mut [f32]) -> Result<(), Error> {
    let isa = core.isa()?;
    let packed = core.packed::<P>();
    let worth = x.batch.saturating_mul(x.time).saturating_mul(P::SPEC.cost) / 400_000;
    let threads = worth.clamp(1, rayon::current_num_threads()).min(x.batch);
    let row: usize = P::SPEC.inference.iter().map(|b| b.row).sum();
    let block = if P::SPEC.blocks {
        // Even, so that states end where they start.
        let fit = BLOCK_FLOATS / (row * x.batch.div_ceil(threads)).max(1);
        (fit.clamp(8, 256) & !1).min(x.time)
    } else {
        x.time
    };
    let (bufs, len) = lay_out(P::SPEC.inference, x.batch, block);
    // Another thread may be using the buffers of this model: then take new ones.
    let mut own = crate::cpu::arena::Arena::default();
    let mut kept = core.scratch.try_lock();
    let arena = match &mut kept {
        Ok(kept) => &mut **kept,
        Err(_) => &mut own,
    };
    arena.grow(len);
    let batch = Batch {
        isa,
        weights: &core.weights,
        x,
        block,
        program: std::marker::PhantomData::<P>,
    };
    batch.divide(
        Memory::new(arena.floats_mut(), packed, &bufs, x.time, x.batch),
        y,
        threads,
    );
    Ok(())
}

struct Batch<'a, P> {
    isa: Isa,
    weights: &'a [f32],
    x: InputView<'a>,
    block: usize,
    program: std::marker::PhantomData<P>,
}

impl<P: Program> Batch<'_, P> {
    fn divide(&self, m: Memory<'_>, y: &mut [f32], threads: usize) {
        let rows = m.rows();
        if threads < 2 || rows.len() < 2 {
            return self.rows(m, y);
        }
        let left = threads / 2;
        let half = rows.len() * left / threads;
        let half = if half >= 8 { half / 4 * 4 } else { half.max(1) };
        let (a, b) = m.split(rows.start + half);
        let (ya, yb) = y.split_at_mut(y.len() / rows.len() * half);
        rayon::join(
            || self.divide(a, ya, left),
            || self.divide(b, yb, threads - left),
        );
    }

    fn rows(&self, mut m: Memory<'_>, y: &mut [f32]) {
        let out = &P::SPEC.outputs[0];
        let width: usize = out.features.iter().product();
        let mut from = 0;
        while from < self.x.time {
            let steps = self.block.min(self.x.time - from);
            let last = from + steps == self.x.time;
            let mut m = m.reborrow();
            m.total = if last { steps } else { usize::MAX };
            m.fresh = from == 0;
            let mut c = Inference {
                isa: self.isa,
                m,
                weights: self.weights,
                x: self.x,
                from,
                steps,
            };
            P::infer(&mut c);
            if out.time.is_some() {
                let times = c.all();
                ops::copy_out(&c.m, &P::SPEC.output, width, y, self.x.time, from, times);
            } else if last {
                let times = c.last();
                ops::copy_out(&c.m, &P::SPEC.output, width, y, 1, 0, times);
            }
            from += steps;
        }
    }
}
