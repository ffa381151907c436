//! Cross-entropies: minus the logarithm of the predicted probability of the right class.

use super::{Loss, check_smoothing, expected};
use crate::predictions::{Target, TargetKind};
use rnn_runtime::{error::Error, host::loss_row, learner::OutputRange, loss::LossRule};

/// Cross-entropy of a choice among classes, with the class's number as target.
///
/// By default the predictions are probabilities, made to sum to 1 and kept within
/// `1e-7..=1 - 1e-7`, as Keras does it; where they were cut off the gradient is 0. Better let the
/// model end without a softmax and use [`from_logits`](Self::from_logits): that is exact
/// everywhere.
///
/// ```
/// use rnn_train::{Predictions, TargetView, losses::{Loss, SparseCategoricalCrossentropy}};
///
/// let predictions = Predictions::new(&[0.25, 0.75], 2, TargetView::Labels(&[1]), None)?;
/// let loss = SparseCategoricalCrossentropy::default().mean(&predictions, None)?;
/// assert!((loss - -(0.75f64.ln())).abs() < 1e-12);
///
/// let predictions = Predictions::new(&[500.0, -500.0], 2, TargetView::Labels(&[1]), None)?;
/// let mut gradient = [0.0; 2];
/// let loss = SparseCategoricalCrossentropy::from_logits().mean(&predictions, Some(&mut gradient))?;
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

impl SparseCategoricalCrossentropy {
    fn data(&self) -> LossRule {
        LossRule::SparseCategoricalCrossentropy {
            from_logits: self.from_logits,
        }
    }
}

impl Loss for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        "sparse_categorical_crossentropy"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn expects(&self) -> OutputRange {
        expected(self.from_logits)
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}

/// Cross-entropy of a choice among classes, with a probability for every class as target
/// (one-hot, or softer).
///
/// Predictions are as in [`SparseCategoricalCrossentropy`].
///
/// ```
/// use rnn_train::{Predictions, TargetView, losses::{CategoricalCrossentropy, Loss}};
///
/// let predictions = Predictions::new(&[0.25, 0.75], 2, TargetView::Floats(&[0.0, 1.0]), None)?;
/// let loss = CategoricalCrossentropy::default().mean(&predictions, None)?;
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

impl CategoricalCrossentropy {
    fn data(&self) -> LossRule {
        LossRule::CategoricalCrossentropy {
            from_logits: self.from_logits,
            label_smoothing: self.label_smoothing,
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

    fn expects(&self) -> OutputRange {
        expected(self.from_logits)
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}

/// Cross-entropy of yes or no, averaged over the features; targets are 0, 1 or between.
///
/// By default the predictions are probabilities, kept within `1e-7..=1 - 1e-7` as in Keras; where
/// they were cut off the gradient is 0. [`from_logits`](Self::from_logits) is exact everywhere.
///
/// ```
/// use rnn_train::{Predictions, TargetView, losses::{BinaryCrossentropy, Loss}};
///
/// let predictions = Predictions::new(&[0.0, 0.0], 1, TargetView::Floats(&[0.0, 1.0]), None)?;
/// let loss = BinaryCrossentropy::from_logits().mean(&predictions, None)?;
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
}

impl BinaryCrossentropy {
    fn data(&self) -> LossRule {
        LossRule::BinaryCrossentropy {
            from_logits: self.from_logits,
            label_smoothing: self.label_smoothing,
        }
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

    fn expects(&self) -> OutputRange {
        expected(self.from_logits)
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}
