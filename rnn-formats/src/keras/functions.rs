//! Activations, initialisers, regularisers and constraints of Keras as `rnn_model!` writes them.

use serde_json::{Map, Value};

use super::object::{Object, items, short};

/// The activations that are here by the same name.
const ACTIVATIONS: &[&str] = &[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "hard_tanh",
    "hard_silu",
    "log_sigmoid",
    "mish",
    "exponential",
    "softmax",
    "log_softmax",
];

/// A number as it is written: one that is an `f32` as such.
pub(super) fn number(x: f64) -> String {
    let near = x as f32;
    let text = near.to_string();
    match f64::from(near) == x || text.parse() == Ok(x) {
        true => text,
        false => x.to_string(),
    }
}

/// An activation: a name, or a layer that is one. What is not here is said.
pub(super) fn activation(value: &Value, old: bool) -> Result<String, String> {
    let name = match (value, Object::of(value)) {
        (Value::String(name), _) => name.as_str(),
        (_, Some(object)) => {
            return match of_layer(object.class, object.config) {
                Some(text) => text.map_err(|why| format!("{}: {why}", object.class)),
                None => Err(format!("{} is not understood", object.class)),
            };
        }
        // Keras writes functions as `{"class_name": "function", "config": "relu"}`, too.
        _ => match value.get("config").and_then(Value::as_str) {
            Some(name) => name,
            None => return Err(format!("{} is not understood", short(value))),
        },
    };
    let name = match name {
        "swish" => "silu",
        "hard_swish" => "hard_silu",
        name => name,
    };
    match name {
        // Keras 2 computes clip(0.2x + 0.5, 0, 1), Keras 3 relu6(x + 3) / 6, whose slope is 1/6.
        "hard_sigmoid" if old => Ok("hard_sigmoid(0.2)".to_owned()),
        name if ACTIVATIONS.contains(&name) => Ok(name.to_owned()),
        name => Err(format!("{} is not understood", short(&Value::from(name)))),
    }
}

/// The activation that a layer of its own is; `None` if the class is no activation.
pub(super) fn of_layer(class: &str, config: &Map<String, Value>) -> Option<Result<String, String>> {
    let given = |name: &str| config.get(name).filter(|v| !v.is_null());
    let get = |name: &str| given(name).and_then(Value::as_f64);
    // Keras 2 has other names for the slope.
    let slope = || get("negative_slope").or(get("alpha"));
    Some(match class {
        "LeakyReLU" => Ok(format!("leaky_relu({})", number(slope().unwrap_or(0.3)))),
        "ELU" => Ok(match get("alpha").unwrap_or(1.0) {
            1.0 => "elu".to_owned(),
            alpha => format!("elu({})", number(alpha)),
        }),
        "ReLU" => {
            let threshold = get("threshold").unwrap_or(0.0);
            match (get("max_value"), slope().unwrap_or(0.0)) {
                _ if threshold != 0.0 => {
                    Err(format!("`threshold` = {threshold} is not understood"))
                }
                (None, 0.0) => Ok("relu".to_owned()),
                (None, slope) => Ok(format!("leaky_relu({})", number(slope))),
                (Some(6.0), 0.0) => Ok("relu6".to_owned()),
                (Some(most), _) => Err(format!("`max_value` = {most} is not understood")),
            }
        }
        "Softmax" => match given("axis").map_or(Some(vec![-1]), whole) {
            Some(axes) if axes == [-1] => Ok("softmax".to_owned()),
            _ => Err("softmax over an axis that is not the last is not understood".to_owned()),
        },
        _ => return None,
    })
}

/// One whole number, or several in a list.
pub(super) fn whole(value: &Value) -> Option<Vec<i64>> {
    match items(value) {
        Some(all) => all.iter().map(Value::as_i64).collect(),
        None => value.as_i64().map(|n| vec![n]),
    }
}

/// An initialiser, in the text of the defaults of layers where it is one of them.
pub(super) fn initializer(value: &Value) -> Option<String> {
    let Some(object) = Object::of(value) else {
        return Some(match value.as_str()? {
            "uniform" => "random_uniform".to_owned(),
            "normal" => "random_normal".to_owned(),
            name => snake(name),
        })
        .filter(|name| KNOWN.contains(&name.as_str()));
    };
    let numbers = |all: &[(&str, f64)]| -> Option<Option<String>> {
        let mut list = Vec::new();
        let mut other = false;
        for (name, default) in all {
            let x = match object.config.get(*name) {
                None | Some(Value::Null) => *default,
                Some(value) => value.as_f64()?,
            };
            other |= x != *default;
            list.push(number(x));
        }
        Some(other.then(|| list.join(", ")))
    };
    let name = snake(object.class);
    let given = match name.as_str() {
        "constant" => Some(number(object.config.get("value")?.as_f64()?)),
        "orthogonal" | "identity" => numbers(&[("gain", 1.0)])?,
        "random_uniform" => numbers(&[("minval", -0.05), ("maxval", 0.05)])?,
        "random_normal" | "truncated_normal" => numbers(&[("mean", 0.0), ("stddev", 0.05)])?,
        "variance_scaling" => {
            let scale = object
                .config
                .get("scale")
                .map_or(Some(1.0), Value::as_f64)?;
            let word = |name: &str, default: &'static str, all: &[&'static str]| {
                let found = object
                    .config
                    .get(name)
                    .map_or(Some(default), Value::as_str)?;
                all.iter().copied().find(|w| *w == found)
            };
            let mode = word("mode", "fan_in", &["fan_in", "fan_out", "fan_avg"])?;
            let kinds = ["truncated_normal", "untruncated_normal", "uniform"];
            let kind = word("distribution", "truncated_normal", &kinds)?;
            Some(format!(
                "scale = {}, mode = {mode}, distribution = {kind}",
                number(scale)
            ))
        }
        name if KNOWN.contains(&name) => None,
        _ => return None,
    };
    Some(match given {
        Some(given) => format!("{name}({given})"),
        None => name,
    })
}

