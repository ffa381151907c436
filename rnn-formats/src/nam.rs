//! Neural Amp Modeler: `.nam` files whose architecture is an LSTM.
//!
//! The numbers stand in one array, as NeuralAmpModelerCore's `NAM/lstm.cpp` takes them: for each layer a matrix of the gates
//! (rows) times the input and the state side by side (columns), the biases, and the trained states h and c at the start; then
//! the head's matrix and its biases. The gates have the order i, f, g, o, which is Keras's.

use serde_json::Value as Json;

use crate::{
    Error, Format, Imported, NetworkInput,
    json::{metadata, numbers, parse, short, size},
    row::Row,
};

/// The model of a file.
///
/// # Errors
/// [`Error::Damaged`] if it is no JSON, [`Error::NotUnderstood`] if its architecture is no LSTM or the numbers are not as
/// many as it takes.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    of(&parse(bytes)?)
}

/// The model of a file that has been parsed.
pub(crate) fn of(file: &Json) -> Result<Imported, Error> {
    match file.get("architecture").and_then(Json::as_str) {
        Some("LSTM") => {}
        found => {
            let name = found.map(|name| name.chars().take(60).collect::<String>());
            return Err(Error::not_understood(match name {
                Some(name) => format!(
                    "the architecture of this `.nam` is {name:?}; there are layers for \"LSTM\" here, and for no other"
                ),
                None => "`architecture`: expected a name, found none".into(),
            }));
        }
    }
    let config = Config::of(file).map_err(Error::NotUnderstood)?;
    let weights = match file.get("weights").map(numbers) {
        Some(Ok((shape, values))) if shape.len() == 1 => values,
        Some(Ok((shape, _))) => {
            return Err(Error::not_understood(format!(
                "`weights`: expected one array, found the shape {shape:?}"
            )));
        }
        Some(Err(found)) => {
            return Err(Error::not_understood(format!(
                "`weights`: expected numbers, found {found}"
            )));
        }
        None => return Err(Error::not_understood("`weights` are missing")),
    };
    let expected = config.numbers();
    if expected != Some(weights.len()) {
        return Err(Error::not_understood(format!(
            "`weights`: expected {} numbers for {} layers of {} units on {} inputs and {} outputs, found {}",
            expected.map_or("more".into(), |n| n.to_string()),
            config.layers,
            config.units,
            config.inputs,
            config.outputs,
            weights.len()
        )));
    }
    let row = config
        .row(&weights)
        .ok_or_else(|| Error::not_understood("`weights`: less than the sizes say"))?;
    let inputs = vec![NetworkInput {
        name: "x".into(),
        text: format!("[_, {}]", config.inputs),
    }];
    let (network, tensors) = row.built(inputs)?;
    let mut said = Vec::new();
    for (key, value) in file.as_object().into_iter().flatten() {
        match key.as_str() {
            "weights" | "architecture" | "config" => {}
            "metadata" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    metadata(key, value, &mut said);
                }
            }
            key => metadata(key, value, &mut said),
        }
    }
    Ok(Imported {
        format: Format::Nam,
        network: Some(network),
        tensors,
        metadata: said,
        notes: config.notes(file),
        proposal: None,
        states_come_in: false,
    })
}

/// Sizes.
struct Config {
    inputs: usize,
    units: usize,
    layers: usize,
    outputs: usize,
}

impl Config {
    fn of(file: &Json) -> Result<Config, Vec<String>> {
        let Some(config) = file.get("config").filter(|c| c.is_object()) else {
            return Err(vec!["`config`: expected sizes, found none".into()]);
        };
        let mut wrong = Vec::new();
        let mut get = |key: &str| match size(config, key) {
            Ok(0) => {
                wrong.push(format!("`config`: `{key}`: expected at least 1, found 0"));
                1
            }
            Ok(size) => size,
            Err(line) => {
                wrong.push(format!("`config`: {line}"));
                1
            }
        };
        let found = Config {
            inputs: get("input_size"),
            units: get("hidden_size"),
            layers: get("num_layers"),
            outputs: match config.get("out_channels") {
                None => 1,
                Some(_) => get("out_channels"),
            },
        };
        if let Some(channels) = config.get("in_channels").filter(|c| **c != found.inputs) {
            wrong.push(format!(
                "`config`: `in_channels` is {}, and `input_size` is {}: what the others read is not in the file",
                short(channels),
                found.inputs
            ));
        }
        match wrong.is_empty() {
            true => Ok(found),
            false => Err(wrong),
        }
    }

