//! `input x: …; let y = x -> …; output z = y -> …;`

use proc_macro2::{Ident, Span};

use super::{Checker, Results, SharedLayer, input::MAX_VALUES, nothing};
use crate::{
    cell::single,
    diagnostics::{Diagnostic, did_you_mean},
    ir::ModelOutput,
    layer::{Before, Incoming},
    syntax::{ChainAst, StatementAst, TargetAst, ValueAst, ValueKind},
};

/// A name that a statement has bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding {
    span: Span,
    /// Whether something has read it, or nothing needs to.
    used: bool,
    /// Which `let` of several names it belongs to.
    tuple: Option<usize>,
}

impl Checker<'_> {
    /// All statements, in order.
    pub(super) fn graph(&mut self, statements: &[StatementAst]) {
        for s in statements {
            let StatementAst::Let { targets, .. } = s else {
                continue;
            };
            self.lets.extend(targets.iter().filter_map(|t| match t {
                TargetAst::Name(name) => Some(name.to_string()),
                TargetAst::Skip(_) => None,
            }));
        }
        for s in statements {
            match s {
                StatementAst::Input { name, kind, span } => {
                    let text = name.to_string();
                    if self.inputs.iter().any(|(n, _)| *n == text) {
                        self.twice("inputs", name);
                        continue;
                    }
                    let value = self.input(&text, kind, *span);
                    self.bind(name, value.outputs, None);
                }
                StatementAst::Layer { name, layer } => {
                    let Some(ast) = layer else {
                        self.complete = false;
                        continue;
                    };
                    if self.shared.contains_key(&name.to_string()) {
                        self.twice("layers", name);
                        continue;
                    }
                    self.shared.insert(
                        name.to_string(),
                        SharedLayer {
                            ast: ast.clone(),
                            first: None,
                            used: false,
                        },
                    );
                    let bound = Binding {
                        span: name.span(),
                        used: true,
                        tuple: None,
                    };
                    self.used.insert(format!("layer {name}"), bound);
                }
                StatementAst::Let {
                    targets,
                    tuple,
                    value,
                } => {
                    let results = self.value(value);
                    self.let_(targets, *tuple, value.span, results);
                }
                StatementAst::Output { name, value } => self.output(name, value),
                // The statement has been reported; uses of its names are not.
                StatementAst::Unreadable { names, .. } => {
                    self.complete = false;
                    for name in names {
                        let unknown = nothing(None, "").outputs;
                        self.scope.insert(name.to_string(), unknown);
                    }
                }
            }
        }
        self.unused();
    }

    fn twice(&mut self, what: &str, name: &Ident) {
        self.mistake(
            Diagnostic::new(
                "RNN0173",
                name.span(),
                format!("there are two {what} named `{name}`"),
            )
            .help("give one of them another name"),
        );
    }

    fn bind(&mut self, name: &Ident, values: Vec<Incoming>, tuple: Option<usize>) {
        let key = name.to_string();
        let bound = Binding {
            span: name.span(),
            used: key.starts_with('_'),
            tuple,
        };
        // A name that is bound again hides the earlier value, which must have been read.
        if let Some(before) = self.used.insert(key.clone(), bound)
            && !before.used
        {
            self.hidden.push((key.clone(), before));
        }
        self.scope.insert(key, values);
    }

    /// Notes that a name is read.
    fn mark(&mut self, name: &str) {
        if let Some(bound) = self.used.get_mut(name) {
            bound.used = true;
            if let Some(tuple) = bound.tuple {
                self.tuples[tuple] = true;
            }
        }
    }

    fn never_read(&mut self, name: &str, span: Span) {
        let input = self.inputs.iter().any(|(n, _)| n == name);
        let d = Diagnostic::new("RNN0170", span, format!("`{name}` is never used"));
        self.mistake(d.help(if input {
            "remove this input, or read it: `let y = x -> LSTM(64);`".to_owned()
        } else {
            format!("use it, or call it `_{name}`")
        }));
    }

    fn unused(&mut self) {
        if !self.found.is_empty() || !self.complete {
            return;
        }
        let visible = self.used.iter().map(|(name, bound)| (name.clone(), *bound));
        let mut names: Vec<(String, Binding)> = self.hidden.drain(..).chain(visible).collect();
        names.retain(|(_, bound)| !bound.used);
        for (name, bound) in names {
            // Programs for Keras name all results of a layer; reading one of them is enough.
            if let Some(tuple) = bound.tuple
                && std::mem::replace(&mut self.tuples[tuple], true)
            {
                continue;
            }
            self.never_read(&name, bound.span);
        }
        let unused: Vec<(String, Span)> = self
            .shared
            .iter()
            .filter(|(_, s)| !s.used)
            .map(|(n, s)| (n.clone(), s.ast.name.span()))
            .collect();
        for (name, span) in unused {
            self.mistake(
                Diagnostic::new("RNN0170", span, format!("layer `{name}` is never used"))
                    .help(format!("use it: `let y = x -> {name};`")),
            );
        }
    }

    /// Notes which names an argument reads.
    pub(super) fn read(&mut self, value: &ValueAst) {
        match &value.kind {
            ValueKind::List(list) => list.iter().for_each(|v| self.read(v)),
            ValueKind::Path(path) => {
                if let Some(name) = single(path) {
                    self.mark(&name);
                }
            }
            // `Bidirectional(LSTM(64, initial_state = state))`
            ValueKind::Call(_, arguments) => arguments.iter().for_each(|a| self.read(&a.value)),
            _ => {}
        }
    }

    /// The value of a chain.
    fn value(&mut self, chain: &ChainAst) -> Results {
        let mut start = Results::default();
        for source in &chain.sources {
            let key = source.to_string();
            match self.scope.get(&key) {
                Some(values) => {
                    start.outputs.extend(values.iter().cloned());
                    self.mark(&key);
                }
                None => {
                    self.no_value(source);
                    start.outputs.extend(nothing(None, &key).outputs);
                }
            }
        }
        self.layers(start, &chain.layers)
    }

    fn no_value(&mut self, name: &Ident) {
        let text = name.to_string();
        let d = Diagnostic::new(
            "RNN0174",
            name.span(),
            format!("there is no value `{text}`"),
        );
        let known = || self.scope.keys().map(String::as_str);
        let near = did_you_mean(&text, known());
        let output = self.outputs.iter().any(|o| o.name == text);
        let near = near.filter(|_| !output && !self.lets.contains(&text));
        let d = match near {
            Some(meant) => d.help(format!("did you mean `{meant}`?")),
            None if self.shared.contains_key(&text) => d
                .note(format!("`{text}` is a layer"))
                .help(format!("write it after a value: `x -> {text}`")),
            None if output => d
                .note(format!("`{text}` is an output, and an output is not read"))
                .help(format!(
                    "give the value a name first: `let {text} = …; output {text} = {text};`"
                )),
            None if text.starts_with(char::is_uppercase) => d
                .note("a chain starts with a value")
                .help(format!("write `x -> {text}(…)`")),
            None if self.lets.contains(&text) => d
                .note(format!("`let {text} = …;` stands below"))
                .help(format!("move `let {text} = …;` up, before this statement")),
            None => d.help(format!(
                "there are {}",
                known().collect::<Vec<_>>().join(", ")
            )),
        };
        self.mistake(d);
    }

    fn let_(&mut self, targets: &[TargetAst], tuple: bool, span: Span, results: Results) {
        let Results { outputs, states } = results;
        let giver = outputs.first().and_then(|o| o.before.last()).cloned();
        let (n, m, k) = (outputs.len(), states.len(), targets.len());
        let names: Vec<String> = states.iter().map(|(name, _)| name.clone()).collect();
        let states: Vec<Incoming> = states.into_iter().map(|(_, v)| v).collect();
        let groups: Option<Vec<Vec<Incoming>>> = if !tuple {
            (m == 0).then(|| vec![outputs])
        } else if k == n + m {
            Some(outputs.into_iter().chain(states).map(|v| vec![v]).collect())
        } else if k == n + 1 && m > 0 {
            let each = outputs.into_iter().map(|v| vec![v]);
            Some(each.chain([states]).collect())
        } else if k == 2 && m > 0 {
            Some(vec![outputs, states])
        } else {
            None
        };
        let Some(groups) = groups else {
            if self.complete {
                let what = match (n, m) {
                    (n, 0) => format!("{n} value{}", if n == 1 { "" } else { "s" }),
                    (n, m) => format!(
                        "{n} output{} and {m} state{} ({})",
                        if n == 1 { "" } else { "s" },
                        if m == 1 { "" } else { "s" },
                        names.join(", ")
                    ),
                };
                let d = Diagnostic::new(
                    "RNN0167",
                    span,
                    format!(
                        "this gives {what}, and there {} {k} name{}",
                        if k == 1 { "is" } else { "are" },
                        if k == 1 { "" } else { "s" }
                    ),
                );
                let with = giver.as_ref().and_then(Before::with_states);
                let first = targets.iter().find_map(|t| match t {
                    TargetAst::Name(name) => Some(name.to_string()),
                    TargetAst::Skip(_) => None,
                });
                let first = first.unwrap_or("y".to_owned());
                self.mistake(d.help(match m {
                    0 if n == 1 && k > 1 && with.is_some() => {
                        let with = with.map_or(String::new(), |l| l.to_string());
                        format!("a layer gives its states if it is told to: write `{with}`")
                    }
                    0 if n == 1 => format!("write `let {first} = …;`"),
                    0 => format!(
                            "write `let ({}) = …;`",
                            (0..n)
                                .map(|i| format!("y{i}"))
                                .collect::<Vec<_>>()
                                .join(", ")
                        ),
                    _ => format!(
                        "write `let ({first}, state) = …;`, or `let ({first}, {}) = …;`",
                        names.join(", ")
                    ),
                }));
            }
            for t in targets {
                if let TargetAst::Name(name) = t {
                    let unknown = nothing(None, "").outputs;
                    self.scope.insert(name.to_string(), unknown);
                }
            }
            return;
        };
        let several = (groups.len() > 1).then_some(self.tuples.len());
        self.tuples.extend(several.map(|_| false));
        for (target, values) in targets.iter().zip(groups) {
            if let TargetAst::Name(name) = target {
                self.bind(name, values, several);
            }
        }
    }

    fn output(&mut self, name: &Ident, value: &ChainAst) {
        let Results { outputs, states } = self.value(value);
        let key = name.to_string();
        if self.outputs.iter().any(|o| o.name == key) {
            return self.twice("outputs", name);
        }
        let n = outputs.len() + states.len();
        let [one] = outputs.as_slice() else {
            return self.one_output(name, n);
        };
        if n != 1 {
            return self.one_output(name, n);
        }
        // After a mistake there are no further messages.
        if one.port.is_none() {
            return;
        }
        let numbers = one
            .shape()
            .is_none_or(|s| s.content == crate::ir::Content::Numbers);
        if !numbers {
            return self.mistake(
                Diagnostic::new(
                    "RNN0175",
                    name.span(),
                    format!("output `{name}` is no numbers: it is an input as it is"),
                )
                .help("put a layer between input and output"),
            );
        }
        if self.outputs.len() == MAX_VALUES {
            self.mistake(
                Diagnostic::new(
                    "RNN0177",
                    name.span(),
                    format!(
                        "output `{name}` is one too many: a model has at most {MAX_VALUES} outputs"
                    ),
                )
                .help(format!(
                    "join some of them: `output {name} = (a, b) -> Concatenate;`"
                )),
            );
        }
        if let Some(port) = one.port {
            self.outputs.push(ModelOutput {
                name: key,
                port,
                mask: one.mask,
            });
        }
    }

    fn one_output(&mut self, name: &Ident, n: usize) {
        if self.complete {
            self.mistake(
                Diagnostic::new(
                    "RNN0167",
                    name.span(),
                    format!("output `{name}` would be {n} values"),
                )
                .note("an output is one value")
                .help(format!(
                    "bind them first: `let (y, state) = …; output {name} = y;`"
                )),
            );
        }
    }
}
