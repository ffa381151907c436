//! Training: every layer forwards over the whole batch, then backwards.

use super::{
    CpuCode, TrainingCode,
    batch::{Outcome, axes, infer},
};
use crate::{
    cpu::{
        arena::Arena,
        kernel::{Buf, Memory, Panels},
        layout::lay_out,
        ops::{self, Times},
        run::{Penalties, Training},
        simd::Isa,
    },
    error::Error,
    executor::execute,
    learner::{InputView, StepSeed, ValueSpec, Values},
    model::{
        ModelData, ModelInfo,
        check::{check, count},
        stateful::zeros,
    },
};

/// What training keeps from one call to the next.
#[derive(Default)]
pub(in crate::model) struct State {
    values: Arena,
    packed: Arena,
    bufs: Vec<Buf>,
    /// Rows, axes, ids and seed of the last forward pass.
    batch: usize,
    axes: Vec<usize>,
    /// Steps and ids of each input; no ids for floats.
    inputs: Vec<(usize, Vec<u32>)>,
    seed: StepSeed,
    pub(in crate::model) outcome: Outcome,
    /// The gradient of each input; `None` if they are not wanted.
    pub(in crate::model) input_gradients: Option<Vec<Vec<f32>>>,
    /// Whether a forward pass of training came last, so that there is something to go back over.
    pub(in crate::model) ready: bool,
}

/// The times of a value on this axis.
fn times(axis: Option<usize>, axes: &[usize]) -> Times {
    axis.map_or(Times::ONE, |a| Times::all(axes[a]))
}

/// A forward pass of training.
pub(in crate::model) fn forward(
    code: &TrainingCode,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
    seed: StepSeed,
) -> Result<(), Error> {
    let info = code.0.info;
    let batch = check(info, inputs)?;
    let isa = data.isa(&code.0.weights)?;
    let states = data.states.lock().load(info, batch)?;
    let mut left = zeros(info, batch);
    let mut state = data.training.take().unwrap_or_default();
    state.begin(info, inputs, batch, seed);
    let weights = data.weights_mut();
    code.pack_training(isa, weights, state.packed.floats_mut());
    let penalties = Penalties::new(batch);
    let mut c = Training {
        isa,
        m: Memory::new(state.values.floats_mut(), &state.bufs, 1, batch),
        panels: Panels::new(state.packed.floats()),
        weights,
        gradients: &mut [],
        x: inputs,
        axes: &state.axes,
        batch,
        seed,
        input_gradient: false,
        penalties: Some(&penalties),
        scan: code.0.scan,
    };
    c.m.fresh = true;
    for (spec, x) in info.states.iter().zip(&*states) {
        let (to, width) = (&spec.training_input, spec.width());
        ops::copy_in(&mut c.m, to, width, x, 1, 0, Times::ONE);
    }
    execute(&mut c, info.schedules.forward);
    for (spec, x) in info.states.iter().zip(&mut left) {
        let (from, width) = (&spec.training_output, spec.width());
        ops::copy_out(&mut c.m, from, width, x, 1, 0, Times::ONE);
    }
    for (i, out) in info.outputs.iter().enumerate() {
        let times = times(info.output_axes[i], c.axes);
        let (from, y) = (&info.training_outputs[i], &mut state.outcome.outputs[i]);
        let width = out.features.iter().product();
        ops::copy_out(&mut c.m, from, width, y, times.steps, 0, times);
        if let (Some(from), Some(y)) = (&info.training_masks[i], &mut state.outcome.masks[i]) {
            ops::copy_out(&mut c.m, from, 1, y, times.steps, 0, times);
        }
    }
    let mut costs = vec![0.0; batch];
    penalties.total(&mut costs);
    state.outcome.penalty = (costs.iter().sum::<f64>() / batch as f64) as f32;
    data.states.lock().save(info, batch, left);
    data.training = Some(state);
    Ok(())
}

/// Runs a batch in inference, and keeps what training looks at.
pub(in crate::model) fn evaluate(
    code: &CpuCode,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
) -> Result<(), Error> {
    let batch = check(code.info, inputs)?;
    let mut state = data.training.take().unwrap_or_default();
    state.ready = false;
    let done = infer(code, data, inputs, batch, &mut state.outcome, true);
    data.training = Some(state);
    done
}

/// The backward pass after [`forward`].
pub(in crate::model) fn backward(
    code: &TrainingCode,
    data: &mut ModelData,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let info = code.0.info;
    let isa = data.isa(&code.0.weights)?;
    let Some(mut kept) = data.training.take() else {
        return Err(nothing_to_go_back_over());
    };
    let done = backward_over(info, code, isa, data, &mut kept, d_outputs, gradients);
    data.training = Some(kept);
    done
}

