//! How weights start: Keras's initialisers from a seed and the parameter's name.
//!
//! Every parameter draws from a ChaCha stream of its own, keyed by the seed and its name. So a
//! weight depends neither on the order of the parameters nor on what else the model holds, and
//! adding a layer leaves all others as they were.
//!
//! The formulas are those of [`keras.initializers`](https://keras.io/api/layers/initializers/).

mod orthogonal;
mod random;

use crate::params::{Init, ParamSpec};
use random::Stream;

/// Standard deviation of a unit normal cut off at two deviations. Keras divides by it, so that
/// what is drawn has the deviation asked for.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// Keras's standard deviation of `random_normal` and `truncated_normal`, and half width of
/// `random_uniform`.
const RANDOM_SPREAD: f64 = 0.05;

/// Fresh weights for all parameters, one after the other in the order of `specs`, each tight and
/// row-major: what [`Learner::weights`](crate::learner::Learner::weights) holds.
///
/// The same seed gives the same bits on every machine.
///
/// ```
/// use rnn_runtime::{init::initialise, params::{Init, ParamSpec}};
///
/// let specs = [
///     ParamSpec::new("dense/kernel", &[3, 2], Init::GlorotUniform),
///     ParamSpec::new("dense/bias", &[2], Init::Zeros),
/// ];
/// let weights = initialise(&specs, 42);
/// assert_eq!(weights.len(), 8);
/// assert!(weights[..6].iter().all(|w| w.abs() <= (6.0f32 / 5.0).sqrt()));
/// assert_eq!(weights[6..], [0.0, 0.0]);
/// ```
pub fn initialise(specs: &[ParamSpec], seed: u64) -> Vec<f32> {
    let mut weights = vec![0.0; specs.iter().map(ParamSpec::len).sum()];
    let mut rest = weights.as_mut_slice();
    for spec in specs {
        let (values, tail) = rest.split_at_mut(spec.len());
        fill(spec, seed, values);
        rest = tail;
    }
    weights
}

/// Writes the fresh values of one parameter.
fn fill(spec: &ParamSpec, seed: u64, values: &mut [f32]) {
    let mut stream = Stream::new(seed, spec.name);
    let (fan_in, fan_out) = fans(spec.shape);
    let both = (fan_in + fan_out) / 2.0;
    match spec.init {
        Init::Zeros => values.fill(0.0),
        Init::Ones => values.fill(1.0),
        Init::Constant(value) => values.fill(value),
        Init::GlorotUniform => stream.uniform(values, limit(1.0, both)),
        Init::HeUniform => stream.uniform(values, limit(2.0, fan_in)),
        Init::LecunUniform => stream.uniform(values, limit(1.0, fan_in)),
        Init::GlorotNormal => stream.truncated_normal(values, deviation(1.0, both)),
        Init::HeNormal => stream.truncated_normal(values, deviation(2.0, fan_in)),
        Init::LecunNormal => stream.truncated_normal(values, deviation(1.0, fan_in)),
        Init::RandomUniform => stream.uniform(values, RANDOM_SPREAD),
        Init::RandomNormal => stream.normal(values, RANDOM_SPREAD),
        Init::TruncatedNormal => stream.truncated_normal(values, RANDOM_SPREAD),
        Init::Orthogonal => {
            let columns = last_axis(spec.shape);
            orthogonal::fill(values, columns, || stream.next_normal());
        }
        Init::Identity => {
            let columns = last_axis(spec.shape);
            for (row, values) in values.chunks_exact_mut(columns).enumerate() {
                values.fill(0.0);
                if let Some(diagonal) = values.get_mut(row) {
                    *diagonal = 1.0;
                }
            }
        }
        Init::OnesIn { start, end, rest } => {
            fill(
                &ParamSpec {
                    init: *rest,
                    ..*spec
                },
                seed,
                values,
            );
            let columns = last_axis(spec.shape);
            for row in values.chunks_exact_mut(columns) {
                for (column, value) in row.iter_mut().enumerate() {
                    if (start..end).contains(&column) {
                        *value = 1.0;
                    }
                }
            }
        }
    }
}

/// Length of the last axis, at least 1 so that it can cut a slice into rows.
fn last_axis(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1).max(1)
}

/// Half width of a uniform distribution with variance `scale / fan`.
fn limit(scale: f64, fan: f64) -> f64 {
    (3.0 * scale / fan.max(1.0)).sqrt()
}

/// Deviation, before the cut at two deviations, of a truncated normal with variance `scale / fan`.
fn deviation(scale: f64, fan: f64) -> f64 {
    (scale / fan.max(1.0)).sqrt() / TRUNCATED_DEVIATION
}

