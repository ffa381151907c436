//! RTNeural's JSON of a Keras model, and AIDA-X's, which adds a skip and gains.
//!
//! RTNeural gives a model one step at a time, so that each recurrent layer returns its whole sequence here.

use serde_json::Value as Json;

use crate::{
    Error, Format, Imported, Network, NetworkInput, NetworkLayer, Tensor, Value,
    json::{kind, metadata, numbers, parse, short},
    row::Row,
};

/// The model of a file.
///
/// # Errors
/// [`Error::Damaged`] if it is no JSON, [`Error::Unknown`] if it has no `layers` (JSON of a PyTorch model is
/// [`guitarml`](crate::guitarml)'s), [`Error::NotUnderstood`] with all layers that there are none for here, and all sizes
/// that are not what the file declares.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    let file = parse(bytes)?;
    match file.get("layers") {
        Some(_) => of(&file),
        None => Err(Error::Unknown(
            "JSON of no Keras model: expected `in_shape` and `layers`; a state dict of PyTorch says nothing of the input".into(),
        )),
    }
}

pub(crate) fn of(file: &Json) -> Result<Imported, Error> {
    let Some(Json::Array(layers)) = file.get("layers") else {
        return Err(Error::not_understood(
            "`layers`: expected an array of layers",
        ));
    };
    let mut wrong = Vec::new();
    let width = match features(file.get("in_shape")) {
        Ok(width) => width,
        Err(found) => {
            wrong.push(format!(
                "`in_shape`: expected the shape of the input, such as [null, null, 1], found {found}"
            ));
            // So that sizes of layers are still compared with each other.
            let first = layers
                .first()
                .and_then(|layer| layer.get("weights")?.get(0));
            first.and_then(Json::as_array).map_or(0, Vec::len)
        }
    };
    let mut row = Row::new(width);
    for (number, layer) in layers.iter().enumerate() {
        if let Err(lines) = add(&mut row, layer) {
            let kind = layer.get("type").and_then(Json::as_str).unwrap_or("?");
            wrong.extend(
                lines
                    .iter()
                    .map(|line| format!("layer {number} ({kind}): {line}")),
            );
            // What follows is compared with what the layer declares.
            if let Ok(size) = features(layer.get("shape")) {
                row.width = size;
            }
        }
    }
    if layers.is_empty() {
        wrong.push("`layers`: expected a layer, found none".into());
    }
    let around = match Around::of(file) {
        Ok(around) => around,
        Err(lines) => {
            wrong.extend(lines);
            Around::default()
        }
    };
    if around != Around::default() && row.width != 1 {
        wrong.push(format!(
            "`in_skip`, `in_gain`, `out_gain`: expected a model with one output, found {}",
            row.width
        ));
    }
    if around != Around::default() && width > MOST_KNOBS {
        wrong.push(format!(
            "`in_skip`, `in_gain`, `out_gain`: expected at most {MOST_KNOBS} inputs, found {width}"
        ));
    }
    if !wrong.is_empty() {
        return Err(Error::NotUnderstood(wrong));
    }
    let mut notes = row.notes.clone();
    let mut said = Vec::new();
    let mut left = Vec::new();
    for (key, value) in file.as_object().into_iter().flatten() {
        match value {
            _ if ["in_shape", "layers"].contains(&key.as_str()) => {}
            Json::Array(_) => left.push(format!("`{key}`")),
            value => metadata(key, value, &mut said),
        }
    }
    if !left.is_empty() {
        notes.push(format!(
            "left out, since they are no weights of a layer: {}",
            left.join(", ")
        ));
    }
    notes.extend(around.note());
    let (network, tensors) = around.built(row, width)?;
    Ok(Imported {
        format: Format::RtNeural,
        network: Some(network),
        tensors,
        metadata: said,
        notes,
        proposal: None,
        states_come_in: false,
    })
}

/// Inputs that a model with a skip or gains may have. AIDA-X has a signal and two knobs.
const MOST_KNOBS: usize = 16;

/// The features of a shape: its last axis. Shapes of pictures have more axes.
fn features(shape: Option<&Json>) -> Result<usize, String> {
    let Some(shape) = shape else {
        return Err("nothing".into());
    };
    let axes = shape.as_array().map(Vec::as_slice).unwrap_or_default();
    let last = axes.last().and_then(Json::as_u64);
    match last.and_then(|n| usize::try_from(n).ok()) {
        Some(n) if axes.len() <= 3 && n > 0 => Ok(n),
        _ => Err(shape.to_string().chars().take(60).collect()),
    }
}

/// Types of layers that there are here.
const LAYERS: [&str; 6] = [
    "dense",
    "time-distributed-dense",
    "lstm",
    "gru",
    "activation",
    "batchnorm",
];
const NO_LAYER: &str = "there is no layer of this type here";

