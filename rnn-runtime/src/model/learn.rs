//! Training: every layer forwards over the whole batch, then backwards.

use super::{
    Program,
    core::pack,
    infer::{check_input, infer, output_len},
    program::{BufSpec, cost, lay_out},
};
use crate::{
    cpu::{
        arena::Arena,
        ops::{self, MatrixGradient, Normalize, Sweep, Times, VectorGradient},
        phase::{Buf, Memory, Ref},
        simd::Isa,
    },
    error::Error,
    learner::{InputView, Learner, StepSeed, ValueSpec, Values},
    params::ParamSpec,
};

/// What training keeps from one call to the next.
#[derive(Default)]
pub(super) struct State {
    values: Arena,
    packed: Arena,
    bufs: Vec<Buf>,
    /// Rows, steps, ids and seed of the last forward pass.
    batch: usize,
    time: usize,
    ids: Vec<u32>,
    seed: StepSeed,
    output: Vec<f32>,
    input_gradient: Option<Vec<f32>>,
    /// Whether a forward pass of training came last, so that there is something to go back over.
    ready: bool,
}

/// A batch in training.
pub struct Training<'a> {
    isa: Isa,
    m: Memory<'a>,
    weights: &'a mut [f32],
    gradients: &'a mut [f32],
    x: InputView<'a>,
    seed: StepSeed,
    input_gradient: bool,
}

impl Training<'_> {
    /// All times.
    pub fn all(&self) -> Times {
        Times {
            first: 0,
            steps: self.x.time,
        }
    }

    /// The last time.
    pub fn last(&self) -> Times {
        Times {
            first: self.x.time - 1,
            steps: 1,
        }
    }

    /// Whether the gradient of the input is wanted.
    pub fn wants_input_gradient(&self) -> bool {
        self.input_gradient
    }

    /// Copies the input.
    pub fn input(&mut self, to: &Ref, width: usize, times: Times) {
        if let Values::Floats(x) = self.x.values {
            ops::copy_in(&mut self.m, to, width, x, self.x.time, times.first, times);
        }
    }

    /// Copies rows of a table by the ids.
    pub fn gather(&mut self, to: &Ref, width: usize, table: usize, times: Times) {
        if let Values::Ids(ids) = self.x.values {
            let table = &self.weights[table..];
            ops::gather(&mut self.m, to, width, table, ids, self.x.time, 0, times);
        }
    }

    /// The gradient of a table.
    pub fn scatter(&mut self, delta: &Ref, width: usize, table: usize, times: Times) {
        if let Values::Ids(ids) = self.x.values {
            let gradients = &mut self.gradients[table..];
            ops::scatter(&self.m, delta, width, gradients, ids, self.x.time, times);
        }
    }

    /// Sets a state to zero before the first step.
    pub fn start(&mut self, state: &Ref, width: usize) {
        ops::zero(&mut self.m, state, width, Times { first: 0, steps: 1 });
    }

    /// Sets the gradient of a state to zero after the last step, and before it, where a cell that
    /// does not read its state writes none.
    pub fn end(&mut self, gradient: &Ref, width: usize) {
        let times = self.last();
        for shift in [0, 1] {
            ops::zero(&mut self.m, &Ref { shift, ..*gradient }, width, times);
        }
    }

    /// Sets the gradient of an input to zero that a cell reads only in part.
    pub fn clear(&mut self, gradient: &Ref, width: usize, times: Times) {
        ops::zero(&mut self.m, gradient, width, times);
    }

    /// Sets the gradient of an output that only its last step is wanted of to zero at all others.
    pub fn only_last(&mut self, gradient: &Ref, width: usize) {
        if self.x.time > 1 {
            ops::zero(&mut self.m, gradient, width, Times { first: 0, steps: 1 });
        }
    }

    /// Runs a cell forwards, on all threads.
    pub fn forward<C: Sweep>(&mut self, times: Times) {
        let isa = self.isa;
        ops::parallel(self.m.reborrow(), cost::<C>(times.steps), &|mut m| {
            ops::forward::<C>(isa, &mut m, times);
        });
    }

    /// Runs a cell backwards, on all threads.
    pub fn backward<C: Sweep>(&mut self, times: Times, input_gradient: bool) {
        let isa = self.isa;
        ops::parallel(self.m.reborrow(), cost::<C>(times.steps), &|mut m| {
            ops::backward::<C>(isa, &mut m, times, input_gradient);
        });
    }

    /// The gradients of a layer's weights.
    pub fn weights(
        &mut self,
        matrices: &[MatrixGradient],
        vectors: &[VectorGradient],
        times: Times,
    ) {
        ops::weight_gradients(self.isa, &self.m, matrices, vectors, self.gradients, times);
    }

    /// `BatchNormalization` forwards.
    pub fn normalize(&mut self, n: &Normalize, times: Times) {
        ops::normalize_forward(&mut self.m, n, self.weights, times);
    }

    /// `BatchNormalization` backwards.
    pub fn normalize_backward(&mut self, n: &Normalize, times: Times, input_gradient: bool) {
        let (m, w, g) = (&mut self.m, &*self.weights, &mut *self.gradients);
        ops::normalize_backward(m, n, w, g, times, input_gradient);
    }

    /// `Dropout`, forwards and backwards.
    pub fn dropout(
        &mut self,
        from: &Ref,
        to: &Ref,
        width: usize,
        rate: f32,
        layer: u64,
        times: Times,
    ) {
        ops::dropout(&mut self.m, from, to, width, rate, layer, self.seed, times);
    }

    /// The steps side by side.
    pub fn flatten(&mut self, from: &Ref, to: &Ref, width: usize) {
        let times = self.all();
        ops::flatten(&mut self.m, from, to, width, times);
    }

    /// The inverse of `flatten`.
    pub fn unflatten(&mut self, from: &Ref, to: &Ref, width: usize) {
        let times = self.all();
        ops::unflatten(&mut self.m, from, to, width, times);
    }

    /// The steps the other way round.
    pub fn reverse(&mut self, from: &Ref, to: &Ref, width: usize) {
        let times = self.all();
        ops::reverse(&mut self.m, from, to, width, times);
    }
}

