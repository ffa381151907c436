//! Samples cut out of one long sequence.

use super::{Column, Dataset, IntoColumn, IntoColumns};
use rnn_runtime::error::Error;

/// How [`Dataset::timeseries`] cuts windows: the arguments of Keras's
/// `timeseries_dataset_from_array`, by its names and with its defaults.
///
/// Example: [`Dataset::timeseries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Steps of a window; 1 by default (Keras has no default).
    pub sequence_length: usize,
    /// How many steps after the previous window a window starts; 1 by default.
    pub sequence_stride: usize,
    /// A window takes every `sampling_rate`-th step; 1 by default.
    pub sampling_rate: usize,
    /// Steps before this one are not used; 0 by default. As in Keras, targets are not shifted: the target of
    /// a window is the one at the index of its first step.
    pub start_index: usize,
    /// This step and those after it are not used; `None` by default: all are.
    pub end_index: Option<usize>,
}

impl Default for Windows {
    fn default() -> Self {
        Windows {
            sequence_length: 1,
            sequence_stride: 1,
            sampling_rate: 1,
            start_index: 0,
            end_index: None,
        }
    }
}

impl Dataset {
    /// One long sequence, cut for stateful models and truncated backpropagation through time: row `b` of a
    /// batch continues row `b` of the batch before.
    ///
    /// The sequence is cut into `batch_size` pieces of equal length, which are read side by side,
    /// `steps` at a time. Inputs and targets are `[n, …]`, one entry a step; the data set has
    /// samples `[steps, …]`. Steps that do not fill a last batch are left out. Train on it with
    /// `Fit { batch_size, shuffle: false, … }`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths differ; [`Error::Argument`] if one of the numbers is 0 or
    /// the sequence is too short for a single batch.
    ///
    /// ```
    /// use recurrent::train::Dataset;
    ///
    /// // Predict the next character of a text from each character.
    /// let text: Vec<u8> = "to be, or not to be, that is the question".bytes().collect();
    /// let (input, target) = (&text[..text.len() - 1], &text[1..]);
    /// let data = Dataset::continuing(input, target, 2, 5)?;
    /// // 40 characters: two pieces of 20, four batches of five steps.
    /// assert_eq!((data.len(), data.batch_size()), (8, Some(2)));
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn continuing(
        inputs: impl IntoColumns,
        targets: impl IntoColumns,
        batch_size: usize,
        steps: usize,
    ) -> Result<Dataset, Error> {
        let (inputs, targets) = (inputs.into_columns()?, targets.into_columns()?);
        let length = same_length(&inputs, &targets)?;
        if batch_size == 0 || steps == 0 {
            return Err(Error::Argument(format!(
                "batch_size and steps must be at least 1, found {batch_size} and {steps}"
            )));
        }
        // An overflow means more steps than there are.
        let batches = batch_size
            .checked_mul(steps)
            .map_or(0, |batch| length / batch);
        if batches == 0 {
            return Err(Error::Argument(format!(
                "a sequence of {length} steps is too short for {batch_size} rows of {steps} steps"
            )));
        }
        let start = |sample: usize| {
            let (batch, row) = (sample / batch_size, sample % batch_size);
            (row * batches + batch) * steps
        };
        let samples = batches * batch_size;
        let cut = |columns: Vec<Column>| {
            let cut = |column: &Column| {
                let rows =
                    (0..samples).flat_map(|sample| (0..steps).map(move |s| start(sample) + s));
                column.gather(rows, &[samples, steps])
            };
            columns.iter().map(cut).collect::<Result<Vec<_>, _>>()
        };
        let mut data = Dataset::with_columns(cut(inputs)?, cut(targets)?)?;
        data.continuing = Some(batch_size);
        Ok(data)
    }

