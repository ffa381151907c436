//! How far off the model is.

use super::{Direction, Metric, RowMean, Tally, needs};
use crate::{
    error::Error,
    train::scored::{Target, TargetKind},
};

/// Mean over features and rows of `|prediction - target|`.
///
/// ```
/// use rnn_runtime::train::{Scored, TargetKind, TargetView, metrics::{MeanAbsoluteError, Metric}};
///
/// let mut tally = MeanAbsoluteError.start(1, TargetKind::Floats)?;
/// tally.add(&Scored::new(&[1.0, 2.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?);
/// assert_eq!(tally.result(), 1.5);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsoluteError;

impl Metric for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Floats, targets)?;
        Ok(RowMean::boxed(|prediction, target| {
            mean_over_features(prediction, target, f64::abs)
        }))
    }
}

/// Mean over features and rows of `(prediction - target)²`.
///
/// ```
/// use rnn_runtime::train::{Scored, TargetKind, TargetView, metrics::{MeanSquaredError, Metric}};
///
/// let mut tally = MeanSquaredError.start(1, TargetKind::Floats)?;
/// tally.add(&Scored::new(&[1.0, 2.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?);
/// assert_eq!(tally.result(), 2.5);
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

impl Metric for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, Error> {
        needs(self.name(), TargetKind::Floats, targets)?;
        Ok(RowMean::boxed(|prediction, target| {
            mean_over_features(prediction, target, |e| e * e)
        }))
    }
}

fn mean_over_features(prediction: &[f32], target: Target<'_>, cost: impl Fn(f64) -> f64) -> f64 {
    let Target::Floats(target) = target else {
        return f64::NAN;
    };
    let errors = prediction
        .iter()
        .zip(target)
        .map(|(&p, &t)| f64::from(p) - f64::from(t));
    errors.map(cost).sum::<f64>() / prediction.len() as f64
}
