//! The penalties of weights, which the regularizers of parameters add to a loss.

use std::ops::Range;

use crate::params::{ParamSpec, Regularizer};

/// The weights of every trainable parameter that has a regularizer, as in Keras.
fn regularized(params: &[ParamSpec]) -> impl Iterator<Item = (Range<usize>, Regularizer)> {
    let mut end = 0;
    params.iter().filter_map(move |param| {
        let weights = end..end + param.len();
        end = weights.end;
        (param.trainable && !param.regularizer.is_none()).then_some((weights, param.regularizer))
    })
}

/// `Σ l1 |w| + l2 w²` over all of them.
pub fn cost(params: &[ParamSpec], weights: &[f32]) -> f64 {
    let cost = |(range, regularizer): (Range<usize>, Regularizer)| {
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
    regularized(params).map(cost).sum()
}

/// Adds the derivative of [`cost`]: `l1 sign(w) + 2 l2 w`, with the sign of 0 being 0 as in Keras.
pub fn add_gradient(params: &[ParamSpec], weights: &[f32], gradients: &mut [f32]) {
    for (range, Regularizer { l1, l2 }) in regularized(params) {
        let weights = &weights[range.clone()];
        for (gradient, &w) in gradients[range].iter_mut().zip(weights) {
            let sign = if w == 0.0 { 0.0 } else { w.signum() };
            *gradient += l1 * sign + 2.0 * l2 * w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Init;

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
        let weights = [3.0, -1.0, 9.0, 9.0, f32::INFINITY, 1.0, -4.0, 0.0];
        let expected = 0.5 * 4.0 + 0.25 * 10.0 + 2.0 * 4.0;
        assert_eq!(cost(&specs, &weights), expected);
        let mut gradients = [1.0; 8];
        add_gradient(&specs, &weights, &mut gradients);
        assert_eq!(gradients, [3.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0]);
        assert_eq!(cost(&specs[1..3], &weights), 0.0);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_cost() {
        let specs = [spec("w", 0.3, 0.7)];
        let weights = [0.5f32, -2.0];
        let mut gradients = [0.0; 2];
        add_gradient(&specs, &weights, &mut gradients);
        for index in 0..2 {
            let at = |step: f32| {
                let mut moved = weights;
                moved[index] += step;
                cost(&specs, &moved)
            };
            let slope = (at(1.0 / 1024.0) - at(-1.0 / 1024.0)) * 512.0;
            assert!((slope - f64::from(gradients[index])).abs() < 1e-6);
        }
    }
}
