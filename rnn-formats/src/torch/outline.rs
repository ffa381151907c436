//! Tensors under names here, and the text of a model that has the modules of a file in a row.

use std::collections::BTreeMap;

use super::{
    StateDict,
    modules::{Modules, modules},
    series,
    units::{Class, Unit},
};
use crate::{
    Error, Format, Imported,
    chain::{self, Kind, Part, Words},
    listed::{MOST_NAMED, listed},
};

/// What a state dict is here: tensors under counted names, and notes.
///
/// # Errors
/// [`Error::NotUnderstood`] with all parameters that are none of a known module.
pub(crate) fn imported(dict: StateDict, format: Format) -> Result<Imported, Error> {
    let found = modules(&dict)?;
    if found.units.is_empty() {
        return Err(Error::not_understood(
            "a state dict without a parameter of any module",
        ));
    }
    let layers = layers(&found);
    let mut tensors = Vec::new();
    for layer in &layers {
        for (unit, name) in &layer.units {
            tensors.extend(unit.tensors(unit.class, name)?);
        }
    }
    let mut notes = dict.notes.clone();
    if dict.sorted {
        notes.push(
            "a file of safetensors is sorted by names: the order of its modules is not the model's"
                .into(),
        );
    }
    let parts: Vec<Part> = layers.iter().map(Layer::part).collect();
    let proposal = chain::proposal(&parts, !dict.sorted, WORDS);
    notes.extend(self::notes(&dict, &found, &layers, &proposal.note));
    Ok(Imported {
        format,
        network: None,
        tensors,
        metadata: dict.metadata,
        notes,
        proposal: Some(proposal),
        states_come_in: false,
    })
}

/// Whether the layers of a state dict can be counted.
///
/// # Errors
/// [`Error::NotUnderstood`] if modules are sorted by their names, and two of one class and shape have no numbers that say
/// their order.
pub(crate) fn countable(dict: &StateDict) -> Result<(), Error> {
    if !dict.sorted {
        return Ok(());
    }
    let found = modules(dict)?;
    let mut known = BTreeMap::new();
    let mut wrong = Vec::new();
    for unit in &found.units {
        let kind = (unit.class.stem(), unit.reverse, unit.shapes(unit.class));
        let first = *known.entry(kind).or_insert(unit);
        if series(first.path) != series(unit.path) {
            wrong.push(format!(
                "{} and {} are of one shape, and the file is sorted by names, which says no order: layers of it cannot be \
                 counted",
                first.title(),
                unit.title()
            ));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::NotUnderstood(wrong)),
    }
}

/// A layer here: one unit, or both directions.
struct Layer<'u, 's> {
    /// Units with the names under which their tensors stand.
    units: Vec<(&'u Unit<'s>, String)>,
    /// Its own name.
    name: String,
    text: String,
}

/// How many modules a note says the layers of.
const MOST_MODULES: usize = 100;

/// How people call a state dict.
const WORDS: Words = Words {
    file: "a state dict",
    parts: "modules",
    source: "the module's `forward`",
};

impl Layer<'_, '_> {
    /// What is known of its place in a row. Modules that are numbered stay in the order of their numbers.
    fn part(&self) -> Part {
        let first = self.units.first().map(|(unit, _)| *unit);
        // Of both directions together.
        let gives = self.units.iter().map(|(unit, _)| unit.gives());
        Part {
            name: self.name.clone(),
            text: self.text.clone(),
            series: series(first.map_or("", |unit| unit.path)),
            kind: match first.map(|unit| unit.class) {
                Some(Class::Lstm | Class::Gru | Class::SimpleRnn) => Kind::Recurrent,
                Some(Class::Dense) => Kind::Dense,
                _ => Kind::Other,
            },
            reads: first.and_then(Unit::reads),
            gives: gives.sum(),
        }
    }
}

