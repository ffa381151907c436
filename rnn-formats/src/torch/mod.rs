//! PyTorch: state dicts, and which layers here their modules are.
//!
//! A state dict has names and numbers and no architecture. Modules are told by the names and shapes of their parameters; what
//! cannot be told is said in a note.

#[cfg(feature = "all")]
mod archive;
#[cfg(feature = "all")]
mod legacy;
mod matching;
mod modules;
mod outline;
#[cfg(feature = "all")]
mod storages;
mod units;

#[cfg(feature = "all")]
pub use archive::{read, state_dict};
pub use matching::{Matched, matched, tensors_for};
#[cfg(feature = "all")]
pub(crate) use modules::{Modules, modules};
pub(crate) use outline::{countable, imported};
#[cfg(feature = "all")]
pub(crate) use units::{Class, Unit};

use std::collections::BTreeMap;

use crate::Error;

/// A parameter or a buffer of a module.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `encoder.lstm.weight_ih_l0`
    pub name: String,
    /// Its axes.
    pub shape: Vec<usize>,
    /// As many as the axes say.
    pub values: Vec<f32>,
    /// Whether the file has integers.
    pub integers: bool,
}

/// The parameters of a model of PyTorch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    /// In the order of the file.
    pub parameters: Vec<Parameter>,
    /// Modules that are named in the file and have no parameters: activations, dropouts.
    pub silent: Vec<String>,
    /// What the file says beside the parameters.
    pub metadata: Vec<(String, String)>,
    /// What was left out or renamed.
    pub notes: Vec<String>,
    /// Whether the modules stand in the order of their names, so that the file does not say which comes first.
    pub sorted: bool,
}

impl StateDict {
    /// Parameters as a file has them: prefixes that say how a model was trained are dropped, which a note says.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`] if a number is not finite, or if two parameters have one name.
    pub fn new(parameters: Vec<Parameter>) -> Result<StateDict, Error> {
        let mut dict = StateDict {
            parameters,
            ..StateDict::default()
        };
        dict.drop_prefixes();
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for parameter in &dict.parameters {
            *seen.entry(&parameter.name).or_default() += 1;
            if let Some((at, value)) = not_finite(&parameter.values) {
                wrong.push(format!(
                    "`{}`: expected finite numbers, found {value} at place {at}",
                    parameter.name
                ));
            }
        }
        let twice = seen.iter().filter(|(_, times)| **times > 1);
        wrong.extend(
            twice.map(|(name, times)| format!("`{name}`: {times} parameters of this name")),
        );
        match wrong.is_empty() {
            true => Ok(dict),
            false => Err(Error::NotUnderstood(wrong)),
        }
    }

    /// `DataParallel` writes `module.` before all names, `torch.compile` puts `_orig_mod` among the parts.
    fn drop_prefixes(&mut self) {
        let mut dropped = Vec::new();
        if self.parameters.iter().any(|p| has_part(&p.name, COMPILED)) {
            dropped.push(COMPILED);
            for parameter in &mut self.parameters {
                parameter.name = without_compiled(&parameter.name);
            }
        }
        let parallel = |p: &Parameter| p.name.starts_with("module.");
        if !self.parameters.is_empty() && self.parameters.iter().all(parallel) {
            dropped.push("module");
            for parameter in &mut self.parameters {
                parameter.name.drain(.."module.".len());
            }
        }
        for prefix in dropped {
            self.notes
                .push(format!("the part `{prefix}.` of the names was dropped"));
        }
    }

    /// Puts modules into the order of their names, numbers by their values: for files that have no order of their own.
    pub(crate) fn sort(&mut self) {
        self.parameters
            .sort_by(|a, b| natural(&a.name).cmp(natural(&b.name)));
        self.sorted = true;
    }
}

const COMPILED: &str = "_orig_mod";

/// A name without the parts that `torch.compile` puts into it.
fn without_compiled(name: &str) -> String {
    let mut rest = String::with_capacity(name.len());
    for (number, part) in name.split('.').filter(|part| *part != COMPILED).enumerate() {
        if number > 0 {
            rest.push('.');
        }
        rest.push_str(part);
    }
    rest
}

fn has_part(name: &str, part: &str) -> bool {
    name.split('.').any(|p| p == part)
}

/// The first number that is none, and its place.
pub(crate) fn not_finite(values: &[f32]) -> Option<(usize, f32)> {
    let mut values = values.iter().copied().enumerate();
    values.find(|(_, value)| !value.is_finite())
}

/// What a name consists of, in the order that people count in: `layers.2` stands before `layers.10`, `fc2` before `fc10`.
/// `None` ends a part. A name may have very many of them, so they are kept nowhere.
fn natural(name: &str) -> impl Iterator<Item = Option<Run>> + '_ {
    name.split('.')
        .flat_map(|part| runs(part).map(Some).chain([None]))
}

/// Digits in a row, or what stands between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Run {
    /// How many digits without leading zeros, and these.
    Number(usize, String),
    /// The rest.
    Text(String),
}

/// The runs of digits and of other characters of a text.
fn runs(text: &str) -> impl Iterator<Item = Run> + '_ {
    text.as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .map(|run| {
            let text = String::from_utf8_lossy(run);
            match text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
                true => {
                    let digits = text.trim_start_matches('0');
                    Run::Number(digits.len(), digits.to_owned())
                }
                false => Run::Text(text.into_owned()),
            }
        })
}

/// A name with `#` in the place of each number: modules that differ by their numbers alone are in the order of these.
fn series(name: &str) -> String {
    let each = runs(name).map(|run| match run {
        Run::Number(..) => "#".to_owned(),
        Run::Text(text) => text,
    });
    each.collect()
}
