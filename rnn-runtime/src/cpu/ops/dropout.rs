//! `Dropout`: a mask that both directions draw again from the same numbers.

use super::Times;
use crate::{
    cpu::phase::{Memory, Ref},
    learner::StepSeed,
};

/// `to = from * mask / (1 - rate)`. The mask depends on the seed, the step of training, the layer
/// and the place of the value, so the backward pass, which calls this on gradients, sees the same.
#[allow(clippy::too_many_arguments)]
pub fn dropout(
    m: &mut Memory<'_>,
    from: &Ref,
    to: &Ref,
    width: usize,
    rate: f32,
    layer: u64,
    seed: StepSeed,
    times: Times,
) {
    let key = mix(seed.seed ^ mix(seed.step ^ mix(layer)));
    let threshold = (f64::from(rate) * 4_294_967_296.0) as u64;
    let scale = if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 };
    let mut line = vec![0.0; width];
    for row in m.rows() {
        for t in times.range() {
            let place = (row as u64) << 32 ^ ((t - times.first) as u64).wrapping_mul(0x9E37_79B9);
            let key = mix(key ^ place);
            for (i, (l, &x)) in line.iter_mut().zip(m.row(from, width, t, row)).enumerate() {
                let draw = mix(key.wrapping_add(i as u64)) >> 32;
                *l = if draw < threshold { 0.0 } else { x * scale };
            }
            m.row_mut(to, width, t, row).copy_from_slice(&line);
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every input bit changes about half
/// of the output bits.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
