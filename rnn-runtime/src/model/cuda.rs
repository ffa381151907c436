//! How a CUDA device runs a model: what the CPU does in `cpu/`, with the values on the device.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rnn_tables::BufferRef;

use super::{
    ModelData, ModelInfo,
    check::check,
    cpu::{Outcome, axes, nothing_to_go_back_over},
};
use crate::{
    cuda::{CudaCode, CudaDevice, DeviceModel, DeviceState, Engine, Schedule, DeviceOutput},
    error::Error,
    host::UpdateTables,
    learner::{InputView, StepSeed},
    loss::{Figure, LossTask, OutputGradient, LossFigures},
    on_device::OnDevice,
    stream::StreamInfo,
    update::{Slot, TrainState, Update, UpdateRule},
};

/// A model on a device.
pub(super) struct Resident {
    info: &'static ModelInfo,
    device: Arc<CudaDevice>,
    engine: Mutex<Engine>,
    last: Option<Last>,
    /// The host has changed the weights since the device last had them.
    stale: bool,
    /// What went wrong in a call that cannot return an error.
    failed: Mutex<Option<Error>>,
}

/// The last batch of training, or of inference for training. What it gave is on the device until somebody asks.
struct Last {
    /// The engine's number of the batch.
    number: u64,
    training: bool,
    /// How many penalties there are.
    penalties: usize,
    outputs: Vec<OnceLock<Vec<f32>>>,
    /// `None` for an output without a mask.
    masks: Vec<Option<OnceLock<Vec<f32>>>>,
    penalty: OnceLock<f32>,
}

impl Last {
    fn new(engine: &Engine, info: &ModelInfo, training: bool, penalties: usize) -> Self {
        let masks = masks(info, training).iter();
        Last {
            number: engine.batch_number(),
            training,
            penalties,
            outputs: info.outputs.iter().map(|_| OnceLock::new()).collect(),
            masks: masks.map(|m| m.map(|_| OnceLock::new())).collect(),
            penalty: OnceLock::new(),
        }
    }
}

/// Where the outputs are.
fn outputs(info: &ModelInfo, training: bool) -> &'static [BufferRef] {
    match training {
        true => info.training_outputs,
        false => info.inference_outputs,
    }
}

/// Where their masks are.
fn masks(info: &ModelInfo, training: bool) -> &'static [Option<BufferRef>] {
    match training {
        true => info.training_masks,
        false => info.output_masks,
    }
}

/// Floats of a step of an output.
fn width(info: &ModelInfo, output: usize) -> usize {
    info.outputs[output].features.iter().product()
}

