//! Noise: `GaussianNoise`, and the masks of a cell's own dropout.

use super::{
    Times,
    dropout::{Draws, bits, mix},
    on,
};
use crate::{
    cpu::phase::{Memory, Ref},
    learner::StepSeed,
};

/// The mask of `dropout(v, rate)` in a cell, `to` without an axis: 0 with probability `rate`, else
/// `1 / (1 - rate)`. Drawn once a batch, the same at all steps, as Keras shares the masks of
/// `dropout` and `recurrent_dropout` over time (Gal and Ghahramani, 2016).
pub fn noise(m: &mut Memory<'_>, to: &Ref, width: usize, rate: f32, layer: u64, seed: StepSeed) {
    let mut m = on(m, Times::ONE);
    let draws = Draws::new(rate, layer, seed);
    for row in m.rows() {
        let key = draws.place(row, 0);
        for (i, x) in m.row_mut(to, width, 0, row).iter_mut().enumerate() {
            *x = draws.factor(key, i).unwrap_or(0.0);
        }
    }
}

/// `to = from + stddev * n`, `n` a unit normal (Box and Muller, 1958) for every number. The
/// gradient goes through as it is.
#[allow(clippy::too_many_arguments)]
pub fn gaussian_noise(
    m: &mut Memory<'_>,
    from: &Ref,
    to: &Ref,
    width: usize,
    stddev: f32,
    layer: u64,
    seed: StepSeed,
    times: Times,
) {
    let mut m = on(m, times);
    let draws = Draws::new(0.0, layer, seed);
    let mut line = vec![0.0; width];
    for row in m.rows() {
        for t in times.range() {
            let key = draws.place(row, t - times.first);
            line.copy_from_slice(m.row(from, width, t, row));
            for (i, x) in line.iter_mut().enumerate() {
                *x += stddev * normal(bits(key, i)) as f32;
            }
            m.row_mut(to, width, t, row).copy_from_slice(&line);
        }
    }
}

/// A unit normal from 64 random bits. `libm` rather than the system's functions: a seed gives the
/// same numbers on every machine.
fn normal(draw: u64) -> f64 {
    let unit = |x: u64| (x >> 11) as f64 / (1u64 << 53) as f64;
    // 1 - u is in (0, 1], so the logarithm is finite.
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - unit(draw)));
    radius * libm::cos(std::f64::consts::TAU * unit(mix(!draw)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|i| normal(bits(77, i))).collect();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / n as f64;
        // Five standard deviations of each mean: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n).
        let bound = |variance: f64| 5.0 * (variance / n as f64).sqrt();
        assert!(moment(1).abs() < bound(1.0));
        assert!((moment(2) - 1.0).abs() < bound(2.0));
        assert!(moment(3).abs() < bound(15.0));
        assert!((moment(4) - 3.0).abs() < bound(96.0));
    }
}
