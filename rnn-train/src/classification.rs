//! Which classes a classifier takes for which.

use core::fmt;

use ndarray::{Array2, ArrayBase, Data, Dimension};

use super::{data::IntoColumn, predictions::argmax};
use rnn_runtime::error::Error;

/// How often rows of one class were taken for another, as in scikit-learn's `confusion_matrix`: a row of the
/// matrix for every true class, a column for every predicted one.
///
/// ```
/// use ndarray::array;
/// use recurrent::prelude::*;
///
/// // What `model.predict(&x)?` gave for four samples: probabilities or logits of three classes.
/// let predictions = array![[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.0, 0.1, 0.9]];
/// let matrix = ConfusionMatrix::new(&predictions, &[0, 1, 1, 2])?;
/// assert_eq!(matrix.count(1, 0), 1);
/// assert_eq!(matrix.accuracy(), 0.75);
///
/// let matrix = matrix.names(&["yes", "no", "noise"])?;
/// println!("{matrix}");
/// println!("{}", matrix.report());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    names: Vec<String>,
    /// `[true][predicted]`
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Counts the rows of predictions `[…, classes]`, whose class is that of the largest number, against class numbers
    /// `[…]`: one a row. An output of one number is that of class 1 of two, above one half; see
    /// [`ConfusionMatrix::binary`] for logits.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many labels as rows, [`Error::Argument`] if a label is no class number, or a
    /// prediction is NaN.
    pub fn new<S: Data<Elem = f32>, D: Dimension>(
        predictions: &ArrayBase<S, D>,
        labels: impl IntoColumn,
    ) -> Result<ConfusionMatrix, Error> {
        let classes = predictions.shape().last().copied().unwrap_or(1);
        if predictions.ndim() < 2 || classes == 1 {
            return ConfusionMatrix::binary(predictions, labels, 0.5);
        }
        let mut rows = predictions.rows().into_iter();
        let mut row = Vec::with_capacity(classes);
        ConfusionMatrix::of(predictions.len() / classes.max(1), labels, classes, |_| {
            row.clear();
            row.extend(rows.next().into_iter().flatten().copied());
            row.iter().all(|v| !v.is_nan()).then(|| argmax(&row))
        })
    }

    /// [`ConfusionMatrix::new`] without the rows whose mask is false: padded steps, which losses and metrics leave out, too.
    ///
    /// # Errors
    /// As [`ConfusionMatrix::new`]; [`Error::Shape`] if there is not a mask for every row.
    ///
    /// ```
    /// use ndarray::{Array3, array};
    /// use recurrent::prelude::*;
    ///
    /// // Two sequences of three steps, one of them shorter.
    /// let predictions = Array3::from_shape_fn((2, 3, 2), |(_, _, class)| class as f32);
    /// let labels = array![[1, 1, 0], [1, 0, 0]];
    /// let real = array![[true, true, true], [true, false, false]];
    /// let matrix = ConfusionMatrix::masked(&predictions, &labels, &real)?;
    /// assert_eq!((matrix.count(1, 1), matrix.count(0, 1)), (3, 1));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn masked<S: Data<Elem = f32>, D: Dimension, M: Data<Elem = bool>, E: Dimension>(
        predictions: &ArrayBase<S, D>,
        labels: impl IntoColumn,
        mask: &ArrayBase<M, E>,
    ) -> Result<ConfusionMatrix, Error> {
        let (rows, labels) = (predictions.rows(), labels.into_column()?);
        let count = rows.into_iter().len();
        let labels = labels.to_floats();
        if mask.len() != count || labels.len() != count {
            return Err(Error::Shape {
                what: "labels and mask".to_owned(),
                expected: format!("{count} each, one for every row of the predictions"),
                found: format!("{} and {}", labels.len(), mask.len()),
            });
        }
        let kept: Vec<usize> = (0..count)
            .zip(mask)
            .filter_map(|(i, m)| m.then_some(i))
            .collect();
        let labels: Vec<f32> = kept.iter().map(|i| labels[*i]).collect();
        let classes = predictions.shape().last().copied().unwrap_or(1);
        let rows: Vec<_> = predictions.rows().into_iter().collect();
        let values = kept.iter().flat_map(|i| rows[*i].iter().copied());
        let all = Array2::from_shape_vec((kept.len(), classes), values.collect())
            .map_err(|e| Error::Argument(e.to_string()))?;
        ConfusionMatrix::new(&all, labels)
    }

    /// Counts numbers above a threshold, as class 1, against labels of 0 and 1. Logits are above 0 where a probability is
    /// above one half.
    ///
    /// # Errors
    /// As [`ConfusionMatrix::new`].
    ///
    /// ```
    /// use ndarray::array;
    /// use recurrent::prelude::*;
    ///
    /// let logits = array![[2.0], [-1.0], [0.5]];
    /// let matrix = ConfusionMatrix::binary(&logits, &[1, 0, 0], 0.0)?;
    /// assert_eq!((matrix.count(1, 1), matrix.count(0, 1)), (1, 1));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn binary<S: Data<Elem = f32>, D: Dimension>(
        predictions: &ArrayBase<S, D>,
        labels: impl IntoColumn,
        threshold: f32,
    ) -> Result<ConfusionMatrix, Error> {
        let mut values = predictions.iter();
        ConfusionMatrix::of(predictions.len(), labels, 2, |_| {
            let value = values.next().filter(|v| !v.is_nan())?;
            Some(usize::from(*value > threshold))
        })
    }

    /// Counts the class `predicted(row)` of every row; NaN is `None`.
    fn of(
        rows: usize,
        labels: impl IntoColumn,
        classes: usize,
        mut predicted: impl FnMut(usize) -> Option<usize>,
    ) -> Result<ConfusionMatrix, Error> {
        let labels = labels.into_column()?;
        let not_classes = |found: String| {
            let last = classes.saturating_sub(1);
            Error::Argument(format!(
                "labels are class numbers from 0 to {last}, found {found}"
            ))
        };
        let Some(numbers) = labels.as_integers() else {
            // Targets of a loss of probabilities are floats.
            let floats = labels.to_floats();
            let bad = floats.iter().find(|v| v.fract() != 0.0 || **v < 0.0);
            if let Some(bad) = bad {
                return Err(not_classes(bad.to_string()));
            }
            let whole: Vec<u32> = floats.iter().map(|v| *v as u32).collect();
            return ConfusionMatrix::of(rows, whole, classes, predicted);
        };
        if numbers.len() != rows {
            return Err(Error::Shape {
                what: "labels".to_owned(),
                expected: format!("{rows} class numbers, one for every row of the predictions"),
                found: format!("{:?}", labels.shape()),
            });
        }
        let mut counts = vec![0; classes * classes];
        for (row, &label) in numbers.iter().enumerate() {
            let label = label as usize;
            if label >= classes {
                return Err(not_classes(label.to_string()));
            }
            let predicted = predicted(row)
                .ok_or_else(|| Error::Argument(format!("the prediction of row {row} is NaN")))?;
            counts[label * classes + predicted] += 1;
        }
        Ok(ConfusionMatrix {
            names: (0..classes).map(|class| class.to_string()).collect(),
            counts,
        })
    }

    /// Names the classes, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are not as many as classes.
    pub fn names<N: AsRef<str>>(mut self, names: &[N]) -> Result<ConfusionMatrix, Error> {
        if names.len() != self.classes() {
            return Err(Error::Argument(format!(
                "there are {} classes, and {} names",
                self.classes(),
                names.len()
            )));
        }
        self.names = names.iter().map(|n| n.as_ref().to_owned()).collect();
        Ok(self)
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// How many rows of class `actual` were predicted as class `predicted`: 0 of a class that there is not.
    pub fn count(&self, actual: usize, predicted: usize) -> u64 {
        let row = self.counts.chunks(self.classes().max(1)).nth(actual);
        row.and_then(|row| row.get(predicted)).copied().unwrap_or(0)
    }

    /// Share of rows that were predicted right; 0 if there is none.
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes()).map(|c| self.count(c, c)).sum();
        share(right, self.counts.iter().sum())
    }

    /// Precision, recall and F1 of every class.
    pub fn report(&self) -> ClassificationReport {
        let all = 0..self.classes();
        let classes: Vec<_> = (all.clone())
            .map(|c| {
                let right = self.count(c, c);
                let actual = all.clone().map(|p| self.count(c, p)).sum();
                let predicted = all.clone().map(|a| self.count(a, c)).sum();
                ClassScores {
                    name: self.names[c].clone(),
                    precision: share(right, predicted),
                    recall: share(right, actual),
                    f1_score: share(2 * right, actual + predicted),
                    support: actual,
                    predicted,
                }
            })
            .collect();
        let support = classes.iter().map(|c| c.support).sum();
        // As in scikit-learn, classes that occur nowhere are not averaged: nothing is known of them.
        let seen = |c: &ClassScores| c.support > 0 || c.predicted > 0;
        let occur = classes.iter().filter(|c| seen(c)).count() as u64;
        let average = |name: &str, weight: &dyn Fn(&ClassScores) -> f64| {
            let of = |score: &dyn Fn(&ClassScores) -> f64| {
                classes.iter().map(|c| score(c) * weight(c)).sum()
            };
            ClassScores {
                name: name.to_owned(),
                precision: of(&|c| c.precision),
                recall: of(&|c| c.recall),
                f1_score: of(&|c| c.f1_score),
                support,
                predicted: support,
            }
        };
        ClassificationReport {
            accuracy: self.accuracy(),
            macro_average: average("macro avg", &|c| share(seen(c).into(), occur)),
            weighted_average: average("weighted avg", &|c| share(c.support, support)),
            classes,
        }
    }
}

