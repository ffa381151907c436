//! `Dropout`: a mask that both directions draw again from the same numbers.

use super::{Times, on};
use crate::{cpu::phase::Memory, learner::StepSeed};
use rnn_tables::BufferRef;

/// `to = from * mask / (1 - rate)`. The mask depends on the seed, the step of training, the layer
/// and the place of the value, so the backward pass, which calls this on gradients, sees the same.
///
/// Without `every_step` all steps of a row have the same mask: Keras's `SpatialDropout1D`
/// (Tompson et al., 2014).
#[allow(clippy::too_many_arguments)]
pub fn dropout(
    m: &mut Memory<'_>,
    from: &BufferRef,
    to: &BufferRef,
    width: usize,
    rate: f32,
    layer: u64,
    seed: StepSeed,
    times: Times,
    every_step: bool,
) {
    let mut m = on(m, times);
    let draws = Draws::new(rate, layer, seed);
    for row in m.rows() {
        for t in times.range() {
            let step = if every_step { t - times.first } else { 0 };
            let key = draws.place(row, step);
            m.copy_row(from, t, to, t, width, row);
            for (i, x) in m.row_mut(to, width, t, row).iter_mut().enumerate() {
                *x = draws.factor(key, i).map_or(0.0, |scale| *x * scale);
            }
        }
    }
}

/// The masks of one layer in one step of training.
pub(super) struct Draws {
    key: u64,
    threshold: u64,
    scale: f32,
}

impl Draws {
    pub(super) fn new(rate: f32, layer: u64, seed: StepSeed) -> Draws {
        Draws {
            key: mix(seed.seed ^ mix(seed.step ^ mix(layer))),
            threshold: (f64::from(rate) * 4_294_967_296.0) as u64,
            scale: if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 },
        }
    }

    /// The key of a row at a step.
    pub(super) fn place(&self, row: usize, step: usize) -> u64 {
        let place = (row as u64) << 32 ^ (step as u64).wrapping_mul(0x9E37_79B9);
        mix(self.key ^ place)
    }

    /// What value `i` is multiplied by; `None` where it is dropped.
    pub(super) fn factor(&self, key: u64, i: usize) -> Option<f32> {
        let draw = bits(key, i) >> 32;
        (draw >= self.threshold).then_some(self.scale)
    }
}

/// The random bits of value `i` under a key.
fn bits(key: u64, i: usize) -> u64 {
    mix(key.wrapping_add(i as u64))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every input bit changes about half
/// of the output bits.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