/// The times that the output and its gradient have.
fn output_times(spec: &ValueSpec, time: usize) -> Times {
    match spec.time {
        Some(_) => Times {
            first: 0,
            steps: time,
        },
        None => Times {
            first: time - 1,
            steps: 1,
        },
    }
}

impl<P: Program> Learner for P {
    fn specs(&self) -> &'static [ParamSpec] {
        P::SPEC.params
    }

    fn weights(&self) -> &[f32] {
        &self.core().weights
    }

    fn weights_mut(&mut self) -> &mut [f32] {
        self.core_mut().weights_mut()
    }

    fn inputs(&self) -> &'static [ValueSpec] {
        P::SPEC.inputs
    }

    fn outputs(&self) -> &'static [ValueSpec] {
        P::SPEC.outputs
    }

    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        let x = one_input::<P>(inputs)?;
        let core = self.core_mut();
        let isa = core.isa()?;
        let mut state = core.training.take().unwrap_or_default();
        let (bufs, len) = lay_out(training_bufs::<P>(), x.batch, x.time);
        state.values.grow(len);
        state.packed.grow(P::SPEC.packed_training);
        state.bufs = bufs;
        (state.batch, state.time, state.seed, state.ready) = (x.batch, x.time, seed, true);
        state.ids.clear();
        if let Values::Ids(ids) = x.values {
            state.ids.extend_from_slice(ids);
        }
        let weights = core.weights_mut();
        pack::<P>(&P::SPEC, weights, state.packed.floats_mut(), true);
        let mut c = Training {
            isa,
            m: Memory::new(
                state.values.floats_mut(),
                state.packed.floats(),
                &state.bufs,
                x.time,
                x.batch,
            ),
            weights,
            gradients: &mut [],
            x,
            seed,
            input_gradient: false,
        };
        c.m.fresh = true;
        P::forward(&mut c);
        let out = &P::SPEC.outputs[0];
        let width = out.features.iter().product();
        state.output.resize(output_len::<P>(&x), 0.0);
        let times = output_times(out, x.time);
        let from = &P::SPEC.training_output;
        ops::copy_out(&c.m, from, width, &mut state.output, times.steps, 0, times);
        core.training = Some(state);
        Ok(())
    }

    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        let x = one_input::<P>(inputs)?;
        let mut state = self.core_mut().training.take().unwrap_or_default();
        state.ready = false;
        state.output.resize(output_len::<P>(&x), 0.0);
        let done = infer::<P>(self.core(), x, &mut state.output);
        self.core_mut().training = Some(state);
        done
    }

    fn output(&self, _index: usize) -> &[f32] {
        self.core().training.as_ref().map_or(&[], |s| &s.output)
    }

    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        let core = self.core_mut();
        let isa = core.isa()?;
        let Some(state) = core.training.as_deref_mut().filter(|s| s.ready) else {
            return Err(Error::Argument(
                "backward comes after forward: there is nothing to go back over".into(),
            ));
        };
        let [d] = d_outputs else {
            return Err(Error::Argument(format!(
                "this model has 1 output, found gradients for {}",
                d_outputs.len()
            )));
        };
        if d.len() != state.output.len() || gradients.len() != core.weights.len() {
            return Err(Error::Argument(format!(
                "expected {} gradients of outputs and {} of weights, found {} and {}",
                state.output.len(),
                core.weights.len(),
                d.len(),
                gradients.len()
            )));
        }
        gradients.fill(0.0);
        let values = if P::SPEC.inputs[0].ids {
            Values::Ids(&state.ids)
        } else {
            Values::Floats(&[])
        };
        let (batch, time) = (state.batch, state.time);
        let mut c = Training {
            isa,
            m: Memory::new(
                state.values.floats_mut(),
                state.packed.floats(),
                &state.bufs,
                time,
                batch,
            ),
            weights: &mut core.weights,
            gradients,
            x: InputView {
                batch,
                time,
                values,
            },
            seed: state.seed,
            input_gradient: state.input_gradient.is_some(),
        };
        let out = &P::SPEC.outputs[0];
        let width = out.features.iter().product();
        let times = output_times(out, time);
        ops::copy_in(
            &mut c.m,
            &P::SPEC.output_gradient,
            width,
            d,
            times.steps,
            0,
            times,
        );
        P::backward(&mut c);
        if let (Some(dx), Some(from)) = (&mut state.input_gradient, &P::SPEC.input_gradient) {
            let spec = &P::SPEC.inputs[0];
            let width: usize = spec.features.iter().product();
            dx.resize(batch * time * width, 0.0);
            let times = output_times(spec, time);
            ops::copy_out(&c.m, from, width, dx, times.steps, 0, times);
        }
        Ok(())
    }
}

fn training_bufs<P: Program>() -> &'static [BufSpec] {
    P::SPEC.training
}

fn one_input<'a, P: Program>(inputs: &[InputView<'a>]) -> Result<InputView<'a>, Error> {
    let [x] = inputs else {
        return Err(Error::Argument(format!(
            "this model has 1 input, found {}",
            inputs.len()
        )));
    };
    check_input::<P>(x)?;
    Ok(*x)
}

/// Asks the next backward passes for the gradient of the input as well.
pub(super) fn want_input_gradient<P: Program>(model: &mut P, wanted: bool) {
    let state = model.core_mut().training.get_or_insert_default();
    state.input_gradient = wanted.then(Vec::new);
}

/// The gradient of the input, from the last backward pass.
pub(super) fn input_gradient<P: Program>(model: &P) -> Option<&[f32]> {
    P::SPEC.input_gradient?;
    model.core().training.as_ref()?.input_gradient.as_deref()
}
