//! Losses, which training minimises: Keras's losses, by Keras's names, with Keras's defaults.
//!
//! Every loss is written for one row (see [`Predictions`]) and reduced as Keras's
//! `sum_over_batch_size` does it: the sum over all rows, each times its weight, divided by the
//! number of rows (not by the sum of the weights). Steps that a mask calls padding are no rows.
//!
//! All losses here are metrics too ([`Metric`]).
//!
//! Where Keras's backends differ, this follows the majority: probabilities of classes are made to sum to
//! 1 and then clipped. (For class numbers TensorFlow clips first, which gives the same unless a
//! probability is within 1e-7 of 0 or 1, or above 1.)
//!
//! Formulas: [`keras.losses`](https://keras.io/api/losses/). Per row they are computed in
//! float64, since differences of probabilities cancel.

mod crossentropy;
mod regression;

use super::{
    predictions::{Predictions, Target, TargetKind},
    tally::{Direction, Metric, RowMean, Tally, needs},
};
use rnn_runtime::{
    error::Error,
    learner::OutputRange,
    loss::{LossRule, MetricRule},
};

pub use crossentropy::{
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
};
pub use regression::{Huber, MeanAbsoluteError, MeanSquaredError};

/// A loss. Your own loss says which targets it takes and computes the loss of one row:
///
/// ```
/// use rnn_train::{Predictions, Target, TargetKind, TargetView, losses::Loss};
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
/// let predictions = Predictions::new(&[1.0, 2.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?;
/// let mut gradient = [0.0; 2];
/// assert_eq!(Quartic.mean(&predictions, Some(&mut gradient))?, 17.0 / 2.0);
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

    /// Which numbers it is for: [`OutputRange::Logits`] or [`OutputRange::Probabilities`]; any, if unknown, which is
    /// the default. A trainer refuses a model whose outputs are the others
    /// ([`Trainer::insist`](crate::Trainer::insist)).
    fn expects(&self) -> OutputRange {
        OutputRange::Unknown
    }

    /// Whether targets stand for classes, so that classes can have weights
    /// ([`Fit::class_weight`](crate::Fit)). True by default.
    fn has_classes(&self) -> bool {
        true
    }

    /// Checks that the options make sense and suit an output of `features` numbers a row.
    ///
    /// # Errors
    /// [`Error::Argument`] that says what does not.
    fn check(&self, features: usize) -> Result<(), Error> {
        let _ = features;
        Ok(())
    }

    /// The formula as data, if it is one of Keras's: a model on a device can then compute loss and
    /// gradient by itself. Without it, [`Loss::row`] runs on the host, and a model on a device copies
    /// its outputs to the host and their gradients back at every step.
    fn rule(&self) -> Option<LossRule> {
        None
    }

    /// The loss of one row. If `gradient`, `[features]`, is given, it gets the derivative of the loss with
    /// respect to `prediction`, `[features]`.
    ///
    /// A target of the other kind or of another length, or a label that is not below `features`, gives NaN.
    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64;

    /// The sum over the rows, each times its weight, divided by the number of rows. Masked rows count in
    /// neither; if all rows are masked, the loss is 0, as in Keras. If `gradient`, `[rows, features]`, is
    /// given, it gets the derivative of the loss with respect to the predictions.
    ///
    /// Threads share the rows; the result does not depend on their number.
    ///
    /// NaN in the predictions gives NaN, as in Keras.
    ///
    /// # Errors
    /// [`Error::Shape`] if `gradient` is not as long as the predictions.
    fn mean(
        &self,
        predictions: &Predictions<'_>,
        gradient: Option<&mut [f32]>,
    ) -> Result<f64, Error> {
        // At least 1, so that an empty sum gives 0 rather than NaN.
        let rows = predictions.counted().max(1) as f64;
        if let Some(gradient) = &gradient
            && gradient.len() != predictions.rows() * predictions.features()
        {
            return Err(Error::Shape {
                what: "gradient of the predictions".to_owned(),
                expected: format!("[{} * {}]", predictions.rows(), predictions.features()),
                found: format!("[{}]", gradient.len()),
            });
        }
        let some = |part: Predictions<'_>, gradient: Option<&mut [f32]>| {
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
        let [sum] = predictions.sum(gradient, &some);
        Ok(sum / rows)
    }
}

/// What a cross-entropy is for.
fn expected(from_logits: bool) -> OutputRange {
    match from_logits {
        true => OutputRange::Logits,
        false => OutputRange::Probabilities,
    }
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

/// Makes losses metrics of the same name, as in Keras: the mean over all rows of an epoch.
macro_rules! watched {
    ($($loss:ident)*) => {$(
        impl Metric for $loss {
            fn name(&self) -> &str {
                Loss::name(self)
            }

            fn direction(&self) -> Direction {
                Direction::Down
            }

            fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
                Loss::rule(self).map(MetricRule::Loss)
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
