//! What training makes small: Keras's losses, by Keras's names, with Keras's defaults.
//!
//! Every loss is written for one row (see [`Scored`]) and reduced as Keras's
//! `sum_over_batch_size` does it: the sum over all rows, each times its weight, divided by the
//! number of rows (not by the sum of the weights). Steps that a mask calls padding are no rows.
//!
//! All losses here are metrics too ([`Metric`]).
//!
//! Where Keras's backends differ we follow most of them: probabilities of classes are made to sum
//! to 1 and then cut off (TensorFlow does it the other way round for class numbers, which is the
//! same unless a probability is within 1e-7 of 0 or 1, or above 1).
//!
//! Formulas: [`keras.losses`](https://keras.io/api/losses/). Per row they are computed in
//! float64, since differences of probabilities cancel.

mod crossentropy;
mod regression;

use super::{
    scored::{Scored, Target, TargetKind},
    tally::{Direction, Metric, RowMean, Tally, needs},
};
use rnn_runtime::{
    cpu::simd::{Isa, Op, Simd},
    error::Error,
};

pub use crossentropy::{
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
};
pub use regression::{Huber, MeanAbsoluteError, MeanSquaredError};

/// A loss. A loss of one's own says which targets it takes and what one row costs:
///
/// ```
/// use rnn_train::{Scored, Target, TargetKind, TargetView, losses::Loss};
///
/// /// |prediction - target|^4, summed over the features.
/// struct Quartic;
///
/// impl Loss for Quartic {
///     fn name(&self) -> &str {
///         "quartic"
///     }
///     fn targets(&self) -> TargetKind {
///         TargetKind::Floats
///     }
///     fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
///         let Target::Floats(target) = target else { return f64::NAN };
///         let error = |i: usize| f64::from(prediction[i]) - f64::from(target[i]);
///         if let Some(gradient) = gradient {
///             for (i, g) in gradient.iter_mut().enumerate() {
///                 *g = (4.0 * error(i).powi(3)) as f32;
///             }
///         }
///         (0..prediction.len()).map(|i| error(i).powi(4)).sum()
///     }
/// }
///
/// let scored = Scored::new(&[1.0, 2.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?;
/// let mut gradient = [0.0; 2];
/// assert_eq!(Quartic.mean(&scored, Some(&mut gradient))?, 17.0 / 2.0);
/// assert_eq!(gradient, [2.0, 16.0]);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss",
    label = "not a loss",
    note = "a loss is a value, not its name: write `MeanSquaredError`, `BinaryCrossentropy::from_logits()` or `SparseCategoricalCrossentropy::from_logits()`"
)]
pub trait Loss: Send + Sync {
    /// Keras's name, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// Which targets [`Loss::row`] takes. The trainer never gives it others.
    fn targets(&self) -> TargetKind;

    /// Whether targets stand for classes, so that classes can have weights
    /// ([`Fit::class_weight`](crate::Fit)). True by default.
    fn has_classes(&self) -> bool {
        true
    }

    /// Whether the options make sense, and suit an output of `features` numbers a row.
    ///
    /// # Errors
    /// [`Error::Argument`] that says what does not.
    fn check(&self, features: usize) -> Result<(), Error> {
        let _ = features;
        Ok(())
    }

    /// What one row costs. If `gradient`, `[features]`, is given, it gets the derivative of that
    /// with respect to `prediction`, `[features]`.
    ///
    /// A target of the other kind, of another length, or a label that is not a feature, gives NaN.
    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64;

