//! How often the right class is among the best guesses.

use super::{Direction, Metric, RowMean, Tally, needs, share};
use crate::predictions::{Target, TargetKind, argmax};
use rnn_runtime::{error::Error, loss::MetricRule};

/// Share of rows whose right class, the largest of a one-hot target, is among the `k` largest
/// predictions.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView};
/// use recurrent::train::metrics::{Metric, TopKCategoricalAccuracy};
///
/// let mut tally = TopKCategoricalAccuracy { k: 2 }.start(3, TargetKind::Floats)?;
/// tally.add(&Predictions::new(&[0.2, 0.3, 0.5], 3, TargetView::Floats(&[0.0, 1.0, 0.0]), None)?);
/// assert_eq!(tally.result(), 1.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TopKCategoricalAccuracy {
    /// How many guesses; 5 by default.
    pub k: usize,
}

/// [`TopKCategoricalAccuracy`](struct@TopKCategoricalAccuracy) with Keras's 5 guesses.
///
/// ```
/// use recurrent::prelude::*;
///
/// let scores = Scores::new().loss(CategoricalCrossentropy::default()).metric(TopKCategoricalAccuracy);
/// ```
#[expect(
    non_upper_case_globals,
    reason = "metrics without options are values by their type's name, too"
)]
pub const TopKCategoricalAccuracy: TopKCategoricalAccuracy = TopKCategoricalAccuracy { k: 5 };

impl Default for TopKCategoricalAccuracy {
    fn default() -> Self {
        TopKCategoricalAccuracy
    }
}

impl Metric for TopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "top_k_categorical_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
        Some(MetricRule::TopKCategoricalAccuracy { k: self.k })
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Floats, targets)?;
        let k = check(self.name(), self.k)?;
        Ok(RowMean::boxed(move |prediction, target| match target {
            Target::Floats(target) => share(in_top_k(prediction, argmax(target), k)),
            Target::Label(_) => f64::NAN,
        }))
    }
}

/// Share of rows whose right class, given by its number, is among the `k` largest predictions.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView};
/// use recurrent::train::metrics::{Metric, SparseTopKCategoricalAccuracy};
///
/// let mut tally = SparseTopKCategoricalAccuracy { k: 2 }.start(3, TargetKind::Labels)?;
/// tally.add(&Predictions::new(&[0.2, 0.3, 0.5], 3, TargetView::Labels(&[0]), None)?);
/// assert_eq!(tally.result(), 0.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SparseTopKCategoricalAccuracy {
    /// How many guesses; 5 by default.
    pub k: usize,
}

/// [`SparseTopKCategoricalAccuracy`](struct@SparseTopKCategoricalAccuracy) with Keras's 5 guesses.
///
/// ```
/// use recurrent::prelude::*;
///
/// let scores = Scores::new()
///     .loss(SparseCategoricalCrossentropy::default())
///     .metric(SparseTopKCategoricalAccuracy);
/// ```
#[expect(
    non_upper_case_globals,
    reason = "metrics without options are values by their type's name, too"
)]
pub const SparseTopKCategoricalAccuracy: SparseTopKCategoricalAccuracy =
    SparseTopKCategoricalAccuracy { k: 5 };

impl Default for SparseTopKCategoricalAccuracy {
    fn default() -> Self {
        SparseTopKCategoricalAccuracy
    }
}

impl Metric for SparseTopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_top_k_categorical_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
        Some(MetricRule::SparseTopKCategoricalAccuracy { k: self.k })
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Labels, targets)?;
        let k = check(self.name(), self.k)?;
        Ok(RowMean::boxed(move |prediction, target| match target {
            Target::Label(label) => share(in_top_k(prediction, label as usize, k)),
            Target::Floats(_) => f64::NAN,
        }))
    }
}

fn check(name: &str, k: usize) -> Result<usize, Error> {
    if k > 0 {
        return Ok(k);
    }
    Err(Error::Argument(format!(
        "metric {name}: k must be positive, found 0"
    )))
}

/// Whether fewer than `k` predictions are above that of `class`; as in Keras, equal ones all count.
fn in_top_k(prediction: &[f32], class: usize, k: usize) -> bool {
    let Some(&own) = prediction.get(class) else {
        return false;
    };
    let own = if own.is_nan() { f32::NEG_INFINITY } else { own };
    prediction.iter().filter(|&&p| p > own).count() < k
}
