//! RTNeural's JSON, in the form of a Keras model.

use serde_json::{Value as Json, json};

use super::{
    Written,
    keras::params::params,
    layer::{Arguments, inner},
    model::{Content, IDENTITIES, Layer, Model},
};
use crate::{Error, Network, Tensor, Value};

/// Activations that RTNeural has as layers.
const ACTIVATIONS: &[&str] = &["tanh", "relu", "sigmoid", "softmax", "elu"];

/// The model as JSON that RTNeural reads.
///
/// ```
/// use rnn_formats::{read, write};
///
/// # let json = br#"{"in_shape": [null, null, 1], "layers": [
/// #     {"type": "dense", "shape": [null, null, 1], "activation": "", "weights": [[[2.0]], [0.5]]}]}"#;
/// let model = read(json, &mut |name| std::fs::read(name))?;
/// let network = model.network.ok_or("the file has layers")?;
/// let file = write::rtneural(&network, &model.tensors)?;
/// assert!(file.bytes.starts_with(b"{"));
/// let again = read(&file.bytes, &mut |name| std::fs::read(name))?;
/// assert_eq!(again.tensors, model.tensors);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] with all layers that RTNeural does not have. It has layers in a row.
pub fn rtneural(network: &Network, tensors: &[Tensor]) -> Result<Written, Error> {
    let model = Model::of(network, tensors)?;
    let (mut layers, mut wrong, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut before, mut one_step) = (Value::Input(0), None);
    let width = match &model.inputs[..] {
        [(_, shape)] if shape.content == Content::Numbers && shape.axes.len() == 1 => {
            shape.width().unwrap_or(0)
        }
        [(name, _)] => {
            wrong.push(format!(
                "the input `{name}`: RTNeural reads numbers, one vector a step"
            ));
            0
        }
        all => {
            wrong.push(format!(
                "RTNeural's models have one input, found {}",
                all.len()
            ));
            0
        }
    };
    for (number, layer) in model.layers.iter().enumerate() {
        let mut refuse = |why: &str| wrong.push(format!("{}: {why}", layer.title()));
        if layer.inputs[..] != [before] || layer.results.len() != 1 || layer.first != number {
            refuse("RTNeural's models are layers in a row");
        } else if layer.mask.is_some() || !layer.initial.is_empty() {
            refuse("RTNeural has neither masks nor states that are given");
        } else {
            let of_sequence = model.shape(before).is_some_and(|s| s.steps.is_some());
            if of_sequence && layer.results.iter().all(|s| s.steps.is_none()) {
                one_step = Some(layer.title());
            }
            match made(&model, layer) {
                Ok(all) => layers.extend(all),
                Err(why) => refuse(&why),
            }
        }
        before = Value::Of {
            layer: number,
            result: 0,
        };
    }
    if !matches!(model.outputs, [(_, value)] if *value == before) {
        wrong.push("RTNeural's models have one output, that of the last layer".into());
    }
    if !wrong.is_empty() {
        return Err(Error::NotUnderstood(wrong));
    }
    if let Some(layer) = one_step {
        notes.push(format!(
            "{layer} gives its last step alone; RTNeural gives an output at every step, of which the last is this one"
        ));
    }
    let file = json!({"in_shape": [null, null, width], "layers": layers});
    let bytes = serde_json::to_vec(&file).map_err(|e| Error::not_understood(e.to_string()))?;
    Ok(Written { bytes, notes })
}

