//! Metrics, which are logged besides the loss: Keras's metrics, by Keras's names
//! ([`keras.metrics`](https://keras.io/api/metrics/)).
//!
//! A metric is its options; a [`Tally`] sums it up over an epoch. The [losses](super::losses) are
//! metrics too:
//!
//! ```
//! use recurrent::train::{Predictions, TargetKind, TargetView, losses::Huber};
//! use recurrent::train::metrics::{MeanAbsoluteError, Metric};
//!
//! let predictions = Predictions::new(&[1.0, 2.0], 1, TargetView::Floats(&[0.0, 0.0]), None)?;
//! let mut tally = MeanAbsoluteError.start(1, TargetKind::Floats)?;
//! tally.add(&predictions);
//! assert_eq!(tally.result(), 1.5);
//! let mut tally = Huber::default().start(1, TargetKind::Floats)?;
//! tally.add(&predictions);
//! assert_eq!(tally.result(), (0.5 + 1.5) / 2.0);
//! # Ok::<(), recurrent::Error>(())
//! ```

mod accuracy;
mod top_k;

pub use super::losses::{MeanAbsoluteError, MeanSquaredError};
use super::tally::needs;
pub use super::tally::{Direction, Metric, RowMean, Tally};
pub use accuracy::{Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy};
pub use top_k::{SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy};

/// 1 for yes.
fn share(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests;