/// Counts names as Keras does.
#[derive(Default)]
struct Names(BTreeMap<&'static str, usize>);

impl Names {
    fn next(&mut self, stem: &'static str) -> String {
        let number = self.0.entry(stem).or_default();
        let name = match *number {
            0 => stem.to_string(),
            n => format!("{stem}_{n}"),
        };
        *number += 1;
        name
    }
}

fn layers<'u, 's>(found: &'u Modules<'s>) -> Vec<Layer<'u, 's>> {
    let (mut names, mut layers, mut units) = (Names::default(), Vec::new(), found.units.iter());
    while let Some(unit) = units.next() {
        let stem = unit.class.stem();
        // The backward direction follows.
        let backward = unit.both.then(|| units.next()).flatten();
        layers.push(match backward {
            Some(backward) => {
                let name = names.next("bidirectional");
                let of = |direction: &str| format!("{name}/{direction}_{stem}");
                Layer {
                    units: vec![(unit, of("forward")), (backward, of("backward"))],
                    text: format!("Bidirectional({})", text(unit)),
                    name,
                }
            }
            None => {
                let name = names.next(stem);
                Layer {
                    units: vec![(unit, name.clone())],
                    text: text(unit),
                    name,
                }
            }
        });
    }
    layers
}

/// What `rnn_model!` writes.
fn text(unit: &Unit<'_>) -> String {
    let n = unit.gives().unwrap_or(0).to_string();
    let no_bias = (!unit.biased()).then(|| "use_bias = false".to_string());
    let flag = |wanted: bool, text: &str| wanted.then(|| text.to_string());
    let arguments = match unit.class {
        Class::Lstm | Class::Gru | Class::SimpleRnn => {
            [Some(n), no_bias, flag(true, "return_sequences")]
        }
        Class::Dense => [Some(n), no_bias, None],
        Class::Embedding => {
            let ids = unit.shapes(Class::Embedding);
            let ids = ids.first().and_then(|(_, shape)| shape.first().copied());
            [ids.map(|n| n.to_string()), Some(n), None]
        }
        Class::LayerNorm | Class::BatchNorm => [
            flag(true, "epsilon = 0.00001"),
            flag(!unit.biased(), "center = false"),
            flag(!unit.scaled(), "scale = false"),
        ],
    };
    let arguments: Vec<String> = arguments.into_iter().flatten().collect();
    format!("{}({})", unit.class.here(), arguments.join(", "))
}

fn notes(
    dict: &StateDict,
    found: &Modules<'_>,
    layers: &[Layer<'_, '_>],
    order: &str,
) -> Vec<String> {
    let renamed = layers.iter().filter_map(|layer| {
        let (unit, _) = layer.units.first()?;
        let part = match unit.layer {
            0 => String::new(),
            n => format!(", layer {n},"),
        };
        let path = match unit.path {
            "" => "the module itself".to_string(),
            path => format!("`{path}`"),
        };
        Some(format!("{path}{part} is `{}`", layer.name))
    });
    let mut notes = vec![
        format!("modules as layers: {}", listed(renamed, "; ", MOST_MODULES)),
        order.to_owned(),
    ];
    for unit in &found.units {
        notes.extend(doubt(unit));
    }
    let classes: Vec<Class> = found.units.iter().map(|unit| unit.class).collect();
    notes.extend(unsaid(dict, found, &classes));
    notes
}

/// What a user should know of a state dict whose modules are these layers of a given model.
pub(super) fn of_pairs(
    dict: &StateDict,
    found: &Modules<'_>,
    pairs: &[(&Unit<'_>, Class, &str)],
) -> Vec<String> {
    let mut notes = dict.notes.clone();
    let each = pairs
        .iter()
        .map(|(unit, _, layer)| format!("{} is `{layer}`", unit.title()));
    notes.push(format!(
        "modules as layers: {}",
        listed(each, "; ", MOST_MODULES)
    ));
    // Whether a matrix is an embedding, the model has said.
    let norms = pairs
        .iter()
        .filter(|(_, class, _)| *class == Class::LayerNorm);
    notes.extend(norms.filter_map(|(unit, ..)| doubt(unit)));
    let classes: Vec<Class> = pairs.iter().map(|(_, class, _)| *class).collect();
    notes.extend(unsaid(dict, found, &classes));
    notes
}

/// What the file does not say of such layers, and what was left out.
fn unsaid(dict: &StateDict, found: &Modules<'_>, classes: &[Class]) -> Vec<String> {
    let mut notes = vec![
        "a state dict has no activations, sums or slices between modules (a `ReLU` after a `Linear`): whether the layers here \
         compute them was not compared"
            .to_owned(),
    ];
    let has = |these: &[Class]| these.iter().any(|class| classes.contains(class));
    if has(&[Class::SimpleRnn]) {
        notes.push(
            "an `RNN` of PyTorch computes `tanh` or `relu`, which the file does not say: with `nonlinearity=\"relu\"` \
             write `SimpleRNN(…, activation = relu)`"
                .into(),
        );
    }
    if has(&[Class::LayerNorm, Class::BatchNorm]) {
        notes.push(
            "the `eps` of normalisations is not in the file: 0.00001 is PyTorch's default, and 0.001 the default of \
             `epsilon` here"
                .into(),
        );
    }
    if !dict.silent.is_empty() {
        notes.push(format!(
            "modules without parameters, of which the file has names alone (activations, dropouts and the like): {}",
            quoted(dict.silent.iter())
        ));
    }
    if !found.counters.is_empty() {
        notes.push(format!(
            "left out, since they count batches of the training: {}",
            quoted(found.counters.iter())
        ));
    }
    notes
}

/// What a unit could be as well.
fn doubt(unit: &Unit<'_>) -> Option<String> {
    let weight = match unit.path {
        "" => "weight".to_string(),
        path => format!("{path}.weight"),
    };
    match (unit.class, unit.or) {
        (Class::Embedding, Some(_)) => Some(format!(
            "`{weight}` was taken for an `Embedding`; it could be a `Linear` without a bias: `Dense({}, use_bias = \
             false)`, whose kernel is the matrix with rows and columns exchanged",
            unit.shapes(Class::Embedding).first()?.1.first()?
        )),
        (class, Some(_)) => Some(format!(
            "`{weight}` was taken for a `{}` without a bias; it could be an `Embedding`: `Embedding({}, {})`, whose \
             rows are those of the matrix",
            class.there(),
            unit.gives()?,
            unit.reads()?
        )),
        (Class::LayerNorm, None) if !unit.biased() => Some(format!(
            "`{weight}` was taken for a `LayerNorm` without a bias; an `RMSNorm` or a `PReLU` would look the same"
        )),
        (Class::LayerNorm, None) => Some(format!(
            "`{weight}` was taken for a `LayerNorm`'s; a `GroupNorm`, or a `BatchNorm1d` without running statistics, would \
             look the same"
        )),
        _ => None,
    }
}

fn quoted<T: std::fmt::Display>(all: impl Iterator<Item = T>) -> String {
    listed(all.map(|name| format!("`{name}`")), ", ", MOST_NAMED)
}