/// The error of a backward pass without a forward pass.
pub(in crate::model) fn nothing_to_go_back_over() -> Error {
    let message = "backward comes after forward: there is nothing to go back over";
    Error::Argument(message.to_owned())
}

fn backward_over(
    info: &ModelInfo,
    code: &TrainingCode,
    isa: Isa,
    data: &mut ModelData,
    state: &mut State,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    if !state.ready {
        return Err(nothing_to_go_back_over());
    }
    fits(
        info.outputs,
        &state.outcome.outputs,
        d_outputs,
        gradients,
        data.weights().len(),
    )?;
    gradients.fill(0.0);
    let views: Vec<InputView<'_>> = state
        .inputs
        .iter()
        .zip(info.inputs)
        .map(|((time, ids), spec)| InputView {
            batch: state.batch,
            time: *time,
            values: match spec.ids {
                true => Values::Ids(ids),
                false => Values::Floats(&[]),
            },
        })
        .collect();
    let mut c = Training {
        isa,
        m: Memory::new(state.values.floats_mut(), &state.bufs, 1, state.batch),
        panels: Panels::new(state.packed.floats()),
        weights: data.packed_weights_mut(),
        gradients,
        x: &views,
        axes: &state.axes,
        batch: state.batch,
        seed: state.seed,
        input_gradient: state.input_gradients.is_some(),
        penalties: None,
        scan: code.0.scan,
    };
    for (i, (out, d)) in info.outputs.iter().zip(d_outputs).enumerate() {
        let times = times(info.output_axes[i], c.axes);
        let (to, width) = (&info.output_gradients[i], out.features.iter().product());
        ops::copy_in(&mut c.m, to, width, d, times.steps, 0, times);
    }
    execute(&mut c, info.schedules.backward);
    let Some(all) = &mut state.input_gradients else {
        return Ok(());
    };
    all.resize(info.inputs.len(), Vec::new());
    for (i, (input, dx)) in info.inputs.iter().zip(all).enumerate() {
        let Some(from) = &info.input_gradients[i] else {
            continue;
        };
        let times = times(info.input_axes[i], c.axes);
        let width: usize = input.features.iter().product();
        dx.resize(state.batch * times.steps * width, 0.0);
        ops::copy_out(&mut c.m, from, width, dx, times.steps, 0, times);
    }
    Ok(())
}

impl State {
    /// Weights are packed for another instruction set: what the last forward pass left is of no use.
    pub(in crate::model) fn unpack(&mut self) {
        self.packed = Arena::default();
        self.ready = false;
    }

    /// Room for a batch, and what the backward pass has to know of it.
    fn begin(&mut self, info: &ModelInfo, inputs: &[InputView<'_>], batch: usize, seed: StepSeed) {
        self.axes = axes(info, inputs);
        let (bufs, len) = lay_out(info.training, batch, &self.axes);
        self.values.grow(len);
        self.packed.grow(info.packed_training);
        self.bufs = bufs;
        (self.batch, self.seed, self.ready) = (batch, seed, true);
        self.inputs.resize(inputs.len(), Default::default());
        for (x, (time, ids)) in inputs.iter().zip(&mut self.inputs) {
            *time = x.time;
            ids.clear();
            if let Values::Ids(values) = x.values {
                ids.extend_from_slice(values);
            }
        }
        self.outcome.reserve(info, &self.axes, batch, true);
    }
}

/// Checks that there is a gradient for every output and weight.
fn fits(
    specs: &[ValueSpec],
    outputs: &[Vec<f32>],
    d_outputs: &[&[f32]],
    gradients: &[f32],
    weights: usize,
) -> Result<(), Error> {
    if d_outputs.len() != outputs.len() {
        return Err(Error::Argument(format!(
            "this model has {}, found gradients for {}",
            count(outputs.len(), "output"),
            d_outputs.len()
        )));
    }
    let as_many = |what: String, expected: usize, found: usize| match found == expected {
        true => Ok(()),
        false => Err(Error::Shape {
            what,
            expected: format!("[{expected}]"),
            found: format!("[{found}]"),
        }),
    };
    for ((spec, y), d) in specs.iter().zip(outputs).zip(d_outputs) {
        as_many(format!("gradient of {}", spec.name), y.len(), d.len())?;
    }
    as_many(
        "gradients of the weights".to_owned(),
        weights,
        gradients.len(),
    )
}