/// Adds a layer, or says all that is wrong with it.
fn add(row: &mut Row, layer: &Json) -> Result<(), Vec<String>> {
    let one = |line: String| Err(vec![line]);
    let Some(class) = layer.get("type").and_then(Json::as_str) else {
        return one("expected a `type`".into());
    };
    if !LAYERS.contains(&class) {
        return one(NO_LAYER.into());
    }
    let units = match features(layer.get("shape")) {
        Ok(units) => units,
        Err(found) => {
            return one(format!(
                "`shape`: expected a shape such as [null, null, 16], found {found}"
            ));
        }
    };
    let weights = match layer.get("weights") {
        Some(Json::Array(weights)) => weights.as_slice(),
        None => &[],
        Some(other) => return one(format!("`weights`: expected arrays, found {}", kind(other))),
    };
    let activation = match layer.get("activation") {
        None => "",
        Some(Json::String(name)) => name.as_str(),
        Some(other) => {
            return one(format!(
                "`activation`: expected a name, found {}",
                kind(other)
            ));
        }
    };
    match class {
        "dense" | "time-distributed-dense" => {
            let arrays = arrays(
                weights,
                &[("kernel", &[row.width, units]), ("bias", &[units])],
                1,
                units,
            )?;
            let mut arguments = vec![units.to_string()];
            arguments.extend(named(activation)?.map(|name| format!("activation = {name}")));
            no_bias(&mut arguments, arrays.len() == 1);
            row.layer("Dense", arguments, "dense", arrays, units);
        }
        "lstm" | "gru" => {
            if !["", "tanh"].contains(&activation) {
                return one(format!(
                    "`activation`: RTNeural computes `tanh` here, and the file says {activation:?}: it is `tanh` or nothing"
                ));
            }
            let gates = if class == "lstm" { 4 } else { 3 };
            let Some(rows) = units.checked_mul(gates) else {
                return one(format!("`shape`: {units} units are too many"));
            };
            let bias: &[usize] = if class == "lstm" { &[rows] } else { &[2, rows] };
            // Keras's `reset_after = False` has one bias.
            let single = class == "gru"
                && weights
                    .get(2)
                    .is_some_and(|b| b.get(0).is_some_and(Json::is_number));
            let bias = if single { &[rows] } else { bias };
            let arrays = arrays(
                weights,
                &[
                    ("kernel", &[row.width, rows]),
                    ("recurrent_kernel", &[units, rows]),
                    ("bias", bias),
                ],
                2,
                units,
            )?;
            let mut arguments = vec![units.to_string()];
            no_bias(&mut arguments, arrays.len() == 2);
            if single {
                arguments.push("reset_after = false".into());
            }
            arguments.push("return_sequences".into());
            let name = if class == "lstm" { "LSTM" } else { "GRU" };
            row.layer(name, arguments, class, arrays, units);
        }
        "activation" => {
            if !weights.is_empty() {
                return one(format!(
                    "expected no weights, found {} arrays",
                    weights.len()
                ));
            }
            same(row, units)?;
            match named(activation)? {
                Some(name) => row.plain("Activation", vec![name.into()]),
                None => return one("expected an `activation`".into()),
            }
        }
        "batchnorm" => {
            same(row, units)?;
            let affine = weights.len() != 2;
            let all = [
                ("gamma", &[units][..]),
                ("beta", &[units]),
                ("moving_mean", &[units]),
                ("moving_variance", &[units]),
            ];
            let kept = if affine { &all[..] } else { &all[2..] };
            let arrays = arrays(weights, kept, kept.len(), units)?;
            let epsilon = layer.get("epsilon");
            let Some(epsilon) = epsilon
                .and_then(Json::as_f64)
                .filter(|e| *e > 0.0 && *e < 1e3)
            else {
                return one(format!(
                    "`epsilon`: expected a number above 0, found {}",
                    epsilon.map_or("nothing".into(), short)
                ));
            };
            let mut arguments = vec![format!("epsilon = {epsilon}")];
            if !affine {
                arguments.extend(["center = false".into(), "scale = false".into()]);
            }
            let name = "batch_normalization";
            row.layer("BatchNormalization", arguments, name, arrays, units);
        }
        _ => return one(NO_LAYER.into()),
    }
    Ok(())
}

fn no_bias(arguments: &mut Vec<String>, without: bool) {
    if without {
        arguments.push("use_bias = false".into());
    }
}

/// A layer that gives as many features as it reads.
fn same(row: &Row, units: usize) -> Result<(), Vec<String>> {
    match row.width == units {
        true => Ok(()),
        false => Err(vec![format!(
            "`shape` declares {units} features, and the layer before gives {}",
            row.width
        )]),
    }
}

/// The name of an activation here. RTNeural has these; an empty name is none.
fn named(activation: &str) -> Result<Option<&str>, Vec<String>> {
    match activation {
        "" | "linear" => Ok(None),
        "tanh" | "relu" | "sigmoid" | "softmax" | "elu" => Ok(Some(activation)),
        other => Err(vec![format!(
            "`activation`: expected tanh, relu, sigmoid, softmax, elu or nothing, found {:?}",
            other.chars().take(40).collect::<String>()
        )]),
    }
}

