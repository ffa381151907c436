//! Predictions with their targets, which losses and metrics read.

use rnn_runtime::{error::Error, host::largest};

pub use rnn_runtime::loss::{Target, TargetKind, TargetView};

/// Predictions of a batch, their targets and weights, by rows. A row is one sample, or one step
/// of one sample where the output is a sequence: rows = batch × time.
///
/// Example: [`Predictions::new`].
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    predictions: &'a [f32],
    features: usize,
    targets: TargetView<'a>,
    weights: Option<&'a [f32]>,
    mask: Option<&'a [f32]>,
}

impl<'a> Predictions<'a> {
    /// Combines `predictions`, `[rows, features]` row-major, with `targets` and `weights`, `[rows]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths do not fit, or there is not a row.
    ///
    /// ```
    /// use recurrent::train::{Predictions, TargetView};
    ///
    /// let predictions = Predictions::new(&[0.1, 0.9, 0.8, 0.2], 2, TargetView::Labels(&[1, 0]), None)?;
    /// assert_eq!(predictions.rows(), 2);
    /// assert!(Predictions::new(&[0.1, 0.9], 2, TargetView::Labels(&[1, 0]), None).is_err());
    /// # Ok::<(), recurrent::Error>(())
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
            _ => Ok(Predictions {
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
    /// use recurrent::train::{Predictions, TargetView, losses::{Loss, MeanSquaredError}};
    ///
    /// let targets = TargetView::Floats(&[0.0, 0.0, 0.0]);
    /// let predictions = Predictions::new(&[2.0, 4.0, 9.0], 1, targets, None)?.masked(&[1.0, 1.0, 0.0])?;
    /// assert_eq!(MeanSquaredError.mean(&predictions, None)?, (4.0 + 16.0) / 2.0);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn masked(self, mask: &'a [f32]) -> Result<Self, Error> {
        if mask.len() != self.rows() {
            return Err(Error::Shape {
                what: "mask".to_owned(),
                expected: format!("[{}]", self.rows()),
                found: format!("[{}]", mask.len()),
            });
        }
        Ok(Predictions {
            mask: Some(mask),
            ..self
        })
    }

    /// Number of rows that are not masked.
    pub fn counted(&self) -> usize {
        match self.mask {
            Some(mask) => mask.iter().filter(|&&valid| valid != 0.0).count(),
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

    /// As [`Predictions::iter`], with `None` for a masked row.
    pub(crate) fn all(
        &self,
    ) -> impl Iterator<Item = Option<(&'a [f32], Target<'a>, f32)>> + use<'a> {
        let Predictions {
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

impl<'a> Predictions<'a> {
    /// The first `rows` rows and the others; both must have some.
    fn split(self, rows: usize) -> (Self, Self) {
        let (a, b) = self.predictions.split_at(rows * self.features);
        let (ta, tb) = match self.targets {
            TargetView::Labels(labels) => {
                let (a, b) = labels.split_at(rows);
                (TargetView::Labels(a), TargetView::Labels(b))
            }
            TargetView::Floats(floats) => {
                let (a, b) = floats.split_at(rows * self.features);
                (TargetView::Floats(a), TargetView::Floats(b))
            }
        };
        let parts = |all: Option<&'a [f32]>| match all.map(|all| all.split_at(rows)) {
            Some((a, b)) => (Some(a), Some(b)),
            None => (None, None),
        };
        let ((wa, wb), (ma, mb)) = (parts(self.weights), parts(self.mask));
        let part = |predictions, targets, weights, mask| Predictions {
            predictions,
            targets,
            weights,
            mask,
            ..self
        };
        (part(a, ta, wa, ma), part(b, tb, wb, mb))
    }

    /// Calls `f` on pieces of the rows, and of their gradients if there are any, and adds up the results.
    /// Threads share the pieces.
    ///
    /// Rows are halved until a piece is small. So the pieces, and the order in which their sums are added,
    /// depend on the number of rows and features only, never on the number of threads.
    pub(crate) fn sum<const N: usize>(
        self,
        gradient: Option<&mut [f32]>,
        f: &(impl Fn(Predictions<'_>, Option<&mut [f32]>) -> [f64; N] + Sync),
    ) -> [f64; N] {
        let rows = self.rows();
        if rows < 2 || self.predictions.len() <= PIECE {
            return f(self, gradient);
        }
        let half = rows / 2;
        let (a, b) = self.split(half);
        let (ga, gb) = match gradient.map(|g| g.split_at_mut(half * self.features)) {
            Some((a, b)) => (Some(a), Some(b)),
            None => (None, None),
        };
        let (a, b) = match rayon::current_num_threads() {
            1 => (a.sum(ga, f), b.sum(gb, f)),
            _ => rayon::join(|| a.sum(ga, f), || b.sum(gb, f)),
        };
        std::array::from_fn(|i| a[i] + b[i])
    }
}

/// The size of a piece that is not halved any more, in numbers: about ten microseconds of work.
const PIECE: usize = 16 * 1024;

/// The index of the largest number, the first one if there are several; 0 if all are NaN.
pub(crate) fn argmax(row: &[f32]) -> usize {
    let largest = largest(row);
    if largest == f32::NEG_INFINITY {
        return 0;
    }
    row.iter().position(|&v| v == largest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_is_found() {
        let mut row: Vec<f32> = (0..37).map(|i| i as f32 % 7.0).collect();
        assert_eq!(argmax(&row), 6);
        row[20] = 6.5;
        row[35] = 6.5;
        row[3] = f32::NAN;
        assert_eq!(argmax(&row), 20);
        assert_eq!(argmax(&[-0.0, 0.0]), 0);
        assert_eq!(argmax(&[f32::NAN, f32::NEG_INFINITY]), 0);
        assert_eq!(argmax(&[f32::NAN, -3.0, f32::INFINITY]), 2);
        assert_eq!(argmax(&[f32::NAN; 3]), 0);
    }

    /// Every row once, with what belongs to it, whatever the number of threads.
    #[test]
    fn pieces_are_all_rows_in_a_fixed_order() {
        let (rows, features) = (1001, 47);
        let predictions: Vec<f32> = (0..rows * features).map(|i| (i as f32).sin()).collect();
        let labels: Vec<u32> = (0..rows as u32).collect();
        let weights: Vec<f32> = (0..rows).map(|i| (i as f32).cos()).collect();
        let mask: Vec<f32> = (0..rows).map(|i| (i % 3).min(1) as f32).collect();
        let targets = TargetView::Labels(&labels);
        let predictions =
            Predictions::new(&predictions, features, targets, Some(&weights)).unwrap();
        let predictions = predictions.masked(&mask).unwrap();
        let run = |threads| {
            let mut gradient = vec![0.0; rows * features];
            let f = |part: Predictions<'_>, gradient: Option<&mut [f32]>| {
                let mut sums = [0.0; 2];
                let gradients = gradient.unwrap().chunks_exact_mut(features);
                for (row, gradient) in part.all().zip(gradients) {
                    let Some((p, Target::Label(label), weight)) = row else {
                        continue;
                    };
                    sums[0] += f64::from(p[0]) * f64::from(weight);
                    sums[1] += 1.0;
                    gradient.fill(label as f32);
                }
                sums
            };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            let sums = pool.install(|| predictions.sum(Some(&mut gradient), &f));
            (sums, gradient)
        };
        let (sums, gradient) = run(1);
        assert_eq!(sums[1], predictions.counted() as f64);
        for (row, gradient) in gradient.chunks_exact(features).enumerate() {
            assert_eq!(gradient, vec![row as f32 * mask[row]; features]);
        }
        for threads in [2, 3, 7] {
            assert_eq!(run(threads), (sums, gradient.clone()));
        }
    }
}