    /// What a layer reads.
    fn reads(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.units }
    }

    /// How many numbers it takes.
    fn numbers(&self) -> Option<usize> {
        let gates = self.units.checked_mul(4)?;
        let one = |reads: usize| {
            let columns = reads.checked_add(self.units)?.checked_add(1)?;
            gates.checked_mul(columns)?.checked_add(2 * self.units)
        };
        let others = one(self.units)?.checked_mul(self.layers - 1)?;
        let head = self.units.checked_add(1)?.checked_mul(self.outputs)?;
        one(self.inputs)?.checked_add(others)?.checked_add(head)
    }

    /// The layers. `None`: there are less numbers than these sizes take, which was counted before.
    fn row(&self, weights: &[f32]) -> Option<Row> {
        let mut row = Row::new(self.inputs);
        let (units, gates) = (self.units, 4 * self.units);
        let mut rest = weights;
        let mut take = |n: usize| {
            let (first, others) = rest.split_at_checked(n)?;
            rest = others;
            Some(first)
        };
        for layer in 0..self.layers {
            let reads = self.reads(layer);
            let matrix = take(gates * (reads + units))?;
            let [bias, h, c] = [take(gates)?, take(units)?, take(units)?];
            // A column of the matrix is a row here: those of the input, then those of the state.
            let column = |n: usize| matrix.iter().skip(n).step_by(reads + units).copied();
            let kernel = (0..reads).flat_map(column).collect();
            let recurrent = (reads..reads + units).flat_map(column).collect();
            row.layer(
                "LSTM",
                vec![
                    units.to_string(),
                    "return_sequences".into(),
                    "learn_initial_state".into(),
                ],
                "lstm",
                vec![
                    ("kernel", vec![reads, gates], kernel),
                    ("recurrent_kernel", vec![units, gates], recurrent),
                    ("bias", vec![gates], bias.to_vec()),
                    ("initial_h", vec![units], h.to_vec()),
                    ("initial_c", vec![units], c.to_vec()),
                ],
                units,
            );
        }
        let head = take(self.outputs * units)?;
        let bias = take(self.outputs)?;
        let column = |n: usize| head.iter().skip(n).step_by(units).copied();
        let kernel = (0..units).flat_map(column).collect();
        row.layer(
            "Dense",
            vec![self.outputs.to_string()],
            "dense",
            vec![
                ("kernel", vec![units, self.outputs], kernel),
                ("bias", vec![self.outputs], bias.to_vec()),
            ],
            self.outputs,
        );
        Some(row)
    }

    fn notes(&self, file: &Json) -> Vec<String> {
        let mut notes = vec![
            "NAM's plug-ins let half a second of silence through a model before its first sample, and may take \
             approximations of tanh and sigmoid; here the first sample meets the start states of the file, and both are \
             exact"
                .to_string(),
        ];
        let known = [
            "input_size",
            "hidden_size",
            "num_layers",
            "in_channels",
            "out_channels",
        ];
        let config = file.get("config").and_then(Json::as_object);
        let others = config.into_iter().flatten();
        let others = others.filter(|(key, _)| !known.contains(&key.as_str()));
        let others: Vec<String> = others.map(|(key, _)| format!("`{key}`")).collect();
        if !others.is_empty() {
            notes.push(format!(
                "left out of `config`, since NAM's player does not read it either: {}",
                others.join(", ")
            ));
        }
        notes
    }
}
