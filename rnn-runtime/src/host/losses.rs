//! The built-in losses of one row.
//!
//! Rows are computed in float64, since differences of probabilities cancel, and in lanes that are
//! added up in a fixed order: all instruction sets give the same bits.

mod categorical;

use crate::{
    cpu::{
        math::{exp64, log1p64},
        simd::{Isa, Op, Simd},
    },
    loss::{LossRule, Target},
};
pub use categorical::largest;
use categorical::{One, Shared, categorical};

/// The loss of one row. If `gradient`, `[features]`, is given, it gets the derivative of the loss with
/// respect to `prediction`, `[features]`.
///
/// A target of the other kind or of another length, or a label that is not below `features`, gives NaN.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
pub fn loss_row(
    rule: LossRule,
    prediction: &[f32],
    target: Target<'_>,
    gradient: Option<&mut [f32]>,
) -> f64 {
    match rule {
        LossRule::MeanSquaredError => mean_over_features(prediction, target, gradient, |p, t| {
            let error = p - t;
            (error * error, 2.0 * error)
        }),
        LossRule::MeanAbsoluteError => {
            // `signum` of 0 is 1.
            let sign = |error: f64| if error == 0.0 { 0.0 } else { error.signum() };
            mean_over_features(prediction, target, gradient, |p, t| {
                ((p - t).abs(), sign(p - t))
            })
        }
        LossRule::Huber { delta } => {
            let delta = f64::from(delta);
            mean_over_features(prediction, target, gradient, |p, t| huber(delta, p - t))
        }
        LossRule::BinaryCrossentropy {
            from_logits,
            label_smoothing,
        } => {
            let smoothing = f64::from(label_smoothing);
            mean_over_features(prediction, target, gradient, |prediction, target| {
                let target = target * (1.0 - smoothing) + 0.5 * smoothing;
                binary(from_logits, prediction, target)
            })
        }
        LossRule::CategoricalCrossentropy {
            from_logits,
            label_smoothing,
        } => {
            let target = match target {
                Target::Floats(target) if target.len() == prediction.len() => target,
                _ => return unusable(gradient),
            };
            let smoothing = f64::from(label_smoothing);
            let shares = Shared {
                target,
                scale: 1.0 - smoothing,
                offset: smoothing / prediction.len() as f64,
            };
            categorical(from_logits, prediction, shares, gradient)
        }
        LossRule::SparseCategoricalCrossentropy { from_logits } => match target {
            Target::Label(label) if (label as usize) < prediction.len() => {
                categorical(from_logits, prediction, One(label as usize), gradient)
            }
            _ => unusable(gradient),
        },
    }
}

/// Value and derivative of Huber's loss of an error.
#[inline(always)]
fn huber(delta: f64, error: f64) -> (f64, f64) {
    if error.abs() > delta {
        (
            delta * error.abs() - 0.5 * delta * delta,
            delta * error.signum(),
        )
    } else {
        (0.5 * error * error, error)
    }
}

/// Value and derivative of the cross-entropy of yes or no.
#[inline(always)]
fn binary(from_logits: bool, prediction: f64, target: f64) -> (f64, f64) {
    if from_logits {
        // max(z, 0) - z t + log(1 + exp(-|z|)): the exponent is never above 0.
        let small = exp64(-prediction.abs());
        let loss = prediction.max(0.0) - prediction * target + log1p64(small);
        let sigmoid = if prediction >= 0.0 { 1.0 } else { small } / (1.0 + small);
        return (loss, sigmoid - target);
    }
    let (p, inside) = clip(prediction);
    let loss = -(target * p.ln() + (1.0 - target) * (1.0 - p).ln());
    (loss, inside * ((1.0 - target) / (1.0 - p) - target / p))
}

/// Keras's `epsilon()`: probabilities are kept this far from 0 and 1.
const EPSILON: f64 = 1e-7;

/// A probability clipped away from 0 and 1, and the derivative: 1 inside, 0 where it was clipped.
fn clip(probability: f64) -> (f64, f64) {
    let inside = (EPSILON..=1.0 - EPSILON).contains(&probability);
    // `clamp` keeps NaN.
    (
        probability.clamp(EPSILON, 1.0 - EPSILON),
        if inside { 1.0 } else { 0.0 },
    )
}

/// The instruction set that rows are computed with. All give the same bits here, so a wrong
/// `RECURRENT_ISA`, which the model reports, is ignored.
fn isa() -> Isa {
    Isa::best().unwrap_or(Isa::SCALAR)
}

/// Independent sums: they do not wait for one another, and fill a vector of any instruction set.
const LANES: usize = 16;

/// Sums `f(p, t).0`; writes `f(p, t).1` to `gradient` if there is one. [`LANES`] sums run side by side
/// and are added up last, always in the same order.
#[inline(always)]
fn sum_in_lanes(
    predictions: &[f32],
    targets: &[f32],
    gradient: Option<&mut [f32]>,
    f: impl Fn(f64, f64) -> (f64, f64),
) -> f64 {
    let mut sums = [0.0; LANES];
    let (p, p_rest) = predictions.as_chunks::<LANES>();
    let (t, t_rest) = targets.as_chunks::<LANES>();
    let Some(gradient) = gradient else {
        let mut add = |p: &[f32], t: &[f32]| {
            for ((sum, &p), &t) in sums.iter_mut().zip(p).zip(t) {
                *sum += f(f64::from(p), f64::from(t)).0;
            }
        };
        p.iter().zip(t).for_each(|(p, t)| add(p, t));
        add(p_rest, t_rest);
        return sums.iter().sum();
    };
    let (g, g_rest) = gradient.as_chunks_mut::<LANES>();
    let mut add = |p: &[f32], t: &[f32], g: &mut [f32]| {
        for (((sum, &p), &t), g) in sums.iter_mut().zip(p).zip(t).zip(g) {
            let (value, slope) = f(f64::from(p), f64::from(t));
            *sum += value;
            *g = slope as f32;
        }
    };
    for ((p, t), g) in p.iter().zip(t).zip(g) {
        add(p, t, g);
    }
    add(p_rest, t_rest, g_rest);
    sums.iter().sum()
}

/// Mean over the features of `cost(prediction, target)`, which gives a value and its derivative.
fn mean_over_features(
    prediction: &[f32],
    target: Target<'_>,
    gradient: Option<&mut [f32]>,
    cost: impl Fn(f64, f64) -> (f64, f64),
) -> f64 {
    struct Mean<'a, F>(&'a [f32], &'a [f32], Option<&'a mut [f32]>, F);
    impl<F: Fn(f64, f64) -> (f64, f64)> Op for Mean<'_, F> {
        type Output = f64;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> f64 {
            let Mean(prediction, target, gradient, cost) = self;
            let features = prediction.len() as f64;
            let share = |p, t| {
                let (value, slope) = cost(p, t);
                (value, slope / features)
            };
            sum_in_lanes(prediction, target, gradient, share) / features
        }
    }
    match target {
        Target::Floats(target) if target.len() == prediction.len() => {
            isa().dispatch(Mean(prediction, target, gradient, cost))
        }
        _ => unusable(gradient),
    }
}

/// Writes NaN everywhere: the result for a target that `row` cannot use.
fn unusable(gradient: Option<&mut [f32]>) -> f64 {
    if let Some(gradient) = gradient {
        gradient.fill(f32::NAN);
    }
    f64::NAN
}
