//! How a metric is summed up over the batches of an epoch.

use super::predictions::{Predictions, Target, TargetKind};
use rnn_runtime::{error::Error, loss::MetricRule};

/// Which way a number gets better.
///
/// Example: [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The larger the better.
    Up,
    /// The smaller the better.
    Down,
}

/// A metric. Your own metric, which is a mean over rows:
///
/// ```
/// use recurrent::Error;
/// use recurrent::train::{Predictions, Target, TargetKind, TargetView};
/// use recurrent::train::metrics::{Direction, Metric, RowMean, Tally};
///
/// /// Share of rows whose first number has the right sign.
/// struct SignAccuracy;
///
/// impl Metric for SignAccuracy {
///     fn name(&self) -> &str {
///         "sign_accuracy"
///     }
///     fn direction(&self) -> Direction {
///         Direction::Up
///     }
///     fn start(&self, features: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
///         if targets != TargetKind::Floats {
///             return Err(Error::Argument("sign_accuracy needs float targets".into()));
///         }
///         Ok(RowMean::boxed(|prediction, target| match target {
///             Target::Floats(target) if prediction[0] * target[0] > 0.0 => 1.0,
///             _ => 0.0,
///         }))
///     }
/// }
///
/// let mut tally = SignAccuracy.start(1, TargetKind::Floats)?;
/// tally.add(&Predictions::new(&[0.5, -0.5], 1, TargetView::Floats(&[2.0, 2.0]), None)?);
/// assert_eq!(tally.result(), 0.5);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no metric",
    label = "not a metric",
    note = "a metric is a value, not its name: write `Accuracy`, `MeanAbsoluteError` or `TopKCategoricalAccuracy::default()`; several are several calls, `.metric(Accuracy).metric(MeanAbsoluteError)`"
)]
pub trait Metric: Send {
    /// Its name in the logs; for validation data `val_` stands in front.
    fn name(&self) -> &str;

    /// Which way it gets better.
    fn direction(&self) -> Direction;

    /// The formula as data, if it is one of Keras's, for predictions of `features` numbers a row and targets of
    /// that kind: a model on a device can then compute it by itself. Without it the outputs are copied to
    /// the host at every step. The tally must be a [`RowMean`], or have [`Tally::add_sums`].
    fn metric_rule(&self, features: usize, targets: TargetKind) -> Option<MetricRule> {
        let _ = (features, targets);
        None
    }

    /// An empty tally for predictions of `features` numbers a row, and targets of that kind.
    ///
    /// # Errors
    /// [`Error::Argument`] if the metric cannot be computed from them.
    fn start(&self, features: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error>;
}

/// A metric being summed up over the batches of an epoch.
///
/// Example: [`Metric`].
pub trait Tally: Send {
    /// Adds the rows of a batch.
    fn add(&mut self, predictions: &Predictions<'_>);
    /// Adds rows that a device has summed up by [`Metric::metric_rule`]: the sum of the metric times the row's weight,
    /// and the sum of these weights.
    fn add_sums(&mut self, total: f64, weight: f64) {
        let _ = (total, weight);
    }
    /// The metric of all rows since the start or the last [`Tally::reset`].
    fn result(&self) -> f64;
    /// Forgets all rows.
    fn reset(&mut self);
}

/// Weighted mean over the rows of some function of a row's prediction and target.
///
/// Example: [`Metric`].
pub struct RowMean<F> {
    function: F,
    total: f64,
    weight: f64,
}

impl<F: Fn(&[f32], Target<'_>) -> f64 + Send + Sync + 'static> RowMean<F> {
    /// The mean of `function(prediction, target)`, as [`Metric::start`] returns it. Threads share the rows;
    /// the result does not depend on their number.
    pub fn boxed(function: F) -> Box<dyn Tally> {
        Box::new(RowMean {
            function,
            total: 0.0,
            weight: 0.0,
        })
    }
}

impl<F: Fn(&[f32], Target<'_>) -> f64 + Send + Sync> Tally for RowMean<F> {
    fn add(&mut self, predictions: &Predictions<'_>) {
        let some = |part: Predictions<'_>, _: Option<&mut [f32]>| {
            let (mut total, mut sum) = (0.0, 0.0);
            for (prediction, target, weight) in part.iter() {
                let weight = f64::from(weight);
                total += weight * (self.function)(prediction, target);
                sum += weight;
            }
            [total, sum]
        };
        let [total, weight] = predictions.sum(None, &some);
        self.add_sums(total, weight);
    }

    fn add_sums(&mut self, total: f64, weight: f64) {
        self.total += total;
        self.weight += weight;
    }

    /// 0 if all weights were 0, as in Keras.
    fn result(&self) -> f64 {
        if self.weight == 0.0 {
            0.0
        } else {
            self.total / self.weight
        }
    }

    fn reset(&mut self) {
        (self.total, self.weight) = (0.0, 0.0);
    }
}

/// An error unless the targets are of the kind that `name` needs.
pub(crate) fn needs(name: &str, wanted: TargetKind, found: TargetKind) -> Result<(), Error> {
    let words = |kind| match kind {
        TargetKind::Labels => "class numbers",
        TargetKind::Floats => "a float for every feature",
    };
    if wanted == found {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "metric {name} needs {} as targets, but the loss takes {}",
        words(wanted),
        words(found)
    )))
}
