//! Cross-entropies: minus the logarithm of the probability given to what was right.

use super::{Loss, check_smoothing, clip, isa, mean_over_features, sum_in_lanes, unusable};
use crate::scored::{Target, TargetKind, largest};
use rnn_runtime::{
    cpu::{
        math::{exp64, log1p64},
        simd::{Op, Simd},
    },
    error::Error,
};

/// Cross-entropy of a choice among classes, with the class's number as target.
///
/// By default the predictions are probabilities, made to sum to 1 and kept within
/// `1e-7..=1 - 1e-7`, as Keras does it; where they were cut off the gradient is 0. Better let the
/// model end without a softmax and use [`from_logits`](Self::from_logits): that is exact
/// everywhere.
///
/// ```
/// use rnn_train::{Scored, TargetView, losses::{Loss, SparseCategoricalCrossentropy}};
///
/// let scored = Scored::new(&[0.25, 0.75], 2, TargetView::Labels(&[1]), None)?;
/// let loss = SparseCategoricalCrossentropy::default().mean(&scored, None)?;
/// assert!((loss - -(0.75f64.ln())).abs() < 1e-12);
///
/// let scored = Scored::new(&[500.0, -500.0], 2, TargetView::Labels(&[1]), None)?;
/// let mut gradient = [0.0; 2];
/// let loss = SparseCategoricalCrossentropy::from_logits().mean(&scored, Some(&mut gradient))?;
/// assert_eq!(loss, 1000.0);
/// assert_eq!(gradient, [1.0, -1.0]);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseCategoricalCrossentropy {
    /// The predictions are logits, not probabilities.
    pub from_logits: bool,
}

impl SparseCategoricalCrossentropy {
    /// For a model that ends without a softmax.
    pub fn from_logits() -> Self {
        SparseCategoricalCrossentropy { from_logits: true }
    }
}

impl Loss for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        "sparse_categorical_crossentropy"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        match target {
            Target::Label(label) if (label as usize) < prediction.len() => {
                categorical(self.from_logits, prediction, One(label as usize), gradient)
            }
            _ => unusable(gradient),
        }
    }
}

/// Cross-entropy of a choice among classes, with a probability for every class as target
/// (one-hot, or softer).
///
/// Predictions are as in [`SparseCategoricalCrossentropy`].
///
/// ```
/// use rnn_train::{Scored, TargetView, losses::{CategoricalCrossentropy, Loss}};
///
/// let scored = Scored::new(&[0.25, 0.75], 2, TargetView::Floats(&[0.0, 1.0]), None)?;
/// let loss = CategoricalCrossentropy::default().mean(&scored, None)?;
/// assert!((loss - -(0.75f64.ln())).abs() < 1e-12);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalCrossentropy {
    /// The predictions are logits, not probabilities.
    pub from_logits: bool,
    /// This share of every target is spread evenly over the classes (Szegedy et al., 2016).
    pub label_smoothing: f32,
}

impl CategoricalCrossentropy {
    /// For a model that ends without a softmax.
    pub fn from_logits() -> Self {
        CategoricalCrossentropy {
            from_logits: true,
            label_smoothing: 0.0,
        }
    }

    /// With this share of every target spread evenly over the classes.
    pub fn label_smoothing(self, label_smoothing: f32) -> Self {
        CategoricalCrossentropy {
            label_smoothing,
            ..self
        }
    }
}

impl Loss for CategoricalCrossentropy {
    fn name(&self) -> &str {
        "categorical_crossentropy"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }

    fn check(&self, _: usize) -> Result<(), Error> {
        check_smoothing(self.name(), self.label_smoothing)
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        let target = match target {
            Target::Floats(target) if target.len() == prediction.len() => target,
            _ => return unusable(gradient),
        };
        let smoothing = f64::from(self.label_smoothing);
        let shares = Shared {
            target,
            keep: 1.0 - smoothing,
            spread: smoothing / prediction.len() as f64,
        };
        categorical(self.from_logits, prediction, shares, gradient)
    }
}

/// How much each class is right.
trait Shares: Copy {
    /// Sum over the classes.
    fn total(self) -> f64;

