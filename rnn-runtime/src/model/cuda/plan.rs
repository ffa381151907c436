//! Says how a device runs a model.

use super::device_model;
use crate::{
    cuda::CudaDevice,
    model::{AxisSpec, Program},
    precision::Precision,
};

/// The kernels of each cell, and why they are those: `Model::plan_on`.
pub(in crate::model) fn plan<P: Program>(device: &CudaDevice, precision: Precision) -> String {
    let steps = |axis: &AxisSpec| match *axis {
        AxisSpec::Fixed(steps) => Some(steps),
        AxisSpec::Input(input) => P::INFO.inputs.get(input)?.time?,
    };
    let axes: Vec<Option<usize>> = P::INFO.axes.iter().map(steps).collect();
    let plan = device_model(&P::INFO, &P::STREAM, P::CUDA).plan(device, precision, &axes);
    plan.unwrap_or_else(|e| format!("{e}\n"))
}

/// How many of the scans over steps are persistent kernels, and how many there are; `None` if the model cannot run there.
pub(in crate::model) fn persistent<P: Program>(
    device: &CudaDevice,
    precision: Precision,
) -> Option<(usize, usize)> {
    let model = device_model(&P::INFO, &P::STREAM, P::CUDA);
    model.persistent(device, precision).ok()
}
