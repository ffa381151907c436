//! Noise: `GaussianNoise`, and the masks of a cell's own dropout.

use super::{Times, dropout::Draws, normal::Normals, on};
use crate::{
    cpu::{
        phase::Memory,
        simd::{Isa, Op, Simd},
    },
    learner::StepSeed,
};
use rnn_tables::BufferRef;

/// The mask of `dropout(v, rate)` in a cell, `to` without an axis: 0 with probability `rate`, else
/// `1 / (1 - rate)`. Drawn once a batch, the same at all steps, as Keras shares the masks of
/// `dropout` and `recurrent_dropout` over time (Gal and Ghahramani, 2016).
pub fn noise(
    m: &mut Memory<'_>,
    to: &BufferRef,
    width: usize,
    rate: f32,
    layer: u64,
    seed: StepSeed,
) {
    let mut m = on(m, Times::ONE);
    let draws = Draws::new(rate, layer, seed);
    for row in m.rows() {
        let key = draws.place(row, 0);
        for (i, x) in m.row_mut(to, width, 0, row).iter_mut().enumerate() {
            *x = draws.factor(key, i).unwrap_or(0.0);
        }
    }
}

/// `to = from + stddev * n`, `n` a unit normal for every number. The gradient goes through as it
/// is.
///
/// A row's numbers depend on the seed, the step of training, the layer and the row, not on the
/// other rows: they are the same on any number of threads. Between instruction sets they differ in
/// their last bits, as all results do.
#[allow(clippy::too_many_arguments)]
pub fn gaussian_noise(
    isa: Isa,
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    stddev: f32,
    layer: u64,
    seed: StepSeed,
    times: Times,
) {
    isa.dispatch(Noise {
        m: &mut on(m, times),
        from,
        to,
        width,
        stddev,
        draws: Draws::new(0.0, layer, seed),
        times,
    });
}

struct Noise<'a, 'b> {
    m: &'a mut Memory<'b>,
    from: &'a BufferRef,
    to: &'a BufferRef,
    width: usize,
    stddev: f32,
    draws: Draws,
    times: Times,
}

impl Op for Noise<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (m, width) = (self.m, self.width);
        for row in m.rows() {
            let mut normals = Normals::new(self.draws.place(row, 0));
            for t in self.times.range() {
                m.copy_row(self.from, t, self.to, t, width, row);
                normals.add(s, self.stddev, m.row_mut(self.to, width, t, row));
            }
        }
    }
}
