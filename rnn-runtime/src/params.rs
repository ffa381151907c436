//! Named weights in Keras's layout, all in one flat block.

mod nearest;
mod own;

pub(crate) use nearest::distance;
pub use own::OwnInit;
#[doc(hidden)]
pub use own::{OwnNumbers, axes_of, write_own};

/// How a parameter starts. Keras's initialisers, by Keras's names.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::{init::initialise, params::{Init, ParamSpec}};
///
/// let kernel = ParamSpec::new("kernel", &[2, 2], Init::Identity { gain: 0.5 });
/// assert_eq!(initialise(&[kernel], 0), [0.5, 0.0, 0.0, 0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same value.
    Constant(f32),
    /// Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
    GlorotUniform,
    /// Truncated normal with standard deviation sqrt(2 / (fan_in + fan_out)).
    GlorotNormal,
    /// Uniform in ±sqrt(6 / fan_in) (He et al., 2015).
    HeUniform,
    /// Truncated normal with standard deviation sqrt(2 / fan_in).
    HeNormal,
    /// Uniform in ±sqrt(3 / fan_in) (LeCun et al., 1998).
    LecunUniform,
    /// Truncated normal with standard deviation sqrt(1 / fan_in).
    LecunNormal,
    /// Any distribution whose variance follows from the shape: `scale / fan`. All Glorot, He and
    /// LeCun initialisers are of this family.
    VarianceScaling {
        /// Variance times the fan; positive, 1 in Keras.
        scale: f32,
        /// Which fan; [`FanMode::FanIn`] in Keras.
        mode: FanMode,
        /// What is drawn; [`Distribution::TruncatedNormal`] in Keras.
        distribution: Distribution,
    },
    /// Q of the QR decomposition of a normal matrix, signs fixed (Saxe et al., 2014), times `gain`.
    Orthogonal {
        /// Length of the rows or columns; 1 in Keras.
        gain: f32,
    },
    /// Uniform in `minval..maxval`: Keras's `random_uniform` / `uniform`.
    RandomUniform {
        /// The smallest value; -0.05 in Keras.
        minval: f32,
        /// Above the largest value; 0.05 in Keras.
        maxval: f32,
    },
    /// Normal.
    RandomNormal {
        /// Mean; 0 in Keras.
        mean: f32,
        /// Standard deviation; 0.05 in Keras.
        stddev: f32,
    },
    /// Normal, redrawn beyond two standard deviations from the mean. (So the deviation of what is
    /// drawn is 0.88 of `stddev`.)
    TruncatedNormal {
        /// Mean; 0 in Keras.
        mean: f32,
        /// Standard deviation before the cut; 0.05 in Keras.
        stddev: f32,
    },
    /// The identity matrix times `gain`.
    Identity {
        /// The numbers of the diagonal; 1 in Keras.
        gain: f32,
    },
    /// Ones in columns `start..end` of the last axis:
    /// an LSTM's bias with `unit_forget_bias`.
    OnesIn {
        /// First column of the ones.
        start: usize,
        /// One past the last column of the ones.
        end: usize,
        /// What the other columns start with.
        rest: &'static Init,
    },
    /// Numbers of the program: `param a: [4, 4] = MATRIX;` in a cell.
    Own(OwnInit),
}

/// What [`Init::VarianceScaling`] divides its scale by.
///
/// Example: [`Distribution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanMode {
    /// How many numbers feed a unit: `fan_in`.
    FanIn,
    /// How many units a number feeds: `fan_out`.
    FanOut,
    /// The mean of both: `fan_avg`.
    FanAvg,
}

/// What [`Init::VarianceScaling`] draws.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::params::{Distribution, FanMode, Init};
///
/// // He et al.'s, for the mean of both fans.
/// let init = Init::VarianceScaling {
///     scale: 2.0,
///     mode: FanMode::FanAvg,
///     distribution: Distribution::Uniform,
/// };
/// // In a model: `kernel_initializer = variance_scaling(2, fan_avg, uniform)`.
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Normal, cut off at two deviations; what is left has the variance asked for.
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform around 0.
    Uniform,
}