/// The matrix with the names of the classes; rows are the true ones.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes();
        let lengths = self.names.iter().map(|n| n.chars().count());
        let first = lengths.clone().max().unwrap_or(0).max("true".len());
        let digits = |c: usize| {
            let counts = (0..classes).map(|a| self.count(a, c).to_string().len());
            counts.max().unwrap_or(1)
        };
        let widths: Vec<usize> = lengths.enumerate().map(|(c, n)| n.max(digits(c))).collect();
        writeln!(f, "{:first$}  predicted", "true")?;
        write!(f, "{:first$}", "")?;
        for (name, width) in self.names.iter().zip(&widths) {
            write!(f, "  {name:>width$}")?;
        }
        for (actual, name) in self.names.iter().enumerate() {
            write!(f, "\n{name:first$}")?;
            for (predicted, width) in widths.iter().enumerate() {
                write!(f, "  {:>width$}", self.count(actual, predicted))?;
            }
        }
        Ok(())
    }
}

/// How well one class is recognised.
///
/// Example: [`ClassificationReport`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores {
    /// The class.
    pub name: String,
    /// Share of the rows predicted as this class that are of it; 0 if there is none.
    pub precision: f64,
    /// Share of the rows of this class that are predicted as it; 0 if there is none.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1_score: f64,
    /// Rows of this class.
    pub support: u64,
    /// Rows that are predicted as this class.
    pub predicted: u64,
}

