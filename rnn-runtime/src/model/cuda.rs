//! How a CUDA device runs a model: what the CPU does in `cpu/`, with the values on the device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rnn_tables::Form;

use super::{
    ModelData, ModelInfo,
    check::check,
    cpu::{Outcome, axes, fits, nothing_to_go_back_over},
    stateful::zeros,
};
use crate::{
    cuda::{CudaCode, CudaDevice, DeviceModel, Engine},
    error::Error,
    learner::{InputView, StepSeed},
    stream::StreamInfo,
};

/// A model on a device.
pub(super) struct Resident {
    device: Arc<CudaDevice>,
    engine: Mutex<Engine>,
    /// The host has changed the weights since the device last had them.
    stale: bool,
    /// What went wrong in a call that cannot return an error.
    failed: Mutex<Option<Error>>,
}

impl Resident {
    pub fn device(&self) -> &Arc<CudaDevice> {
        &self.device
    }

    /// The device has the weights of before.
    pub fn set_stale(&mut self) {
        self.stale = true;
    }

    /// A copy of the weights. If it fails they are NaN, and the next call that can return an error does.
    pub fn weights(&self) -> Vec<f32> {
        let engine = self.engine();
        engine.weights().unwrap_or_else(|e| {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            vec![f32::NAN; engine.weights_len()]
        })
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        // What a panic left is replaced by the next batch.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine of a model on a device, which has its weights.
fn ready<'a>(data: &'a ModelData) -> Result<MutexGuard<'a, Engine>, Error> {
    let Some(resident) = &data.resident else {
        return Err(Error::Device("this model is not on a device".to_owned()));
    };
    if let Some(e) = resident
        .failed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        return Err(e);
    }
    let mut engine = resident.engine();
    if resident.stale {
        engine.set_weights(data.weights())?;
    }
    Ok(engine)
}

/// Moves a model to a device.
pub(super) fn move_to(
    info: &'static ModelInfo,
    stream: &'static StreamInfo,
    code: CudaCode,
    data: &mut ModelData,
    device: &Arc<CudaDevice>,
) -> Result<(), Error> {
    let model = DeviceModel {
        code,
        stream,
        matrices_training: info.matrices_training,
        vectors_training: info.vectors_training,
        inference_buffers: info.inference,
        training_buffers: info.training,
        inference: info.schedules.inference,
        forward: info.schedules.forward,
        backward: info.schedules.backward,
    };
    let engine = Engine::new(Arc::clone(device), model, data.weights())?;
    if let Some(state) = &mut data.training {
        state.ready = false;
    }
    data.resident = Some(Box::new(Resident {
        device: Arc::clone(device),
        engine: Mutex::new(engine),
        stale: false,
        failed: Mutex::default(),
    }));
    Ok(())
}

/// Moves a model back to the CPU.
pub(super) fn bring_back(data: &mut ModelData) -> Result<(), Error> {
    if data.resident.is_none() {
        return Ok(());
    }
    let _ = data.weights();
    // The weights could not be copied: the model stays where it is.
    drop(ready(data)?);
    data.resident = None;
    if let Some(state) = &mut data.training {
        state.ready = false;
    }
    Ok(())
}

