//! What an argument of a layer or a cell can be.

use super::{cell_constant::CellConstant, size::Size};

/// A value given to an argument: `64`, `UNITS`, `0.1`, `true`, `tanh`, `constant(0.5)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A size: a whole number, or the name of a `const` (upper case, or a path).
    Size(Size),
    /// A number with a fraction or a sign, such as `0.1`, `-1`, `1e-3`.
    Number(f64),
    /// `true`, `false`, or a bare flag.
    Flag(bool),
    /// A bare lower-case name: an activation or an initialiser.
    Name(String),
    /// A name with numbers: `leaky_relu(0.1)`, `constant(0.5)`.
    Call(String, Vec<f64>),
}

/// How a parameter starts; the numbers that an initialiser needs are in `Value::Call`.
#[derive(Clone, Debug, PartialEq)]
pub enum Initializer {
    /// One of Keras's initialisers by name, with the numbers given (`constant(0.5)`).
    Named(String, Vec<f64>),
    /// Ones in the given columns of the last axis, the rest by another: `unit_forget_bias`.
    OnesIn(Size, Size, Box<Initializer>),
    /// Numbers of the program.
    Own(CellConstant),
}

/// The initialisers that exist, by Keras's names.
pub const INITIALIZERS: &[&str] = &[
    "zeros",
    "ones",
    "constant",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "identity",
    "variance_scaling",
];

/// The initialiser that `name` means in Keras: one of [`INITIALIZERS`], its class
/// (`GlorotUniform`), or a short name of it (`keras/src/initializers/__init__.py`).
pub fn initializer_of(name: &str) -> Option<&'static str> {
    let snake = snake(name);
    let stem = snake.strip_suffix("_initializer").unwrap_or(&snake);
    let known = match stem {
        "uniform" => "random_uniform",
        "normal" => "random_normal",
        "zero" => "zeros",
        "one" => "ones",
        other => other,
    };
    INITIALIZERS.iter().find(|i| **i == known).copied()
}

/// The initialiser that PyTorch or a paper calls so: `xavier_uniform`, `kaiming`.
pub(crate) fn initializer_elsewhere(name: &str) -> Option<&'static str> {
    let snake = snake(name);
    let stem = snake.trim_end_matches('_');
    let stem = stem.strip_suffix("_initializer").unwrap_or(stem);
    Some(match stem {
        "glorot" | "xavier" | "xavier_uniform" => "glorot_uniform",
        "xavier_normal" => "glorot_normal",
        "he" | "kaiming" | "kaiming_uniform" => "he_uniform",
        "kaiming_normal" => "he_normal",
        "lecun" => "lecun_normal",
        "eye" => "identity",
        "gaussian" | "randn" => "random_normal",
        "rand" => "random_uniform",
        _ => return None,
    })
}

/// Why one of Keras's initialisers is not among [`INITIALIZERS`], and what to write instead.
pub(crate) fn initializer_not_here(name: &str) -> Option<(&'static str, &'static str)> {
    let snake = snake(name);
    let stem = snake.strip_suffix("_initializer").unwrap_or(&snake);
    (stem == "stft").then_some((
        "it makes the kernel of a convolution, of three axes, and there are no convolutions",
        "compute the transform before the model, or start with `glorot_uniform` and load a kernel \
         of your own: `model.load(\"kernel.safetensors\")`",
    ))
}

/// `LSTMCell` becomes `lstm_cell`, the way Keras names its layers after their classes.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let next = chars.get(i + 1);
        let starts = c.is_uppercase()
            && before.is_some_and(|b| !b.is_uppercase() || next.is_some_and(|n| n.is_lowercase()));
        if starts && before != Some('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The numbers that an initialiser takes, and their defaults, by Keras's names.
pub fn numbers_of(initializer: &str) -> &'static [(&'static str, f64)] {
    match initializer {
        "constant" => &[("value", 0.0)],
        "orthogonal" | "identity" => &[("gain", 1.0)],
        "random_uniform" => &[("minval", -0.05), ("maxval", 0.05)],
        "random_normal" | "truncated_normal" => &[("mean", 0.0), ("stddev", 0.05)],
        "variance_scaling" => &[("scale", 1.0), ("mode", 0.0), ("distribution", 0.0)],
        _ => &[],
    }
}

/// The names that stand for a number of `variance_scaling`, in order.
pub fn choices_of(argument: &str) -> &'static [&'static str] {
    match argument {
        "mode" => &["fan_in", "fan_out", "fan_avg"],
        "distribution" => &["truncated_normal", "untruncated_normal", "uniform"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialisers_have_the_names_that_keras_takes() {
        for (written, name) in [
            ("glorot_uniform", "glorot_uniform"),
            ("uniform", "random_uniform"),
            ("normal", "random_normal"),
            ("zero", "zeros"),
            ("one", "ones"),
            ("GlorotUniform", "glorot_uniform"),
            ("RandomNormal", "random_normal"),
            ("LecunNormal", "lecun_normal"),
            ("VarianceScaling", "variance_scaling"),
            ("OrthogonalInitializer", "orthogonal"),
            ("IdentityInitializer", "identity"),
            ("Zeros", "zeros"),
        ] {
            assert_eq!(initializer_of(written), Some(name), "{written}");
        }
        for wrong in ["he", "unifrom", "Initializer", ""] {
            assert_eq!(initializer_of(wrong), None, "{wrong}");
        }
    }
}
