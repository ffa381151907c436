//! What the products of a model are made in.

use std::{fmt, str::FromStr};

use crate::error::Error;

/// What the products of a model on a device are made in: those of layers, and those of the gradients of their weights. The
/// numbers of both operands are rounded to it, and products are summed in float32. Weights, states, gradients, the maths of
/// cells and the steps of optimizers are in float32 in any case.
///
/// [`Device::with_precision`](crate::device::Device::with_precision) chooses one. As text it is `float32`, `tf32`, `bf16` or
/// `f16`.
///
/// ```
/// use recurrent::prelude::Precision;
///
/// assert_eq!("bf16".parse::<Precision>()?, Precision::Bf16);
/// assert_eq!(Precision::default().to_string(), "float32");
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// 24 bits, exact products by FMA. The only one of the CPU.
    #[default]
    Float32,
    /// NVIDIA's TF32, by tensor cores: 11 bits, and the range of float32.
    Tf32,
    /// bfloat16, by tensor cores: 8 bits, and the range of float32.
    Bf16,
    /// IEEE half precision, by tensor cores: 11 bits, numbers up to 65504. Products of the backward pass are made in TF32, so that
    /// small gradients are not lost and a loss needs no scale.
    F16,
}

impl Precision {
    /// That of the products of a form of a cell, or of the gradients of weights, which are backward.
    #[cfg(feature = "cuda")]
    pub(crate) fn of(self, form: rnn_tables::Form) -> Precision {
        match (self, form) {
            (Precision::F16, rnn_tables::Form::Backward) => Precision::Tf32,
            _ => self,
        }
    }
}

/// Their names.
const NAMES: [(Precision, &str); 4] = [
    (Precision::Float32, "float32"),
    (Precision::Tf32, "tf32"),
    (Precision::Bf16, "bf16"),
    (Precision::F16, "f16"),
];

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(precision, _)| precision == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Precision, Error> {
        let found = NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(precision, _)| *precision).ok_or_else(|| {
            Error::Device(format!(
                "`{text}` is no precision: there are float32, tf32, bf16 and f16"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (precision, name) in NAMES {
            assert_eq!(precision.to_string(), name);
            assert!(name.parse::<Precision>().is_ok_and(|p| p == precision));
        }
        assert!("f32".parse::<Precision>().is_err());
    }
}
