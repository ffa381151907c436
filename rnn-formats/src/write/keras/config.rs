//! Layers as Keras's configurations.

use serde_json::{Map, Value as Json, json};

use crate::write::{
    layer::{Arguments, inner},
    model::cells,
    words::{Argument, Word},
};

/// Activations that Keras has by the same name.
const ACTIVATIONS: &[&str] = &[
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
];

/// A layer: `{"module": "keras.layers", "class_name": "LSTM", "config": {…}}`. What only matters in training and cannot be
/// said goes to `notes`.
///
/// # Errors
/// What Keras does not have.
pub(super) fn layer(
    class: &str,
    arguments: &Arguments,
    name: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Json, String> {
    let mut config = Map::new();
    config.extend(name.map(|name| ("name".to_owned(), json!(name))));
    // Layers have it, operations on tensors do not; this layer does not take it.
    if class != "SpatialDropout1D" {
        config.insert("trainable".into(), json!(true));
    }
    config.extend(
        defaults(class)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value)),
    );
    for (key, word) in &arguments.all {
        let value = match key.as_str() {
            "activation" | "recurrent_activation" => activation(word)?,
            "learn_initial_state" if word.text() == "false" => continue,
            "learn_initial_state" => {
                return Err("Keras has no start states that are learned".into());
            }
            "layer" | "backward_layer" => {
                let (class, arguments) = inner(Some(word))?;
                layer(&class, &arguments, None, notes)?
            }
            "cell" => cell(arguments, notes)?,
            "merge_mode" if word.text() == "none" => Json::Null,
            "mask_value" => json!(word.number().ok_or("`mask_value` is no number")?),
            key => {
                let made = match key.rsplit_once('_').map_or("", |(_, kind)| kind) {
                    "initializer" => Some(initializer(word)),
                    "regularizer" => Some(regularizer(word)),
                    "constraint" => Some(constraint(word)),
                    _ => None,
                };
                match made {
                    Some(Some(value)) => value,
                    Some(None) => {
                        let of = name.unwrap_or(class);
                        notes.push(format!(
                            "{of}: `{key} = {}` is left out: it only matters in training",
                            word.text()
                        ));
                        continue;
                    }
                    None => plain(word)
                        .ok_or_else(|| format!("`{key} = {}` is not understood", word.text()))?,
                }
            }
        };
        config.insert(key.clone(), value);
    }
    if class == "Activation" && !config.contains_key("activation") {
        return Err("it has no activation".into());
    }
    Ok(object("keras.layers", class, Json::Object(config)))
}

/// What Keras writes even where nobody has said it.
fn defaults(class: &str) -> Vec<(&'static str, Json)> {
    let mut all = Vec::new();
    let cell = class.trim_end_matches("Cell");
    if matches!(cell, "LSTM" | "GRU" | "SimpleRNN") {
        all.extend([("activation", json!("tanh")), ("use_bias", json!(true))]);
    }
    if matches!(cell, "LSTM" | "GRU") {
        all.push(("recurrent_activation", json!("sigmoid")));
    }
    match cell {
        "Dense" => all.extend([("activation", json!("linear")), ("use_bias", json!(true))]),
        "LSTM" => all.push(("unit_forget_bias", json!(true))),
        "GRU" => all.push(("reset_after", json!(true))),
        "Bidirectional" => all.push(("merge_mode", json!("concat"))),
        "BatchNormalization" | "LayerNormalization" => all.extend([
            ("epsilon", json!(0.001)),
            ("center", json!(true)),
            ("scale", json!(true)),
        ]),
        _ => {}
    }
    all
}

/// An object of Keras.
pub(super) fn object(module: &str, class: &str, config: Json) -> Json {
    json!({
        "module": module,
        "class_name": class,
        "config": config,
        "registered_name": null,
    })
}