/// Names, shapes and numbers.
type Arrays = Vec<(&'static str, Vec<usize>, Vec<f32>)>;

/// The arrays of a layer: at least `least` of those that are wanted, in their order.
fn arrays(
    weights: &[Json],
    wanted: &[(&'static str, &[usize])],
    least: usize,
    units: usize,
) -> Result<Arrays, Vec<String>> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    if weights.len() < least || weights.len() > wanted.len() {
        let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        wrong.push(format!(
            "`weights`: expected {} ({} arrays), found {}",
            names.join(", "),
            wanted.len(),
            weights.len()
        ));
    }
    for ((name, shape), array) in wanted.iter().zip(weights) {
        match numbers(array) {
            Ok((found_shape, values)) if found_shape == *shape => {
                found.push((*name, found_shape, values));
            }
            Ok((other, _)) => wrong.push(format!(
                "`shape` declares {units} units, for which {name} is {shape:?}; found {other:?}"
            )),
            Err(what) => wrong.push(format!("{name}: expected {shape:?}, found {what}")),
        }
    }
    match wrong.is_empty() {
        true => Ok(found),
        false => Err(wrong),
    }
}

/// What AIDA-X does around a model: `((x · in) + f(x · in)) · out`, or without the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Around {
    skip: bool,
    /// Factors, not decibels.
    input: f32,
    output: f32,
}

impl Default for Around {
    fn default() -> Self {
        Around {
            skip: false,
            input: 1.0,
            output: 1.0,
        }
    }
}

impl Around {
    fn of(file: &Json) -> Result<Around, Vec<String>> {
        let mut wrong = Vec::new();
        let mut number = |key: &str| match file.get(key) {
            None | Some(Json::Null) => 0.0,
            Some(Json::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
            Some(other) => {
                wrong.push(format!(
                    "`{key}`: expected a number, found {}",
                    short(other)
                ));
                0.0
            }
        };
        let (skip, input, output) = (number("in_skip"), number("in_gain"), number("out_gain"));
        if ![0.0, 1.0].contains(&skip) {
            wrong.push(format!("`in_skip`: expected 0 or 1, found {skip}"));
        }
        for (key, decibels) in [("in_gain", input), ("out_gain", output)] {
            if decibels.is_nan() || decibels.abs() > 200.0 {
                wrong.push(format!(
                    "`{key}`: expected decibels from -200 to 200, found {decibels}"
                ));
            }
        }
        // As AIDA-X computes it: silence from -90 decibels down.
        let factor = |decibels: f64| match decibels > -90.0 {
            true => 10_f32.powf(decibels as f32 * 0.05),
            false => 0.0,
        };
        match wrong.is_empty() {
            true => Ok(Around {
                skip: skip == 1.0,
                input: factor(input),
                output: factor(output),
            }),
            false => Err(wrong),
        }
    }

    fn note(&self) -> Option<String> {
        let gains = [("in_gain", self.input), ("out_gain", self.output)];
        let gains = gains.iter().filter(|(_, factor)| *factor != 1.0);
        let gains: Vec<String> = gains
            .map(|(name, by)| format!("`{name}` multiplies by {by}"))
            .collect();
        (!gains.is_empty()).then(|| {
            format!(
                "the gains are layers of one weight, as AIDA-X multiplies before and after the model: {}",
                gains.join(", ")
            )
        })
    }

    /// The whole model. The signal is the first feature; others are what knobs say.
    fn built(self, row: Row, width: usize) -> Result<(Network, Vec<Tensor>), Error> {
        let inputs = vec![NetworkInput {
            name: "x".into(),
            text: format!("[_, {width}]"),
        }];
        let mut whole = Row::new(width);
        if self.input != 1.0 {
            let mut gain = vec![0.0; width.saturating_mul(width)];
            for (n, factor) in gain.iter_mut().step_by(width + 1).enumerate() {
                *factor = if n == 0 { self.input } else { 1.0 };
            }
            whole.factors("in_gain", width, gain);
        }
        let before = whole.last;
        whole.append(row);
        if self.skip {
            let change = whole.last;
            let signal = match width {
                1 => before,
                _ => {
                    whole.last = before;
                    whole.width = width;
                    let mut first = vec![0.0; width];
                    if let Some(factor) = first.first_mut() {
                        *factor = 1.0;
                    }
                    whole.factors("skip", 1, first);
                    whole.last
                }
            };
            whole.layers.push(NetworkLayer {
                class: "Add".into(),
                arguments: vec![],
                name: None,
                inputs: vec![signal, change],
                results: 1,
            });
            whole.last = Value::Of {
                layer: whole.layers.len() - 1,
                result: 0,
            };
            whole.width = 1;
        }
        if self.output != 1.0 {
            whole.factors("out_gain", 1, vec![self.output]);
        }
        whole.built(inputs)
    }
}
