//! Features of mean 0 and deviation 1.

use ndarray::{Array, ArrayBase, Data, Dimension};

use super::Number;
use rnn_runtime::error::Error;

/// Shifts and scales every feature to mean 0 and standard deviation 1, and back: Keras's `Normalization`
/// ([keras.layers.Normalization](https://keras.io/api/layers/preprocessing_layers/numerical/normalization/)).
///
/// Features are the last axis, `[…, features]`; one feature has any shape. Take the numbers from the training data alone.
/// Whoever predicts needs the same: [`Normalization::new`] makes it of [`mean`](Normalization::mean) and
/// [`deviation`](Normalization::deviation), which a program can have as constants.
///
/// ```
/// use ndarray::array;
/// use recurrent::prelude::*;
///
/// // Celsius and hectopascal, an hour a row.
/// let hours = array![[10.0, 1000.0], [12.0, 1010.0], [14.0, 1020.0]];
/// let scale = Normalization::adapt(&hours)?;
/// assert_eq!(scale.mean(), [12.0, 1010.0]);
///
/// let x = scale.normalize(&hours)?;
/// assert_eq!(x.row(1), array![0.0, 0.0]);
/// assert_eq!(scale.denormalize(&x)?, hours.mapv(|v| v as f32));
///
/// // A model that predicts the temperature alone gives numbers of the first feature.
/// let temperature = scale.features(&[0])?;
/// assert_eq!(temperature.denormalize(&array![0.0])?, array![12.0]);
///
/// // A step of a stream.
/// assert_eq!(scale.step([12.0, 1010.0]), [0.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// Keras's `epsilon`: what a deviation is at least, so that a feature that never changes becomes 0.
const SMALLEST: f64 = 1e-7;

