//! Training: every layer forwards over the whole batch, then backwards.

use ndarray::{ArrayD, IxDyn};

use super::{
    CpuCode, ModelData,
    batch::{Outcome, axes, infer},
};
use crate::{
    cpu::{
        arena::Arena,
        kernel::{Buf, Memory, Panels},
        layout::lay_out,
        ops::{self, Times},
        run::{Penalties, Training},
    },
    error::Error,
    executor::execute,
    learner::{InputView, KeptState, Learner, StepSeed, ValueSpec, Values},
    model::{
        LayerState, ModelInfo, Program,
        check::{check, count},
        stateful::{Store, zeros},
    },
    params::ParamSpec,
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
    outcome: Outcome,
    /// The gradient of each input; `None` if they are not wanted.
    input_gradients: Option<Vec<Vec<f32>>>,
    /// Whether a forward pass of training came last, so that there is something to go back over.
    ready: bool,
}

/// The times of a value on this axis.
fn times(axis: Option<usize>, axes: &[usize]) -> Times {
    axis.map_or(Times::ONE, |a| Times::all(axes[a]))
}

impl<P: Program> Learner for P {
    fn specs(&self) -> &'static [ParamSpec] {
        P::INFO.params
    }

    fn weights(&self) -> &[f32] {
        &self.data().weights
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

    fn vocabulary(&self) -> &'static [(usize, &'static str, usize)] {
        P::INFO.vocabulary
    }

    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        forward(&CpuCode::of::<P>(), self.data_mut(), inputs, seed)
    }

    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        evaluate(&CpuCode::of::<P>(), self.data_mut(), inputs)
    }

    fn output(&self, index: usize) -> &[f32] {
        let state = self.data().training.as_ref();
        state
            .and_then(|s| s.outcome.outputs.get(index))
            .map_or(&[], |y| y)
    }

    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        backward(&CpuCode::of::<P>(), self.data_mut(), d_outputs, gradients)
    }

    fn output_mask(&self, index: usize) -> Option<&[f32]> {
        let masks = &self.data().training.as_ref()?.outcome.masks;
        masks.get(index)?.as_deref()
    }

    fn penalty(&self) -> f32 {
        let state = self.data().training.as_ref();
        state.map_or(0.0, |s| s.outcome.penalty)
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

/// A forward pass of training.
fn forward(
    code: &CpuCode,
    data: &mut ModelData,
    inputs: &[InputView<'_>],
    seed: StepSeed,
) -> Result<(), Error> {
    let info = code.info;
    let batch = check(info, inputs)?;
    let isa = data.isa(&code.weights)?;
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
        scan: code.scan,
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
fn evaluate(code: &CpuCode, data: &mut ModelData, inputs: &[InputView<'_>]) -> Result<(), Error> {
    let batch = check(code.info, inputs)?;
    let mut state = data.training.take().unwrap_or_default();
    state.ready = false;
    let done = infer(code, data, inputs, batch, &mut state.outcome, true);
    data.training = Some(state);
    done
}

/// The backward pass after [`forward`].
fn backward(
    code: &CpuCode,
    data: &mut ModelData,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let info = code.info;
    let isa = data.isa(&code.weights)?;
    let Some(state) = data.training.as_deref_mut().filter(|s| s.ready) else {
        return Err(Error::Argument(
            "backward comes after forward: there is nothing to go back over".into(),
        ));
    };
    fits(
        info.outputs,
        &state.outcome.outputs,
        d_outputs,
        gradients,
        data.weights.len(),
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
        weights: &mut data.weights,
        gradients,
        x: &views,
        axes: &state.axes,
        batch: state.batch,
        seed: state.seed,
        input_gradient: state.input_gradients.is_some(),
        penalties: None,
        scan: code.scan,
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

/// What [`Learner::kept_states`] gives.
fn kept_states(data: &ModelData, info: &ModelInfo) -> Vec<KeptState> {
    let states = data.states.lock().named(info);
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

/// Asks the next backward passes for the gradients of the inputs as well.
pub(in crate::model) fn want_input_gradient<P: Program>(model: &mut P, wanted: bool) {
    let state = model.data_mut().training.get_or_insert_default();
    state.input_gradients = wanted.then(Vec::new);
}

/// The gradient of an input, from the last backward pass.
pub(in crate::model) fn input_gradient<P: Program>(model: &P, index: usize) -> Option<&[f32]> {
    (*P::INFO.input_gradients.get(index)?)?;
    let all = model.data().training.as_ref()?.input_gradients.as_ref()?;
    Some(all.get(index).map_or(&[], |dx| dx))
}