/// Keras's `compute_fans`: how many numbers feed a unit, and how many units a number feeds.
fn fans(shape: &[usize]) -> (f64, f64) {
    match *shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref outer @ .., fan_in, fan_out] => {
            let field: usize = outer.iter().product();
            ((field * fan_in) as f64, (field * fan_out) as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(init: Init, shape: &'static [usize], seed: u64) -> Vec<f32> {
        initialise(&[ParamSpec::new("layer/kernel", shape, init)], seed)
    }

    fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n;
        (mean, variance.sqrt())
    }

    #[test]
    fn fans_follow_keras() {
        assert_eq!(fans(&[]), (1.0, 1.0));
        assert_eq!(fans(&[7]), (7.0, 7.0));
        assert_eq!(fans(&[3, 5]), (3.0, 5.0));
        assert_eq!(fans(&[2, 3, 5]), (6.0, 10.0));
    }

    #[test]
    fn every_distribution_has_the_deviation_and_the_bound_of_keras() {
        // 300 x 500: fan_in 300, fan_out 500, mean 400. 150 000 draws, so the deviation is
        // known to about 0.2 % (one sigma); 1 % is five sigmas.
        let uniform = |scale: f64, fan: f64| ((scale / fan).sqrt(), (3.0 * scale / fan).sqrt());
        let truncated = |scale: f64, fan: f64| {
            (
                (scale / fan).sqrt(),
                2.0 * (scale / fan).sqrt() / TRUNCATED_DEVIATION,
            )
        };
        let cases = [
            (Init::GlorotUniform, uniform(1.0, 400.0)),
            (Init::HeUniform, uniform(2.0, 300.0)),
            (Init::LecunUniform, uniform(1.0, 300.0)),
            (Init::GlorotNormal, truncated(1.0, 400.0)),
            (Init::HeNormal, truncated(2.0, 300.0)),
            (Init::LecunNormal, truncated(1.0, 300.0)),
            (Init::RandomUniform, (0.05 / 3f64.sqrt(), 0.05)),
            (Init::RandomNormal, (0.05, 0.05 * 6.0)),
            (Init::TruncatedNormal, (0.05 * TRUNCATED_DEVIATION, 0.1)),
        ];
        for (init, (expected, bound)) in cases {
            let values = draw(init, &[300, 500], 1);
            let (mean, deviation) = mean_and_deviation(&values);
            assert!(
                mean.abs() < 5.0 * expected / 150_000f64.sqrt(),
                "{init:?}: mean {mean}"
            );
            assert!(
                (deviation / expected - 1.0).abs() < 0.01,
                "{init:?}: deviation {deviation}"
            );
            let widest = values.iter().fold(0f64, |w, &v| w.max(f64::from(v.abs())));
            assert!(
                widest <= bound * (1.0 + 1e-6),
                "{init:?}: {widest} beyond {bound}"
            );
            if init != Init::RandomNormal {
                assert!(
                    widest > 0.99 * bound,
                    "{init:?}: {widest} never comes near {bound}"
                );
            }
        }
    }

    #[test]
    fn constants() {
        assert_eq!(draw(Init::Zeros, &[2, 2], 0), [0.0; 4]);
        assert_eq!(draw(Init::Ones, &[3], 0), [1.0; 3]);
        assert_eq!(draw(Init::Constant(-2.5), &[2], 0), [-2.5; 2]);
        assert_eq!(
            draw(Init::Identity, &[2, 3], 0),
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        );
        assert_eq!(
            draw(Init::Identity, &[3, 2], 0),
            [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        );
        assert_eq!(
            draw(
                Init::OnesIn {
                    start: 1,
                    end: 3,
                    rest: &Init::Zeros
                },
                &[4],
                0
            ),
            [0.0, 1.0, 1.0, 0.0]
        );
        assert_eq!(
            draw(
                Init::OnesIn {
                    start: 0,
                    end: 1,
                    rest: &Init::Zeros
                },
                &[2, 2],
                0
            ),
            [1.0, 0.0, 1.0, 0.0]
        );
        assert!(draw(Init::Identity, &[0, 0], 0).is_empty());
        assert!(draw(Init::Orthogonal, &[3, 0], 0).is_empty());
    }

    #[test]
    fn order_and_neighbours_do_not_matter_but_seed_and_name_do() {
        let a = ParamSpec::new("a", &[4, 4], Init::GlorotUniform);
        let b = ParamSpec::new("b", &[3], Init::RandomNormal);
        let ab = initialise(&[a, b], 9);
        let ba = initialise(&[b, a], 9);
        assert_eq!(ab[..16], ba[3..]);
        assert_eq!(ab[16..], ba[..3]);
        assert_eq!(ab[..16], initialise(&[a], 9));
        assert_ne!(ab[..16], initialise(&[a], 10));
        let renamed = ParamSpec { name: "c", ..a };
        assert_ne!(ab[..16], initialise(&[renamed], 9));
    }

    /// Pins the stream: a change here changes every user's models.
    #[test]
    fn a_seed_keeps_its_numbers() {
        let drawn = draw(Init::GlorotUniform, &[2, 2], 42);
        let bits: Vec<u32> = drawn.iter().map(|v| v.to_bits()).collect();
        assert_eq!(
            bits,
            [3_209_258_848, 3_203_640_425, 3_214_381_511, 1_067_128_598]
        );
    }

    #[test]
    fn orthogonal_is_orthogonal_both_ways() {
        for shape in [
            &[16, 16][..],
            &[8, 32],
            &[32, 8],
            &[1, 4],
            &[4, 1],
            &[64, 192],
            &[2, 3, 5],
        ] {
            let spec = ParamSpec::new("k", leak(shape), Init::Orthogonal);
            let q = initialise(&[spec], 3);
            let columns = shape[shape.len() - 1];
            let rows = q.len() / columns;
            let at = |r: usize, c: usize| f64::from(q[r * columns + c]);
            let short = rows.min(columns);
            for i in 0..short {
                for j in 0..short {
                    let dot: f64 = if rows <= columns {
                        (0..columns).map(|k| at(i, k) * at(j, k)).sum()
                    } else {
                        (0..rows).map(|k| at(k, i) * at(k, j)).sum()
                    };
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-6, "{shape:?} ({i}, {j}): {dot}");
                }
            }
        }
    }

    fn leak(shape: &[usize]) -> &'static [usize] {
        Box::leak(shape.to_vec().into_boxed_slice())
    }

    /// Without the sign fix the first column would nearly always point to one side.
    #[test]
    fn orthogonal_has_no_preferred_sign() {
        let positive = (0..400)
            .filter(|&seed| draw(Init::Orthogonal, &[4, 4], seed)[0] > 0.0)
            .count();
        // 400 coin tosses: five sigmas are 50.
        assert!((150..=250).contains(&positive), "{positive} of 400");
    }
}
