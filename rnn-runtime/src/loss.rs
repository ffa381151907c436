//! Losses and their targets as data, so that a device can compute them beside its outputs.

/// Targets of some rows.
#[derive(Clone, Copy, Debug)]
pub enum TargetView<'a> {
    /// `[rows]`: the number of the right class.
    Labels(&'a [u32]),
    /// `[rows, features]`, row-major, as the predictions.
    Floats(&'a [f32]),
}

/// Target of one row.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The number of the right class.
    Label(u32),
    /// `[features]`
    Floats(&'a [f32]),
}

/// Which targets a loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Class numbers, one a row.
    Labels,
    /// As many floats a row as the model predicts.
    Floats,
}

/// A loss of one row, with Keras's formulas. `host::loss_row` computes each of them on the host; the
/// results of other devices are compared with it.
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
}
