//! JSON of a PyTorch model, as GuitarML's trainers write it: `model_data` and `state_dict`.
//!
//! The model is one recurrent module and a `Linear`; with `skip`, its output is a change of the signal.

use serde_json::Value as Json;

use crate::{
    Error, Format, Imported, NetworkInput, NetworkLayer, Value,
    json::{kind, metadata, numbers, parse, short, size},
    row::Row,
    rtneural,
    torch::{self, Class, Modules, Parameter, StateDict, Unit, modules},
};

/// The model of a file. AIDA-X's JSON is RTNeural's, and read as such. A file with a state dict and no `model_data`, such as
/// RTNeural takes beside a model that is written in C++, has no architecture: its tensors are read as [`torch::read`] does.
///
/// # Errors
/// [`Error::Damaged`] if it is no JSON, [`Error::NotUnderstood`] with all that there is nothing for here, and all sizes that
/// are not what the file declares.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    of(&parse(bytes)?)
}

/// The state dict in a file: under `state_dict`, or all of it.
///
/// # Errors
/// As [`read`].
pub fn state_dict(bytes: &[u8]) -> Result<StateDict, Error> {
    dict(&parse(bytes)?)
}

/// The model of a file that has been parsed.
pub(crate) fn of(file: &Json) -> Result<Imported, Error> {
    if file.get("layers").is_some() {
        return rtneural::of(file);
    }
    let dict = dict(file)?;
    let Some(data) = file.get("model_data") else {
        let mut imported = torch::imported(dict, Format::GuitarMl)?;
        imported.notes.push(
            "the file has no `model_data`, which says what the model is: the state dict alone was read".into(),
        );
        return Ok(imported);
    };
    let found = modules(&dict)?;
    let model = Model::of(data, &found).map_err(Error::NotUnderstood)?;
    let mut imported = model.built()?;
    imported.notes.splice(0..0, dict.notes.iter().cloned());
    for (key, value) in file.as_object().into_iter().flatten() {
        match key.as_str() {
            "state_dict" => {}
            "model_data" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    metadata(key, value, &mut imported.metadata);
                }
            }
            key => metadata(key, value, &mut imported.metadata),
        }
    }
    Ok(imported)
}

pub(crate) fn dict(file: &Json) -> Result<StateDict, Error> {
    let top = file.get("state_dict").unwrap_or(file);
    let Json::Object(entries) = top else {
        return Err(Error::not_understood(format!(
            "expected parameters by their names, found {}",
            kind(top)
        )));
    };
    let whole = file.get("state_dict").is_none();
    if whole && !entries.values().any(Json::is_array) {
        let keys: Vec<&String> = entries.keys().take(20).collect();
        return Err(Error::Unknown(format!(
            "JSON of no known model: expected `layers` (RTNeural, AIDA-X) or `model_data` and `state_dict` (GuitarML), \
             found {keys:?}"
        )));
    }
    let (mut parameters, mut wrong) = (Vec::new(), Vec::new());
    for (name, value) in entries {
        // A counter is a number alone.
        let counter = value.is_number() && name.ends_with("num_batches_tracked");
        let read = match counter {
            true => Ok((vec![], vec![0.0])),
            false => numbers(value),
        };
        match read {
            Ok((shape, values)) => parameters.push(Parameter {
                name: name.clone(),
                shape,
                values,
                integers: counter,
            }),
            Err(found) => wrong.push(format!("`{name}`: expected numbers, found {found}")),
        }
    }
    match wrong.is_empty() {
        true => StateDict::new(parameters),
        false => Err(Error::NotUnderstood(wrong)),
    }
}

/// The largest matrix that a skip makes.
const MOST_CHOICES: usize = 65_536;

/// The model that a file declares, with the modules that it has.
struct Model<'m, 's> {
    inputs: usize,
    outputs: usize,
    /// How many features of the input are added to the output.
    skip: usize,
    recurrent: Vec<&'m Unit<'s>>,
    linear: &'m Unit<'s>,
}

