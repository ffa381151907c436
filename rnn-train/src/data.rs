//! Data sets.

mod batch;
mod column;
mod columns;
mod normalization;
mod npy;
mod order;
mod padding;
mod prepared;
mod remedy;
mod sequences;
#[cfg(feature = "csv")]
mod table;

use std::sync::Arc;

use ndarray::{Array, Dimension};

use rnn_runtime::error::Error;

pub use column::{Column, IntoColumn, Number};
pub use columns::IntoColumns;
pub use normalization::Normalization;
pub use npy::{ArrayNumber, read_npy};
pub use padding::{Pad, Padding, pad_sequences};
pub use sequences::Windows;
#[cfg(feature = "csv")]
pub use table::{Csv, Table};

pub(crate) use batch::Batch;
pub(crate) use order::permute;
pub(crate) use prepared::{LossTargets, Prepared};

/// Samples: inputs, targets, and how much each sample counts.
///
/// Cheap to clone, split and shuffle: the numbers are shared, only the order differs.
///
/// ```
/// use ndarray::{Array2, array};
/// use recurrent::train::Dataset;
///
/// let rows = Array2::<f32>::zeros((10, 4));
/// let labels = array![0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
/// let data = Dataset::new(&rows, &labels)?;
/// let (train, test) = data.shuffle(42).split(0.2)?;
/// assert_eq!((train.len(), test.len()), (8, 2));
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset {
    columns: Arc<Columns>,
    /// Rows of the columns, in the order of this data set.
    order: Vec<usize>,
    /// In batches of this size, each sample continues the sample of the batch before.
    continuing: Option<usize>,
}

#[derive(Clone, Debug)]
struct Columns {
    inputs: Vec<Column>,
    targets: Vec<Column>,
    /// For every target `[n]`, or `[n, time]` of an output that is a sequence.
    sample_weights: Vec<Option<Column>>,
}