    /// Sum over the rows, each times its weight, divided by the number of rows; masked rows are in
    /// neither of the two, and where all are masked the loss is 0, as in Keras. If `gradient`,
    /// `[rows, features]`, is given, it gets the derivative of that with respect to the
    /// predictions.
    ///
    /// Threads share the rows; the result does not depend on how many they are.
    ///
    /// NaN in the predictions gives NaN, as in Keras.
    ///
    /// # Errors
    /// [`Error::Shape`] if `gradient` is not as long as the predictions.
    fn mean(&self, scored: &Scored<'_>, gradient: Option<&mut [f32]>) -> Result<f64, Error> {
        // At least 1, so that a sum of nothing is divided by something.
        let rows = scored.counted().max(1) as f64;
        if let Some(gradient) = &gradient
            && gradient.len() != scored.rows() * scored.features()
        {
            return Err(Error::Shape {
                what: "gradient of the predictions".to_owned(),
                expected: format!("[{} * {}]", scored.rows(), scored.features()),
                found: format!("[{}]", gradient.len()),
            });
        }
        let some = |part: Scored<'_>, gradient: Option<&mut [f32]>| {
            let mut sum = 0.0;
            let Some(gradient) = gradient else {
                for (prediction, target, weight) in part.iter() {
                    sum += f64::from(weight) * self.row(prediction, target, None);
                }
                return [sum];
            };
            let gradients = gradient.chunks_exact_mut(part.features());
            for (row, gradient) in part.all().zip(gradients) {
                let Some((prediction, target, weight)) = row else {
                    gradient.fill(0.0);
                    continue;
                };
                sum += f64::from(weight) * self.row(prediction, target, Some(gradient));
                let scale = (f64::from(weight) / rows) as f32;
                gradient.iter_mut().for_each(|g| *g *= scale);
            }
            [sum]
        };
        let [sum] = scored.sum(gradient, &some);
        Ok(sum / rows)
    }
}

/// Keras's `epsilon()`: probabilities are kept this far from 0 and 1.
const EPSILON: f64 = 1e-7;

/// A probability kept away from 0 and 1, and the derivative of that: 1 inside, 0 where it was
/// cut off.
fn clip(probability: f64) -> (f64, f64) {
    let inside = (EPSILON..=1.0 - EPSILON).contains(&probability);
    // `clamp` keeps NaN.
    (
        probability.clamp(EPSILON, 1.0 - EPSILON),
        if inside { 1.0 } else { 0.0 },
    )
}

/// The instruction set that rows are computed with. All give the same bits here, so a wrong
/// `RECURRENT_ISA`, which the model complains of, is no reason to fail.
fn isa() -> Isa {
    Isa::best().unwrap_or(Isa::SCALAR)
}

/// Sums in a row: they do not wait for one another, and fill a vector of any instruction set.
const LANES: usize = 16;

/// The sum of the first of what `f` says of a prediction and its target; the second becomes the
/// gradient, if it is wanted. In [`LANES`] sums that are added up last, always in the same order.
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

/// Mean over the features of what `cost` says of a prediction and its target: value and derivative.
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

/// Writes NaN everywhere: the answer to a target that `row` cannot use.
fn unusable(gradient: Option<&mut [f32]>) -> f64 {
    if let Some(gradient) = gradient {
        gradient.fill(f32::NAN);
    }
    f64::NAN
}

/// `label_smoothing` is a share.
fn check_smoothing(name: &str, smoothing: f32) -> Result<(), Error> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "{name}: label_smoothing must be in 0..=1, found {smoothing}"
    )))
}

/// Lets losses be watched as metrics, under the same name, as Keras does it: the mean over all rows
/// of an epoch.
macro_rules! watched {
    ($($loss:ident)*) => {$(
        impl Metric for $loss {
            fn name(&self) -> &str {
                Loss::name(self)
            }

            fn direction(&self) -> Direction {
                Direction::Down
            }

            fn start(&self, features: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
                needs(Loss::name(self), self.targets(), targets)?;
                Loss::check(self, features)?;
                let loss = *self;
                Ok(RowMean::boxed(move |prediction, target| loss.row(prediction, target, None)))
            }
        }
    )*};
}

watched! {
    BinaryCrossentropy CategoricalCrossentropy Huber MeanAbsoluteError MeanSquaredError
    SparseCategoricalCrossentropy
}

#[cfg(test)]
mod tests;