/// The cell of `RNN`, or the stack of them. Cells of a stack are named as the file counts them.
fn cell(arguments: &Arguments, notes: &mut Vec<String>) -> Result<Json, String> {
    let stacked = matches!(arguments.get("cell"), Some(Word::List(_)));
    let all = cells(arguments)?
        .iter()
        .map(|(class, arguments)| match class.as_str() {
            "LSTMCell" | "GRUCell" | "SimpleRNNCell" => layer(class, arguments, None, notes),
            other => Err(format!("`{other}` is a cell of its own")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    match (stacked, &all[..]) {
        (false, [one]) => Ok(one.clone()),
        _ => Ok(object(
            "keras.layers",
            "StackedRNNCells",
            json!({"cells": all}),
        )),
    }
}

/// Numbers, flags, words, lists of them.
fn plain(word: &Word) -> Option<Json> {
    Some(match word {
        Word::Number(x) => number(*x),
        Word::Name(name) => match name.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            name => json!(name),
        },
        Word::Text(text) => json!(text),
        Word::List(all) => Json::Array(all.iter().map(plain).collect::<Option<_>>()?),
        _ => return None,
    })
}

/// A number; a whole one without a point, as sizes have to be.
fn number(x: f64) -> Json {
    match x.fract() == 0.0 && x.abs() < 2f64.powi(53) {
        true => json!(x as i64),
        false => json!(x),
    }
}

fn activation(word: &Word) -> Result<Json, String> {
    let of = |class: &str, key: &str, arguments: &[Argument]| match arguments {
        [one] => one.value.number().map(|x| {
            // `leaky_relu(1)`: a float for Keras.
            object("keras.layers", class, json!({ key: x }))
        }),
        _ => None,
    };
    let found = match word {
        Word::Name(name) if name == "swish" => Some(json!("silu")),
        Word::Name(name) if ACTIVATIONS.contains(&name.as_str()) => Some(json!(name)),
        Word::Call(name, arguments) => match name.as_str() {
            "leaky_relu" => of("LeakyReLU", "negative_slope", arguments),
            "elu" => of("ELU", "alpha", arguments),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| format!("Keras has no activation `{}`", word.text()))
}

/// The arguments of a call, by these names where they have none.
fn named(word: &Word, names: &[&str]) -> Option<(String, Map<String, Json>)> {
    let (name, arguments): (_, &[Argument]) = match word {
        Word::Name(name) => (name, &[]),
        Word::Call(name, arguments) => (name, arguments),
        _ => return None,
    };
    let mut config = Map::new();
    let mut free = names.iter();
    for argument in arguments {
        let key = match &argument.name {
            Some(name) => name.clone(),
            None => (*free.next()?).to_owned(),
        };
        let value = match &argument.value {
            // Floats, with the only exception of axes.
            Word::Number(x) if key != "axis" => json!(x),
            other => plain(other)?,
        };
        config.insert(key, value);
    }
    Some((name.clone(), config))
}

/// `glorot_uniform` as `GlorotUniform`.
fn camel(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut letters = part.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    parts.collect()
}

fn initializer(word: &Word) -> Option<Json> {
    let name = match word {
        Word::Name(name) | Word::Call(name, _) => name.as_str(),
        _ => return None,
    };
    let names: &[&str] = match name {
        "constant" => &["value"],
        "orthogonal" | "identity" => &["gain"],
        "random_uniform" => &["minval", "maxval"],
        "random_normal" | "truncated_normal" => &["mean", "stddev"],
        "variance_scaling" => &["scale", "mode", "distribution"],
        "zeros" | "ones" | "glorot_uniform" | "glorot_normal" | "he_uniform" | "he_normal"
        | "lecun_uniform" | "lecun_normal" => &[],
        _ => return None,
    };
    let (name, config) = named(word, names)?;
    Some(object(
        "keras.initializers",
        &camel(&name),
        Json::Object(config),
    ))
}

fn regularizer(word: &Word) -> Option<Json> {
    let (class, names): (_, &[&str]) = match word {
        Word::Name(name) | Word::Call(name, _) => match name.as_str() {
            "l1" => ("L1", &["l1"]),
            "l2" => ("L2", &["l2"]),
            "l1_l2" => ("L1L2", &["l1", "l2"]),
            _ => return None,
        },
        _ => return None,
    };
    let (_, config) = named(word, names)?;
    Some(object("keras.regularizers", class, Json::Object(config)))
}

fn constraint(word: &Word) -> Option<Json> {
    let (class, names): (_, &[&str]) = match word {
        Word::Name(name) | Word::Call(name, _) => match name.as_str() {
            "non_neg" => ("NonNeg", &[]),
            "unit_norm" => ("UnitNorm", &["axis"]),
            "max_norm" => ("MaxNorm", &["max_value", "axis"]),
            "min_max_norm" => ("MinMaxNorm", &["min_value", "max_value", "rate", "axis"]),
            _ => return None,
        },
        _ => return None,
    };
    let (_, config) = named(word, names)?;
    Some(object("keras.constraints", class, Json::Object(config)))
}
