//! What the code of a model calls in training.

use super::{infer::START, penalties::Penalties};
use crate::{
    cpu::{
        ops::{self, Sweep, Times},
        phase::Memory,
        simd::Isa,
    },
    learner::{InputView, StepSeed, Values},
};
use rnn_tables::{BufferRef, CarryOver, MatrixGradient, Normalize, VectorGradient, WeightOffset};

/// A batch in training: all rows and all steps at once.
pub struct Training<'a> {
    pub(super) isa: Isa,
    pub(super) m: Memory<'a>,
    pub(super) weights: &'a mut [f32],
    pub(super) gradients: &'a mut [f32],
    pub(super) x: &'a [InputView<'a>],
    pub(super) axes: &'a [usize],
    pub(super) batch: usize,
    pub(super) seed: StepSeed,
    pub(super) input_gradient: bool,
    /// What activity regularisers cost; `None` backwards.
    pub(super) penalties: Option<&'a Penalties>,
}

impl Training<'_> {
    /// Runs `f` on all rows, divided among threads if what a row costs is worth it.
    fn rows(&mut self, cost: usize, f: impl Fn(&mut Memory<'_>) + Sync) {
        ops::parallel(self.m.reborrow(), cost, &|mut m| f(&mut m));
    }

    /// All times of axis `a`.
    pub fn axis(&self, a: usize) -> Times {
        Times::all(self.axes[a])
    }

    /// The time of values without an axis.
    pub fn one(&self) -> Times {
        Times::ONE
    }

    /// Whether the gradients of the inputs are wanted.
    pub fn wants_input_gradient(&self) -> bool {
        self.input_gradient
    }

    /// Copies input `index`: floats, or a mask's 1 and 0.
    pub fn input(&mut self, index: usize, to: &BufferRef, width: usize, times: Times) {
        let x = self.x[index];
        if let Values::Floats(values) = x.values {
            let from = times.first;
            self.rows(copies(width, times), |m| {
                ops::copy_in(m, to, width, values, x.time, from, times);
            });
        }
    }

    /// Copies rows of a table by the ids of input `index`.
    pub fn gather(
        &mut self,
        index: usize,
        to: &BufferRef,
        width: usize,
        table: WeightOffset,
        times: Times,
    ) {
        let x = self.x[index];
        if let Values::Ids(ids) = x.values {
            let table = &self.weights[table.0..];
            ops::parallel(self.m.reborrow(), copies(width, times), &|mut m| {
                ops::gather(&mut m, to, width, table, ids, x.time, 0, times);
            });
        }
    }

    /// The gradient of a table whose rows were copied by the ids of input `index`.
    pub fn scatter(
        &mut self,
        index: usize,
        delta: &BufferRef,
        width: usize,
        table: WeightOffset,
        times: Times,
    ) {
        let x = self.x[index];
        if let Values::Ids(ids) = x.values {
            let gradients = &mut self.gradients[table.0..];
            ops::scatter(&mut self.m, delta, width, gradients, ids, x.time, times);
        }
    }

    /// 1 where the id of input `index` is not 0, else 0.
    pub fn mask_ids(&mut self, index: usize, to: &BufferRef, times: Times) {
        let x = self.x[index];
        if let Values::Ids(ids) = x.values {
            ops::mask_ids(&mut self.m, to, ids, x.time, 0, times);
        }
    }

    /// Sets a state to zero before the first step.
    pub fn start(&mut self, state: &BufferRef, width: usize) {
        ops::zero(&mut self.m, state, width, START);
    }

    /// Sets a state to a value without an axis before the first step.
    pub fn start_from(&mut self, state: &BufferRef, value: &BufferRef, width: usize) {
        ops::copy(&mut self.m, value, Times::ONE, state, START, width);
    }

    /// The gradient of the value that a state started from: that of the state before the first
    /// step.
    pub fn start_gradient(&mut self, d_value: &BufferRef, d_state: &BufferRef, width: usize) {
        ops::copy(&mut self.m, d_state, START, d_value, Times::ONE, width);
    }

    /// `value`, without an axis, becomes the state after the last step.
    pub fn finish(&mut self, value: &BufferRef, state: &BufferRef, width: usize, times: Times) {
        let after = BufferRef {
            after: true,
            ..*state
        };
        ops::copy(&mut self.m, &after, times.last(), value, Times::ONE, width);
    }

    /// Sets the gradient of a state to zero after the last step, and before it, where a cell that
    /// does not read its state writes none.
    pub fn end(&mut self, gradient: &BufferRef, width: usize, times: Times) {
        for after in [false, true] {
            let gradient = BufferRef { after, ..*gradient };
            ops::zero(&mut self.m, &gradient, width, times.last());
        }
    }

    /// The gradient of a state after the last step becomes `d_value`, which has no axis; before
    /// the last step it is zero, until the cell writes it.
    pub fn end_from(
        &mut self,
        gradient: &BufferRef,
        d_value: &BufferRef,
        width: usize,
        times: Times,
    ) {
        self.end(gradient, width, times);
        let after = BufferRef {
            after: true,
            ..*gradient
        };
        let last = times.last();
        ops::copy(&mut self.m, d_value, Times::ONE, &after, last, width);
    }

    /// The gradient of an output at all steps, of which only the last one's is wanted: `d_value`
    /// there, zero before it.
    pub fn at_last(
        &mut self,
        gradient: &BufferRef,
        d_value: &BufferRef,
        width: usize,
        times: Times,
    ) {
        ops::zero(&mut self.m, gradient, width, times);
        ops::copy(
            &mut self.m,
            d_value,
            Times::ONE,
            gradient,
            times.last(),
            width,
        );
    }

    /// Sets the gradient of an input to zero that a cell reads only in part.
    pub fn clear(&mut self, gradient: &BufferRef, width: usize, times: Times) {
        ops::zero(&mut self.m, gradient, width, times);
    }

    /// Sets sums over the steps of each row to zero.
    pub fn clear_row(&mut self, totals: &BufferRef, width: usize) {
        ops::zero(&mut self.m, totals, width, Times::ONE);
    }

    /// Sets the gradient of an output that only its last step is wanted of to zero at all others.
    pub fn only_last(&mut self, gradient: &BufferRef, width: usize, times: Times) {
        if times.steps > 1 {
            ops::zero(&mut self.m, gradient, width, Times { steps: 1, ..times });
        }
    }

    /// Runs a cell forwards, on all threads.
    pub fn forward<C: Sweep>(&mut self, times: Times) {
        let isa = self.isa;
        ops::parallel(self.m.reborrow(), cost::<C>(times), &|mut m| {
            ops::forward::<C>(isa, &mut m, times);
        });
    }

    /// Runs a cell forwards at the places that a mask leaves, on all threads; at the others states
    /// and outputs stay.
    pub fn forward_masked<C: Sweep>(&mut self, times: Times, held: &CarryOver) {
        let isa = self.isa;
        let m = ops::on(&mut self.m, times);
        ops::parallel_masked(m, C::COST, &held.mask, times, &|mut m| {
            ops::forward_masked::<C>(isa, &mut m, times, held, None);
        });
    }

    /// Runs a cell backwards, on all threads.
    pub fn backward<C: Sweep>(&mut self, times: Times, wanted: bool) {
        let isa = self.isa;
        ops::parallel(self.m.reborrow(), cost::<C>(times), &|mut m| {
            ops::backward::<C>(isa, &mut m, times, wanted);
        });
    }

    /// Runs a cell backwards at the places that a mask leaves, on all threads.
    pub fn backward_masked<C: Sweep>(&mut self, times: Times, wanted: bool, held: &CarryOver) {
        let isa = self.isa;
        let m = ops::on(&mut self.m, times);
        ops::parallel_masked(m, C::COST, &held.mask, times, &|mut m| {
            ops::backward_masked::<C>(isa, &mut m, times, wanted, held);
        });
    }

    /// The gradients of a layer's weights.
    pub fn weights(
        &mut self,
        matrices: &[MatrixGradient],
        vectors: &[VectorGradient],
        times: Times,
    ) {
        let (m, g) = (&mut self.m, &mut *self.gradients);
        ops::weight_gradients(self.isa, m, matrices, vectors, g, times);
    }

    /// The gradients of a layer's weights from the places that a mask leaves.
    pub fn weights_masked(
        &mut self,
        matrices: &[MatrixGradient],
        vectors: &[VectorGradient],
        times: Times,
        mask: &BufferRef,
    ) {
        let (m, g) = (&mut self.m, &mut *self.gradients);
        ops::weight_gradients_masked(self.isa, m, matrices, vectors, g, times, mask);
    }

    /// `BatchNormalization` forwards.
    pub fn normalize(&mut self, n: &Normalize, times: Times) {
        ops::normalize_forward(&mut self.m, n, self.weights, times);
    }

    /// `BatchNormalization` backwards.
    pub fn normalize_backward(&mut self, n: &Normalize, times: Times, wanted: bool) {
        let (m, w, g) = (&mut self.m, &*self.weights, &mut *self.gradients);
        ops::normalize_backward(m, n, w, g, times, wanted);
    }

    /// `Dropout`, forwards and backwards; without `every_step` `SpatialDropout1D`.
    #[allow(clippy::too_many_arguments)]
    pub fn dropout(
        &mut self,
        from: &BufferRef,
        to: &BufferRef,
        width: usize,
        rate: f32,
        layer: u64,
        times: Times,
        every_step: bool,
    ) {
        let seed = self.seed;
        self.rows(draws(width, times), |m| {
            ops::dropout(m, from, to, width, rate, layer, seed, times, every_step);
        });
    }

    /// `GaussianNoise`, forwards.
    pub fn gaussian_noise(
        &mut self,
        from: &BufferRef,
        to: &BufferRef,
        width: usize,
        stddev: f32,
        layer: u64,
        times: Times,
    ) {
        let (isa, seed) = (self.isa, self.seed);
        self.rows(draws(width, times), |m| {
            ops::gaussian_noise(isa, m, from, to, width, stddev, layer, seed, times);
        });
    }

    /// The mask of `dropout(v, rate)` in a cell: 0 or `1 / (1 - rate)`, without an axis. `layer`
    /// tells apart the masks of one model.
    pub fn noise(&mut self, to: &BufferRef, width: usize, rate: f32, layer: u64) {
        let seed = self.seed;
        self.rows(draws(width, Times::ONE), |m| {
            ops::noise(m, to, width, rate, layer, seed);
        });
    }

    /// What an activity regulariser makes of a value.
    pub fn penalty(&mut self, value: &BufferRef, width: usize, l1: f32, l2: f32, times: Times) {
        let Some(penalties) = self.penalties else {
            return;
        };
        let m = self.m.reborrow();
        penalties.of(value, width, [l1, l2], |sums| {
            ops::parallel_with(m, sums, copies(width, times), &|mut m, sums| {
                ops::penalty(&mut m, value, width, l1, l2, times, sums);
            });
        });
    }

    /// Adds the gradient of [`Training::penalty`] to `d_value`.
    pub fn penalty_gradient(
        &mut self,
        value: &BufferRef,
        d_value: &BufferRef,
        width: usize,
        l1: f32,
        l2: f32,
        times: Times,
    ) {
        let batch = self.batch;
        self.rows(copies(width, times), |m| {
            ops::penalty_gradient(m, value, d_value, width, l1, l2, times, batch);
        });
    }

    /// The sum of values; of one, a copy.
    pub fn add(&mut self, from: &[&BufferRef], to: &BufferRef, width: usize, times: Times) {
        let cost = copies(width, times).saturating_mul(from.len().max(1));
        self.rows(cost, |m| ops::add(m, from, to, width, times));
    }

    /// A value without an axis at every time.
    pub fn repeat(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        self.rows(copies(width, times), |m| {
            ops::repeat(m, from, to, width, times);
        });
    }

    /// The sum over time, a value without an axis.
    pub fn sum(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        self.rows(copies(width, times), |m| {
            ops::sum(m, from, to, width, times);
        });
    }

    /// The numbers of each row in another shape.
    pub fn reshape(
        &mut self,
        from: &BufferRef,
        wf: usize,
        tf: Times,
        to: &BufferRef,
        wt: usize,
        tt: Times,
    ) {
        self.rows(copies(wf, tf), |m| {
            ops::reshape(m, from, wf, tf, to, wt, tt);
        });
    }

    /// Time and features exchanged.
    pub fn permute(&mut self, from: &BufferRef, wf: usize, tf: Times, to: &BufferRef) {
        self.rows(copies(wf, tf), |m| ops::permute(m, from, wf, tf, to));
    }

    /// The steps the other way round.
    pub fn reverse(&mut self, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
        self.rows(copies(width, times), |m| {
            ops::reverse(m, from, to, width, times);
        });
    }
}

/// Cost of a sweep, for one row.
fn cost<C: Sweep>(times: Times) -> usize {
    C::COST.saturating_mul(times.steps)
}

/// Cost of so many numbers copied at every time, for one row.
fn copies(width: usize, times: Times) -> usize {
    (width * ops::COPY).saturating_mul(times.steps)
}

/// Cost of so many random numbers at every time, for one row.
fn draws(width: usize, times: Times) -> usize {
    (width * ops::DRAW).saturating_mul(times.steps)
}
