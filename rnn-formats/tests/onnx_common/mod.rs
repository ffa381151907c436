//! Packs of models with the arrays that their libraries gave, and the interpreter beside them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use rnn_formats::{Body, Error, Imported, Network, NetworkInput, onnx};
use rnn_reference::{Call, Definitions, Input, OutputData, ReferenceModel, Weights};
use safetensors::SafeTensors;

/// A shape and floats.
pub type Array = (Vec<usize>, Vec<f64>);

/// A model with arrays.
#[derive(Default)]
pub struct Case {
    pub model: Vec<u8>,
    pub beside: BTreeMap<String, Vec<u8>>,
    pub inputs: BTreeMap<String, Array>,
    pub outputs: BTreeMap<String, Array>,
}

/// All models of a pack.
pub fn pack(file: &str) -> BTreeMap<String, Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/formats/onnx")
        .join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&bytes).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (key, view) in all.tensors() {
        let mut parts = key.splitn(3, '/');
        let (name, kind) = (parts.next().unwrap(), parts.next().unwrap());
        let rest = parts.next().unwrap_or_default().to_owned();
        let case = cases.entry(name.to_owned()).or_default();
        let floats = || {
            let words = view.data().chunks_exact(4);
            let values = words.map(|w| f64::from(f32::from_le_bytes(w.try_into().unwrap())));
            (view.shape().to_vec(), values.collect())
        };
        match kind {
            "onnx" => case.model = view.data().to_vec(),
            "beside" => {
                case.beside.insert(rest, view.data().to_vec());
            }
            "in" => {
                case.inputs.insert(rest, floats());
            }
            "out" => {
                case.outputs.insert(rest, floats());
            }
            other => panic!("{other}"),
        }
    }
    cases
}

/// Reads a model with the files beside it.
pub fn read(case: &Case) -> Result<Imported, Error> {
    read_bytes(&case.model, case)
}

/// Reads other bytes with the files beside a model.
pub fn read_bytes(model: &[u8], case: &Case) -> Result<Imported, Error> {
    onnx::read(model, &mut |name| {
        let found = case.beside.get(name).cloned();
        found.ok_or_else(|| std::io::Error::other("there is no such file"))
    })
}