/// Runs a checked batch. With `whole`, it also gives what training needs: masks and penalties.
pub(super) fn infer(
    info: &ModelInfo,
    data: &ModelData,
    x: &[InputView<'_>],
    batch: usize,
    into: &mut Outcome,
    whole: bool,
) -> Result<(), Error> {
    let stored = data.states.lock().load(info, batch)?;
    let axes = axes(info, x);
    into.reserve(info, &axes, batch, whole);
    let mut engine = ready(data)?;
    engine.begin(false, batch, axes, x, StepSeed::default())?;
    for (state, x) in info.states.iter().zip(&*stored) {
        engine.copy_in(&state.input, state.width(), None, x)?;
    }
    let seen = engine.run(Form::Inference, false, whole)?;
    let mut left = zeros(info, batch);
    for (state, y) in info.states.iter().zip(&mut left) {
        engine.copy_out(&state.output, state.width(), None, y)?;
    }
    outputs(
        info,
        &mut engine,
        into,
        info.inference_outputs,
        info.output_masks,
    )?;
    into.penalty = (engine.penalty(seen)? / batch as f64) as f32;
    drop(engine);
    data.states.lock().save(info, batch, left);
    Ok(())
}

/// Copies the outputs of a run, and the masks for which there is room.
fn outputs(
    info: &ModelInfo,
    engine: &mut Engine,
    into: &mut Outcome,
    from: &[rnn_tables::BufferRef],
    masks: &[Option<rnn_tables::BufferRef>],
) -> Result<(), Error> {
    for (i, y) in into.outputs.iter_mut().enumerate() {
        let width = info.outputs[i].features.iter().product();
        engine.copy_out(&from[i], width, info.output_axes[i], y)?;
    }
    for (i, mask) in into.masks.iter_mut().enumerate() {
        if let (Some(y), Some(from)) = (mask, &masks[i]) {
            engine.copy_out(from, 1, info.output_axes[i], y)?;
        }
    }
    Ok(())
}

/// A forward pass of training.
pub(super) fn forward(
    info: &ModelInfo,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
    seed: StepSeed,
) -> Result<(), Error> {
    let batch = check(info, inputs)?;
    let stored = data.states.lock().load(info, batch)?;
    let mut state = data.training.take().unwrap_or_default();
    state.ready = false;
    let done = forward_over(info, data, inputs, batch, seed, &stored, &mut state.outcome);
    state.ready = done.is_ok();
    data.training = Some(state);
    let left = done?;
    data.states.lock().save(info, batch, left);
    Ok(())
}

fn forward_over(
    info: &ModelInfo,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
    batch: usize,
    seed: StepSeed,
    stored: &[Vec<f32>],
    outcome: &mut Outcome,
) -> Result<Vec<Vec<f32>>, Error> {
    let axes = axes(info, inputs);
    outcome.reserve(info, &axes, batch, true);
    let mut engine = ready(data)?;
    engine.begin(true, batch, axes, inputs, seed)?;
    for (state, x) in info.states.iter().zip(stored) {
        engine.copy_in(&state.training_input, state.width(), None, x)?;
    }
    let seen = engine.run(Form::Forward, false, true)?;
    let mut left = zeros(info, batch);
    for (state, y) in info.states.iter().zip(&mut left) {
        engine.copy_out(&state.training_output, state.width(), None, y)?;
    }
    outputs(
        info,
        &mut engine,
        outcome,
        info.training_outputs,
        info.training_masks,
    )?;
    outcome.penalty = (engine.penalty(seen)? / batch as f64) as f32;
    let moves = engine.moves_weights();
    drop(engine);
    fresh(data);
    if moves {
        data.forget_host_weights();
    }
    Ok(left)
}

/// The device has the weights of the host.
fn fresh(data: &mut ModelData) {
    if let Some(resident) = &mut data.resident {
        resident.stale = false;
    }
}

/// Runs a batch in inference, and keeps what training looks at.
pub(super) fn evaluate(
    info: &ModelInfo,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
) -> Result<(), Error> {
    let batch = check(info, inputs)?;
    let mut state = data.training.take().unwrap_or_default();
    state.ready = false;
    let done = infer(info, data, inputs, batch, &mut state.outcome, true);
    data.training = Some(state);
    if done.is_ok() {
        fresh(data);
    }
    done
}

/// The backward pass after [`forward`].
pub(super) fn backward(
    info: &ModelInfo,
    data: &mut ModelData,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let Some(mut state) = data.training.take() else {
        return Err(nothing_to_go_back_over());
    };
    let done = match state.ready {
        true => backward_over(
            info,
            data,
            &state.outcome,
            &mut state.input_gradients,
            d_outputs,
            gradients,
        ),
        false => Err(nothing_to_go_back_over()),
    };
    data.training = Some(state);
    done
}

fn backward_over(
    info: &ModelInfo,
    data: &ModelData,
    outcome: &Outcome,
    input_gradients: &mut Option<Vec<Vec<f32>>>,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let Some(resident) = &data.resident else {
        return Err(nothing_to_go_back_over());
    };
    let mut engine = resident.engine();
    if !engine.is_training() {
        return Err(nothing_to_go_back_over());
    }
    fits(
        info.outputs,
        &outcome.outputs,
        d_outputs,
        gradients,
        engine.weights_len(),
    )?;
    for (i, (out, d)) in info.outputs.iter().zip(d_outputs).enumerate() {
        let width = out.features.iter().product();
        engine.copy_in(&info.output_gradients[i], width, info.output_axes[i], d)?;
    }
    engine.run(Form::Backward, input_gradients.is_some(), false)?;
    engine.gradients(gradients)?;
    let Some(all) = input_gradients else {
        return Ok(());
    };
    all.resize(info.inputs.len(), Vec::new());
    for (i, (input, dx)) in info.inputs.iter().zip(all).enumerate() {
        let Some(from) = &info.input_gradients[i] else {
            continue;
        };
        let width: usize = input.features.iter().product();
        dx.resize(engine.floats(width, info.input_axes[i]), 0.0);
        engine.copy_out(from, width, info.input_axes[i], dx)?;
    }
    Ok(())
}
