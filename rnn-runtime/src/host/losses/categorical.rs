//! Cross-entropy of a choice among classes.

use super::{clip, isa, sum_in_lanes};
use crate::cpu::{
    math::exp64,
    simd::{Op, Simd},
};

/// The share of each class in the target.
pub(super) trait Shares: Copy {
    /// Sum over the classes.
    fn total(self) -> f64;

    /// `Σ share · f(value of the class)`. A class with share 0 does not count, not even with a logit of
    /// -infinity.
    fn sum(self, values: &[f32], f: impl Fn(f64) -> f64) -> f64;

    /// Replaces each value by `f(value, share)`.
    fn change(self, values: &mut [f32], f: impl Fn(f64, f64) -> f64);
}

/// The index of the one right class, which must be below the number of values.
#[derive(Clone, Copy)]
pub(super) struct One(pub usize);

impl Shares for One {
    fn total(self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn sum(self, values: &[f32], f: impl Fn(f64) -> f64) -> f64 {
        f(f64::from(values[self.0]))
    }

    #[inline(always)]
    fn change(self, values: &mut [f32], f: impl Fn(f64, f64) -> f64) {
        let own = values[self.0];
        for value in values.iter_mut() {
            *value = f(f64::from(*value), 0.0) as f32;
        }
        values[self.0] = f(f64::from(own), 1.0) as f32;
    }
}

/// The share of each class: `target · scale + offset`, from label smoothing.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub target: &'a [f32],
    pub scale: f64,
    pub offset: f64,
}

impl Shares for Shared<'_> {
    #[inline(always)]
    fn total(self) -> f64 {
        sum_in_lanes(self.target, self.target, None, |target, _| {
            (target * self.scale + self.offset, 0.0)
        })
    }

    #[inline(always)]
    fn sum(self, values: &[f32], f: impl Fn(f64) -> f64) -> f64 {
        sum_in_lanes(values, self.target, None, |value, target| {
            let share = target * self.scale + self.offset;
            (if share == 0.0 { 0.0 } else { share * f(value) }, 0.0)
        })
    }

    #[inline(always)]
    fn change(self, values: &mut [f32], f: impl Fn(f64, f64) -> f64) {
        for (value, &target) in values.iter_mut().zip(self.target) {
            let share = f64::from(target) * self.scale + self.offset;
            *value = f(f64::from(*value), share) as f32;
        }
    }
}

/// `-Σ share(class) · log(probability of class)`.
pub(super) fn categorical(
    from_logits: bool,
    prediction: &[f32],
    shares: impl Shares,
    gradient: Option<&mut [f32]>,
) -> f64 {
    if from_logits {
        isa().dispatch(FromLogits(prediction, shares, gradient))
    } else {
        isa().dispatch(FromProbabilities(prediction, shares, gradient))
    }
}

/// With `log softmax(z) = z - max - log Σ exp(z - max)`: no exponent above 0, so nothing
/// overflows, and no logarithm of a rounded probability.
struct FromLogits<'a, T>(&'a [f32], T, Option<&'a mut [f32]>);

impl<T: Shares> Op for FromLogits<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let FromLogits(logits, shares, mut gradient) = self;
        let shift = f64::from(largest(logits));
        // The exponentials are stored for the gradient, so that they are computed once. The largest is
        // exactly 1, so nothing that cancels below has been rounded.
        let sum = sum_in_lanes(logits, logits, gradient.as_deref_mut(), |z, _| {
            let exponential = exp64(z - shift);
            (exponential, exponential)
        });
        let log_sum = sum.ln();
        if let Some(gradient) = gradient {
            let scale = shares.total() / sum;
            shares.change(gradient, |exponential, share| scale * exponential - share);
        }
        // `largest` skips NaN, but `sum` does not, so `log_sum` is NaN.
        -shares.sum(logits, |z| z - shift - log_sum)
    }
}

/// With `q = p / Σp` and `c = clip(q)`: the loss is `-Σ share · log c`, and
/// `dloss/dp = (g - Σ g q) / Σp` with `g = -share / c` where nothing was cut off and 0 elsewhere.
struct FromProbabilities<'a, T>(&'a [f32], T, Option<&'a mut [f32]>);

impl<T: Shares> Op for FromProbabilities<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let FromProbabilities(probabilities, shares, gradient) = self;
        let sum = sum_in_lanes(probabilities, probabilities, None, |p, _| (p, 0.0));
        if let Some(gradient) = gradient {
            // The slope for a share of 1.
            let slope = |p: f64| {
                let (clipped, inside) = clip(p / sum);
                -inside / clipped
            };
            let back = shares.sum(probabilities, |p| slope(p) * (p / sum));
            gradient.copy_from_slice(probabilities);
            shares.change(gradient, |p, share| {
                let own = if share == 0.0 { 0.0 } else { share * slope(p) };
                (own - back) / sum
            });
        }
        -shares.sum(probabilities, |p| clip(p / sum).0.ln())
    }
}

/// The largest number; minus infinity if all are NaN.
#[inline(always)]
pub fn largest(row: &[f32]) -> f32 {
    // In lanes, since each maximum would otherwise wait for the one before.
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (whole, rest) = row.as_chunks::<16>();
    for chunk in whole {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = lane.max(v);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = lane.max(v);
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