const KNOWN: &[&str] = &[
    "zeros",
    "ones",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "identity",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "variance_scaling",
];

/// A regulariser.
pub(super) fn regularizer(value: &Value) -> Option<String> {
    let Some(object) = Object::of(value) else {
        return match value.as_str()? {
            name @ ("l1" | "l2") => Some(format!("{name}(0.01)")),
            "l1_l2" => Some("l1_l2(0.01, 0.01)".to_owned()),
            _ => None,
        };
    };
    let get = |name: &str| -> Option<f64> {
        match object.config.get(name) {
            None | Some(Value::Null) => Some(0.0),
            Some(value) => value.as_f64(),
        }
    };
    let (l1, l2) = match object.class {
        "L1" => (get("l1")?, 0.0),
        "L2" => (0.0, get("l2")?),
        "L1L2" => (get("l1")?, get("l2")?),
        _ => return None,
    };
    if l1 < 0.0 || l2 < 0.0 {
        return None;
    }
    Some(match (l1 == 0.0, l2 == 0.0) {
        (true, _) => format!("l2({})", number(l2)),
        (_, true) => format!("l1({})", number(l1)),
        _ => format!("l1_l2({}, {})", number(l1), number(l2)),
    })
}

/// A constraint.
pub(super) fn constraint(value: &Value) -> Option<String> {
    let Some(object) = Object::of(value) else {
        let name = value.as_str()?;
        return ["max_norm", "min_max_norm", "non_neg", "unit_norm"]
            .contains(&name)
            .then(|| name.to_owned());
    };
    let axis = || -> Option<String> {
        let axes = object.config.get("axis").map_or(Some(vec![0]), whole)?;
        if axes.is_empty() || axes.iter().any(|a| !(-2..=1).contains(a)) {
            return None;
        }
        let all: Vec<String> = axes.iter().map(ToString::to_string).collect();
        Some(match axes.len() {
            1 => format!("axis = {}", all.join(", ")),
            _ => format!("axis = [{}]", all.join(", ")),
        })
    };
    let get = |name: &str, default: f64| -> Option<String> {
        let x = object
            .config
            .get(name)
            .map_or(Some(default), Value::as_f64)?;
        (x >= 0.0).then(|| number(x))
    };
    Some(match object.class {
        "NonNeg" => "non_neg".to_owned(),
        "UnitNorm" => format!("unit_norm({})", axis()?),
        "MaxNorm" => format!("max_norm({}, {})", get("max_value", 2.0)?, axis()?),
        "MinMaxNorm" => format!(
            "min_max_norm({}, {}, rate = {}, {})",
            get("min_value", 0.0)?,
            get("max_value", 1.0)?,
            get("rate", 1.0)?,
            axis()?
        ),
        _ => return None,
    })
}

/// Keras's name of a class in small letters: `GlobalMaxPooling1D` as `global_max_pooling1d`.
pub(super) fn snake(class: &str) -> String {
    let letters: Vec<char> = class
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let mut out = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let after = letters.get(i + 1);
        let starts = c.is_uppercase()
            && before.is_some_and(|b| {
                *b != '_' && (b.is_lowercase() || after.is_some_and(|a| a.is_lowercase()))
            });
        if starts {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_names_of_keras() {
        for (class, name) in [
            ("LSTM", "lstm"),
            ("SimpleRNN", "simple_rnn"),
            ("SimpleRNNCell", "simple_rnn_cell"),
            ("GlobalMaxPooling1D", "global_max_pooling1d"),
            ("SpatialDropout1D", "spatial_dropout1d"),
            ("RNN", "rnn"),
            ("StackedRNNCells", "stacked_rnn_cells"),
            ("LeakyReLU", "leaky_re_lu"),
            ("GlorotUniform", "glorot_uniform"),
        ] {
            assert_eq!(snake(class), name);
        }
    }

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (0.01, "0.01"),
            (f64::from(0.01_f32), "0.01"),
            (2.0, "2"),
            (-1.0, "-1"),
            (0.123_456_789_012, "0.123456789012"),
        ] {
            assert_eq!(number(x), text);
        }
    }
}
