//! How often the model is right.

use super::{Direction, Metric, RowMean, Tally, needs, share};
use crate::predictions::{Target, TargetKind, argmax};
use rnn_runtime::{error::Error, loss::MetricRule};

/// Share of right predictions. Like Keras's `"accuracy"` it is one of three metrics:
/// [`BinaryAccuracy`](struct@BinaryAccuracy) where the model predicts one number a row,
/// [`SparseCategoricalAccuracy`] where the targets are class numbers, and
/// [`CategoricalAccuracy`] otherwise.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView, metrics::{Accuracy, Metric}};
///
/// let mut tally = Accuracy.start(3, TargetKind::Labels)?;
/// tally.add(&Predictions::new(&[0.1, 0.7, 0.2], 3, TargetView::Labels(&[1]), None)?);
/// assert_eq!(tally.result(), 1.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Accuracy;

impl Metric for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, features: usize, targets: TargetKind) -> Option<MetricRule> {
        match targets {
            _ if features == 1 => BinaryAccuracy::default().metric_rule(features, targets),
            TargetKind::Labels => SparseCategoricalAccuracy.metric_rule(features, targets),
            TargetKind::Floats => CategoricalAccuracy.metric_rule(features, targets),
        }
    }

    fn start(&self, features: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        match targets {
            _ if features == 1 => BinaryAccuracy::default().start(features, targets),
            TargetKind::Labels => SparseCategoricalAccuracy.start(features, targets),
            TargetKind::Floats => CategoricalAccuracy.start(features, targets),
        }
    }
}

/// Share of numbers on the right side of the threshold; targets are 0 and 1.
///
/// As in Keras, the threshold applies to the model's output. With a loss from logits, 0 is the threshold
/// for a probability of one half.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView, metrics::{BinaryAccuracy, Metric}};
///
/// let mut tally = BinaryAccuracy { threshold: 0.0 }.start(1, TargetKind::Floats)?;
/// tally.add(&Predictions::new(&[0.3, -0.3], 1, TargetView::Floats(&[1.0, 1.0]), None)?);
/// assert_eq!(tally.result(), 0.5);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BinaryAccuracy {
    /// Above it (not at it) a prediction counts as 1; one half by default.
    pub threshold: f32,
}

/// [`BinaryAccuracy`](struct@BinaryAccuracy) with Keras's threshold of one half: `.metric(BinaryAccuracy)`.
///
/// ```
/// use recurrent::prelude::*;
///
/// let scores = Scores::new().loss(BinaryCrossentropy::default()).metric(BinaryAccuracy);
/// ```
#[expect(
    non_upper_case_globals,
    reason = "metrics without options are values by their type's name, too"
)]
pub const BinaryAccuracy: BinaryAccuracy = BinaryAccuracy { threshold: 0.5 };

impl Default for BinaryAccuracy {
    fn default() -> Self {
        BinaryAccuracy
    }
}

impl Metric for BinaryAccuracy {
    fn name(&self) -> &str {
        "binary_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
        Some(MetricRule::BinaryAccuracy {
            threshold: self.threshold,
        })
    }

    fn start(&self, features: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        if features != 1 {
            needs(self.name(), TargetKind::Floats, targets)?;
        }
        let threshold = self.threshold;
        let bit = move |p: f32| if p > threshold { 1.0 } else { 0.0 };
        Ok(RowMean::boxed(move |prediction, target| match target {
            Target::Label(label) => share(bit(prediction[0]) == label as f32),
            Target::Floats(target) => {
                let right = prediction
                    .iter()
                    .zip(target)
                    .filter(|&(&p, &t)| bit(p) == t)
                    .count();
                right as f64 / prediction.len() as f64
            }
        }))
    }
}

/// Share of rows whose largest number has the index of the target's largest, for one-hot targets.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView, metrics::{CategoricalAccuracy, Metric}};
///
/// let mut tally = CategoricalAccuracy.start(2, TargetKind::Floats)?;
/// tally.add(&Predictions::new(&[0.3, 0.7], 2, TargetView::Floats(&[0.0, 1.0]), None)?);
/// assert_eq!(tally.result(), 1.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalAccuracy;

impl Metric for CategoricalAccuracy {
    fn name(&self) -> &str {
        "categorical_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
        Some(MetricRule::CategoricalAccuracy)
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Floats, targets)?;
        Ok(RowMean::boxed(|prediction, target| match target {
            Target::Floats(target) => share(argmax(prediction) == argmax(target)),
            Target::Label(_) => f64::NAN,
        }))
    }
}

/// Share of rows whose largest number has the index that the target gives, for class numbers.
///
/// ```
/// use recurrent::train::{Predictions, TargetKind, TargetView};
/// use recurrent::train::metrics::{Metric, SparseCategoricalAccuracy};
///
/// let mut tally = SparseCategoricalAccuracy.start(2, TargetKind::Labels)?;
/// tally.add(&Predictions::new(&[0.3, 0.7, 0.3, 0.7], 2, TargetView::Labels(&[0, 1]), None)?);
/// assert_eq!(tally.result(), 0.5);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseCategoricalAccuracy;

impl Metric for SparseCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_categorical_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn metric_rule(&self, _: usize, _: TargetKind) -> Option<MetricRule> {
        Some(MetricRule::SparseCategoricalAccuracy)
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Labels, targets)?;
        Ok(RowMean::boxed(|prediction, target| match target {
            Target::Label(label) => share(argmax(prediction) == label as usize),
            Target::Floats(_) => f64::NAN,
        }))
    }
}
