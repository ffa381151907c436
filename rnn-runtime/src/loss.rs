//! Losses and their targets as data, so that a device can compute them beside its outputs.

/// Targets of some rows.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::train::{Predictions, TargetView};
///
/// // Two rows of two numbers.
/// let targets = TargetView::Floats(&[1.0, 2.0, 3.0, 4.0]);
/// let predictions = Predictions::new(&[1.0, 2.0, 3.0, 6.0], 2, targets, None)?;
/// assert_eq!(MeanSquaredError.mean(&predictions, None)?, 1.0);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum TargetView<'a> {
    /// `[rows]`: the number of the right class.
    Labels(&'a [u32]),
    /// `[rows, features]`, row-major, as the predictions.
    Floats(&'a [f32]),
}

/// Target of one row.
///
/// Example: [`Metric`](https://docs.rs/recurrent/latest/recurrent/metrics/trait.Metric.html).
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The number of the right class.
    Label(u32),
    /// `[features]`
    Floats(&'a [f32]),
}

/// Which targets a loss takes.
///
/// Example: [`Metric`](https://docs.rs/recurrent/latest/recurrent/metrics/trait.Metric.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Class numbers, one a row.
    Labels,
    /// As many floats a row as the model predicts.
    Floats,
}

/// A loss of one row, with Keras's formulas. `host::loss_row` computes each of them on the host; the
/// results of other devices are compared with it.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LossRule {
    /// Mean over the features of `(prediction - target)²`.
    MeanSquaredError,
    /// Mean over the features of `|prediction - target|`; the derivative at 0 is 0.
    MeanAbsoluteError,
    /// Mean over the features of the error squared and halved up to `delta`, linear beyond it.
    Huber {
        /// Where the square becomes a line.
        delta: f32,
    },
    /// Cross-entropy of yes or no, averaged over the features.
    BinaryCrossentropy {
        /// The predictions are logits, not probabilities.
        from_logits: bool,
        /// Draws the targets towards one half: 1 becomes `1 - label_smoothing / 2`.
        label_smoothing: f32,
    },
    /// Cross-entropy of a choice among classes, with a probability for every class as target.
    CategoricalCrossentropy {
        /// The predictions are logits, not probabilities.
        from_logits: bool,
        /// This share of every target is spread evenly over the classes.
        label_smoothing: f32,
    },
    /// Cross-entropy of a choice among classes, with the class's number as target.
    SparseCategoricalCrossentropy {
        /// The predictions are logits, not probabilities.
        from_logits: bool,
    },
}

/// The loss of one output of a batch.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug)]
pub struct LossTask<'a> {
    /// The loss of one row.
    pub rule: LossRule,
    /// Numbers in a row of the predictions: rows = predictions / features.
    pub features: usize,
    /// The targets of all rows.
    pub targets: TargetView<'a>,
    /// The weight of every row, `[rows]`; 1 where none is given.
    pub weights: Option<&'a [f32]>,
    /// The gradient, not the loss, is multiplied by this: how much this output counts among several.
    pub share: f64,
    /// Metrics of the same predictions and targets.
    pub metrics: &'a [MetricTask],
}

/// A metric of one row, with Keras's formulas.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricRule {
    /// A loss.
    Loss(LossRule),
    /// Share of the features on the right side of the threshold.
    BinaryAccuracy {
        /// Above it, not at it, a prediction counts as 1.
        threshold: f32,
    },
    /// Whether the largest prediction has the index of the largest target.
    CategoricalAccuracy,
    /// Whether the largest prediction has the index that the target gives.
    SparseCategoricalAccuracy,
    /// Whether the class of the largest target is among the `k` largest predictions.
    TopKCategoricalAccuracy {
        /// How many guesses.
        k: usize,
    },
    /// Whether the class that the target gives is among the `k` largest predictions.
    SparseTopKCategoricalAccuracy {
        /// How many guesses.
        k: usize,
    },
}

/// A metric of one output of a batch.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricTask {
    /// The metric of one row.
    pub rule: MetricRule,
    /// Rows count by their weights.
    pub weighted: bool,
}

/// A number that a model has computed for the trainer.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// This number.
    Known(f64),
    /// The number with this index among those that
    /// [`Trainable::figures`](crate::trainable::Trainable::figures) gives next. A device goes on with the
    /// next batch meanwhile.
    Kept(usize),
}

/// What a model has computed of one output of a batch.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Debug, PartialEq)]
pub struct LossFigures {
    /// The loss.
    pub loss: Figure,
    /// For each metric: the sum over the rows of the metric times the row's weight, and the sum of these
    /// weights, which are 1 unless the metric is weighted. `None`: the host computes it.
    pub metrics: Vec<Option<[Figure; 2]>>,
}

/// The gradient of the loss with respect to one output.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// Zero everywhere: this output has no loss.
    Zero,
    /// The gradient that [`Trainable::loss`](crate::trainable::Trainable::loss) kept.
    Kept,
    /// These numbers, in the layout of [`Trainable::output`](crate::trainable::Trainable::output).
    Host(&'a [f32]),
}
