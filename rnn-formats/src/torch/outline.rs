//! Tensors under names here, and the text of a model that has the modules of a file in a row.

use std::collections::BTreeMap;

use super::{
    StateDict,
    modules::{Modules, modules},
    series,
    units::{Class, Unit},
};
use crate::{Error, Format, Imported};

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
    let proposal = row(&layers, dict.sorted);
    notes.extend(self::notes(&dict, &found, &layers, proposal.as_deref()));
    Ok(Imported {
        format,
        network: None,
        tensors,
        metadata: dict.metadata,
        notes,
        proposal,
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
    proposal: Option<&str>,
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
        format!(
            "modules as layers: {}",
            renamed.collect::<Vec<_>>().join("; ")
        ),
        order(layers, proposal),
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
        each.collect::<Vec<_>>().join("; ")
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
    let mut notes = Vec::new();
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

/// How many steps the search for an order takes at most.
const MAX_STEPS: usize = 5000;

/// The most modules whose order is searched: each is a call within the one before.
const MAX_SEARCHED: usize = 24;

/// The model that has these modules in a row, in the order of the file; or else, and of a file that is `sorted`, in the only
/// order in which each reads what the one before gives. Modules that are numbered stay in the order of their numbers. `None` if
/// there is no such order, or if there are several.
fn row(layers: &[Layer<'_, '_>], sorted: bool) -> Option<String> {
    let all: Vec<usize> = (0..layers.len()).collect();
    let order = match !sorted && layers.windows(2).all(|pair| follows(pair)) {
        true => all,
        false if layers.len() > MAX_SEARCHED => return None,
        false => {
            let names: Vec<String> = layers.iter().map(|l| series(l.path())).collect();
            let first = |name: &String| names.iter().position(|other| other == name);
            let mut search = Search {
                layers,
                series: names.iter().filter_map(first).collect(),
                row: Vec::new(),
                left: all,
                found: Vec::new(),
                steps: 0,
            };
            search.on();
            match (search.steps > MAX_STEPS, &search.found[..]) {
                (false, [only]) => only.clone(),
                _ => return None,
            }
        }
    };
    let row: Vec<&Layer<'_, '_>> = order.iter().filter_map(|n| layers.get(*n)).collect();
    let reads = row.first().and_then(|layer| layer.reads());
    let texts = row.iter().map(|layer| layer.text.clone());
    let all: Vec<String> = reads
        .map(|n| format!("Input(_, {n})"))
        .into_iter()
        .chain(texts)
        .collect();
    Some(all.join(" -> "))
}

/// Whether the second of two layers reads what the first gives.
fn follows(pair: &[Layer<'_, '_>]) -> bool {
    matches!(pair, [before, after] if after.reads().is_some() && after.reads() == before.gives())
}

/// Looks for all orders.
struct Search<'l, 'u, 's> {
    layers: &'l [Layer<'u, 's>],
    /// Of each layer one that its module is numbered with, or itself.
    series: Vec<usize>,
    row: Vec<usize>,
    left: Vec<usize>,
    found: Vec<Vec<usize>>,
    steps: usize,
}

impl Search<'_, '_, '_> {
    /// Puts another layer after those of the row.
    fn on(&mut self) {
        self.steps += 1;
        if self.left.is_empty() {
            self.found.push(self.row.clone());
        }
        for place in 0..self.left.len() {
            // Two orders are as good as none.
            if self.steps > MAX_STEPS || self.found.len() > 1 {
                return;
            }
            let Some(&next) = self.left.get(place) else {
                return;
            };
            let of = |n: Option<&usize>| n.and_then(|n| self.layers.get(*n));
            let fits = match (of(self.row.last()), of(Some(&next))) {
                (Some(before), Some(after)) => {
                    after.reads().is_some() && after.reads() == before.gives()
                }
                // What reads ids stands first.
                (None, Some(first)) => {
                    let others = self.left.iter().filter(|n| **n != next);
                    let ids = |n: &usize| of(Some(n)).is_some_and(|l| l.reads().is_none());
                    first.reads().is_none() || !others.into_iter().any(ids)
                }
                _ => false,
            };
            let series = |n: &usize| self.series.get(*n);
            let mut earlier = self.left.iter().take(place);
            if fits && earlier.all(|n| series(n) != series(&next)) {
                self.left.remove(place);
                self.row.push(next);
                self.on();
                self.row.pop();
                self.left.insert(place, next);
            }
        }
    }
}

impl Layer<'_, '_> {
    /// Its module.
    fn path(&self) -> &str {
        self.units.first().map_or("", |(unit, _)| unit.path)
    }

    /// How many features it reads; `None` of ids.
    fn reads(&self) -> Option<usize> {
        self.units.first().and_then(|(unit, _)| unit.reads())
    }

    /// How many features it gives, of both directions together.
    fn gives(&self) -> Option<usize> {
        let each = self.units.iter().map(|(unit, _)| unit.gives());
        each.sum()
    }
}

/// What is known of the order of modules.
fn order(layers: &[Layer<'_, '_>], proposal: Option<&str>) -> String {
    let gaps = layers.windows(2).filter(|pair| !follows(pair));
    let gaps = gaps.filter_map(|pair| {
        let [before, after] = pair else { return None };
        Some(match (before.gives(), after.reads()) {
            (Some(gives), Some(reads)) => format!(
                "`{}` gives {gives} features and `{}` reads {reads}",
                before.name, after.name
            ),
            _ => format!(
                "`{}` reads ids and stands after `{}`",
                after.name, before.name
            ),
        })
    });
    let gaps: Vec<String> = gaps.collect();
    match (proposal, gaps.is_empty()) {
        (Some(row), true) => format!(
            "a state dict has no architecture. Its modules in a row would be `{row}`: check it against the module's `forward`"
        ),
        (Some(row), false) => format!(
            "a state dict has no architecture. Its modules do not stand in a row ({}); the one order that fits their sizes is \
             `{row}`: check it against the module's `forward`",
            gaps.join("; ")
        ),
        (None, _) => {
            let each = layers
                .iter()
                .map(|layer| match (layer.reads(), layer.gives()) {
                    (Some(reads), Some(gives)) => {
                        format!("`{}` reads {reads} and gives {gives}", layer.text)
                    }
                    (_, gives) => {
                        format!(
                            "`{}` reads ids and gives {}",
                            layer.text,
                            gives.unwrap_or(0)
                        )
                    }
                });
            format!(
                "a state dict has no architecture, and its modules do not stand in a row ({}). They are {}: put them into the \
                 order of the module's `forward`",
                gaps.join("; "),
                each.collect::<Vec<_>>().join("; ")
            )
        }
    }
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
    let all: Vec<String> = all.map(|name| format!("`{name}`")).collect();
    all.join(", ")
}
