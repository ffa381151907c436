//! The configuration of a layer: every argument is read once, and what nobody has read is reported.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    functions,
    object::{Object, items, short},
    report::Report,
};

/// The arguments of a layer while they are read, and the text that they become.
pub(super) struct Config<'c, 'r> {
    /// Class and name, for messages.
    pub what: String,
    map: &'c Map<String, Value>,
    read: BTreeSet<&'static str>,
    /// Arguments as `rnn_model!` has them.
    pub arguments: Vec<String>,
    /// Whether the file is of Keras 2.
    pub old: bool,
    pub report: &'r mut Report,
}

/// What says nothing about the numbers that a layer gives.
const NOTHING: &[&str] = &[
    "name",
    "batch_input_shape",
    "batch_shape",
    "build_input_shape",
    "implementation",
    "input_length",
    "use_cudnn",
    "autocast",
    "fused",
];

impl<'c, 'r> Config<'c, 'r> {
    pub fn new(what: &str, map: &'c Map<String, Value>, old: bool, report: &'r mut Report) -> Self {
        Config {
            what: what.to_owned(),
            map,
            read: BTreeSet::new(),
            arguments: Vec::new(),
            old,
            report,
        }
    }

    /// Reports something about this layer.
    pub fn wrong(&mut self, words: impl std::fmt::Display) {
        self.report.wrong(format!("{}: {words}", self.what));
    }

    /// Notes something about this layer.
    pub fn note(&mut self, words: impl std::fmt::Display) {
        self.report.note(format!("{}: {words}", self.what));
    }