impl Normalization {
    /// Means and standard deviations (of all, not of a sample) of some data, `[…, features]` or `[n]`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no number, or one is not finite.
    ///
    /// ```
    /// use ndarray::Array3;
    /// use recurrent::prelude::*;
    ///
    /// let sequences = Array3::from_shape_fn((8, 20, 3), |(i, t, f)| (i + t * f) as f32);
    /// let scale = Normalization::adapt(&sequences)?;
    /// assert_eq!(scale.mean().len(), 3);
    /// assert_eq!(scale.mean()[0], 3.5);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn adapt<N: Number, S: Data<Elem = N>, D: Dimension>(
        data: &ArrayBase<S, D>,
    ) -> Result<Normalization, Error> {
        let features = match data.shape() {
            [] | [_] => 1,
            // At least 1, so that it can divide.
            [.., features] => (*features).max(1),
        };
        if data.is_empty() {
            return Err(Error::Argument(format!(
                "there is no number to adapt to in data of shape {:?}",
                data.shape()
            )));
        }
        // Two passes in double precision: a sum of squares would lose what a large mean leaves.
        let values = || data.iter().map(|v| v.double()).enumerate();
        if let Some((at, bad)) = values().find(|(_, v)| !v.is_finite()) {
            return Err(Error::Argument(format!(
                "data must be finite, found {bad} for feature {} of row {}",
                at % features,
                at / features
            )));
        }
        let rows = (data.len() / features) as f64;
        let mut mean = vec![0.0; features];
        for (at, v) in values() {
            mean[at % features] += v;
        }
        mean.iter_mut().for_each(|m| *m /= rows);
        let mut variance = vec![0.0; features];
        for (at, v) in values() {
            variance[at % features] += (v - mean[at % features]).powi(2);
        }
        Ok(Normalization {
            mean,
            deviation: variance.iter().map(|v| (v / rows).sqrt()).collect(),
        })
    }

    /// A normalization by numbers that are known: one mean and one standard deviation a feature.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are not as many of both and at least one, if one is not finite, or a deviation is
    /// negative.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let scale = Normalization::new(&[12.0, 1010.0], &[1.5, 8.0])?;
    /// assert_eq!(scale.step([13.5, 1010.0]), [1.0, 0.0]);
    /// assert!(Normalization::new(&[12.0, 1010.0], &[1.5]).is_err());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(mean: &[f64], deviation: &[f64]) -> Result<Normalization, Error> {
        let finite = |list: &[f64]| list.iter().all(|v| v.is_finite());
        let fits = mean.len() == deviation.len() && !mean.is_empty();
        if !fits || !finite(mean) || !finite(deviation) || deviation.iter().any(|d| *d < 0.0) {
            return Err(Error::Argument(format!(
                "a normalization takes a finite mean and a deviation of at least 0 for every feature, found \
                 {mean:?} and {deviation:?}"
            )));
        }
        Ok(Normalization {
            mean: mean.to_vec(),
            deviation: deviation.to_vec(),
        })
    }

    /// The mean of every feature.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviation of every feature.
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }

    /// The same for some of the features, given by their numbers: for a model whose outputs are those.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such feature, or none is named.
    pub fn features(&self, features: &[usize]) -> Result<Normalization, Error> {
        if let Some(bad) = features.iter().find(|f| **f >= self.mean.len()) {
            return Err(Error::Argument(format!(
                "there is no feature number {bad}, only {}",
                self.mean.len()
            )));
        }
        let pick = |of: &[f64]| features.iter().map(|&f| of[f]).collect::<Vec<_>>();
        Normalization::new(&pick(&self.mean), &pick(&self.deviation))
    }

    /// Means become 0, deviations 1. A feature that has only one value becomes 0.
    ///
    /// # Errors
    /// [`Error::Shape`] if the data has other features.
    pub fn normalize<N: Number, S: Data<Elem = N>, D: Dimension>(
        &self,
        data: &ArrayBase<S, D>,
    ) -> Result<Array<f32, D>, Error> {
        self.map(data, |at, v| self.one(at, v))
    }

    /// The inverse of [`Normalization::normalize`].
    ///
    /// # Errors
    /// [`Error::Shape`] if the data has other features.
    pub fn denormalize<N: Number, S: Data<Elem = N>, D: Dimension>(
        &self,
        data: &ArrayBase<S, D>,
    ) -> Result<Array<f32, D>, Error> {
        self.map(data, |at, v| {
            (v * self.deviation[at].max(SMALLEST) + self.mean[at]) as f32
        })
    }

    /// One step of a stream, which allocates nothing.
    ///
    /// # Panics
    /// If the step has other features than the data had: a mistake of the program, which its first step shows. A result would
    /// have to be unpacked at every step. [`Normalization::normalize`] gives an error.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let model = rnn_model!(Input(_, 2) -> GRU(4) -> Dense(1));
    /// let scale = Normalization::new(&[12.0, 1010.0], &[1.5, 8.0])?;
    /// let mut stream = model.stream()?;
    /// let [answer] = stream.step(&scale.step([13.0, 1002.0]));
    /// assert!(answer.is_finite());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn step<const F: usize>(&self, x: [f32; F]) -> [f32; F] {
        assert_eq!(F, self.mean.len(), "features of a step");
        core::array::from_fn(|at| self.one(at, x[at].into()))
    }

    /// In double precision: a time in seconds differs from its mean by less than an `f32` of it can tell.
    fn one(&self, feature: usize, v: f64) -> f32 {
        ((v - self.mean[feature]) / self.deviation[feature].max(SMALLEST)) as f32
    }

    fn map<N: Number, S: Data<Elem = N>, D: Dimension>(
        &self,
        data: &ArrayBase<S, D>,
        f: impl Fn(usize, f64) -> f32,
    ) -> Result<Array<f32, D>, Error> {
        let features = self.mean.len();
        if features > 1 && data.shape().last() != Some(&features) {
            return Err(Error::Shape {
                what: "data".to_owned(),
                expected: format!(
                    "[…, {}], the features that this is the scale of; `features(&[0])` is the scale of the first alone",
                    self.mean.len()
                ),
                found: format!("{:?}", data.shape()),
            });
        }
        // In the order of indices, whatever the data's own is in memory.
        let values = data.iter().enumerate();
        let values = values.map(|(at, v)| f(at % features, v.double())).collect();
        Array::from_shape_vec(data.raw_dim(), values)
            .map_err(|e| Error::Argument(format!("data of shape {:?}: {e}", data.shape())))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, Array3, array};

    use super::*;

    #[test]
    fn a_large_mean_keeps_its_deviation() {
        let series = Array1::from_iter((0..1000).map(|i| 1e7 + f64::from(i % 2)));
        let scale = Normalization::adapt(&series).unwrap();
        assert_eq!(scale.deviation()[0] as f32, 0.5);
        // Seconds since 1970, which are 64 apart as `f32`.
        let times = Array1::from_iter((0..3).map(|i| 1.7e9 + f64::from(i)));
        let scale = Normalization::adapt(&times).unwrap();
        let there = scale.normalize(&times).unwrap();
        let expected = 1.5f32.sqrt();
        assert_eq!(there, array![-expected, 0.0, expected]);
    }

    #[test]
    fn one_feature_has_any_shape() {
        let scale = Normalization::new(&[10.0], &[2.0]).unwrap();
        let forecasts = scale.denormalize(&array![[0.0, 1.0, 2.0]]).unwrap();
        assert_eq!(forecasts, array![[10.0, 12.0, 14.0]]);
    }

    #[test]
    fn there_and_back_again_in_any_order_of_memory() {
        let data = Array3::from_shape_fn((3, 4, 2), |(i, j, k)| (i * 7 + j * 3 + k * 11) as f32);
        let scale = Normalization::adapt(&data).unwrap();
        let turned = data.clone().permuted_axes([1, 0, 2]);
        let there = scale.normalize(&turned).unwrap();
        let straight = scale.normalize(&data).unwrap();
        assert_eq!(there, straight.permuted_axes([1, 0, 2]));
        let back = scale.denormalize(&there).unwrap();
        for (a, b) in back.iter().zip(&turned) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn a_feature_that_never_changes_becomes_zero() {
        let scale = Normalization::adapt(&array![[3.0, 1.0], [3.0, 2.0]]).unwrap();
        let there = scale.normalize(&array![[3.0, 1.0]]).unwrap();
        assert_eq!(there[[0, 0]], 0.0);
        assert_eq!(scale.denormalize(&there).unwrap()[[0, 0]], 3.0);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let words = |e: Result<Normalization, Error>| e.unwrap_err().to_string();
        assert!(words(Normalization::adapt(&Array2::<f32>::zeros((0, 3)))).contains("[0, 3]"));
        assert!(words(Normalization::adapt(&Array2::<f32>::zeros((3, 0)))).contains("[3, 0]"));
        let bad = array![[1.0, 2.0], [3.0, f32::NAN]];
        let found = "data must be finite, found NaN for feature 1 of row 1";
        assert_eq!(words(Normalization::adapt(&bad)), found);
        assert!(Normalization::new(&[], &[]).is_err());
        assert!(Normalization::new(&[1.0], &[-1.0]).is_err());
        assert!(Normalization::new(&[f64::INFINITY], &[1.0]).is_err());
        let scale = Normalization::new(&[1.0], &[1.0]).unwrap();
        assert!(scale.features(&[1]).is_err());
        assert!(scale.features(&[]).is_err());
        let two = Normalization::new(&[1.0, 2.0], &[1.0, 1.0]).unwrap();
        let other = two.normalize(&array![[1.0], [2.0]]).unwrap_err();
        assert_eq!(
            other.to_string(),
            "data: expected shape […, 2], the features that this is the scale of; `features(&[0])` is the scale of the first \
             alone, found [2, 1]"
        );
    }
}
