//! How a CUDA device runs a model: what the CPU does in `cpu/`, with the values on the device.
//!
//! `batch.rs` runs a batch; `last.rs` has what the last one gave, `states.rs` what stateful layers keep; `training.rs` goes
//! back and does the steps of optimizers; `plan.rs` says how the device runs it.

mod batch;
mod last;
mod plan;
mod states;
mod training;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use super::{ModelData, ModelInfo, Program, cpu::Outcome};
use crate::{
    cuda::{CudaCode, CudaDevice, DeviceModel, Engine},
    error::Error,
    precision::Precision,
    stream::StreamInfo,
};

pub(super) use batch::{evaluate, forward, infer};
use last::Last;
pub(super) use plan::{persistent, plan};
pub(super) use states::fetch_states;
pub(super) use training::backward;

/// A model on a device.
pub(super) struct Resident {
    info: &'static ModelInfo,
    device: Arc<CudaDevice>,
    precision: Precision,
    engine: Mutex<Engine>,
    last: Option<Last>,
    /// The host has changed the weights since the device last had them.
    stale: AtomicBool,
    /// What went wrong in a call that cannot return an error.
    failed: Mutex<Option<Error>>,
}

impl Resident {
    /// Keeps an error for the next call that can return one.
    pub(in crate::model) fn fail(&self, e: Error) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
    }

    pub fn device(&self) -> &Arc<CudaDevice> {
        &self.device
    }

    /// What products are made in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The error that was kept, once.
    pub fn check(&self) -> Result<(), Error> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map_or(Ok(()), Err)
    }

    /// The device has the weights of before.
    pub fn set_stale(&mut self) {
        *self.stale.get_mut() = true;
    }

    /// How many weights there are.
    pub fn weights_len(&self) -> usize {
        self.engine().weights_len()
    }

    /// A copy of the weights.
    ///
    /// # Errors
    /// [`Error::Device`] if they cannot be copied.
    pub fn weights(&self) -> Result<Vec<f32>, Error> {
        self.engine().weights()
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
    resident.check()?;
    let mut engine = resident.engine();
    if resident.stale.load(Ordering::Relaxed) {
        engine.set_weights(data.weights())?;
        // Whoever else asks waits for the engine.
        resident.stale.store(false, Ordering::Relaxed);
    }
    Ok(engine)
}

/// What a device has to know of a model.
fn device_model(
    info: &'static ModelInfo,
    stream: &'static StreamInfo,
    code: CudaCode,
) -> DeviceModel {
    DeviceModel {
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
    }
}

/// The kernels of a model as CUDA, without a device: those of inference and of training, for a GPU whose blocks may have so
/// many bytes of shared memory; of each the texts that are compiled one by one, when a batch needs them.
///
/// # Errors
/// [`Error::Argument`] if the model is too large for a device.
pub fn cuda_sources<P: Program>(
    shared: usize,
    precision: Precision,
) -> Result<[Vec<String>; 2], Error> {
    device_model(&P::INFO, &P::STREAM, P::CUDA).sources(shared, precision)
}

/// Moves a model to a device.
pub(super) fn move_to(
    info: &'static ModelInfo,
    stream: &'static StreamInfo,
    code: CudaCode,
    data: &mut ModelData,
    device: &Arc<CudaDevice>,
    precision: Precision,
) -> Result<(), Error> {
    let model = device_model(info, stream, code);
    // From device to device by the host. The model stays where it is until the other device has it.
    data.fetch()?;
    let engine = Engine::new(Arc::clone(device), model, precision, data.weights())?;
    forget_outcome(data);
    data.resident = Some(Box::new(Resident {
        info,
        last: None,
        device: Arc::clone(device),
        precision,
        engine: Mutex::new(engine),
        stale: AtomicBool::new(false),
        failed: Mutex::default(),
    }));
    Ok(())
}

/// Moves a model back to the CPU.
pub(super) fn bring_back(data: &mut ModelData) -> Result<(), Error> {
    data.fetch()?;
    if data.resident.take().is_some() {
        forget_outcome(data);
    }
    Ok(())
}

/// There is nothing to go back over, and no output.
fn forget_outcome(data: &mut ModelData) {
    if let Some(state) = &mut data.training {
        state.ready = false;
        state.outcome = Outcome::default();
    }
}
