//! Predictions beside their targets: what losses and metrics look at.

use crate::error::Error;

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

/// Predictions of a batch, their targets and weights, by rows. A row is one sample, or one step
/// of one sample where the output is a sequence: rows = batch × time.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    predictions: &'a [f32],
    features: usize,
    targets: TargetView<'a>,
    weights: Option<&'a [f32]>,
    mask: Option<&'a [f32]>,
}

impl<'a> Scored<'a> {
    /// Puts `predictions`, `[rows, features]` row-major, beside `targets` and `weights`, `[rows]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths do not fit, or there is not a row.
    ///
    /// ```
    /// use rnn_runtime::train::{Scored, TargetView};
    ///
    /// let scored = Scored::new(&[0.1, 0.9, 0.8, 0.2], 2, TargetView::Labels(&[1, 0]), None)?;
    /// assert_eq!(scored.rows(), 2);
    /// assert!(Scored::new(&[0.1, 0.9], 2, TargetView::Labels(&[1, 0]), None).is_err());
    /// # Ok::<(), rnn_runtime::Error>(())
    /// ```
    pub fn new(
        predictions: &'a [f32],
        features: usize,
        targets: TargetView<'a>,
        weights: Option<&'a [f32]>,
    ) -> Result<Self, Error> {
        let wrong = |what: &str, expected: String, found: usize| {
            Err(Error::Shape {
                what: what.to_owned(),
                expected,
                found: format!("[{found}]"),
            })
        };
        if features == 0 || predictions.is_empty() || !predictions.len().is_multiple_of(features) {
            return wrong(
                "predictions",
                format!("[rows * {features}], rows > 0"),
                predictions.len(),
            );
        }
        let rows = predictions.len() / features;
        match targets {
            TargetView::Labels(labels) if labels.len() != rows => {
                return wrong("labels", format!("[{rows}]"), labels.len());
            }
            TargetView::Floats(floats) if floats.len() != predictions.len() => {
                return wrong("targets", format!("[{rows} * {features}]"), floats.len());
            }
            _ => {}
        }
        match weights {
            Some(weights) if weights.len() != rows => {
                wrong("sample weights", format!("[{rows}]"), weights.len())
            }
            _ => Ok(Scored {
                predictions,
                features,
                targets,
                weights,
                mask: None,
            }),
        }
    }

    /// Leaves out the rows where `mask`, `[rows]`, is 0: the padding of sequences.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many rows.
    ///
    /// ```
    /// use rnn_runtime::train::{Scored, TargetView, losses::{Loss, MeanSquaredError}};
    ///
    /// let targets = TargetView::Floats(&[0.0, 0.0, 0.0]);
    /// let scored = Scored::new(&[2.0, 4.0, 9.0], 1, targets, None)?.masked(&[1.0, 1.0, 0.0])?;
    /// assert_eq!(MeanSquaredError.mean(&scored, None)?, (4.0 + 16.0) / 2.0);
    /// # Ok::<(), rnn_runtime::Error>(())
    /// ```
    pub fn masked(self, mask: &'a [f32]) -> Result<Self, Error> {
        if mask.len() != self.rows() {
            return Err(Error::Shape {
                what: "mask".to_owned(),
                expected: format!("[{}]", self.rows()),
                found: format!("[{}]", mask.len()),
            });
        }
        Ok(Scored {
            mask: Some(mask),
            ..self
        })
    }

    /// Number of rows that are not masked.
    pub fn counted(&self) -> usize {
        match self.mask {
            Some(mask) => mask.iter().filter(|&&real| real != 0.0).count(),
            None => self.rows(),
        }
    }

    /// Number of rows, masked ones too; at least 1.
    pub fn rows(&self) -> usize {
        self.predictions.len() / self.features
    }

    /// Numbers in a row of the predictions, at least 1.
    pub fn features(&self) -> usize {
        self.features
    }

    /// All targets.
    pub fn targets(&self) -> TargetView<'a> {
        self.targets
    }

    /// Prediction `[features]`, target and weight (1 where none is given) of every row that is not
    /// masked, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [f32], Target<'a>, f32)> + use<'a> {
        self.all().flatten()
    }

    /// As [`Scored::iter`], with `None` for a masked row.
    pub(crate) fn all(
        &self,
    ) -> impl Iterator<Item = Option<(&'a [f32], Target<'a>, f32)>> + use<'a> {
        let Scored {
            features,
            targets,
            weights,
            mask,
            ..
        } = *self;
        self.predictions
            .chunks_exact(features)
            .enumerate()
            .map(move |(row, prediction)| {
                if mask.is_some_and(|mask| mask[row] == 0.0) {
                    return None;
                }
                let target = match targets {
                    TargetView::Labels(labels) => Target::Label(labels[row]),
                    TargetView::Floats(floats) => {
                        Target::Floats(&floats[row * features..(row + 1) * features])
                    }
                };
                Some((prediction, target, weights.map_or(1.0, |w| w[row])))
            })
    }
}

/// Place of the largest number, the first one if there are several; 0 if all are NaN.
pub(crate) fn argmax(row: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, &value) in row.iter().enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}