/// Scores of all classes, as scikit-learn's `classification_report` prints them.
///
/// ```
/// use ndarray::array;
/// use recurrent::prelude::*;
///
/// let predictions = array![[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]];
/// let report = ConfusionMatrix::new(&predictions, &[0, 1, 0])?.report();
/// assert_eq!(report.classes[1].precision, 0.5);
/// assert_eq!(report.classes[0].recall, 0.5);
/// println!("{report}");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassificationReport {
    /// Of every class, in the order of their numbers.
    pub classes: Vec<ClassScores>,
    /// Share of rows that were predicted right.
    pub accuracy: f64,
    /// Means over the classes that occur, as true or as predicted ones.
    pub macro_average: ClassScores,
    /// Means over rows.
    pub weighted_average: ClassScores,
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let averages = [&self.macro_average, &self.weighted_average];
        let names = self.classes.iter().chain(averages);
        let first = names.map(|c| c.name.chars().count()).max().unwrap_or(0);
        let line = |f: &mut fmt::Formatter<'_>, c: &ClassScores| {
            let ClassScores {
                name,
                precision,
                recall,
                f1_score,
                support,
                ..
            } = c;
            write!(
                f,
                "\n{name:>first$} {precision:>10.2}{recall:>10.2}{f1_score:>10.2}{support:>10}"
            )
        };
        let [precision, recall, f1, support] = ["precision", "recall", "f1-score", "support"];
        writeln!(
            f,
            "{:first$} {precision:>10}{recall:>10}{f1:>10}{support:>10}",
            ""
        )?;
        for class in &self.classes {
            line(f, class)?;
        }
        let (accuracy, rows) = (self.accuracy, self.macro_average.support);
        let name = "accuracy";
        write!(
            f,
            "\n\n{name:>first$} {:>10}{:>10}{accuracy:>10.2}{rows:>10}",
            "", ""
        )?;
        averages
            .into_iter()
            .try_for_each(|average| line(f, average))
    }
}

