//! Keeping gradients short.

use std::ops::Range;

use super::{Options, check_not_negative};
use rnn_runtime::error::Error;

/// What is done to gradients before a step. Keras lets one choose a single way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Clip {
    None,
    /// Every parameter's norm.
    Norm(f64),
    /// Every number.
    Value(f32),
    /// The norm of all parameters together.
    GlobalNorm(f64),
}

impl Clip {
    /// The way that `options` choose. Keras takes a bound of 0 and clips nothing then, which nobody
    /// who writes one can mean.
    pub(super) fn of(options: &Options) -> Result<Clip, Error> {
        let chosen = [
            ("clipnorm", options.clipnorm),
            ("clipvalue", options.clipvalue),
            ("global_clipnorm", options.global_clipnorm),
        ];
        for (name, bound) in chosen {
            check_not_negative(name, bound.unwrap_or(0.0))?;
            if bound == Some(0.0) {
                return Err(Error::Argument(format!(
                    "{name} must be above 0, found 0; leave it out to clip nothing"
                )));
            }
        }
        let names: Vec<_> = chosen
            .iter()
            .filter(|(_, b)| b.is_some())
            .map(|(n, _)| *n)
            .collect();
        if names.len() > 1 {
            return Err(Error::Argument(format!(
                "only one of clipnorm, clipvalue and global_clipnorm can be set, found {}",
                names.join(" and ")
            )));
        }
        Ok(match chosen.map(|(_, bound)| bound) {
            [Some(norm), _, _] => Clip::Norm(norm),
            [_, Some(value), _] => Clip::Value(value as f32),
            [_, _, Some(norm)] => Clip::GlobalNorm(norm),
            _ => Clip::None,
        })
    }

    /// Clips the gradients of `parameters`, each a range of `gradients`.
    pub(super) fn apply(self, gradients: &mut [f32], parameters: &[Range<usize>]) {
        match self {
            Clip::None => {}
            Clip::Norm(bound) => {
                for range in parameters {
                    let gradients = &mut gradients[range.clone()];
                    let norm = sum_of_squares(gradients).sqrt();
                    scale(gradients, bound / norm.max(bound));
                }
            }
            Clip::Value(bound) => {
                for range in parameters {
                    gradients[range.clone()]
                        .iter_mut()
                        .for_each(|g| *g = g.clamp(-bound, bound));
                }
            }
            Clip::GlobalNorm(bound) => {
                let squares = parameters
                    .iter()
                    .map(|range| sum_of_squares(&gradients[range.clone()]));
                let norm = squares.sum::<f64>().sqrt();
                // An infinite norm makes everything NaN, as in Keras: the step is lost anyway,
                // and this way it is seen.
                let factor = if norm.is_finite() {
                    bound / norm.max(bound)
                } else {
                    f64::NAN
                };
                for range in parameters {
                    scale(&mut gradients[range.clone()], factor);
                }
            }
        }
    }
}

fn scale(gradients: &mut [f32], factor: f64) {
    // 1 exactly where nothing is to be clipped: leave every bit alone.
    if factor != 1.0 {
        gradients.iter_mut().for_each(|g| *g *= factor as f32);
    }
}

/// In eight sums in a fixed order, which the compiler can put in vectors.
fn sum_of_squares(values: &[f32]) -> f64 {
    let (blocks, tail) = values.as_chunks::<8>();
    let mut sums = [0f64; 8];
    for block in blocks {
        for (sum, &v) in sums.iter_mut().zip(block) {
            *sum += f64::from(v) * f64::from(v);
        }
    }
    sums.iter().sum::<f64>()
        + tail
            .iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum::<f64>()
}
