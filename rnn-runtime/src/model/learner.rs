//! Every model is a [`Learner`]: it runs on the CPU, or on the device that it has been moved to.

use ndarray::{ArrayD, IxDyn};

#[cfg(feature = "cuda")]
use super::cuda;
use super::{
    LayerState, ModelData, ModelInfo, Program,
    cpu::{self, CpuCode, TrainingCode},
    stateful::Store,
};
use crate::{
    device::{Device, Kind},
    error::Error,
    learner::{InputView, KeptState, Learner, OutputRange, StepSeed, ValueSpec},
    params::ParamSpec,
};

impl<P: Program> Learner for P {
    fn specs(&self) -> &'static [ParamSpec] {
        P::INFO.params
    }

    fn weights(&self) -> &[f32] {
        self.data().weights()
    }

    fn weights_mut(&mut self) -> &mut [f32] {
        self.data_mut().weights_mut()
    }

    fn inputs(&self) -> &'static [ValueSpec] {
        P::INFO.inputs
    }

    fn outputs(&self) -> &'static [ValueSpec] {
        P::INFO.outputs
    }

    fn output_ranges(&self) -> &'static [OutputRange] {
        P::INFO.output_ranges
    }

    fn vocabulary(&self) -> &'static [(usize, &'static str, usize)] {
        P::INFO.vocabulary
    }

    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        #[cfg(feature = "cuda")]
        if self.data().resident.is_some() {
            return cuda::forward(&P::INFO, self.data_mut(), inputs, seed);
        }
        cpu::forward(&TrainingCode::of::<P>(), self.data_mut(), inputs, seed)
    }

    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        #[cfg(feature = "cuda")]
        if self.data().resident.is_some() {
            return cuda::evaluate(&P::INFO, self.data_mut(), inputs);
        }
        cpu::evaluate(&CpuCode::of::<P>(), self.data_mut(), inputs)
    }

    fn output(&self, index: usize) -> &[f32] {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.data().resident {
            return resident.output(index);
        }
        let state = self.data().training.as_ref();
        state
            .and_then(|s| s.outcome.outputs.get(index))
            .map_or(&[], |y| y)
    }

    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        #[cfg(feature = "cuda")]
        if self.data().resident.is_some() {
            return cuda::backward(self.data_mut(), d_outputs, gradients);
        }
        cpu::backward(
            &TrainingCode::of::<P>(),
            self.data_mut(),
            d_outputs,
            gradients,
        )
    }

    fn output_mask(&self, index: usize) -> Option<&[f32]> {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.data().resident {
            return resident.output_mask(index);
        }
        let masks = &self.data().training.as_ref()?.outcome.masks;
        masks.get(index)?.as_deref()
    }

    fn penalty(&self) -> f32 {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.data().resident {
            return resident.penalty();
        }
        let state = self.data().training.as_ref();
        state.map_or(0.0, |s| s.outcome.penalty)
    }

    #[cfg(feature = "cuda")]
    fn on_device(&self) -> Option<&dyn crate::on_device::OnDevice> {
        let data = self.data();
        data.resident.is_some().then_some(data)
    }

    #[cfg(feature = "cuda")]
    fn on_device_mut(&mut self) -> Option<&mut dyn crate::on_device::OnDevice> {
        let data = self.data_mut();
        match data.resident {
            Some(_) => Some(data),
            None => None,
        }
    }

    fn is_stateful(&self) -> bool {
        !P::INFO.states.is_empty()
    }

    fn reset_states(&mut self) {
        self.data().states.lock().reset();
    }

    fn kept_states(&self) -> Vec<KeptState> {
        kept_states(self.data(), &P::INFO)
    }

    fn set_kept_states(&mut self, states: &[KeptState]) -> Result<(), Error> {
        set_kept_states(self.data(), &P::INFO, states)
    }
}

/// What [`Learner::kept_states`] gives.
fn kept_states(data: &ModelData, info: &ModelInfo) -> Vec<KeptState> {
    let states = data.named_states(info);
    let kept = |s: LayerState| KeptState {
        layer: s.layer,
        name: s.name,
        shape: s.value.shape().to_vec(),
        values: s.value.iter().copied().collect(),
    };
    states.into_iter().map(kept).collect()
}

/// What [`Learner::set_kept_states`] does.
fn set_kept_states(data: &ModelData, info: &ModelInfo, states: &[KeptState]) -> Result<(), Error> {
    let array = |s: &KeptState| {
        let value = ArrayD::from_shape_vec(IxDyn(&s.shape), s.values.clone())
            .map_err(|e| Error::Argument(format!("{}/{}: {e}", s.layer, s.name)))?;
        Ok(LayerState {
            layer: s.layer.clone(),
            name: s.name.clone(),
            value,
        })
    };
    let states = states
        .iter()
        .map(array)
        .collect::<Result<Vec<_>, Error>>()?;
    let mut store = Store::default();
    store.set(info, &states)?;
    *data.states.lock() = store;
    Ok(())
}

/// Asks the next backward passes for the gradients of the inputs as well.
pub(super) fn want_input_gradient<P: Program>(model: &mut P, wanted: bool) {
    let state = model.data_mut().training.get_or_insert_default();
    state.input_gradients = wanted.then(Vec::new);
}

/// The gradient of an input, from the last backward pass.
pub(super) fn input_gradient<P: Program>(model: &P, index: usize) -> Option<&[f32]> {
    (*P::INFO.input_gradients.get(index)?)?;
    let all = model.data().training.as_ref()?.input_gradients.as_ref()?;
    Some(all.get(index).map_or(&[], |dx| dx))
}

/// Moves a model to a device.
pub(super) fn to<P: Program>(model: &mut P, device: &Device) -> Result<(), Error> {
    match device.kind() {
        Kind::Cpu => {
            #[cfg(feature = "cuda")]
            cuda::bring_back(model.data_mut())?;
            let _ = model;
            Ok(())
        }
        #[cfg(feature = "cuda")]
        Kind::Cuda(device, precision) => {
            let data = model.data_mut();
            cuda::move_to(&P::INFO, &P::STREAM, P::CUDA, data, device, *precision)
        }
    }
}

/// The device that a model is on.
pub(super) fn device(data: &ModelData) -> Device {
    #[cfg(feature = "cuda")]
    if let Some(resident) = &data.resident {
        return Device::of(resident.device(), resident.precision());
    }
    let _ = data;
    Device::cpu()
}

/// How the model would run on a device.
pub(super) fn plan_on<P: Program>(device: &Device) -> String {
    match device.kind() {
        Kind::Cpu => P::INFO.plan.to_owned(),
        #[cfg(feature = "cuda")]
        Kind::Cuda(device, precision) => cuda::plan::<P>(device, *precision),
    }
}

/// Where and how the model runs, if it is not on the CPU: a line for its summary.
pub(super) fn placed<P: Program>(model: &P) -> String {
    let device = device(model.data());
    match device.kind() {
        Kind::Cpu => String::new(),
        #[cfg(feature = "cuda")]
        Kind::Cuda(gpu, precision) => {
            let scans = match cuda::persistent::<P>(gpu, *precision) {
                None | Some((_, 0)) => String::new(),
                Some((persistent, all)) => {
                    format!("; {persistent} of {all} scans by persistent kernels")
                }
            };
            format!(
                "on {device}, {}: products in {precision}{scans}\n",
                gpu.name()
            )
        }
    }
}