    /// `Σ share · f(value of the class)`. A class that cannot be right does not count, not even with a
    /// logit of -infinity.
    fn sum(self, values: &[f32], f: impl Fn(f64) -> f64) -> f64;

    /// Makes `f(value, share)` of all values.
    fn change(self, values: &mut [f32], f: impl Fn(f64, f64) -> f64);
}

/// One class, all others are wrong; its number must be that of a value.
#[derive(Clone, Copy)]
struct One(usize);

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

/// `target · keep + spread` of each class.
#[derive(Clone, Copy)]
struct Shared<'a> {
    target: &'a [f32],
    keep: f64,
    spread: f64,
}

impl Shares for Shared<'_> {
    #[inline(always)]
    fn total(self) -> f64 {
        sum_in_lanes(self.target, self.target, None, |target, _| {
            (target * self.keep + self.spread, 0.0)
        })
    }

    #[inline(always)]
    fn sum(self, values: &[f32], f: impl Fn(f64) -> f64) -> f64 {
        sum_in_lanes(values, self.target, None, |value, target| {
            let share = target * self.keep + self.spread;
            (if share == 0.0 { 0.0 } else { share * f(value) }, 0.0)
        })
    }

    #[inline(always)]
    fn change(self, values: &mut [f32], f: impl Fn(f64, f64) -> f64) {
        for (value, &target) in values.iter_mut().zip(self.target) {
            let share = f64::from(target) * self.keep + self.spread;
            *value = f(f64::from(*value), share) as f32;
        }
    }
}

/// `-Σ share(class) · log(probability of class)`.
fn categorical(
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
        // Exponentials are kept for the gradient, to be computed once. The largest is 1, so nothing
        // that cancels below was rounded here.
        let sum = sum_in_lanes(logits, logits, gradient.as_deref_mut(), |z, _| {
            let exponential = exp64(z - shift);
            (exponential, exponential)
        });
        let log_sum = sum.ln();
        if let Some(gradient) = gradient {
            let scale = shares.total() / sum;
            shares.change(gradient, |exponential, share| scale * exponential - share);
        }
        // `largest` passes over a NaN, `sum` does not: it comes out of `log_sum`.
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
            // Of a share of 1.
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

/// Cross-entropy of yes or no, averaged over the features; targets are 0, 1 or between.
///
/// By default the predictions are probabilities, kept within `1e-7..=1 - 1e-7` as in Keras; where
/// they were cut off the gradient is 0. [`from_logits`](Self::from_logits) is exact everywhere.
///
/// ```
/// use rnn_train::{Scored, TargetView, losses::{BinaryCrossentropy, Loss}};
///
/// let scored = Scored::new(&[0.0, 0.0], 1, TargetView::Floats(&[0.0, 1.0]), None)?;
/// let loss = BinaryCrossentropy::from_logits().mean(&scored, None)?;
/// assert!((loss - 2f64.ln()).abs() < 1e-12);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BinaryCrossentropy {
    /// The predictions are logits, not probabilities.
    pub from_logits: bool,
    /// Draws the targets towards one half: 1 becomes `1 - label_smoothing / 2`.
    pub label_smoothing: f32,
}

impl BinaryCrossentropy {
    /// For a model that ends without a sigmoid.
    pub fn from_logits() -> Self {
        BinaryCrossentropy {
            from_logits: true,
            label_smoothing: 0.0,
        }
    }

    /// With the targets drawn towards one half.
    pub fn label_smoothing(self, label_smoothing: f32) -> Self {
        BinaryCrossentropy {
            label_smoothing,
            ..self
        }
    }

    /// Loss and slope of one number.
    #[inline(always)]
    fn one(&self, prediction: f64, target: f64) -> (f64, f64) {
        if self.from_logits {
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
}

impl Loss for BinaryCrossentropy {
    fn name(&self) -> &str {
        "binary_crossentropy"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }

    fn check(&self, _: usize) -> Result<(), Error> {
        check_smoothing(self.name(), self.label_smoothing)
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        let smoothing = f64::from(self.label_smoothing);
        mean_over_features(prediction, target, gradient, |prediction, target| {
            self.one(prediction, target * (1.0 - smoothing) + 0.5 * smoothing)
        })
    }
}