/// A penalty on the size of a parameter: Keras's `L1`, `L2` and `L1L2`
/// ([`keras.regularizers`](https://keras.io/api/layers/regularizers/)).
///
/// The loss grows by `l1 * Σ|w| + l2 * Σw²`; 0 leaves a term out.
///
/// ```
/// use recurrent::prelude::*;
///
/// let model = rnn_model!(Input(_, 3) -> LSTM(4, kernel_regularizer = l2(0.01)));
/// let kernel = model.specs()[0];
/// assert_eq!((kernel.regularizer.l1, kernel.regularizer.l2), (0.0, 0.01));
/// assert!(model.specs()[1].regularizer.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularizer {
    /// Factor of the sum of the absolute values.
    pub l1: f32,
    /// Factor of the sum of the squares.
    pub l2: f32,
}

impl Regularizer {
    /// Costs nothing.
    pub const NONE: Regularizer = Regularizer { l1: 0.0, l2: 0.0 };

    /// Whether it costs nothing.
    pub const fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }
}

/// What a parameter is projected onto after each step of the optimizer
/// ([`keras.constraints`](https://keras.io/api/layers/constraints/)).
///
/// The norm is Euclidean, over the axes `axis`, as in Keras: `[0]` gives the norm of each column of a
/// kernel `[inputs, units]`, which holds all weights of one unit.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::params::Constraint;
///
/// let model = rnn_model!(Input(_, 3) -> LSTM(4, kernel_constraint = non_neg));
/// assert_eq!(model.specs()[0].constraint, Some(Constraint::NonNeg));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// No norm above `max`.
    MaxNorm {
        /// The largest norm; 2 in Keras.
        max: f32,
        /// The axes to take norms over; `[0]` in Keras.
        axis: &'static [usize],
    },
    /// No norm outside of `min..=max`.
    MinMaxNorm {
        /// The smallest norm; 0 in Keras.
        min: f32,
        /// The largest norm; 1 in Keras.
        max: f32,
        /// How far a step goes towards the nearest allowed norm, as a share; 1 in Keras.
        rate: f32,
        /// The axes to take norms over; `[0]` in Keras.
        axis: &'static [usize],
    },
    /// No number below 0.
    NonNeg,
    /// All norms 1.
    UnitNorm {
        /// The axes to take norms over; `[0]` in Keras.
        axis: &'static [usize],
    },
}

/// One parameter as the compiler declares it.
///
/// Example: [`ParamSpec::new`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Keras's name, such as `lstm/kernel`, `lstm/recurrent_kernel`, `batch_normalization/gamma`.
    pub name: &'static str,
    /// Keras's shape, row-major.
    pub shape: &'static [usize],
    /// How it starts.
    pub init: Init,
    /// `false` for the moving statistics of `BatchNormalization` and frozen layers.
    pub trainable: bool,
    /// The penalty that it adds to the loss while it is trainable.
    pub regularizer: Regularizer,
    /// What it is projected onto while it is trainable.
    pub constraint: Option<Constraint>,
}

impl ParamSpec {
    /// A trainable parameter without a regulariser or a constraint.
    ///
    /// ```
    /// use recurrent::params::{Constraint, Init, ParamSpec};
    ///
    /// let kernel = ParamSpec::new("dense/kernel", &[3, 2], Init::GlorotUniform);
    /// let kernel = ParamSpec { constraint: Some(Constraint::NonNeg), ..kernel };
    /// assert_eq!((kernel.len(), kernel.trainable), (6, true));
    /// ```
    pub const fn new(name: &'static str, shape: &'static [usize], init: Init) -> ParamSpec {
        ParamSpec {
            name,
            shape,
            init,
            trainable: true,
            regularizer: Regularizer::NONE,
            constraint: None,
        }
    }

    /// The same parameter, left alone by the optimizer.
    pub const fn frozen(self) -> ParamSpec {
        ParamSpec {
            trainable: false,
            ..self
        }
    }

    /// Number of floats.
    pub const fn len(&self) -> usize {
        let mut n = 1;
        let mut i = 0;
        while i < self.shape.len() {
            n *= self.shape[i];
            i += 1;
        }
        n
    }

    /// Whether it holds no floats at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