    /// An argument; `None` if it is null or not there.
    pub fn get(&mut self, name: &'static str) -> Option<&'c Value> {
        self.read.insert(name);
        self.map.get(name).filter(|v| !v.is_null())
    }

    /// Adds `name = value`.
    pub fn push(&mut self, name: &str, value: impl std::fmt::Display) {
        self.arguments.push(format!("{name} = {value}"));
    }

    /// Reports an argument that has a value of another kind.
    fn unclear(&mut self, name: &str, wanted: &str, found: &Value) {
        self.wrong(format!(
            "`{name}` is {wanted} in Keras, found {}",
            short(found)
        ));
    }

    /// A flag.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        match self.get(name) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.unclear(name, "true or false", other);
                default
            }
        }
    }

    /// A flag that is written where it is not the default.
    pub fn push_flag(&mut self, name: &'static str, default: bool) -> bool {
        let flag = self.flag(name, default);
        match (flag, default) {
            (true, false) => self.arguments.push(name.to_owned()),
            (false, true) => self.push(name, "false"),
            _ => {}
        }
        flag
    }

    /// The same for a flag whose default is another in files that do not have it.
    pub fn push_flag_or(&mut self, name: &'static str, default: bool, missing: bool) -> bool {
        let there = self.map.contains_key(name);
        let flag = self.flag(name, if there { default } else { missing });
        if flag != default {
            self.push(name, flag);
        }
        flag
    }

    /// The activation that a layer of this class is; `None` if it is none.
    pub fn as_activation(&mut self, class: &str) -> Option<Result<String, String>> {
        let found = functions::of_layer(class, self.map)?;
        for name in ["negative_slope", "alpha", "max_value", "threshold", "axis"] {
            self.read.insert(name);
        }
        Some(found)
    }

    /// A size from 1 that has to be there.
    pub fn size(&mut self, name: &'static str) -> Option<usize> {
        let value = self.get(name);
        let size = value.and_then(size_of);
        if size.is_none() {
            let found = value.map_or("nothing".to_owned(), short);
            self.wrong(format!("`{name}` is a size from 1, found {found}"));
        }
        size
    }

    /// A number.
    pub fn number(&mut self, name: &'static str, default: f64) -> f64 {
        match self.get(name) {
            None => default,
            Some(value) => value.as_f64().unwrap_or_else(|| {
                self.unclear(name, "a number", value);
                default
            }),
        }
    }

    /// A number that is written where it is not the default.
    pub fn push_number(&mut self, name: &'static str, default: f64) {
        let x = self.number(name, default);
        if x != default {
            self.push(name, functions::number(x));
        }
    }

    /// A probability that is written where it is above 0.
    pub fn push_rate(&mut self, name: &'static str) -> f64 {
        let rate = self.number(name, 0.0);
        if rate != 0.0 {
            match (0.0..1.0).contains(&rate) {
                true => self.push(name, functions::number(rate)),
                false => self.note(format!("`{name} = {rate}` is left out, for it is none")),
            }
        }
        rate
    }

    /// An activation, written where it is not the default.
    pub fn push_activation(&mut self, name: &'static str, default: &str) {
        let value = self.get(name);
        let text = match value {
            None => Ok("linear".to_owned()),
            Some(value) => functions::activation(value, self.old),
        };
        match text {
            Ok(text) if text == default => {}
            Ok(text) => self.push(name, text),
            Err(why) => self.wrong(format!("`{name}` = {why}")),
        }
    }

    /// Initialisers of parameters, written where they are not the defaults.
    pub fn push_initializers(&mut self, all: &[(&'static str, &str)]) {
        for (name, default) in all {
            let Some(value) = self.get(name) else {
                continue;
            };
            match functions::initializer(value) {
                Some(text) if text == *default => {}
                Some(text) => self.push(name, text),
                None => self.note(format!(
                    "`{name}` = {} is left out: it only matters before training",
                    short(value)
                )),
            }
        }
    }

    /// Regularisers and constraints.
    pub fn push_penalties(&mut self, all: &[&'static str]) {
        for name in all {
            let Some(value) = self.get(name) else {
                continue;
            };
            let text = match name.ends_with("_constraint") {
                true => functions::constraint(value),
                false => functions::regularizer(value),
            };
            match text {
                Some(text) => self.push(name, text),
                None => self.note(format!(
                    "`{name}` = {} is left out: it only matters in training",
                    short(value)
                )),
            }
        }
    }

    /// The seed of what is drawn in training.
    pub fn push_seed(&mut self, drawn: bool) {
        if let Some(seed) = self.get("seed")
            && drawn
        {
            match seed.as_u64().and_then(|n| u32::try_from(n).ok()) {
                Some(seed) => self.push("seed", seed),
                None => self.note("`seed` is left out: it only matters in training"),
            }
        }
    }

    /// What every layer has: whether it is trained, the cost of its output, its precision. Gives whether it is trained.
    pub fn everywhere(&mut self) -> bool {
        self.push_penalties(&["activity_regularizer"]);
        self.precision();
        match self.flag("trainable", true) {
            true => true,
            false => {
                self.push("trainable", "false");
                false
            }
        }
    }

    /// Looks at `dtype`.
    pub fn precision(&mut self) {
        match self.get("dtype") {
            None => {}
            Some(Value::String(name)) => self.report.precision(name),
            Some(value) => {
                let object = Object::of(value);
                let plain = object.filter(|o| matches!(o.class, "DTypePolicy" | "Policy"));
                match plain.and_then(|o| o.config.get("name")?.as_str()) {
                    Some(name) => self.report.precision(name),
                    None => self.wrong(format!("`dtype` = {} is not understood", short(value))),
                }
            }
        }
    }

    /// Reports the arguments that nobody has read.
    pub fn finish(mut self) -> Vec<String> {
        let left: Vec<(&String, &Value)> = self
            .map
            .iter()
            .filter(|(name, value)| {
                let known = |n: &&str| name == n;
                let said = !value.is_null() && **value != Value::Bool(false);
                said && !self.read.iter().any(known) && !NOTHING.iter().any(known)
            })
            .collect();
        for (name, value) in left {
            self.wrong(format!("`{name}` = {} is not understood", short(value)));
        }
        self.arguments
    }
}

/// A size from 1.
pub(super) fn size_of(value: &Value) -> Option<usize> {
    let size = value.as_u64().filter(|&n| n > 0)?;
    // The compiler's limit.
    usize::try_from(size).ok().filter(|&n| n < 1 << 31)
}

/// A list of axes without the batch, open ones as `None`.
pub(super) fn axes(value: &Value) -> Option<Vec<Option<usize>>> {
    let list = items(value)?;
    let all = list.iter().skip(1).map(|v| match v {
        Value::Null => Some(None),
        v => size_of(v).map(Some),
    });
    all.collect()
}