impl Dataset {
    /// Inputs and targets: one array each, or a tuple of up to eight where the model has several,
    /// in its order.
    ///
    /// An input is `[n, features]`, `[n, time, features]`, whole numbers `[n, time]` for an
    /// `Embedding`, or booleans `[n, time]` for a mask. Targets are class numbers `[n]` or
    /// `[n, time]`, or floats in the shape of the model's output. An axis of one feature can be
    /// left out. `fit` checks whether they suit the model.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are of different length, [`Error::Argument`] for a number that is
    /// too large.
    ///
    /// ```
    /// use ndarray::{Array2, Array3};
    /// use recurrent::train::Dataset;
    ///
    /// let (source, real) = (Array2::<u32>::ones((5, 20)), Array2::from_elem((5, 20), true));
    /// let sensors = Array3::<f32>::zeros((5, 20, 3));
    /// let data = Dataset::new((&source, &real, &sensors), ([0, 1, 2, 0, 1], [0.5; 5]))?;
    /// assert_eq!(data.len(), 5);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn new(inputs: impl IntoColumns, targets: impl IntoColumns) -> Result<Dataset, Error> {
        Dataset::with_columns(inputs.into_columns()?, targets.into_columns()?)
    }

    /// As many inputs and targets as the model has inputs and outputs (with a loss), in its order.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are of different length, [`Error::Argument`] if there is none.
    ///
    /// ```
    /// use ndarray::{Array1, Array2, Array3};
    /// use recurrent::train::{Dataset, IntoColumn};
    ///
    /// let (sensors, settings) = (Array3::<f32>::zeros((5, 20, 3)), Array2::<f32>::zeros((5, 2)));
    /// let answer = Array1::<f32>::zeros(5);
    /// let inputs = vec![sensors.into_column()?, settings.into_column()?];
    /// let data = Dataset::with_columns(inputs, vec![answer.into_column()?])?;
    /// assert_eq!(data.len(), 5);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn with_columns(inputs: Vec<Column>, targets: Vec<Column>) -> Result<Dataset, Error> {
        if inputs.is_empty() || targets.is_empty() {
            let message = "a data set needs at least one input and one target";
            return Err(Error::Argument(message.to_owned()));
        }
        let rows = inputs[0].rows();
        let named =
            (inputs.iter().map(|c| ("input", c))).chain(targets.iter().map(|c| ("target", c)));
        for (index, (what, column)) in named.enumerate() {
            if column.rows() != rows {
                let index = if what == "input" {
                    index
                } else {
                    index - inputs.len()
                };
                return Err(Error::Shape {
                    what: format!("{what} {index}"),
                    expected: format!("[{rows}, …], as many rows as the first input"),
                    found: format!("{:?}", column.shape()),
                });
            }
        }
        let columns = Columns {
            inputs,
            sample_weights: vec![None; targets.len()],
            targets,
        };
        Ok(Dataset {
            columns: Arc::new(columns),
            order: (0..rows).collect(),
            continuing: None,
        })
    }

    /// How much each sample counts in the loss: `[n]`, or `[n, time]` for each step on its own.
    ///
    /// The weighted losses are divided by the number of samples, not by the sum of the weights,
    /// as in Keras.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many rows as in this data set, [`Error::Argument`] if
    /// a weight is negative or not finite.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recurrent::train::Dataset;
    ///
    /// let data = Dataset::new(Array2::<f32>::zeros((3, 4)), [0, 1, 1])?;
    /// let data = data.sample_weight([2.0, 1.0, 1.0])?;
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn sample_weight(mut self, weights: impl IntoColumn) -> Result<Dataset, Error> {
        let weights = self.weights(weights)?;
        Arc::make_mut(&mut self.columns)
            .sample_weights
            .fill(Some(weights));
        Ok(self)
    }

    /// How much each sample counts in the loss of one target of several, given by its number.
    ///
    /// # Errors
    /// As [`Dataset::sample_weight`]; [`Error::Argument`] if there is no such target.
    pub fn sample_weight_for(
        mut self,
        target: usize,
        weights: impl IntoColumn,
    ) -> Result<Dataset, Error> {
        let weights = self.weights(weights)?;
        let all = &mut Arc::make_mut(&mut self.columns).sample_weights;
        let count = all.len();
        let own = all.get_mut(target).ok_or_else(|| {
            Error::Argument(format!(
                "there is no target number {target} for sample weights, only {count}"
            ))
        })?;
        *own = Some(weights);
        Ok(self)
    }

    /// Sample weights in the order of the columns.
    fn weights(&self, weights: impl IntoColumn) -> Result<Column, Error> {
        let weights = weights.into_column()?;
        if weights.rows() != self.len() || weights.shape().len() > 2 {
            return Err(Error::Shape {
                what: "sample weights".to_owned(),
                expected: format!("[{0}] or [{0}, time]", self.len()),
                found: format!("{:?}", weights.shape()),
            });
        }
        let values = weights.to_floats();
        if let Some(bad) = values.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(Error::Argument(format!(
                "sample weights must not be negative, found {bad}"
            )));
        }
        // Rows of the columns that are not in this data set get the weight 1.
        let stride = weights.stride();
        let mut all = vec![1.0; self.columns.inputs[0].rows() * stride];
        for (&row, weights) in self.order.iter().zip(values.chunks_exact(stride.max(1))) {
            all[row * stride..(row + 1) * stride].copy_from_slice(weights);
        }
        let mut shape = weights.shape().to_vec();
        shape[0] = self.columns.inputs[0].rows();
        Column::floats(all, &shape)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Splits off about this `fraction` of the samples, from the end: the first samples, and the last
    /// ones. Like Keras's `validation_split` it does not shuffle.
    ///
    /// # Errors
    /// [`Error::Argument`] if one of the two would be empty.
    pub fn split(&self, fraction: f64) -> Result<(Dataset, Dataset), Error> {
        let at = (self.len() as f64 * (1.0 - fraction)).floor();
        if !(0.0..=1.0).contains(&fraction) || at < 1.0 || at as usize >= self.len() {
            return Err(Error::Argument(format!(
                "cannot split {} samples so that a share of {fraction} is held out and both parts \
                 have at least one",
                self.len()
            )));
        }
        Ok((self.take(at as usize), self.skip(at as usize)))
    }

    /// Two data sets of samples drawn by `seed`: those to train on, and a share of `test_size` to test on. It is
    /// `shuffle(seed).split(test_size)`, by the name of
    /// [scikit-learn](https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html).
    /// Windows of one series overlap: split those with [`Dataset::split`], in order.
    ///
    /// # Errors
    /// As [`Dataset::split`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recurrent::prelude::*;
    ///
    /// let data = Dataset::new(Array2::<f32>::zeros((10, 4)), [0, 1, 1, 0, 1, 0, 0, 1, 1, 0])?;
    /// let (train, test) = data.train_test_split(0.2, 42)?;
    /// assert_eq!((train.len(), test.len()), (8, 2));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn train_test_split(&self, test_size: f64, seed: u64) -> Result<(Dataset, Dataset), Error> {
        self.shuffle(seed).split(test_size)
    }

    /// The first `n` samples, or all if there are fewer.
    pub fn take(&self, n: usize) -> Dataset {
        Dataset {
            continuing: self.continuing,
            ..self.with_order(self.order.iter().copied().take(n).collect())
        }
    }

    /// All but the first `n` samples.
    pub fn skip(&self, n: usize) -> Dataset {
        // Samples that begin within a batch do not continue each other in batches of that size.
        let whole = |size: &usize| n.is_multiple_of(*size);
        Dataset {
            continuing: self.continuing.filter(whole),
            ..self.with_order(self.order.iter().copied().skip(n).collect())
        }
    }

    /// The same samples in an order drawn by `seed`, the same on every machine.
    pub fn shuffle(&self, seed: u64) -> Dataset {
        let mut order = self.order.clone();
        permute(&mut order, seed, u64::MAX);
        self.with_order(order)
    }

    /// The rows of the arrays that this data set was made of, in its order: for example, which ones
    /// [`Dataset::split`] has held out.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recurrent::train::Dataset;
    ///
    /// let data = Dataset::new(Array2::<f32>::zeros((5, 4)), [0, 1, 1, 0, 1])?;
    /// let (_, held_out) = data.split(0.4)?;
    /// assert_eq!(held_out.rows(), [3, 4]);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn rows(&self) -> &[usize] {
        &self.order
    }

    /// Input number `index` as an array, in the order of this data set, as `f32` or as `u32`: what `predict` takes. An axis of one
    /// feature may be left out, or added at the end.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such input, or if its numbers are no `u32`; [`Error::Shape`] if it has another number of
    /// axes.
    ///
    /// ```
    /// use ndarray::{Array2, Array3};
    /// use recurrent::prelude::*;
    ///
    /// let series: Vec<f32> = (0..60).map(|t| (t as f32 / 5.0).sin()).collect();
    /// let (train, test) = Dataset::windows(&series, 12, 1)?.split(0.25)?;
    /// let model = rnn_model!(Input(12, 1) -> GRU(4) -> Dense(1));
    /// // … `fit` on `train`; then how far off it is on the test samples:
    /// let x: Array3<f32> = test.input(0)?;
    /// let truth: Array2<f32> = test.target(0)?;
    /// let error = (&model.predict(&x)? - &truth).mapv(f32::abs).mean();
    /// assert_eq!((x.dim(), truth.dim()), ((12, 12, 1), (12, 1)));
    /// # assert!(error.is_some_and(f32::is_finite) && train.len() == 36);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn input<N: ArrayNumber, D: Dimension>(&self, index: usize) -> Result<Array<N, D>, Error> {
        self.array("input", &self.columns.inputs, index)
    }

    /// Target number `index` as an array, as [`Dataset::input`] gives inputs.
    ///
    /// # Errors
    /// As [`Dataset::input`].
    ///
    /// Example: [`Dataset::input`].
    pub fn target<N: ArrayNumber, D: Dimension>(&self, index: usize) -> Result<Array<N, D>, Error> {
        self.array("target", &self.columns.targets, index)
    }

    fn array<N: ArrayNumber, D: Dimension>(
        &self,
        what: &str,
        columns: &[Column],
        index: usize,
    ) -> Result<Array<N, D>, Error> {
        match columns.get(index) {
            Some(column) => column.array(&format!("{what} {index}"), &self.order),
            None => Err(Error::Argument(format!(
                "there is no {what} number {index}; the data set has {}, counted from 0",
                columns.len()
            ))),
        }
    }

    /// The batch size of [`Dataset::continuing`], if the samples are still in its order.
    pub fn batch_size(&self) -> Option<usize> {
        self.continuing
    }

    fn with_order(&self, order: Vec<usize>) -> Dataset {
        Dataset {
            columns: Arc::clone(&self.columns),
            order,
            continuing: None,
        }
    }
}

#[cfg(test)]
mod tests;