    /// All windows of `steps` steps of a series; the targets are the `ahead` steps after each window.
    ///
    /// The series is `[n]` or `[n, features]`; inputs are `[windows, steps, …]`, targets
    /// `[windows, ahead, …]`, where `windows` is `n - steps - ahead + 1`.
    ///
    /// # Errors
    /// [`Error::Argument`] if one of the numbers is 0 or there is not a single window.
    ///
    /// ```
    /// use recurrent::train::Dataset;
    ///
    /// let months = [3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 3.0];
    /// let data = Dataset::windows(months, 4, 2)?;
    /// assert_eq!(data.len(), 2);
    /// // The same windows, with the series' own next value as the target of each:
    /// assert_eq!(Dataset::windows(months, 4, 1)?.len(), 3);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn windows(series: impl IntoColumn, steps: usize, ahead: usize) -> Result<Dataset, Error> {
        let series = series.into_column()?;
        cut(&series, &series, steps, ahead)
    }

    /// All windows of `steps` steps of several series side by side; the targets are the `ahead` steps of another
    /// one after each window, such as one of the features.
    ///
    /// `series` is `[n, features]`, `targets` `[n]` or `[n, …]`; inputs are `[windows, steps, features]`, targets
    /// `[windows, ahead, …]`, where `windows` is `n - steps - ahead + 1`. A model with `Dense(ahead)` at its end
    /// predicts all of them at once.
    ///
    /// # Errors
    /// [`Error::Argument`] if one of the numbers is 0 or there is not a single window, [`Error::Shape`] if the
    /// lengths differ.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recurrent::prelude::*;
    ///
    /// // Temperature, pressure and wind; a day of hours, and the temperature of the next three.
    /// let weather = Array2::from_shape_fn((100, 3), |(hour, f)| (hour * (f + 1)) as f32 / 100.0);
    /// let data = Dataset::windows_with_targets(&weather, weather.column(0), 24, 3)?;
    /// assert_eq!(data.len(), 74);
    ///
    /// let mut model = rnn_model!(Input(24, 3) -> GRU(8) -> Dense(3));
    /// Trainer::new(&mut model).loss(MeanSquaredError).fit(&data, Fit::default())?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn windows_with_targets(
        series: impl IntoColumn,
        targets: impl IntoColumn,
        steps: usize,
        ahead: usize,
    ) -> Result<Dataset, Error> {
        let (series, targets) = ([series.into_column()?], [targets.into_column()?]);
        same_length(&series, &targets)?;
        cut(&series[0], &targets[0], steps, ahead)
    }

    /// Windows of a series with targets of their own: Keras's `timeseries_dataset_from_array`.
    ///
    /// `series` is `[n]` or `[n, features]`, the inputs are `[windows, sequence_length, …]`. The
    /// target of a window is the entry of `targets`, `[m, …]`, at the index of its *first* step: to predict
    /// the step after windows of ten, give `series` without its last ten steps and `targets` without its
    /// first ten. Windows without a target, and targets without a window, are left out.
    ///
    /// # Errors
    /// [`Error::Argument`] if a number is 0 or there is not a single window.
    ///
    /// ```
    /// use ndarray::{Array1, s};
    /// use recurrent::train::{Dataset, Windows};
    ///
    /// let hours = Array1::from_iter((0..100).map(|hour| (hour as f32).sin()));
    /// let windows = Windows { sequence_length: 10, ..Windows::default() };
    /// let data = Dataset::timeseries(hours.slice(s![..-10]), hours.slice(s![10..]), windows)?;
    /// assert_eq!(data.len(), 81);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn timeseries(
        series: impl IntoColumn,
        targets: impl IntoColumns,
        windows: Windows,
    ) -> Result<Dataset, Error> {
        let (series, targets) = (series.into_column()?, targets.into_columns()?);
        let Windows {
            sequence_length,
            sequence_stride,
            sampling_rate,
            start_index,
            end_index,
        } = windows;
        if sequence_length == 0 || sequence_stride == 0 || sampling_rate == 0 {
            return Err(Error::Argument(format!(
                "sequence_length, sequence_stride and sampling_rate must be at least 1, found \
                 {sequence_length}, {sequence_stride} and {sampling_rate}"
            )));
        }
        let end = end_index.unwrap_or(series.rows()).min(series.rows());
        let span = (sequence_length - 1).saturating_mul(sampling_rate);
        let ends = targets.iter().map(|t| t.rows().min(end));
        let starts = ends.fold(end.saturating_sub(span), usize::min);
        let starts: Vec<usize> = (start_index..starts).step_by(sequence_stride).collect();
        if starts.is_empty() {
            return Err(Error::Argument(format!(
                "there is no window of {sequence_length} steps, every {sampling_rate}, in \
                 {start_index}..{end} with a target of its own"
            )));
        }
        let steps = |&start: &usize| (0..sequence_length).map(move |s| start + s * sampling_rate);
        let shape = [starts.len(), sequence_length];
        let inputs = series.gather(starts.iter().flat_map(steps), &shape)?;
        let pick = |target: &Column| target.gather(starts.iter().copied(), &shape[..1]);
        let targets = targets.iter().map(pick).collect::<Result<_, _>>()?;
        Dataset::with_columns(vec![inputs], targets)
    }
}

/// All windows of `steps` steps of `series`, and the `ahead` steps of `targets` after each.
fn cut(series: &Column, targets: &Column, steps: usize, ahead: usize) -> Result<Dataset, Error> {
    if steps == 0 || ahead == 0 {
        return Err(Error::Argument(format!(
            "steps and ahead must be at least 1, found {steps} and {ahead}"
        )));
    }
    let windows = (series.rows() + 1).saturating_sub(steps.saturating_add(ahead));
    if windows == 0 {
        return Err(Error::Argument(format!(
            "a series of {} steps is too short for a window of {steps} and {ahead} ahead",
            series.rows()
        )));
    }
    let cut = |of: &Column, first: usize, length: usize| {
        let rows = (0..windows).flat_map(|w| first + w..first + w + length);
        of.gather(rows, &[windows, length])
    };
    Dataset::with_columns(
        vec![cut(series, 0, steps)?],
        vec![cut(targets, steps, ahead)?],
    )
}

/// Number of steps that all columns have.
fn same_length(inputs: &[Column], targets: &[Column]) -> Result<usize, Error> {
    let length = inputs.first().map_or(0, Column::rows);
    match inputs.iter().chain(targets).find(|c| c.rows() != length) {
        None => Ok(length),
        Some(other) => Err(Error::Shape {
            what: "sequence".to_owned(),
            expected: format!("{length} steps, as the first input"),
            found: format!("{:?}", other.shape()),
        }),
    }
}

#[cfg(test)]
mod tests;
