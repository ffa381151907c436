//! What an argument of a layer or a cell can be.

use super::size::Size;

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
    /// One of Keras's initialisers by name, with its number if it has one (`constant(0.5)`).
    Named(String, Option<f64>),
    /// Ones in the given columns of the last axis, the rest by another: `unit_forget_bias`.
    OnesIn(Size, Size, Box<Initializer>),
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
];
