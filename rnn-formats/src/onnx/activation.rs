//! Activations: of nodes, and of the gates of recurrent layers with their alpha and beta.

/// An activation of a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    Sigmoid,
    Tanh,
    Relu,
    Softsign,
    Softplus,
    Affine(f32, f32),
    LeakyRelu(f32),
    ThresholdedRelu(f32),
    ScaledTanh(f32, f32),
    HardSigmoid(f32, f32),
    Elu(f32),
}

/// The alphas and betas that are left, in the order of the functions that take them.
#[derive(Clone, Debug)]
pub(super) struct Numbers<'n> {
    alpha: &'n [f32],
    beta: &'n [f32],
}

impl<'n> Numbers<'n> {
    pub fn new(alpha: &'n [f32], beta: &'n [f32]) -> Self {
        Numbers { alpha, beta }
    }

    fn take(list: &mut &[f32], default: f32) -> f32 {
        match list.split_first() {
            Some((first, rest)) => {
                *list = rest;
                *first
            }
            None => default,
        }
    }

    fn alpha(&mut self, default: f32) -> f32 {
        Self::take(&mut self.alpha, default)
    }

    fn beta(&mut self, default: f32) -> f32 {
        Self::take(&mut self.beta, default)
    }
}

/// A number as the languages here write it: without an exponent.
pub(super) fn number(value: f32) -> String {
    format!("{value}")
}

impl Act {
    /// An activation by ONNX's name; capitals do not matter.
    pub fn named(name: &str, numbers: &mut Numbers<'_>) -> Result<Act, String> {
        let act = match name.to_ascii_lowercase().as_str() {
            "sigmoid" => Act::Sigmoid,
            "tanh" => Act::Tanh,
            "relu" => Act::Relu,
            "softsign" => Act::Softsign,
            "softplus" => Act::Softplus,
            "affine" => Act::Affine(numbers.alpha(1.0), numbers.beta(0.0)),
            "leakyrelu" => Act::LeakyRelu(numbers.alpha(0.01)),
            "thresholdedrelu" => Act::ThresholdedRelu(numbers.alpha(1.0)),
            "scaledtanh" => Act::ScaledTanh(numbers.alpha(1.0), numbers.beta(1.0)),
            "hardsigmoid" => Act::HardSigmoid(numbers.alpha(0.2), numbers.beta(0.5)),
            "elu" => Act::Elu(numbers.alpha(1.0)),
            _ => return Err(format!("there is no activation `{name}` in ONNX")),
        };
        let finite = match act {
            Act::Affine(a, b) | Act::ScaledTanh(a, b) | Act::HardSigmoid(a, b) => {
                a.is_finite() && b.is_finite()
            }
            Act::LeakyRelu(a) | Act::ThresholdedRelu(a) | Act::Elu(a) => a.is_finite(),
            _ => true,
        };
        match finite {
            true => Ok(act),
            false => Err(format!(
                "its activation `{name}` has a number that is not finite"
            )),
        }
    }

    /// What a layer of Keras is given, if it has this activation.
    pub fn keras(self) -> Option<String> {
        Some(match self {
            Act::Sigmoid => "sigmoid".to_owned(),
            Act::Tanh => "tanh".to_owned(),
            Act::Relu => "relu".to_owned(),
            Act::Softsign => "softsign".to_owned(),
            Act::Softplus => "softplus".to_owned(),
            Act::Affine(1.0, 0.0) => "linear".to_owned(),
            Act::LeakyRelu(a) if a >= 0.0 => format!("leaky_relu({})", number(a)),
            Act::Elu(a) if a >= 0.0 => format!("elu({})", number(a)),
            Act::HardSigmoid(a, 0.5) if (a - 1.0 / 6.0).abs() < 1e-7 => "hard_sigmoid".to_owned(),
            Act::HardSigmoid(a, 0.5) if a >= 0.0 => format!("hard_sigmoid({})", number(a)),
            _ => return None,
        })
    }

    /// The value of a name in the language of cells.
    pub fn of(self, x: &str) -> String {
        let n = number;
        match self {
            Act::Sigmoid => format!("sigmoid({x})"),
            Act::Tanh => format!("tanh({x})"),
            Act::Relu => format!("relu({x})"),
            Act::Softsign => format!("softsign({x})"),
            Act::Softplus => format!("softplus({x})"),
            Act::Affine(a, b) => format!("{} * {x} + {}", n(a), n(b)),
            Act::LeakyRelu(a) => format!("select({x} < 0, {} * {x}, {x})", n(a)),
            Act::ThresholdedRelu(a) => format!("select({x} > {}, {x}, 0)", n(a)),
            Act::ScaledTanh(a, b) => format!("{} * tanh({} * {x})", n(a), n(b)),
            Act::HardSigmoid(a, b) => format!("min(max({} * {x} + {}, 0), 1)", n(a), n(b)),
            Act::Elu(a) => format!("select({x} < 0, {} * expm1({x}), {x})", n(a)),
        }
    }
}
