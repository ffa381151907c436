//! Clipping of gradients.

use std::ops::Range;

use crate::update::Clip;

impl Clip {
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
                // As in Keras, an infinite norm makes everything NaN: the step is lost anyway, and NaN
                // shows it.
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
    // The factor is exactly 1 if nothing is clipped; then no bit changes.
    if factor != 1.0 {
        gradients.iter_mut().for_each(|g| *g *= factor as f32);
    }
}

/// Uses eight sums in a fixed order, so that rustc can vectorise.
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