/// The layers that a layer is there: none, one, or one and its activation.
fn made(model: &Model<'_>, layer: &Layer<'_>) -> Result<Vec<Json>, String> {
    if IDENTITIES.contains(&layer.class) {
        return Ok(Vec::new());
    }
    let shape = layer.results.first().ok_or("it gives nothing")?;
    let [units] = shape.axes[..] else {
        return Err("RTNeural has one vector a step".into());
    };
    let mut weights = Vec::new();
    for param in params(model, layer)? {
        let tensor = model.tensor(&layer.name, &param.name, &param.shape)?;
        weights.push((param.name, numbers(tensor)));
    }
    let object = |kind: &str, activation: &str, weights: Vec<Json>| {
        json!({
            "type": kind,
            "activation": activation,
            "shape": [null, null, units],
            "weights": weights,
        })
    };
    let arrays =
        |all: Vec<(String, Json)>| all.into_iter().map(|(_, array)| array).collect::<Vec<_>>();
    let zeros = |n: usize| json!(vec![0.0; n]);
    let a = &layer.arguments;
    let (class, own) = match layer.class {
        "TimeDistributed" => inner(a.get("layer"))?,
        class => (class.to_owned(), a.clone()),
    };
    match class.as_str() {
        "Dense" => {
            let mut all = arrays(weights);
            if !own.flag("use_bias", true) {
                all.push(zeros(units));
            }
            let activation = own.activation("activation", "linear").text();
            Ok(vec![object("dense", activation_name(&activation)?, all)])
        }
        "Activation" => {
            let activation = own.activation("activation", "linear").text();
            Ok(match activation_name(&activation)? {
                "" => Vec::new(),
                name => vec![object("activation", name, Vec::new())],
            })
        }
        "LSTM" | "GRU" => {
            plain(&own)?;
            if class == "GRU" && !own.flag("reset_after", true) {
                return Err(
                    "RTNeural resets after the product; this is `reset_after = false`".into(),
                );
            }
            let mut all = arrays(weights);
            if !own.flag("use_bias", true) {
                all.push(match class.as_str() {
                    "LSTM" => zeros(units.saturating_mul(4)),
                    _ => json!([vec![0.0; 3 * units], vec![0.0; 3 * units]]),
                });
            }
            let kind = if class == "LSTM" { "lstm" } else { "gru" };
            Ok(vec![object(kind, "", all)])
        }
        "BatchNormalization" => {
            // RTNeural takes both, or none of them.
            let mut all = Vec::new();
            let affine = own.flag("scale", true) || own.flag("center", true);
            let mut given: std::collections::BTreeMap<String, Json> = weights.into_iter().collect();
            for (name, value) in [("gamma", 1.0), ("beta", 0.0)] {
                if affine {
                    all.push(
                        given
                            .remove(name)
                            .unwrap_or_else(|| json!(vec![value; units])),
                    );
                }
            }
            for name in ["moving_mean", "moving_variance"] {
                all.extend(given.remove(name));
            }
            let mut layer = object("batchnorm", "", all);
            if let Some(map) = layer.as_object_mut() {
                map.insert("epsilon".into(), json!(own.number("epsilon", 0.001)));
            }
            Ok(vec![layer])
        }
        other => Err(format!("RTNeural has no layer for {other}")),
    }
}

/// Checks that a recurrent layer is the plain one.
fn plain(a: &Arguments) -> Result<(), String> {
    let activations = [("activation", "tanh"), ("recurrent_activation", "sigmoid")];
    for (name, usual) in activations {
        let own = a.activation(name, usual);
        if !own.is(usual) {
            return Err(format!(
                "RTNeural computes `{usual}` here, not `{}`",
                own.text()
            ));
        }
    }
    for (name, what) in [
        ("go_backwards", "reads in order"),
        ("learn_initial_state", "starts with zeros"),
    ] {
        if a.flag(name, false) {
            return Err(format!("RTNeural {what}; this is `{name}`"));
        }
    }
    Ok(())
}

fn activation_name(name: &str) -> Result<&str, String> {
    match name {
        "linear" => Ok(""),
        name if ACTIVATIONS.contains(&name) => Ok(name),
        other => Err(format!("RTNeural has no activation `{other}`")),
    }
}

/// Numbers as arrays of arrays. An `f32` has few digits that way.
fn numbers(tensor: &Tensor) -> Json {
    let row = |values: &[f32]| -> Json {
        let all = values.iter().map(|x| {
            let short: Option<f64> = x.to_string().parse().ok();
            json!(short.unwrap_or(f64::from(*x)))
        });
        Json::Array(all.collect())
    };
    match tensor.shape[..] {
        [_, columns] if columns > 0 => tensor.values.chunks(columns).map(row).collect(),
        _ => row(&tensor.values),
    }
}
