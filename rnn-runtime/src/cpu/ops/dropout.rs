//! Uniform random numbers of a layer, which both passes of training draw again.

use crate::learner::StepSeed;

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

    /// Whether value `i` stays.
    pub(super) fn keeps(&self, key: u64, i: usize) -> bool {
        bits(key, i) >> 32 >= self.threshold
    }

    /// What value `i` is multiplied by, so that means stay: 0 where it is dropped.
    pub(super) fn factor(&self, key: u64, i: usize) -> f32 {
        if self.keeps(key, i) { self.scale } else { 0.0 }
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
