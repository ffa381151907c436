//! Cross-entropies: minus the logarithm of the probability given to what was right.

use super::{Loss, check_smoothing, clip, unusable};
use crate::{
    error::Error,
    train::scored::{Target, TargetKind},
};

/// Cross-entropy of a choice among classes, with the class's number as target.
///
/// By default the predictions are probabilities, made to sum to 1 and kept within
/// `1e-7..=1 - 1e-7`, as Keras does it; where they were cut off the gradient is 0. Better let the
/// model end without a softmax and use [`from_logits`](Self::from_logits): that is exact
/// everywhere.
///
/// ```
/// use rnn_runtime::train::{Scored, TargetView, losses::{Loss, SparseCategoricalCrossentropy}};
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
        let label = match target {
            Target::Label(label) if (label as usize) < prediction.len() => label as usize,
            _ => return unusable(gradient),
        };
        let one_hot = |class: usize| if class == label { 1.0 } else { 0.0 };
        categorical(self.from_logits, prediction, one_hot, 1.0, gradient)
    }
}

/// Cross-entropy of a choice among classes, with a probability for every class as target
/// (one-hot, or softer).
///
/// Predictions are as in [`SparseCategoricalCrossentropy`].
///
/// ```
/// use rnn_runtime::train::{Scored, TargetView, losses::{CategoricalCrossentropy, Loss}};
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
        let Target::Floats(target) = target else {
            return unusable(gradient);
        };
        let smoothing = f64::from(self.label_smoothing);
        let share = smoothing / prediction.len() as f64;
        let smooth = |class: usize| f64::from(target[class]) * (1.0 - smoothing) + share;
        let total = (0..prediction.len()).map(smooth).sum();
        categorical(self.from_logits, prediction, smooth, total, gradient)
    }
}

/// `-Σ target(class) · log(probability of class)`, where the targets sum to `total`.
fn categorical(
    from_logits: bool,
    prediction: &[f32],
    target: impl Fn(usize) -> f64,
    total: f64,
    gradient: Option<&mut [f32]>,
) -> f64 {
    if from_logits {
        categorical_from_logits(prediction, target, total, gradient)
    } else {
        categorical_from_probabilities(prediction, target, gradient)
    }
}

/// With `log softmax(z) = z - max - log Σ exp(z - max)`: no exponent above 0, so nothing
/// overflows, and no logarithm of a rounded probability.
fn categorical_from_logits(
    logits: &[f32],
    target: impl Fn(usize) -> f64,
    total: f64,
    mut gradient: Option<&mut [f32]>,
) -> f64 {
    let shift = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let mut sum = 0.0;
    for (class, &z) in logits.iter().enumerate() {
        let exponential = (f64::from(z) - shift).exp();
        sum += exponential;
        // Kept for the gradient, to be computed once. The largest is 1, so nothing that cancels
        // below was rounded here.
        if let Some(gradient) = gradient.as_deref_mut() {
            gradient[class] = exponential as f32;
        }
    }
    let log_sum = sum.ln();
    let mut loss = 0.0;
    for (class, &z) in logits.iter().enumerate() {
        let target = target(class);
        // A class that cannot be right does not count, not even with a logit of -infinity.
        if target != 0.0 {
            loss -= target * (f64::from(z) - shift - log_sum);
        }
    }
    if let Some(gradient) = gradient {
        for (class, gradient) in gradient.iter_mut().enumerate() {
            *gradient = (total * f64::from(*gradient) / sum - target(class)) as f32;
        }
    }
    // `f32::max` passes over a NaN, `sum` does not: it comes out of `log_sum`.
    loss
}

/// With `q = p / Σp` and `c = clip(q)`: the loss is `-Σ target · log c`, and
/// `dloss/dp = (g - Σ g q) / Σp` with `g = -target / c` where nothing was cut off and 0 elsewhere.
fn categorical_from_probabilities(
    probabilities: &[f32],
    target: impl Fn(usize) -> f64,
    gradient: Option<&mut [f32]>,
) -> f64 {
    let sum: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
    let (mut loss, mut back) = (0.0, 0.0);
    let slope = |class: usize, p: f32| {
        let q = f64::from(p) / sum;
        let (clipped, inside) = clip(q);
        (q, clipped, -target(class) / clipped * inside)
    };
    for (class, &p) in probabilities.iter().enumerate() {
        let (q, clipped, g) = slope(class, p);
        loss -= target(class) * clipped.ln();
        back += g * q;
    }
    if let Some(gradient) = gradient {
        for (class, (gradient, &p)) in gradient.iter_mut().zip(probabilities).enumerate() {
            *gradient = ((slope(class, p).2 - back) / sum) as f32;
        }
    }
    loss
}

/// Cross-entropy of yes or no, averaged over the features; targets are 0, 1 or between.
///
/// By default the predictions are probabilities, kept within `1e-7..=1 - 1e-7` as in Keras; where
/// they were cut off the gradient is 0. [`from_logits`](Self::from_logits) is exact everywhere.
///
/// ```
/// use rnn_runtime::train::{Scored, TargetView, losses::{BinaryCrossentropy, Loss}};
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
    fn one(&self, prediction: f64, target: f64) -> (f64, f64) {
        if self.from_logits {
            // max(z, 0) - z t + log(1 + exp(-|z|)): the exponent is never above 0.
            let small = (-prediction.abs()).exp();
            let loss = prediction.max(0.0) - prediction * target + small.ln_1p();
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

    fn row(&self, prediction: &[f32], target: Target<'_>, mut gradient: Option<&mut [f32]>) -> f64 {
        let Target::Floats(targets) = target else {
            return unusable(gradient);
        };
        let smoothing = f64::from(self.label_smoothing);
        let features = prediction.len() as f64;
        let mut sum = 0.0;
        for (feature, (&p, &target)) in prediction.iter().zip(targets).enumerate() {
            let target = f64::from(target) * (1.0 - smoothing) + 0.5 * smoothing;
            let (loss, slope) = self.one(f64::from(p), target);
            sum += loss;
            if let Some(gradient) = gradient.as_deref_mut() {
                gradient[feature] = (slope / features) as f32;
            }
        }
        sum / features
    }
}
