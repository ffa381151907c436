//! Inference over a batch: rows divided among threads, long sequences cut into blocks of time.

use super::CpuCode;
use crate::{
    cpu::{
        arena::Arena,
        kernel::{Memory, NativeF32, Panels},
        layout::{block_steps, lay_out},
        ops::{self, Times},
        run::{Block, Inference, Penalties, RunScan},
        simd::Isa,
    },
    error::Error,
    executor::{Executor as _, execute},
    learner::{InputView, Values},
    model::{AxisSpec, Batch, ModelData, ModelInfo, check::check, stateful::zeros},
};
use ndarray::{ArrayD, IxDyn};
use rnn_tables::{BufferRef, InputMask, MaskRule};

/// The length of each axis of a checked batch.
pub(in crate::model) fn axes(spec: &ModelInfo, x: &[InputView<'_>]) -> Vec<usize> {
    let length = |a: &AxisSpec| match *a {
        AxisSpec::Input(i) => x[i].time,
        AxisSpec::Fixed(n) => n,
    };
    spec.axes.iter().map(length).collect()
}

/// What a run gives.
#[derive(Default)]
pub(in crate::model) struct Outcome {
    /// Each output, `[batch, (time,) features]`.
    pub outputs: Vec<Vec<f32>>,
    /// The mask of each output, `[batch, time]`.
    pub masks: Vec<Option<Vec<f32>>>,
    /// What the activity regularisers cost.
    pub penalty: f32,
}

impl Outcome {
    /// Makes room for the outputs of a batch and, if they are wanted, for their masks.
    pub(in crate::model) fn reserve(
        &mut self,
        spec: &ModelInfo,
        axes: &[usize],
        batch: usize,
        masks: bool,
    ) {
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

/// One output of the run: `y` is `[rows][time][width]`.
struct Destination<'a> {
    from: BufferRef,
    width: usize,
    axis: Option<usize>,
    y: &'a mut [f32],
}

/// Where the outputs, and the masks if there is room for them, go.
fn destinations<'a>(spec: &ModelInfo, into: &'a mut Outcome) -> Vec<Destination<'a>> {
    let mut list = Vec::new();
    for (i, y) in into.outputs.iter_mut().enumerate() {
        list.push(Destination {
            from: spec.inference_outputs[i],
            width: spec.outputs[i].features.iter().product(),
            axis: spec.output_axes[i],
            y,
        });
    }
    for (i, mask) in into.masks.iter_mut().enumerate() {
        if let (Some(y), Some(from)) = (mask, spec.output_masks[i]) {
            let axis = spec.output_axes[i];
            list.push(Destination {
                from,
                width: 1,
                axis,
                y,
            });
        }
    }
    list
}

