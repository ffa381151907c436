//! What parameters cost by their size.

use std::ops::Range;

use rnn_runtime::params::{ParamSpec, Regularizer};

/// The regularised parameters of a model: those that are trainable, as in Keras.
pub(crate) struct Regularized(Vec<(Range<usize>, Regularizer)>);

impl Regularized {
    pub fn new(specs: &[ParamSpec]) -> Regularized {
        let mut end = 0;
        let mut parts = Vec::new();
        for spec in specs {
            let range = end..end + spec.len();
            end = range.end;
            if spec.trainable && !spec.regularizer.is_none() {
                parts.push((range, spec.regularizer));
            }
        }
        Regularized(parts)
    }

    /// `Σ l1 |w| + l2 w²` over all of them.
    pub fn cost(&self, weights: &[f32]) -> f64 {
        let cost = |(range, regularizer): &(Range<usize>, Regularizer)| {
            let weights = || weights[range.clone()].iter().map(|&w| f64::from(w));
            let mut cost = 0.0;
            // Not `0 * Σ`: that would be NaN where a weight is infinite.
            if regularizer.l1 != 0.0 {
                cost += f64::from(regularizer.l1) * weights().map(f64::abs).sum::<f64>();
            }
            if regularizer.l2 != 0.0 {
                cost += f64::from(regularizer.l2) * weights().map(|w| w * w).sum::<f64>();
            }
            cost
        };
        self.0.iter().map(cost).sum()
    }

    /// Adds the derivative of [`Regularized::cost`]: `l1 sign(w) + 2 l2 w`, with the sign of 0
    /// being 0 as in Keras.
    pub fn add_gradient(&self, weights: &[f32], gradients: &mut [f32]) {
        for (range, Regularizer { l1, l2 }) in &self.0 {
            let weights = &weights[range.clone()];
            for (gradient, &w) in gradients[range.clone()].iter_mut().zip(weights) {
                let sign = if w == 0.0 { 0.0 } else { w.signum() };
                *gradient += l1 * sign + 2.0 * l2 * w;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rnn_runtime::params::Init;

    fn spec(name: &'static str, l1: f32, l2: f32) -> ParamSpec {
        ParamSpec {
            regularizer: Regularizer { l1, l2 },
            ..ParamSpec::new(name, &[2], Init::Zeros)
        }
    }

    #[test]
    fn cost_and_gradient_by_hand() {
        let specs = [
            spec("both", 0.5, 0.25),
            spec("frozen", 1.0, 1.0).frozen(),
            spec("none", 0.0, 0.0),
            spec("l1", 2.0, 0.0),
        ];
        let regularized = Regularized::new(&specs);
        let weights = [3.0, -1.0, 9.0, 9.0, f32::INFINITY, 1.0, -4.0, 0.0];
        let cost = 0.5 * 4.0 + 0.25 * 10.0 + 2.0 * 4.0;
        assert_eq!(regularized.cost(&weights), cost);
        let mut gradients = [1.0; 8];
        regularized.add_gradient(&weights, &mut gradients);
        assert_eq!(gradients, [3.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0]);
        assert_eq!(Regularized::new(&specs[1..3]).cost(&weights), 0.0);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_cost() {
        let regularized = Regularized::new(&[spec("w", 0.3, 0.7)]);
        let weights = [0.5f32, -2.0];
        let mut gradients = [0.0; 2];
        regularized.add_gradient(&weights, &mut gradients);
        for index in 0..2 {
            let at = |step: f32| {
                let mut moved = weights;
                moved[index] += step;
                regularized.cost(&moved)
            };
            let slope = (at(1.0 / 1024.0) - at(-1.0 / 1024.0)) * 512.0;
            assert!((slope - f64::from(gradients[index])).abs() < 1e-6);
        }
    }
}
