//! Activations as nodes, and as functions of recurrent nodes.

use super::{
    graph::Graph,
    proto::Attribute::{self, Float},
};
use crate::write::layer::Activation;

/// Adds an activation.
///
/// # Errors
/// If there is none of that name.
pub(super) fn node(graph: &mut Graph, a: &Activation, x: &str) -> Result<String, String> {
    let number = |default: f32| a.number.map_or(default, |n| n as f32);
    Ok(match a.name.as_str() {
        "linear" => x.to_owned(),
        "relu" => graph.node("Relu", &[x]),
        "leaky_relu" => graph.with("LeakyRelu", &[x], &[("alpha", Float(number(0.2)))]),
        "elu" => graph.with("Elu", &[x], &[("alpha", Float(number(1.0)))]),
        "selu" => graph.node("Selu", &[x]),
        "tanh" => graph.node("Tanh", &[x]),
        "sigmoid" => graph.node("Sigmoid", &[x]),
        "softplus" => graph.node("Softplus", &[x]),
        "softsign" => graph.node("Softsign", &[x]),
        "exponential" => graph.node("Exp", &[x]),
        "softmax" => graph.with("Softmax", &[x], &[("axis", Attribute::Int(-1))]),
        "log_softmax" => graph.with("LogSoftmax", &[x], &[("axis", Attribute::Int(-1))]),
        "hard_sigmoid" => {
            let numbers = [("alpha", Float(number(1.0 / 6.0))), ("beta", Float(0.5))];
            graph.with("HardSigmoid", &[x], &numbers)
        }
        "hard_silu" => graph.node("HardSwish", &[x]),
        "relu6" | "hard_tanh" => {
            let (low, high) = match a.name.as_str() {
                "relu6" => (0.0, 6.0),
                _ => (-1.0, 1.0),
            };
            let (low, high) = (graph.number(low), graph.number(high));
            graph.node("Clip", &[x, &low, &high])
        }
        "silu" => {
            let y = graph.node("Sigmoid", &[x]);
            graph.node("Mul", &[x, &y])
        }
        "mish" => {
            let y = graph.node("Softplus", &[x]);
            let y = graph.node("Tanh", &[&y]);
            graph.node("Mul", &[x, &y])
        }
        "log_sigmoid" => {
            let y = graph.node("Neg", &[x]);
            let y = graph.node("Softplus", &[&y]);
            graph.node("Neg", &[&y])
        }
        "gelu" => {
            let root = graph.number(std::f32::consts::SQRT_2);
            let (one, half) = (graph.number(1.0), graph.number(0.5));
            let y = graph.node("Div", &[x, &root]);
            let y = graph.node("Erf", &[&y]);
            let y = graph.node("Add", &[&y, &one]);
            let y = graph.node("Mul", &[x, &y]);
            graph.node("Mul", &[&y, &half])
        }
        other => return Err(format!("ONNX has no activation `{other}`")),
    })
}

/// A function of a recurrent node, with its numbers alpha and beta.
pub(super) type Function = (&'static str, Option<f32>, Option<f32>);

/// The function of a recurrent node.
///
/// # Errors
/// If recurrent nodes do not have it.
pub(super) fn of_gate(a: &Activation) -> Result<Function, String> {
    let number = |default: f32| Some(a.number.map_or(default, |n| n as f32));
    Ok(match a.name.as_str() {
        "tanh" => ("Tanh", None, None),
        "sigmoid" => ("Sigmoid", None, None),
        "relu" => ("Relu", None, None),
        "softsign" => ("Softsign", None, None),
        "softplus" => ("Softplus", None, None),
        "linear" => ("Affine", Some(1.0), Some(0.0)),
        "leaky_relu" => ("LeakyRelu", number(0.2), None),
        "elu" => ("Elu", number(1.0), None),
        "hard_sigmoid" => ("HardSigmoid", number(1.0 / 6.0), Some(0.5)),
        other => {
            return Err(format!(
                "ONNX's recurrent nodes have no activation `{other}`"
            ));
        }
    })
}
