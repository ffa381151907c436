//! Values changed at random in training: `Dropout` and its kin. Both passes draw the same numbers
//! again from the same keys.

use rnn_tables::{BufferRef, Perturbation};

use super::{Times, dropout::Draws, normal::Normals, on};
use crate::{
    cpu::{
        kernel::Memory,
        simd::{Isa, Op, Simd},
    },
    learner::StepSeed,
};

/// How a layer changes its values, and what its numbers are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Perturb {
    /// How.
    pub how: Perturbation,
    /// Numbers are drawn for every step. Otherwise all steps of a row have the same: Keras's
    /// `SpatialDropout1D` (Tompson et al., 2014).
    pub every_step: bool,
    /// Tells the numbers of this layer from those of others.
    pub stream: u64,
    /// The seed and the step of training.
    pub seed: StepSeed,
}

/// `to` becomes `from`, changed.
///
/// A row's numbers depend on the seed, the step of training, the layer and the row, not on the other
/// rows, so they are the same on any number of threads. Normal ones differ between instruction sets in
/// their last bits, as all results do.
pub fn perturb(
    isa: Isa,
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    p: &Perturb,
    times: Times,
) {
    match p.how {
        // Adding an offset of 0 would lose the sign of -0.
        Perturbation::Bernoulli {
            rate,
            scale,
            offset: 0.0,
            dropped,
        } => bernoulli(m, from, to, width, p, times, rate, dropped, |x| x * scale),
        Perturbation::Bernoulli {
            rate,
            scale,
            offset,
            dropped,
        } => bernoulli(m, from, to, width, p, times, rate, dropped, |x| {
            x * scale + offset
        }),
        Perturbation::Additive { stddev } => {
            normal(isa, m, from, to, width, p, times, |x, n| x + stddev * n);
        }
        Perturbation::Multiplicative { stddev } => {
            normal(isa, m, from, to, width, p, times, |x, n| {
                x * (1.0 + stddev * n)
            });
        }
    }
}

/// The gradient of [`perturb`]: `from` that of the result, `to` that of the values.
pub fn perturb_backward(
    isa: Isa,
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    p: &Perturb,
    times: Times,
) {
    match p.how {
        Perturbation::Bernoulli { rate, scale, .. } => {
            bernoulli(m, from, to, width, p, times, rate, 0.0, |d| d * scale);
        }
        Perturbation::Additive { .. } => {
            let mut m = on(m, times);
            for row in m.rows() {
                for t in times.range() {
                    m.copy_row(from, t, to, t, width, row);
                }
            }
        }
        // The factor again.
        Perturbation::Multiplicative { .. } => perturb(isa, m, from, to, width, p, times),
    }
}

/// With probability `rate` a value becomes `dropped`, else what `kept` makes of it.
#[allow(clippy::too_many_arguments)]
fn bernoulli(
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    p: &Perturb,
    times: Times,
    rate: f32,
    dropped: f32,
    kept: impl Fn(f32) -> f32,
) {
    let mut m = on(m, times);
    let draws = Draws::new(rate, p.stream, p.seed);
    for row in m.rows() {
        for t in times.range() {
            let step = if p.every_step { t - times.first } else { 0 };
            let key = draws.place(row, step);
            m.copy_row(from, t, to, t, width, row);
            for (i, x) in m.row_mut(to, width, t, row).iter_mut().enumerate() {
                *x = if draws.keeps(key, i) {
                    kept(*x)
                } else {
                    dropped
                };
            }
        }
    }
}

/// A standard normal number for every value.
#[allow(clippy::too_many_arguments)]
fn normal(
    isa: Isa,
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    p: &Perturb,
    times: Times,
    each: impl Fn(f32, f32) -> f32,
) {
    isa.dispatch(Normal {
        m: &mut on(m, times),
        from,
        to,
        width,
        every_step: p.every_step,
        draws: Draws::new(0.0, p.stream, p.seed),
        times,
        each,
    });
}

struct Normal<'a, 'b, F> {
    m: &'a mut Memory<'b>,
    from: &'a BufferRef,
    to: &'a BufferRef,
    width: usize,
    every_step: bool,
    draws: Draws,
    times: Times,
    each: F,
}

impl<F: Fn(f32, f32) -> f32> Op for Normal<'_, '_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (m, width) = (self.m, self.width);
        for row in m.rows() {
            let first = || Normals::new(self.draws.place(row, 0));
            let mut normals = first();
            for t in self.times.range() {
                if !self.every_step {
                    normals = first();
                }
                m.copy_row(self.from, t, self.to, t, width, row);
                normals.apply(s, m.row_mut(self.to, width, t, row), &self.each);
            }
        }
    }
}