impl<'m, 's> Model<'m, 's> {
    /// Compares what is declared with what is there.
    fn of(data: &Json, found: &'m Modules<'s>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut declared = |key: &str| match size(data, key) {
            Ok(size) => Some(size),
            Err(line) => {
                wrong.push(format!("`model_data`: {line}"));
                None
            }
        };
        let inputs = declared("input_size");
        let outputs = declared("output_size");
        let hidden = declared("hidden_size");
        let layers = declared("num_layers");
        let skip = match data.get("skip") {
            None | Some(Json::Null | Json::Bool(false)) => Some(0),
            Some(Json::Bool(true)) => Some(1),
            Some(_) => declared("skip"),
        };
        if let Some(model) = data.get("model").filter(|m| *m != "SimpleRNN") {
            wrong.push(format!(
                "`model_data`: expected the model \"SimpleRNN\", found {}",
                short(model)
            ));
        }
        let class = match data.get("unit_type").and_then(Json::as_str) {
            Some("LSTM") => Some(Class::Lstm),
            Some("GRU") => Some(Class::Gru),
            Some("RNN") => Some(Class::SimpleRnn),
            _ => {
                wrong.push(format!(
                    "`model_data`: `unit_type`: expected LSTM, GRU or RNN, found {}",
                    data.get("unit_type").map_or("nothing".into(), short)
                ));
                None
            }
        };
        let (recurrent, linear): (Vec<_>, Vec<_>) = found
            .units
            .iter()
            .partition(|u| [Class::Lstm, Class::Gru, Class::SimpleRnn].contains(&u.class));
        for unit in &recurrent {
            if class.is_some_and(|class| class != unit.class) || unit.both {
                wrong.push(format!(
                    "`unit_type` is {}, and the state dict has {}",
                    data.get("unit_type").map_or("nothing".into(), short),
                    unit.title()
                ));
            }
        }
        let mut same = |what: &str, declared: Option<usize>, there: Option<usize>| {
            if declared.is_some() && declared != there {
                wrong.push(format!(
                    "`{what}` declares {}, and the state dict has {}",
                    declared.unwrap_or(0),
                    there.unwrap_or(0)
                ));
            }
        };
        same("num_layers", layers, Some(recurrent.len()));
        same(
            "input_size",
            inputs,
            recurrent.first().and_then(|u| u.reads()),
        );
        for unit in &recurrent {
            same("hidden_size", hidden, unit.gives());
        }
        if let [linear] = &linear[..] {
            same("output_size", outputs, linear.gives());
            same("hidden_size", hidden, linear.reads());
            let biased = linear.biased();
            let bias = data.get("bias_fl").and_then(Json::as_bool);
            if bias.is_some_and(|bias| bias != biased) {
                wrong.push(format!(
                    "`bias_fl` is {}, and the state dict has {} bias of {}",
                    !biased,
                    if biased { "a" } else { "no" },
                    linear.title()
                ));
            }
        }
        let [linear] = linear[..] else {
            let titles: Vec<String> = linear.iter().map(|u| u.title()).collect();
            wrong.push(format!(
                "expected one `Linear` beside the recurrent module, found {}: {}",
                titles.len(),
                titles.join(", ")
            ));
            return Err(wrong);
        };
        if !matches!(linear.class, Class::Dense) && linear.or != Some(Class::Dense) {
            wrong.push(format!("expected a `Linear`, found {}", linear.title()));
        }
        let (Some(inputs), Some(outputs), Some(skip)) = (inputs, outputs, skip) else {
            return Err(wrong);
        };
        if skip > inputs || ![0, 1, outputs].contains(&skip) {
            wrong.push(format!(
                "`skip` is {skip}: of {inputs} inputs they are added to {outputs} outputs"
            ));
        }
        // The choice of inputs is a matrix that the file does not have.
        if skip > 0 && inputs.saturating_mul(outputs) > MOST_CHOICES {
            wrong.push(format!(
                "`skip` is {skip}: it goes from {inputs} inputs to {outputs} outputs, which are too many"
            ));
        }
        match wrong.is_empty() {
            true => Ok(Model {
                inputs,
                outputs,
                skip,
                recurrent,
                linear,
            }),
            false => Err(wrong),
        }
    }

    fn built(&self) -> Result<Imported, Error> {
        let mut row = Row::new(self.inputs);
        let add = |row: &mut Row, unit: &Unit<'_>, class: Class| -> Result<(), Error> {
            let units = unit.gives().unwrap_or(0);
            let mut arguments = vec![units.to_string()];
            if !unit.biased() {
                arguments.push("use_bias = false".into());
            }
            if class != Class::Dense {
                arguments.push("return_sequences".into());
            }
            let named = unit.shapes(class).into_iter().map(|(name, _)| name);
            let tensors = unit.tensors(class, "")?;
            let arrays = named
                .zip(tensors)
                .map(|(name, t)| (name, t.shape, t.values));
            row.layer(
                class.here(),
                arguments,
                class.stem(),
                arrays.collect(),
                units,
            );
            Ok(())
        };
        for unit in &self.recurrent {
            add(&mut row, unit, unit.class)?;
        }
        add(&mut row, self.linear, Class::Dense)?;
        if self.skip > 0 {
            self.add_skip(&mut row);
        }
        let inputs = vec![NetworkInput {
            name: "x".into(),
            text: format!("[_, {}]", self.inputs),
        }];
        let notes = self.notes();
        let (network, tensors) = row.built(inputs)?;
        Ok(Imported {
            format: Format::GuitarMl,
            network: Some(network),
            tensors,
            metadata: Vec::new(),
            notes,
            proposal: None,
            states_come_in: false,
        })
    }

    /// The first features of the input, added to the output. One is added to all outputs, several each to its own.
    fn add_skip(&self, row: &mut Row) {
        let change = row.last;
        row.last = Value::Input(0);
        row.width = self.inputs;
        if self.inputs != self.outputs || self.skip != self.inputs {
            let mut chosen = vec![0.0; self.inputs.saturating_mul(self.outputs)];
            for (n, value) in chosen.iter_mut().enumerate() {
                let (input, output) = (n / self.outputs, n % self.outputs);
                let from = if self.skip == 1 { 0 } else { output };
                if input == from {
                    *value = 1.0;
                }
            }
            row.factors("skip", self.outputs, chosen);
        }
        row.layers.push(NetworkLayer {
            class: "Add".into(),
            arguments: vec![],
            name: None,
            inputs: vec![row.last, change],
            results: 1,
        });
        row.last = Value::Of {
            layer: row.layers.len() - 1,
            result: 0,
        };
        row.width = self.outputs;
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.skip > 0 && (self.inputs != self.outputs || self.skip != self.inputs) {
            notes.push(format!(
                "`skip` adds {} of {} inputs: a `Dense` of zeros and ones chooses them",
                self.skip, self.inputs
            ));
        }
        if self.recurrent.iter().any(|u| u.class == Class::SimpleRnn) {
            notes.push("an `RNN` computes `tanh`: GuitarML's trainer has no other".into());
        }
        notes
    }
}
