//! What the last batch of training, or of inference for training, gave. It is on the device until somebody asks.

use std::sync::OnceLock;

use rnn_tables::{Axis, BufferRef};

use super::Resident;
use crate::{cuda::Engine, error::Error, model::ModelInfo};

/// The last batch.
pub(super) struct Last {
    /// The engine's number of the batch.
    pub number: u64,
    pub training: bool,
    /// How many penalties there are.
    pub penalties: usize,
    outputs: Vec<Fetched>,
    /// `None` for an output without a mask.
    masks: Vec<Option<Fetched>>,
    penalty: OnceLock<f32>,
    /// Whether the gradient of each output is where the backward pass reads it.
    pub kept: Vec<bool>,
}

/// Numbers on the host.
#[derive(Default)]
struct Fetched {
    /// A copy of the device's, made when somebody asks.
    y: OnceLock<Vec<f32>>,
    /// NaN for a copy that failed. The next call tries again.
    lost: OnceLock<Vec<f32>>,
}

impl Last {
    pub fn new(engine: &Engine, info: &ModelInfo, training: bool, penalties: usize) -> Self {
        let masks = masks(info, training).iter();
        Last {
            number: engine.batch_number(),
            training,
            penalties,
            outputs: info.outputs.iter().map(|_| Fetched::default()).collect(),
            masks: masks.map(|m| m.map(|_| Fetched::default())).collect(),
            penalty: OnceLock::new(),
            kept: vec![false; info.outputs.len()],
        }
    }
}

/// Where the outputs are.
pub(super) fn outputs(info: &ModelInfo, training: bool) -> &'static [BufferRef] {
    match training {
        true => info.training_outputs,
        false => info.inference_outputs,
    }
}

/// Where their masks are.
pub(super) fn masks(info: &ModelInfo, training: bool) -> &'static [Option<BufferRef>] {
    match training {
        true => info.training_masks,
        false => info.output_masks,
    }
}

/// Floats of a step of an output.
pub(super) fn width(info: &ModelInfo, output: usize) -> usize {
    info.outputs[output].features.iter().product()
}

/// What `cell` holds, or a copy of what is at `from`.
fn copied<'a>(
    cell: &'a Fetched,
    engine: &mut Engine,
    from: &BufferRef,
    width: usize,
    axis: Axis,
) -> Result<&'a [f32], Error> {
    if cell.y.get().is_none() {
        let mut y = vec![0.0; engine.floats(width, axis)];
        engine.copy_out(from, width, axis, &mut y)?;
        // Whoever copies has the engine, so nobody else has been faster.
        let _ = cell.y.set(y);
    }
    Ok(cell.y.get().map_or(&[], |y| y))
}

impl Resident {
    /// Output number `index` of the last batch. If it cannot be copied it is NaN, and the next call that can return an error
    /// does.
    pub fn output(&self, index: usize) -> &[f32] {
        let Some((last, cell)) = self
            .last
            .as_ref()
            .and_then(|l| Some((l, l.outputs.get(index)?)))
        else {
            return &[];
        };
        let from = &outputs(self.info, last.training)[index];
        self.fetched(last, cell, from, width(self.info, index), index)
    }

    /// The mask of an output of the last batch.
    pub fn output_mask(&self, index: usize) -> Option<&[f32]> {
        let last = self.last.as_ref()?;
        let cell = last.masks.get(index)?.as_ref()?;
        let from = masks(self.info, last.training)[index].as_ref()?;
        Some(self.fetched(last, cell, from, 1, index))
    }

    fn fetched<'a>(
        &self,
        last: &Last,
        cell: &'a Fetched,
        from: &BufferRef,
        width: usize,
        index: usize,
    ) -> &'a [f32] {
        if let Some(y) = cell.y.get() {
            return y;
        }
        let axis = self.info.output_axes[index];
        let mut engine = self.engine();
        if engine.batch_number() != last.number {
            // The batch has gone with an error.
            return &[];
        }
        match copied(cell, &mut engine, from, width, axis) {
            Ok(y) => y,
            Err(e) => {
                self.fail(e);
                let lost = || vec![f32::NAN; engine.floats(width, axis)];
                cell.lost.get_or_init(lost)
            }
        }
    }

    /// What the activity regularisers of the last batch add to the loss.
    pub fn penalty(&self) -> f32 {
        let Some(last) = &self.last else { return 0.0 };
        if let Some(penalty) = last.penalty.get() {
            return *penalty;
        }
        let mut engine = self.engine();
        if last.penalties == 0 || engine.batch_number() != last.number {
            return 0.0;
        }
        let rows = engine.rows().max(1) as f64;
        let penalty = match engine.penalty(last.penalties) {
            Ok(sum) => (sum / rows) as f32,
            Err(e) => {
                self.fail(e);
                return f32::NAN;
            }
        };
        // Not `get_or_init`: whoever waits for the engine in there would hold up the one who has it.
        let _ = last.penalty.set(penalty);
        penalty
    }

    /// Copies what the last batch gave, before another one takes its place.
    pub(super) fn keep_last(&self, engine: &mut Engine) -> Result<(), Error> {
        let Some(last) = &self.last else {
            return Ok(());
        };
        if engine.batch_number() != last.number {
            return Ok(());
        }
        let info = self.info;
        for (i, cell) in last.outputs.iter().enumerate() {
            let (from, axis) = (&outputs(info, last.training)[i], info.output_axes[i]);
            copied(cell, engine, from, width(info, i), axis)?;
        }
        for (i, cell) in last.masks.iter().enumerate() {
            if let (Some(cell), Some(from)) = (cell, &masks(info, last.training)[i]) {
                copied(cell, engine, from, 1, info.output_axes[i])?;
            }
        }
        if last.penalty.get().is_none() {
            let rows = engine.rows().max(1) as f64;
            let penalty = (engine.penalty(last.penalties)? / rows) as f32;
            let _ = last.penalty.set(penalty);
        }
        Ok(())
    }
}
