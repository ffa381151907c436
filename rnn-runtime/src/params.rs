//! Named weights in Keras's layout, all in one flat block.

/// How a parameter starts. Keras's initialisers, by Keras's names.
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
    /// Q of the QR decomposition of a normal matrix, signs fixed (Saxe et al., 2014).
    Orthogonal,
    /// Uniform in ±0.05: Keras's `random_uniform` / `uniform`.
    RandomUniform,
    /// Normal with standard deviation 0.05.
    RandomNormal,
    /// Normal with standard deviation 0.05, redrawn beyond two deviations.
    TruncatedNormal,
    /// The identity matrix.
    Identity,
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
}

/// One parameter as the compiler declares it.
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
}

impl ParamSpec {
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
