//! The masks of a cell's own dropout.

use super::{Times, dropout::Draws, on};
use crate::{cpu::kernel::Memory, learner::StepSeed};
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
            *x = draws.factor(key, i);
        }
    }
}