/// What `cell` holds, or a copy of what is at `from`.
fn copied<'a>(
    cell: &'a OnceLock<Vec<f32>>,
    engine: &mut Engine,
    from: &BufferRef,
    width: usize,
    axis: rnn_tables::Axis,
) -> Result<&'a [f32], Error> {
    if cell.get().is_none() {
        let mut y = vec![0.0; engine.floats(width, axis)];
        engine.copy_out(from, width, axis, &mut y)?;
        // Whoever copies has the engine, so nobody else has been faster.
        let _ = cell.set(y);
    }
    Ok(cell.get().map_or(&[], |y| y))
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
        cell: &'a OnceLock<Vec<f32>>,
        from: &BufferRef,
        width: usize,
        index: usize,
    ) -> &'a [f32] {
        if let Some(y) = cell.get() {
            return y;
        }
        let axis = self.info.output_axes[index];
        let mut engine = self.engine();
        if engine.batch_number() != last.number {
            // The batch has gone with an error.
            return &[];
        }
        if let Err(e) = copied(cell, &mut engine, from, width, axis) {
            let _ = cell.set(vec![f32::NAN; engine.floats(width, axis)]);
            self.fail(e);
        }
        cell.get().map_or(&[], |y| y)
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
                f32::NAN
            }
        };
        // Not `get_or_init`: whoever waits for the engine in there would hold up the one who has it.
        let _ = last.penalty.set(penalty);
        penalty
    }

    /// Copies what the last batch gave, before another one takes its place.
    fn keep_last(&self, engine: &mut Engine) -> Result<(), Error> {
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

    /// Keeps an error for the next call that can return one.
    fn fail(&self, e: Error) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
    }

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
            self.fail(e);
            vec![f32::NAN; engine.weights_len()]
        })
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        // What a panic left is replaced by the next batch.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Streams do not run on a device.
    pub fn no_stream(&self) -> Error {
        Error::Device(format!(
            "cuda:{}: streams run on the CPU: `model.clone().stream()`, or `model.to(&Device::cpu())`",
            self.device.ordinal()
        ))
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

/// The states of stateful layers are on the host afterwards.
pub(super) fn fetch_states(data: &ModelData) {
    let Some(resident) = &data.resident else {
        return;
    };
    // Whoever locks both locks the engine first.
    let engine = resident.engine();
    let mut store = data.states.lock();
    let Some(rows) = store.far() else { return };
    let copy = |(i, state): (usize, &super::StateSpec)| {
        let len = rows * state.width();
        engine.kept_state(i, len).unwrap_or_else(|e| {
            resident.fail(e);
            vec![f32::NAN; len]
        })
    };
    let all = resident.info.states.iter().enumerate().map(copy).collect();
    store.save(resident.info, rows, all);
}

/// Puts the states that a batch starts with where its run reads them: `to` says where.
fn start_states(
    info: &ModelInfo,
    data: &ModelData,
    engine: &mut Engine,
    batch: usize,
    to: impl Fn(&super::StateSpec) -> BufferRef,
) -> Result<(), Error> {
    let (stored, far) = {
        let store = data.states.lock();
        (store.load(info, batch)?, store.far().is_some())
    };
    for (i, state) in info.states.iter().enumerate() {
        match far {
            true => engine.restore_state(i, &to(state), state.width())?,
            false => engine.copy_in(&to(state), state.width(), None, &stored[i])?,
        }
    }
    Ok(())
}

/// Keeps the states that a batch ended with: on the device, until somebody asks.
fn end_states(
    info: &ModelInfo,
    data: &ModelData,
    engine: &mut Engine,
    batch: usize,
    from: impl Fn(&super::StateSpec) -> BufferRef,
) -> Result<(), Error> {
    for (i, state) in info.states.iter().enumerate() {
        engine.keep_state(i, &from(state), state.width())?;
    }
    data.states.lock().save_far(info, batch);
    Ok(())
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
        params: info.params,
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
    fetch_states(data);
    let engine = Engine::new(Arc::clone(device), model, data.weights())?;
    forget_outcome(data);
    data.resident = Some(Box::new(Resident {
        info,
        last: None,
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
    fetch_states(data);
    // The weights could not be copied: the model stays where it is.
    drop(ready(data)?);
    data.resident = None;
    forget_outcome(data);
    Ok(())
}

/// There is nothing to go back over, and no output.
fn forget_outcome(data: &mut ModelData) {
    if let Some(state) = &mut data.training {
        state.ready = false;
        state.outcome = Outcome::default();
    }
}

/// Runs a checked batch, and copies its outputs.
pub(super) fn infer(
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
    let seen = engine.run(Schedule::Inference, false, penalties)?;
    end_states(info, data, engine, batch, |s| s.output)?;
    Ok(seen)
}

/// A forward pass of training.
pub(super) fn forward(
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
    let seen = engine.run(Schedule::Forward, false, true)?;
    end_states(info, data, &mut engine, batch, |s| s.training_output)?;
    let (last, moves) = (Last::new(&engine, info, true, seen), engine.moves_weights());
    drop(engine);
    has_run(data, last);
    if moves {
        data.forget_host_weights();
    }
    Ok(())
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
        resident.stale = false;
        resident.last = Some(last);
    }
}

/// Runs a batch in inference, and keeps what training looks at.
pub(super) fn evaluate(
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

/// The engine, if a forward pass of training came last, so that there is something to go back over.
fn trained(data: &ModelData) -> Result<(&Resident, MutexGuard<'_, Engine>), Error> {
    let Some(resident) = &data.resident else {
        return Err(nothing_to_go_back_over());
    };
    let engine = resident.engine();
    match &resident.last {
        Some(last) if last.training && last.number == engine.batch_number() => {
            Ok((resident, engine))
        }
        _ => Err(nothing_to_go_back_over()),
    }
}

/// An error unless there is a gradient of the right length for each output, where it is on the host.
fn fits(info: &ModelInfo, engine: &Engine, found: &[OutputGradient<'_>]) -> Result<(), Error> {
    if found.len() != info.outputs.len() {
        return Err(Error::Argument(format!(
            "this model has {}, found gradients for {}",
            super::check::count(info.outputs.len(), "output"),
            found.len()
        )));
    }
    for (i, (out, d)) in info.outputs.iter().zip(found).enumerate() {
        let expected = engine.floats(width(info, i), info.output_axes[i]);
        if let OutputGradient::Host(d) = d
            && d.len() != expected
        {
            return Err(Error::Shape {
                what: format!("gradient of {}", out.name),
                expected: format!("[{expected}]"),
                found: format!("[{}]", d.len()),
            });
        }
    }
    Ok(())
}

/// Puts the gradients of the outputs where the backward pass reads them.
fn start_back(
    info: &ModelInfo,
    engine: &mut Engine,
    d_outputs: &[OutputGradient<'_>],
) -> Result<(), Error> {
    fits(info, engine, d_outputs)?;
    for (i, d) in d_outputs.iter().enumerate() {
        let (to, axis) = (&info.output_gradients[i], info.output_axes[i]);
        match d {
            OutputGradient::Zero => engine.clear(to, width(info, i), axis)?,
            OutputGradient::Kept => {}
            OutputGradient::Host(d) => engine.copy_in(to, width(info, i), axis, d)?,
        }
    }
    Ok(())
}

/// Copies the gradients of the inputs, if they are wanted.
fn copy_input_gradients(
    info: &ModelInfo,
    engine: &mut Engine,
    to: &mut Option<Vec<Vec<f32>>>,
) -> Result<(), Error> {
    let Some(all) = to else {
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

/// Goes back over the last batch: `run` runs the backward pass, given whether the gradients of the inputs are wanted.
fn back(
    data: &mut ModelData,
    d_outputs: &[OutputGradient<'_>],
    run: impl FnOnce(&mut Engine, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut wanted = match &mut data.training {
        Some(state) => state.input_gradients.take(),
        None => None,
    };
    let go = |wanted: &mut Option<_>| {
        let (resident, mut engine) = trained(data)?;
        start_back(resident.info, &mut engine, d_outputs)?;
        run(&mut engine, wanted.is_some())?;
        copy_input_gradients(resident.info, &mut engine, wanted)
    };
    let done = go(&mut wanted);
    if let Some(state) = &mut data.training {
        state.input_gradients = wanted;
    }
    done
}

/// The backward pass after [`forward`], with gradients on the host.
pub(super) fn backward(
    data: &mut ModelData,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let given: Vec<OutputGradient<'_>> =
        d_outputs.iter().map(|d| OutputGradient::Host(d)).collect();
    back(data, &given, |engine, wanted| {
        if gradients.len() != engine.weights_len() {
            return Err(Error::Shape {
                what: "gradients of the weights".to_owned(),
                expected: format!("[{}]", engine.weights_len()),
                found: format!("[{}]", gradients.len()),
            });
        }
        engine.run(Schedule::Backward, wanted, false)?;
        engine.gradients(gradients)
    })
}

impl OnDevice for ModelData {
    fn activity_penalty(&mut self) -> Figure {
        let Some(resident) = &self.resident else {
            return Figure::Known(0.0);
        };
        let Some(last) = &resident.last else {
            return Figure::Known(0.0);
        };
        let mut engine = resident.engine();
        if engine.batch_number() != last.number {
            drop(engine);
            return Figure::Known(resident.penalty().into());
        }
        known(resident, engine.keep_penalty(last.penalties))
    }

    fn weight_penalty(&mut self) -> Figure {
        let Some(resident) = &self.resident else {
            return Figure::Known(0.0);
        };
        match ready(self) {
            Ok(mut engine) => known(resident, engine.keep_weight_penalty()),
            Err(e) => known(resident, Err(e)),
        }
    }

    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        let Some(resident) = &self.resident else {
            return Ok(None);
        };
        let (info, Some(last)) = (resident.info, &resident.last) else {
            return Ok(None);
        };
        let mut engine = ready(self)?;
        if engine.batch_number() != last.number || index >= info.outputs.len() {
            return Ok(None);
        }
        let of = DeviceOutput {
            output: &outputs(info, last.training)[index],
            gradient: &info.output_gradients[index],
            mask: masks(info, last.training)[index].as_ref(),
            width: width(info, index),
            axis: info.output_axes[index],
        };
        engine.score(&of, task, gradient && last.training)
    }

    fn figures(&mut self) -> Result<Vec<f64>, Error> {
        match self.resident {
            Some(_) => ready(self)?.figures(),
            None => Ok(Vec::new()),
        }
    }

    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error> {
        let engine = ready(self)?;
        if let Some(resident) = &self.resident {
            // It checks the axes of constraints.
            UpdateTables::new(resident.info.params)?;
        }
        Ok(Box::new(engine.start_training(slots)?))
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error> {
        let state = DeviceState::of(state)?;
        back(self, outputs, |engine, wanted| {
            engine.run_backward(state, wanted)
        })
    }

    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error> {
        let state = DeviceState::of(state)?;
        let mut engine = ready(self)?;
        match (update.rule, &self.resident) {
            (UpdateRule::Own(_), Some(resident)) => {
                // The rule exists as host code only: all numbers travel.
                let mut tables = UpdateTables::new(resident.info.params)?;
                let (mut weights, mut gradients) = (engine.weights()?, state.gradients()?);
                let mut slots = state.slots()?;
                tables.apply(update, &mut weights, &mut gradients, &mut slots)?;
                engine.set_weights(&weights)?;
                for (i, slot) in slots.iter().enumerate() {
                    state.set_slot(i, slot)?;
                }
            }
            _ => engine.apply(update, state)?,
        }
        drop(engine);
        if let Some(resident) = &mut self.resident {
            resident.stale = false;
        }
        self.forget_host_weights();
        Ok(())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        let expected = match &self.resident {
            Some(resident) => resident.engine().weights_len(),
            None => 0,
        };
        if weights.len() != expected {
            return Err(Error::Shape {
                what: "weights".to_owned(),
                expected: format!("[{expected}]"),
                found: format!("[{}]", weights.len()),
            });
        }
        self.replace_weights(weights);
        Ok(())
    }
}

/// A figure, or NaN: the next call that can return the error does.
fn known(resident: &Resident, figure: Result<Figure, Error>) -> Figure {
    figure.unwrap_or_else(|e| {
        resident.fail(e);
        Figure::Known(f64::NAN)
    })
}
