//! Keras: `.keras`, whole models in `.h5`, and weights alone, of Keras 3 and Keras 2.
//!
//! A configuration says the layers and how they are connected, HDF5 has their parameters. Both become a [`Network`]: Keras's
//! layers are the layers here, so what is left is the order of graphs, models in models, masks that Keras 3 writes as
//! operations, and names.
//!
//! [`Network`]: crate::Network

mod alone;
mod builder;
mod config;
#[cfg(test)]
mod damage_tests;
mod functions;
mod layers;
mod masks;
mod model;
mod nodes;
mod object;
mod recurrent;
mod report;
mod spec;
mod weights;

use serde_json::Value;

use crate::{
    Error, Format, Imported,
    hdf5::{self, File},
    told,
    zip::Archive,
};
use builder::Builder;
use model::Reader;
use object::Object;
use report::Report;
use weights::Tree;

/// The files of a `.keras`.
const CONFIG: &str = "config.json";
const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";

/// Reads a `.keras`, a whole `.h5`, a `.weights.h5` or an `.h5` of weights alone.
///
/// # Errors
/// If it is none of these, is damaged, or has what is not understood: all of that at once.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    match hdf5::is_hdf5(bytes) {
        true => in_hdf5(bytes),
        false => archive(bytes),
    }
}

/// `.keras`: an archive of a configuration and of weights.
fn archive(bytes: &[u8]) -> Result<Imported, Error> {
    let archive = Archive::open(bytes)?;
    let missing =
        |name: &str| Error::Unknown(format!("no model of Keras: the archive has no `{name}`"));
    let names: Vec<String> = archive.names().map(str::to_owned).collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    for name in [CONFIG, WEIGHTS] {
        if !has(name) {
            return Err(missing(name));
        }
    }
    let config = json(CONFIG, &archive.read(CONFIG)?)?;
    let mut metadata = Vec::new();
    if has(METADATA) {
        let value = json(METADATA, &archive.read(METADATA)?)?;
        for (name, value) in value.as_object().into_iter().flatten() {
            let text = value.as_str().map_or(value.to_string(), str::to_owned);
            metadata.push((name.clone(), text));
        }
    }
    let weights = archive.read(WEIGHTS)?;
    let within = |e: Error| e.within(WEIGHTS);
    let file = File::unpacked(&weights, bytes.len()).map_err(within)?;
    let mut tree = Tree::of(&file).map_err(within)?;
    let mut report = Report::default();
    for name in names {
        if ![CONFIG, METADATA, WEIGHTS].contains(&name.as_str()) {
            report.note(format!("`{name}` of the archive is left out"));
        }
    }
    let (builder, outputs) = model(&config, is_old(&metadata), &mut report);
    let (network, layers) = builder.finish(outputs, &mut report);
    let tensors = weights::counted(&mut tree, &layers, &mut report).map_err(within)?;
    Ok(Imported {
        format: Format::Keras,
        network: Some(network),
        tensors,
        metadata,
        notes: report.finish()?,
        proposal: None,
        states_come_in: false,
    })
}

/// `.h5`: a whole model, or weights alone.
fn in_hdf5(bytes: &[u8]) -> Result<Imported, Error> {
    let file = File::open(bytes)?;
    let mut tree = Tree::of(&file)?;
    let mut metadata = Vec::new();
    for name in ["keras_version", "backend"] {
        let own = tree.text("", name)?;
        let text = match own {
            None => tree.text("model_weights", name)?,
            own => own,
        };
        metadata.extend(text.map(|text| (name.to_owned(), text)));
    }
    let mut report = Report::default();
    let Some(config) = tree.text("", "model_config")? else {
        // A file of names lists the layers of the model; one of counters is sorted by their classes.
        let ordered = tree.texts("", "layer_names")?.is_some();
        let tensors = alone::read(&mut tree, &mut report)?;
        let proposal = told::proposal(&tensors, ordered);
        return Ok(Imported {
            format: Format::KerasWeights,
            network: None,
            tensors,
            metadata,
            notes: report.finish()?,
            proposal,
            states_come_in: false,
        });
    };
    let config = json("model_config", config.as_bytes())?;
    let (builder, outputs) = model(&config, is_old(&metadata), &mut report);
    let (network, layers) = builder.finish(outputs, &mut report);
    let tensors = weights::by_names(&mut tree, "model_weights", &layers, &mut report)?;
    Ok(Imported {
        format: Format::Keras,
        network: Some(network),
        tensors,
        metadata,
        notes: report.finish()?,
        proposal: None,
        states_come_in: false,
    })
}

/// Whether Keras 2 wrote it, or a version that did not say which it is.
fn is_old(metadata: &[(String, String)]) -> bool {
    let version = metadata.iter().find(|(name, _)| name == "keras_version");
    version.is_none_or(|(_, version)| version.starts_with("2.") || version.starts_with("1."))
}

/// Writes `Sequential` as all versions but the first do: an object that has the list of layers.
fn with_names(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(with_names),
        Value::Object(map) => {
            map.values_mut().for_each(with_names);
            let sequential = map.get("class_name").and_then(Value::as_str) == Some("Sequential");
            if let Some(config) = map.get_mut("config").filter(|c| sequential && c.is_array()) {
                *config = serde_json::json!({"name": "sequential", "layers": config.take()});
            }
        }
        _ => {}
    }
}

/// The JSON of a file in an archive, or of an attribute.
fn json(name: &str, bytes: &[u8]) -> Result<Value, Error> {
    let mut value = crate::json::parse(bytes).map_err(|e| e.within(name))?;
    with_names(&mut value);
    Ok(value)
}

/// The layers of a configuration, and its outputs.
fn model(
    config: &Value,
    old: bool,
    report: &mut Report,
) -> (Builder, Vec<(String, builder::Flow)>) {
    let mut reader = Reader {
        builder: Builder::default(),
        report,
        old,
        calls_left: 1000 + count(config),
    };
    let outputs = match Object::of(config) {
        Some(object) => reader.whole(object),
        None => {
            reader
                .report
                .wrong("the configuration has no class of a model");
            Vec::new()
        }
    };
    (reader.builder, outputs)
}

/// The values in a configuration.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(count).sum::<usize>(),
        _ => 0,
    }
}
