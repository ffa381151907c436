//! Losses on numbers.

use super::Loss;
use crate::predictions::{Target, TargetKind};
use rnn_runtime::{error::Error, host::loss_row, loss::LossRule};

/// Mean over the features of `(prediction - target)²`.
///
/// ```
/// use recurrent::train::{Predictions, TargetView, losses::{Loss, MeanSquaredError}};
///
/// let predictions = Predictions::new(&[1.0, 3.0], 2, TargetView::Floats(&[0.0, 0.0]), None)?;
/// let mut gradient = [0.0; 2];
/// assert_eq!(MeanSquaredError.mean(&predictions, Some(&mut gradient))?, 5.0);
/// assert_eq!(gradient, [1.0, 3.0]);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

impl MeanSquaredError {
    fn data(&self) -> LossRule {
        LossRule::MeanSquaredError
    }
}

impl Loss for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }

    fn has_classes(&self) -> bool {
        false
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}

/// Mean over the features of `|prediction - target|`. The gradient at 0 is 0.
///
/// ```
/// use recurrent::train::{Predictions, TargetView, losses::{Loss, MeanAbsoluteError}};
///
/// let predictions = Predictions::new(&[1.0, -3.0], 2, TargetView::Floats(&[0.0, 0.0]), None)?;
/// assert_eq!(MeanAbsoluteError.mean(&predictions, None)?, 2.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsoluteError;

impl MeanAbsoluteError {
    fn data(&self) -> LossRule {
        LossRule::MeanAbsoluteError
    }
}

impl Loss for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }

    fn has_classes(&self) -> bool {
        false
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}

/// Mean over the features of the error squared and halved up to `delta`, and linear beyond it
/// (Huber, 1964).
///
/// ```
/// use recurrent::train::{Predictions, TargetView, losses::{Huber, Loss}};
///
/// let predictions = Predictions::new(&[0.5, 3.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?;
/// assert_eq!(Huber::default().mean(&predictions, None)?, (0.125 + 2.5) / 2.0);
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Huber {
    /// Where the square becomes a line; 1 by default.
    pub delta: f32,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl Huber {
    fn data(&self) -> LossRule {
        LossRule::Huber { delta: self.delta }
    }
}

impl Loss for Huber {
    fn name(&self) -> &str {
        "huber"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }

    fn has_classes(&self) -> bool {
        false
    }

    fn check(&self, _: usize) -> Result<(), Error> {
        if self.delta > 0.0 && self.delta.is_finite() {
            return Ok(());
        }
        Err(Error::Argument(format!(
            "huber: delta must be positive, found {}",
            self.delta
        )))
    }

    fn rule(&self) -> Option<LossRule> {
        Some(self.data())
    }

    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        loss_row(self.data(), prediction, target, gradient)
    }
}