/// The number of valid steps of each row: those of all masks that follow from the inputs, and every step of an axis
/// without a mask. `None` if the model has no such mask. Masks that a layer computes are not known before it has run.
fn valid_steps(
    masks: &[InputMask],
    x: &[InputView<'_>],
    input_axes: &[Option<usize>],
    axes: &[usize],
    batch: usize,
) -> Option<Vec<usize>> {
    let masked = |axis: usize| masks.iter().any(|m| input_axes[m.input] == Some(axis));
    let whole = axes.iter().enumerate().filter(|(axis, _)| !masked(*axis));
    let whole: usize = whole.map(|(_, n)| n).sum();
    let mut all: Option<Vec<usize>> = None;
    for &InputMask { input: i, rule } in masks {
        let time = x[i].time;
        let of = |row: usize, width: usize| row * time * width..(row + 1) * time * width;
        let valid = |row: usize| match (rule, x[i].values) {
            (MaskRule::DiffersFrom(value), Values::Floats(x)) => {
                let width = x.len() / (batch * time).max(1);
                let steps = x[of(row, width)].chunks_exact(width.max(1));
                steps.filter(|s| s.iter().any(|&v| v != value)).count()
            }
            (_, Values::Floats(mask)) => mask[of(row, 1)].iter().filter(|&&m| m != 0.0).count(),
            (_, Values::Ids(ids)) => ids[of(row, 1)].iter().filter(|&&id| id != 0).count(),
        };
        let sums = all.get_or_insert_with(|| vec![whole; batch]);
        for (row, n) in sums.iter_mut().enumerate() {
            *n += valid(row);
        }
    }
    all
}

/// The outputs for a batch, in the model's order. `run` runs it, once it has been checked.
pub(in crate::model) fn predict(
    info: &ModelInfo,
    inputs: &[Batch<'_>],
    run: impl FnOnce(&[InputView<'_>], usize, &mut Outcome) -> Result<(), Error>,
) -> Result<Vec<ArrayD<f32>>, Error> {
    let mut views = Vec::with_capacity(inputs.len());
    for (i, (input, spec)) in inputs.iter().zip(info.inputs).enumerate() {
        let layer = info.vocabulary.iter().find(|v| v.0 == i);
        views.push(input.view(spec, layer.map(|v| (v.1, v.2)))?);
    }
    let batch = check(info, &views)?;
    let mut outcome = Outcome::default();
    run(&views, batch, &mut outcome)?;
    let axes = axes(info, &views);
    let mut arrays = Vec::with_capacity(info.outputs.len());
    for (i, y) in outcome.outputs.into_iter().enumerate() {
        let mut shape = vec![batch];
        shape.extend(info.output_axes[i].map(|a| axes[a]));
        shape.extend(info.outputs[i].features);
        let array = ArrayD::from_shape_vec(IxDyn(&shape), y);
        arrays.push(array.map_err(|e| Error::Argument(e.to_string()))?);
    }
    Ok(arrays)
}

/// Runs a checked batch. With `whole`, it also gives what training needs: masks and penalties.
pub(in crate::model) fn infer(
    code: &CpuCode,
    data: &ModelData,
    x: &[InputView<'_>],
    batch: usize,
    into: &mut Outcome,
    whole: bool,
) -> Result<(), Error> {
    let spec = code.info;
    let isa = data.isa(&code.weights)?;
    let stored = data.states.lock().load(spec, batch)?;
    let mut left = zeros(spec, batch);
    let axes = axes(spec, x);
    into.reserve(spec, &axes, batch, whole);
    let packed = data.packed(&code.weights, isa);
    let time = axes.iter().copied().max().unwrap_or(1);
    // It only divides work among threads: one thread does not search the inputs.
    let several = rayon::current_num_threads() > 1;
    let masks = if several { spec.input_masks } else { &[] };
    let valid = valid_steps(masks, x, spec.input_axes, &axes, batch);
    let steps = match &valid {
        Some(valid) => valid.iter().sum(),
        None => batch.saturating_mul(time),
    };
    let worth = steps.saturating_mul(spec.cost) / ops::WORTH_A_THREAD;
    let threads = worth.clamp(1, rayon::current_num_threads());
    let rows = batch.div_ceil(threads);
    let block = spec.blocks.then(|| block_steps(spec.inference, rows, time));
    let lengths = match block {
        Some(block) => vec![block; axes.len()],
        None => axes.clone(),
    };
    let (bufs, len) = lay_out(spec.inference, batch, &lengths);
    // Another thread may be using the buffers of this model: then take new ones.
    let mut own = Arena::default();
    let mut kept = data.scratch.try_lock();
    let arena = match &mut kept {
        Ok(kept) => &mut **kept,
        Err(_) => &mut own,
    };
    arena.grow(len);
    let run = Run {
        isa,
        panels: Panels::new(packed),
        weights: data.weights(),
        x,
        axes: &axes,
        block,
        time,
        states: &stored,
        info: spec,
        scan: code.scan,
    };
    let mut penalties = vec![0.0; if whole { batch } else { 0 }];
    let mut list = destinations(spec, into);
    for (state, y) in spec.states.iter().zip(&mut left) {
        list.push(Destination {
            from: state.output,
            width: state.width(),
            axis: None,
            y,
        });
    }
    let m = Memory::new(arena.floats_mut(), &bufs, 1, batch);
    run.divide(m, list, &mut penalties, valid.as_deref(), threads);
    into.penalty = (penalties.iter().sum::<f64>() / batch as f64) as f32;
    data.states.lock().save(spec, batch, left);
    Ok(())
}

struct Run<'a> {
    info: &'static ModelInfo,
    scan: RunScan,
    isa: Isa,
    panels: Panels<'a, NativeF32>,
    weights: &'a [f32],
    x: &'a [InputView<'a>],
    axes: &'a [usize],
    /// Steps of a block; `None` if the whole sequence runs at once.
    block: Option<usize>,
    /// Steps of the longest axis.
    time: usize,
    /// The states of stateful layers.
    states: &'a [Vec<f32>],
}

impl Run<'_> {
    /// `steps`: how many steps each row has; `None` if all rows have the same number.
    fn divide(
        &self,
        m: Memory<'_>,
        y: Vec<Destination<'_>>,
        penalties: &mut [f64],
        steps: Option<&[usize]>,
        threads: usize,
    ) {
        let rows = m.rows();
        if threads < 2 || rows.len() < 2 {
            return self.rows(m, y, penalties, threads > 1);
        }
        let left = threads / 2;
        let half = ops::half(rows.len(), steps, left, threads);
        let (sa, sb) = ops::parts(steps, half);
        let (a, b) = m.split(rows.start + half);
        let (ya, yb) = y
            .into_iter()
            .map(|destination| {
                let Destination {
                    from,
                    width,
                    axis,
                    y,
                } = destination;
                let (ya, yb) = y.split_at_mut(y.len() / rows.len() * half);
                let destination = |y| Destination {
                    from,
                    width,
                    axis,
                    y,
                };
                (destination(ya), destination(yb))
            })
            .unzip();
        let (pa, pb) = penalties.split_at_mut(half.min(penalties.len()));
        rayon::join(
            || self.divide(a, ya, pa, sa, left),
            || self.divide(b, yb, pb, sb, threads - left),
        );
    }

    /// Runs rows; adds what their penalties cost to `costs`, unless that is empty.
    fn rows(&self, mut m: Memory<'_>, mut y: Vec<Destination<'_>>, costs: &mut [f64], spare: bool) {
        let wanted = !costs.is_empty();
        let penalties = wanted.then(|| Penalties::new(costs.len()));
        for (state, x) in self.info.states.iter().zip(self.states) {
            ops::copy_in(&mut m, &state.input, state.width(), x, 1, 0, Times::ONE);
        }
        let Some(block) = self.block else {
            self.block(m.reborrow(), None, &mut y, penalties.as_ref(), spare);
            if let Some(penalties) = penalties {
                penalties.total(costs);
            }
            return;
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
            let penalties = penalties.as_ref();
            self.block(m.reborrow(), Some(block), &mut y, penalties, spare);
            from += steps;
        }
        if let Some(penalties) = penalties {
            penalties.total(costs);
        }
    }

    fn block(
        &self,
        mut m: Memory<'_>,
        block: Option<Block>,
        y: &mut [Destination<'_>],
        penalties: Option<&Penalties>,
        spare: bool,
    ) {
        if let Some(penalties) = penalties {
            penalties.begin_block();
        }
        m.fresh = block.is_none_or(|b| b.from == 0);
        let mut c = Inference {
            isa: self.isa,
            m,
            panels: self.panels,
            weights: self.weights,
            x: self.x,
            input_axes: self.info.input_axes,
            axes: self.axes,
            block,
            penalties,
            spare,
            scan: self.scan,
        };
        execute(&mut c, self.info.schedules.inference);
        for destination in y {
            let (times, time, from) = match destination.axis {
                Some(a) => (c.times(destination.axis), self.axes[a], c.from()),
                None if c.is_last_block() => (Times::ONE, 1, 0),
                None => continue,
            };
            let (r, width) = (&destination.from, destination.width);
            ops::copy_out(&mut c.m, r, width, destination.y, time, from, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_steps_that_their_masks_leave() {
        let view = |values| InputView {
            batch: 3,
            time: 2,
            values,
        };
        let x = view(Values::Floats(&[0.0; 6]));
        let real = view(Values::Floats(&[1.0, 1.0, 0.0, 1.0, 0.0, 0.0]));
        let ids = view(Values::Ids(&[7, 0, 0, 0, 1, 2]));
        // Two features: one that differs is enough.
        let wide = view(Values::Floats(&[
            -1.0,
            -1.0,
            0.5,
            -1.0,
            -1.0,
            -1.0,
            -1.0,
            -1.0,
            0.0,
            0.0,
            f32::NAN,
            -1.0,
        ]));
        let inputs = [x, real, ids, wide];
        let on = [Some(0); 4];
        let steps = |masks: &[InputMask]| valid_steps(masks, &inputs, &on, &[2], 3);
        assert_eq!(steps(&[]), None);
        assert_eq!(
            steps(&[InputMask {
                input: 1,
                rule: MaskRule::Given
            }]),
            Some(vec![2, 1, 0])
        );
        assert_eq!(
            steps(&[InputMask {
                input: 2,
                rule: MaskRule::NonZeroId
            }]),
            Some(vec![1, 0, 2])
        );
        assert_eq!(
            steps(&[InputMask {
                input: 3,
                rule: MaskRule::DiffersFrom(-1.0)
            }]),
            Some(vec![1, 0, 2])
        );
        let two = [
            InputMask {
                input: 1,
                rule: MaskRule::Given,
            },
            InputMask {
                input: 2,
                rule: MaskRule::NonZeroId,
            },
        ];
        assert_eq!(steps(&two), Some(vec![3, 1, 2]));
        // An axis of the model's own, and one of an input without a mask, are done whole.
        let apart = [Some(0), Some(1), Some(0), Some(0)];
        let given = [InputMask {
            input: 1,
            rule: MaskRule::Given,
        }];
        let steps = valid_steps(&given, &inputs, &apart, &[2, 2, 7], 3);
        assert_eq!(steps, Some(vec![11, 10, 9]));
        // Half of the work is not half of the rows.
        assert_eq!(ops::half(4, Some(&[9, 3, 3, 3]), 1, 2), 1);
        assert_eq!(ops::half(4, None, 1, 2), 2);
    }
}