/// The text of a model.
pub fn text(network: &Network) -> String {
    match network.body() {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

/// Constants where states start as inputs of the model: the same numbers by other words of the language.
fn starts_as_inputs(imported: &Imported, inputs: &mut BTreeMap<String, Array>) -> Imported {
    const FLAG: &str = "learn_initial_state";
    let mut imported = imported.clone();
    let Some(network) = &mut imported.network else {
        return imported;
    };
    let rows = inputs.values().next().map_or(1, |(shape, _)| shape[0]);
    for layer in &mut network.layers {
        if !layer.arguments.iter().any(|a| a.contains(FLAG)) {
            continue;
        }
        for argument in &mut layer.arguments {
            *argument = argument.replace(&format!(", {FLAG}"), "");
        }
        layer.arguments.retain(|a| a != FLAG);
        let name = layer.name.clone().unwrap();
        let mut starts = Vec::new();
        for t in imported
            .tensors
            .iter()
            .filter(|t| t.name.starts_with(&format!("{name}/")))
        {
            if t.name.contains("/initial_") {
                let input = t.name.replace('/', "_");
                let values = t
                    .values
                    .iter()
                    .map(|v| f64::from(*v))
                    .collect::<Vec<_>>()
                    .repeat(rows);
                inputs.insert(input.clone(), (vec![rows, t.values.len()], values));
                network.inputs.push(NetworkInput {
                    name: input.clone(),
                    text: format!("[{}]", t.values.len()),
                });
                starts.push(input);
            }
        }
        layer
            .arguments
            .push(format!("initial_state = [{}]", starts.join(", ")));
    }
    imported.tensors.retain(|t| !t.name.contains("/initial_"));
    imported
}

/// What the interpreter computes.
pub fn run(
    imported: &Imported,
    inputs: &BTreeMap<String, Array>,
) -> Result<Vec<OutputData>, String> {
    let mut inputs = inputs.clone();
    let imported = &starts_as_inputs(imported, &mut inputs);
    let network = imported.network.as_ref().ok_or("no network")?;
    let text = text(network);
    let cells: Vec<(&str, &str)> = network
        .cells
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let scope = Definitions {
        cells: &cells,
        consts: &[],
    };
    let cells: Vec<&str> = network
        .cells
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    let told = format!("{text}\n{}", cells.join("\n"));
    let model = ReferenceModel::parse_in(&text, scope).map_err(|e| format!("{e}\n{told}"))?;
    let weights: Weights = imported
        .tensors
        .iter()
        .map(|t| {
            let values = t.values.iter().map(|v| f64::from(*v)).collect();
            (t.name.clone(), values)
        })
        .collect();
    let specs: BTreeMap<String, Vec<usize>> = model
        .specs()
        .iter()
        .map(|s| (s.name.clone(), s.shape.clone()))
        .collect();
    let own: BTreeMap<String, Vec<usize>> = imported
        .tensors
        .iter()
        .map(|t| (t.name.clone(), t.shape.clone()))
        .collect();
    if specs != own {
        return Err(format!("{own:?} in place of {specs:?}\n{told}"));
    }
    let mut given = Vec::new();
    for input in &network.inputs {
        let (shape, values) = inputs
            .get(&input.name)
            .ok_or_else(|| format!("the case has no input {}\n{told}", input.name))?;
        let ids = input.text.starts_with("ids");
        let steps = shape.len() == 3 || ids || input.text.starts_with("mask");
        given.push(Input {
            batch: shape[0],
            time: if steps { shape[1] } else { 1 },
            floats: if ids { vec![] } else { values.clone() },
            ids: match ids {
                true => values.iter().map(|v| *v as u32).collect(),
                false => vec![],
            },
        });
    }
    if given.len() != inputs.len() {
        return Err(format!("inputs {:?}\n{told}", inputs.keys()));
    }
    let call = Call {
        inputs: given,
        ..Call::default()
    };
    let answer = model
        .call(&weights, &call)
        .map_err(|e| format!("{e}\n{told}"))?;
    let mut outputs = answer.outputs;
    for (output, (name, _)) in outputs.iter_mut().zip(&network.outputs) {
        // A chain calls its output `output`.
        output.name.clone_from(name);
    }
    Ok(outputs)
}

/// The largest difference, by the largest number.
pub fn difference(found: &[OutputData], wanted: &BTreeMap<String, Array>) -> Result<f64, String> {
    let names: Vec<&str> = found.iter().map(|o| o.name.as_str()).collect();
    if names.len() != wanted.len() {
        return Err(format!("outputs {names:?} in place of {:?}", wanted.keys()));
    }
    let mut worst = 0.0_f64;
    for output in found {
        let (shape, values) = wanted
            .get(&output.name)
            .ok_or_else(|| format!("outputs {names:?} in place of {:?}", wanted.keys()))?;
        if values.len() != output.data.len() {
            return Err(format!(
                "{} has {} numbers in place of {shape:?}",
                output.name,
                output.data.len()
            ));
        }
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        for (a, b) in output.data.iter().zip(values) {
            let by = (a - b).abs() / largest.max(1e-30);
            if by.is_nan() {
                return Err(format!("{} has {a} in place of {b}", output.name));
            }
            worst = worst.max(by);
        }
    }
    Ok(worst)
}

/// Compares all models of a pack, and says all that differ.
pub fn compare(file: &str) -> usize {
    let cases = pack(file);
    let mut wrong = Vec::new();
    let mut worst = 0.0_f64;
    for (name, case) in &cases {
        let found = read(case).map_err(|e| e.to_string()).and_then(|imported| {
            let outputs = run(&imported, &case.inputs)?;
            let by = difference(&outputs, &case.outputs);
            let network = imported.network.as_ref().map(text).unwrap_or_default();
            by.map_err(|e| format!("{e}\n{network}"))
                .and_then(|by| match by < 1e-5 {
                    true => Ok(by),
                    false => Err(format!("differs by {by}\n{network}")),
                })
        });
        match found {
            Ok(by) => worst = worst.max(by),
            Err(e) => wrong.push(format!("{name}: {e}")),
        }
    }
    println!("{file}: {} models, at most {worst:.1e}", cases.len());
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    cases.len()
}