/// 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    /// A prediction that is sure.
    fn sure(classes: usize, predicted: &[usize]) -> Array2<f32> {
        Array2::from_shape_fn((predicted.len(), classes), |(i, c)| {
            f32::from(u8::from(predicted[i] == c))
        })
    }

    /// The example of scikit-learn's documentation of `classification_report`, with its output.
    #[test]
    fn the_report_is_that_of_scikit_learn() {
        let matrix = ConfusionMatrix::new(&sure(3, &[0, 0, 2, 2, 1]), &[0, 1, 2, 2, 2]).unwrap();
        let matrix = matrix.names(&["class 0", "class 1", "class 2"]).unwrap();
        let expected = "              precision    recall  f1-score   support

     class 0       0.50      1.00      0.67         1
     class 1       0.00      0.00      0.00         1
     class 2       1.00      0.67      0.80         3

    accuracy                           0.60         5
   macro avg       0.50      0.56      0.49         5
weighted avg       0.70      0.60      0.61         5";
        assert_eq!(matrix.report().to_string(), expected);
        let expected = "\
true     predicted
         class 0  class 1  class 2
class 0        1        0        0
class 1        1        0        0
class 2        0        1        2";
        assert_eq!(matrix.to_string(), expected);
    }

    #[test]
    fn sequences_and_single_numbers_are_classes_too() {
        let steps = Array3::from_shape_fn((2, 3, 2), |(i, t, c)| (i + t) % 2 == c);
        let steps = steps.mapv(|right| f32::from(u8::from(right)));
        let labels = array![[0, 1, 0], [1, 0, 0]];
        let matrix = ConfusionMatrix::new(&steps, &labels).unwrap();
        assert_eq!(matrix.counts, [3, 1, 0, 2]);
        let report = ConfusionMatrix::new(&sure(3, &[0, 2]), &[0, 2])
            .unwrap()
            .report();
        assert_eq!(report.macro_average.f1_score, 1.0);
        let binary = ConfusionMatrix::new(&array![[0.7], [0.5]], &[1.0, 0.0]).unwrap();
        assert_eq!(binary.counts, [1, 0, 0, 1]);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let words = |e: Result<ConfusionMatrix, Error>| e.unwrap_err().to_string();
        let two = sure(2, &[0, 1]);
        assert!(
            words(ConfusionMatrix::new(&two, &[0, 1, 1]))
                .contains("labels: expected shape 2 class")
        );
        let range = "labels are class numbers from 0 to 1, found 2";
        assert_eq!(words(ConfusionMatrix::new(&two, &[0, 2])), range);
        assert!(words(ConfusionMatrix::new(&two, &[0.5, 1.0])).contains("found 0.5"));
        assert!(words(ConfusionMatrix::new(&two, &[-1, 1])).contains("found -1"));
        let nan = array![[0.0, f32::NAN]];
        assert_eq!(
            words(ConfusionMatrix::new(&nan, &[0])),
            "the prediction of row 0 is NaN"
        );
        let none = ConfusionMatrix::new(&Array2::<f32>::zeros((0, 3)), Vec::<u32>::new()).unwrap();
        assert_eq!(
            (none.accuracy(), none.report().macro_average.f1_score),
            (0.0, 0.0)
        );
        assert!(words(none.names(&["a"])).contains("3 classes, and 1 names"));
    }
}
