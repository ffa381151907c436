//! Runs a batch.

use rnn_tables::Form;

use super::{
    last::{Last, width},
    ready,
    states::{end_states, start_states},
};
use crate::{
    cuda::Engine,
    error::Error,
    learner::{InputView, StepSeed},
    model::{
        ModelData, ModelInfo,
        check::check,
        cpu::{Outcome, axes},
    },
};

/// Runs a checked batch, and copies its outputs.
pub(in crate::model) fn infer(
    info: &ModelInfo,
    data: &ModelData,
    x: &[InputView<'_>],
    batch: usize,
    into: &mut Outcome,
) -> Result<(), Error> {
    into.reserve(info, &axes(info, x), batch, false);
    let mut engine = ready(data)?;
    if let Some(resident) = &data.resident {
        resident.keep_last(&mut engine)?;
    }
    run_inference(info, data, &mut engine, x, batch, false)?;
    for (i, y) in into.outputs.iter_mut().enumerate() {
        let (from, axis) = (&info.inference_outputs[i], info.output_axes[i]);
        engine.copy_out(from, width(info, i), axis, y)?;
    }
    Ok(())
}

/// Runs a checked batch; gives how many penalties there were.
fn run_inference(
    info: &ModelInfo,
    data: &ModelData,
    engine: &mut Engine,
    x: &[InputView<'_>],
    batch: usize,
    penalties: bool,
) -> Result<usize, Error> {
    let axes = axes(info, x);
    // An error about them comes before anything changes.
    data.states.lock().load(info, batch)?;
    engine.begin(false, batch, axes, x, StepSeed::default())?;
    start_states(info, data, engine, batch, |s| s.input)?;
    let seen = engine.run(Form::Inference, false, penalties)?;
    end_states(info, data, engine, batch, |s| s.output)?;
    Ok(seen)
}

/// A forward pass of training.
pub(in crate::model) fn forward(
    info: &'static ModelInfo,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
    seed: StepSeed,
) -> Result<(), Error> {
    let batch = check(info, inputs)?;
    // An error about them comes before anything changes.
    data.states.lock().load(info, batch)?;
    forget_last(data);
    let mut engine = ready(data)?;
    engine.begin(true, batch, axes(info, inputs), inputs, seed)?;
    start_states(info, data, &mut engine, batch, |s| s.training_input)?;
    let ran = engine.run(Form::Forward, false, true);
    let kept = end_states(info, data, &mut engine, batch, |s| s.training_output);
    let last = ran.map(|seen| Last::new(&engine, info, true, seen));
    let moves = engine.moves_weights();
    drop(engine);
    let ran = last.map(|last| has_run(data, last));
    // Statistics may have moved whatever failed afterwards.
    if moves {
        data.forget_host_weights();
    }
    ran.and(kept)
}

/// What the last batch gave is gone.
fn forget_last(data: &mut ModelData) {
    if let Some(resident) = &mut data.resident {
        resident.last = None;
    }
}

/// The device has run a batch, with the weights of the host.
fn has_run(data: &mut ModelData, last: Last) {
    if let Some(resident) = &mut data.resident {
        *resident.stale.get_mut() = false;
        resident.last = Some(last);
    }
}

/// Runs a batch in inference, and keeps what training looks at.
pub(in crate::model) fn evaluate(
    info: &'static ModelInfo,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
) -> Result<(), Error> {
    let batch = check(info, inputs)?;
    forget_last(data);
    let mut engine = ready(data)?;
    let seen = run_inference(info, data, &mut engine, inputs, batch, true)?;
    let last = Last::new(&engine, info, false, seen);
    drop(engine);
    has_run(data, last);
    Ok(())
}
