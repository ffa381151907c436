//! Names of layers, inputs and outputs, and words about axes.

use std::collections::{BTreeSet, HashMap};

use super::flow::{Axis, Kind};

/// Letters, digits and `_`, small, not a digit first.
fn plain(name: &str, before: &str) -> String {
    let mut out = String::new();
    for c in name.chars().take(80) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            _ if out.ends_with('_') || out.is_empty() => {}
            _ => out.push('_'),
        }
    }
    let out = out.trim_matches('_');
    match out.chars().next() {
        None => before.to_owned(),
        Some('0'..='9') => format!("{before}_{out}"),
        Some(_) => out.to_owned(),
    }
}

/// What a layer of a node may be called: `/encoder/lstm/LSTM` is `encoder_lstm`. Names without modules are counters of an
/// exporter.
pub(super) fn hint(node: &str) -> Option<String> {
    let (modules, _) = node.trim_start_matches('/').rsplit_once('/')?;
    let name = plain(modules, "layer");
    (!name.is_empty()).then_some(name)
}

/// Names that are given once.
#[derive(Debug, Default)]
pub(super) struct Taken {
    names: BTreeSet<String>,
    /// The last number after each.
    counts: HashMap<String, usize>,
}

/// What layers without a name are called.
const UNNAMED: &[&str] = &[
    "activation",
    "add",
    "average",
    "concatenate",
    "flatten",
    "global_average_pooling1d",
    "global_max_pooling1d",
    "input",
    "maximum",
    "minimum",
    "multiply",
    "repeat_vector",
    "subtract",
];

impl Taken {
    fn free(&mut self, name: String) -> String {
        let mut wanted = name.clone();
        while !self.names.insert(wanted.clone()) {
            let count = self.counts.entry(name.clone()).or_insert(0);
            *count += 1;
            wanted = format!("{name}_{count}");
        }
        wanted
    }

    /// The name of a layer.
    pub fn layer(&mut self, hint: Option<&str>, stem: &str) -> String {
        let name = plain(hint.unwrap_or(stem), stem);
        let counted = name
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches('_');
        let unnamed = UNNAMED.contains(&counted) || UNNAMED.contains(&name.as_str());
        self.free(match unnamed {
            true => format!("layer_{name}"),
            false => name,
        })
    }

    /// The name of an input or an output.
    pub fn value(&mut self, name: &str) -> String {
        self.free(crate::rust_name(name))
    }
}

/// What somebody has to know whose arrays have other axes than the model's: `[rows, steps, features]`.
pub(super) fn layout(what: &str, name: &str, axes: &[Axis], several: bool) -> Option<String> {
    let usual = match axes {
        [b] => b.kind == Kind::Batch,
        [b, f] => b.kind == Kind::Batch && f.kind == Kind::Feature,
        [b, t, f] => b.kind == Kind::Batch && t.kind == Kind::Time && f.kind == Kind::Feature,
        _ => false,
    };
    if usual {
        return None;
    }
    let words: Vec<String> = axes
        .iter()
        .map(|a| match &a.kind {
            Kind::Batch => "batch".to_owned(),
            Kind::Time => "time".to_owned(),
            Kind::Both(true, ..) => "batch * time".to_owned(),
            Kind::Both(false, ..) => "time * batch".to_owned(),
            Kind::Feature => a.size.known().map_or("?".to_owned(), |n| n.to_string()),
        })
        .collect();
    let time = axes
        .iter()
        .any(|a| matches!(a.kind, Kind::Time | Kind::Both(..)));
    let here = match (time, several) {
        (_, true) => "several vectors, [batch, features] each",
        (true, false) => "[batch, time, features]",
        (false, false) => "[batch, features]",
    };
    Some(format!(
        "{what} `{name}` is [{}] in the file and {here} here",
        words.join(", ")
    ))
}
