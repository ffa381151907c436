//! How weights start: Keras's initialisers from a seed and the parameter's name.
//!
//! Every parameter draws from a ChaCha stream of its own, keyed by the seed and its name. So a weight does
//! not depend on the order of the parameters or on other layers, and adding a layer does not change the
//! others.
//!
//! The formulas are those of [`keras.initializers`](https://keras.io/api/layers/initializers/).

mod orthogonal;
mod random;

use crate::params::{Distribution, FanMode, Init, ParamSpec};
use random::Stream;
#[cfg(feature = "cuda")]
pub(crate) use random::fnv1a;

/// Standard deviation of a unit normal cut off at two deviations. Keras divides by it, so that the drawn
/// numbers have the deviation asked for.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// Fresh weights for all parameters, one after the other in the order of `specs`, each tight and
/// row-major: what [`Learner::weights`](crate::learner::Learner::weights) holds.
///
/// The same seed gives the same bits on every machine.
///
/// ```
/// use recurrent::{init::initialise, params::{Init, ParamSpec}};
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
    use {Distribution::*, FanMode::*};
    let mut scaled = |scale: f64, mode, distribution, values: &mut [f32]| {
        let variance = scale / fan(spec.shape, mode).max(1.0);
        match distribution {
            Uniform => stream.uniform(values, (3.0 * variance).sqrt()),
            TruncatedNormal => {
                stream.truncated_normal(values, 0.0, variance.sqrt() / TRUNCATED_DEVIATION)
            }
            UntruncatedNormal => stream.normal(values, 0.0, variance.sqrt()),
        }
    };
    match spec.init {
        Init::Zeros => values.fill(0.0),
        Init::Ones => values.fill(1.0),
        Init::Constant(value) => values.fill(value),
        Init::Own(own) => own.write(spec.shape, values),
        Init::GlorotUniform => scaled(1.0, FanAvg, Uniform, values),
        Init::GlorotNormal => scaled(1.0, FanAvg, TruncatedNormal, values),
        Init::HeUniform => scaled(2.0, FanIn, Uniform, values),
        Init::HeNormal => scaled(2.0, FanIn, TruncatedNormal, values),
        Init::LecunUniform => scaled(1.0, FanIn, Uniform, values),
        Init::LecunNormal => scaled(1.0, FanIn, TruncatedNormal, values),
        Init::VarianceScaling {
            scale,
            mode,
            distribution,
        } => scaled(scale.into(), mode, distribution, values),
        Init::RandomUniform { minval, maxval } => {
            stream.uniform_in(values, minval.into(), maxval.into());
        }
        Init::RandomNormal { mean, stddev } => stream.normal(values, mean.into(), stddev.into()),
        Init::TruncatedNormal { mean, stddev } => {
            stream.truncated_normal(values, mean.into(), stddev.into());
        }
        Init::Orthogonal { gain } => {
            let columns = last_axis(spec.shape);
            orthogonal::fill(values, columns, gain.into(), || stream.next_normal());
        }
        Init::Identity { gain } => {
            let columns = last_axis(spec.shape);
            for (row, values) in values.chunks_exact_mut(columns).enumerate() {
                values.fill(0.0);
                if let Some(diagonal) = values.get_mut(row) {
                    *diagonal = gain;
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

/// What a variance is divided by.
fn fan(shape: &[usize], mode: FanMode) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    match mode {
        FanMode::FanIn => fan_in,
        FanMode::FanOut => fan_out,
        FanMode::FanAvg => (fan_in + fan_out) / 2.0,
    }
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
mod tests;
