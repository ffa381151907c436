//! Matches the arguments as written with those declared: by position, by name, as bare flags.

use proc_macro2::Span;

use super::{
    LayerDef,
    arguments::{Argument, EVERYWHERE, Kind, LayerArguments, OF_LAYER_ONLY, OF_OTHERS},
    options, values,
};
use crate::{
    cell::single,
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    syntax::{self, ArgumentAst, Class, LayerAst, ValueAst, ValueKind},
};

/// Matches the arguments of a layer with those that `def` declares; reports all that do not fit.
pub fn bind<'a>(
    def: &'static LayerDef,
    written: &'a LayerAst,
    text: &'a str,
    diagnostics: &mut Diagnostics,
) -> LayerArguments<'a> {
    bind_as(def.class, def, written, text, def.arguments, diagnostics)
}

/// The same for the cell `class` of a layer, which declares some of its arguments.
pub(super) fn bind_as<'a>(
    class: &'static str,
    def: &'static LayerDef,
    written: &'a LayerAst,
    text: &'a str,
    declared: &[Argument],
    diagnostics: &mut Diagnostics,
) -> LayerArguments<'a> {
    let given = LayerArguments {
        written,
        text,
        def,
        class,
        span: written.name.span(),
        values: Vec::new(),
        raw: Vec::new(),
        regularizers: Vec::new(),
        constraints: Vec::new(),
        name: None,
        complete: true,
    };
    let mut binder = Binder {
        given,
        declared,
        used: Vec::new(),
        position: 0,
        named: false,
        unclear: false,
        translated: false,
        diagnostics,
    };
    for argument in &written.arguments {
        if binder.argument(argument).is_err() {
            binder.given.complete = false;
        }
    }
    binder.missing();
    binder.given
}

struct Binder<'a, 'd> {
    given: LayerArguments<'a>,
    declared: &'d [Argument],
    /// Names met so far, also those whose values were wrong.
    used: Vec<&'static str>,
    /// How many arguments stood without a name.
    position: usize,
    /// Whether one stood with a name.
    named: bool,
    /// Whether an argument with a mistake may have been meant as another one.
    unclear: bool,
    /// A message has shown the layer with all arguments of other libraries translated.
    translated: bool,
    diagnostics: &'d mut Diagnostics,
}

impl Binder<'_, '_> {
    fn mistake<T>(&mut self, d: Diagnostic) -> Result<T, Reported> {
        self.diagnostics.push(d);
        Err(Reported)
    }

    /// Reports an argument that may have been meant as another.
    fn unclear<T>(&mut self, d: Diagnostic) -> Result<T, Reported> {
        self.unclear = true;
        self.mistake(d)
    }

    fn argument(&mut self, written: &ArgumentAst) -> Result<(), Reported> {
        let value = &written.value;
        if let Some(name) = &written.name {
            self.named = true;
            let (name, span) = (name.to_string(), name.span());
            if name == "name" {
                return self.layer_name(value);
            }
            let Some(argument) = self.declared_as(&name) else {
                return self.unknown(written, &name, span);
            };
            return self.set(argument, value, span);
        }
        if let ValueKind::Path(path) = &value.kind
            && let Some(name) = single(path)
            && let Some(argument) = self.declared_as(&name)
        {
            return match argument.kind {
                Kind::Flag => self.set(
                    argument,
                    &ValueAst {
                        kind: ValueKind::Flag(true),
                        span: value.span,
                    },
                    value.span,
                ),
                Kind::NotYet(_) => self.set(argument, value, value.span),
                // `LSTM(units)`: a variable that has the argument's name.
                Kind::Size if !self.used.contains(&argument.name) => {
                    self.set(argument, value, value.span)
                }
                _ => self.unclear(
                    Diagnostic::new(
                        "RNN0126",
                        value.span,
                        format!("`{name}` of {} needs a value", self.given.class),
                    )
                    .help(format!("write `{name} = {}`", argument.one())),
                ),
            };
        }
        if let ValueKind::Path(path) = &value.kind
            && let Some(name) = single(path)
            && OF_OTHERS.contains(&name.as_str())
        {
            return self.unknown(written, &name, value.span);
        }
        if self.named {
            if let ValueKind::Path(path) = &value.kind
                && let Some(name) = single(path)
            {
                let flags = self.declared.iter().filter(|a| a.kind == Kind::Flag);
                if let Some(meant) = did_you_mean(&name, flags.map(|a| a.name)) {
                    let class = self.given.class;
                    return self.unclear(values::unknown_flag(class, &name, meant, value.span));
                }
                if did_you_mean(&name, self.declared.iter().map(|a| a.name)).is_some() {
                    return self.unknown(written, &name, value.span);
                }
            }
            return self.mistake(
                Diagnostic::new(
                    "RNN0125",
                    value.span,
                    format!("`{value}` has no name but follows an argument that has one"),
                )
                .help("give it a name, too, or write it first"),
            );
        }
        let position = self.position;
        self.position += 1;
        if let Some(done) = self.two_sizes(position, value) {
            return done;
        }
        self.unclear |= position >= self.declared.len();
        let last = self.declared.last().copied();
        let rest = last.filter(|a| a.kind == Kind::Sizes && position >= self.declared.len());
        self.unclear &= rest.is_none();
        match rest.or(self.declared.get(position).copied()) {
            // An argument that is written differently here takes no position.
            Some(argument) if !matches!(argument.kind, Kind::NotYet(Some(_))) => {
                self.set(argument, value, value.span)
            }
            _ => self.mistake(
                Diagnostic::new(
                    "RNN0123",
                    value.span,
                    format!(
                        "{} has no argument number {}",
                        self.given.class,
                        position + 1
                    ),
                )
                .help(self.signature()),
            ),
        }
    }

    /// Reports PyTorch's sizes of input and output, once, if the layer has them.
    fn two_sizes(&mut self, position: usize, value: &ValueAst) -> Option<Result<(), Reported>> {
        let own = [Some(Kind::Size), Some(Kind::Activation)];
        let declared = [0, 1].map(|i| self.declared.get(i).map(|a| a.kind));
        if declared != own || !syntax::has_two_sizes(self.given.written) {
            return None;
        }
        self.unclear = true;
        match position {
            1 => {
                let class = self.given.class;
                let flag = value.to_string().to_lowercase();
                if self.class().takes(&flag) {
                    let words = format!("{class} has no flag `{value}`");
                    let d = Diagnostic::new("RNN0120", value.span, words);
                    return Some(self.mistake(d.help(format!("did you mean the flag `{flag}`?"))));
                }
                let words = format!("{class} takes one size, its own, found a second: `{value}`");
                let (code, notes) = self.written();
                let d = Diagnostic::new("RNN0126", value.span, words);
                let d = notes.into_iter().fold(d, Diagnostic::note);
                Some(self.mistake(d.help(format!("write `{code}`"))))
            }
            // PyTorch's number of layers, which the help has.
            2 if matches!(value.kind, ValueKind::Whole(_)) => Some(Err(Reported)),
            _ => None,
        }
    }

    /// The layer with PyTorch's and Keras's names of arguments translated.
    fn written(&self) -> (String, Vec<String>) {
        syntax::written(self.given.written, &[self.class()])
    }

    fn class(&self) -> Class {
        let own = self.declared.iter().chain(EVERYWHERE);
        Class {
            name: self.given.class,
            arguments: own.map(|a| a.name).chain(["name"]).collect(),
            ..self.given.def.as_class()
        }
    }

    fn declared_as(&self, name: &str) -> Option<Argument> {
        self.declared
            .iter()
            .chain(EVERYWHERE)
            .copied()
            .find(|a| a.name == name)
    }

    fn set(&mut self, argument: Argument, value: &ValueAst, span: Span) -> Result<(), Reported> {
        let Argument { name, kind, .. } = argument;
        let class = self.given.class;
        if let Kind::NotYet(instead) = kind {
            self.unclear |= instead.is_some();
            let (words, help) = match instead {
                Some(instead) => ("does not exist here", instead.to_owned()),
                None => (
                    "is not supported yet",
                    format!("leave it out; {}", self.signature()),
                ),
            };
            let words = format!("Keras's `{name}` of {class} {words}");
            return self.mistake(Diagnostic::new("RNN0121", span, words).help(help));
        }
        if self.used.contains(&name) && kind != Kind::Sizes {
            return self.mistake(
                Diagnostic::new(
                    "RNN0124",
                    span,
                    format!("`{name}` of {class} is given twice"),
                )
                .help("remove one of the two"),
            );
        }
        self.used.push(name);
        let done = match kind {
            Kind::Cell | Kind::Layer | Kind::Values => {
                self.given.raw.push((name, value.clone()));
                Some(Ok(()))
            }
            Kind::Regularizer => Some(options::regularizer(class, name, value).map(|r| {
                self.given.regularizers.extend(r.map(|r| (name, r)));
            })),
            Kind::Constraint => Some(options::constraint(class, name, value).map(|c| {
                self.given.constraints.extend(c.map(|c| (name, c)));
            })),
            _ => None,
        };
        match done {
            Some(Ok(())) => return Ok(()),
            Some(Err(d)) => return self.mistake(d),
            None => {}
        }
        let flags: Vec<&str> = self
            .declared
            .iter()
            .filter(|a| a.kind == Kind::Flag)
            .map(|a| a.name)
            .collect();
        // `Reshape([3, 8])` is `Reshape(3, 8)`.
        if let (Kind::Sizes, ValueKind::List(list)) = (kind, &value.kind)
            && !list.is_empty()
        {
            for one in list {
                match values::read(class, name, kind, one, &flags) {
                    Ok(read) => self.given.values.push((name, read, one.span)),
                    Err(d) => return self.mistake(d),
                }
            }
            return Ok(());
        }
        match values::read(class, name, kind, value, &flags) {
            Ok(read) => {
                self.given.values.push((name, read, value.span));
                Ok(())
            }
            Err(d) => {
                // It was not meant as this argument.
                if d.code == values::UNKNOWN {
                    self.used.retain(|n| *n != name);
                    self.unclear = true;
                }
                self.mistake(d)
            }
        }
    }

    fn layer_name(&mut self, value: &ValueAst) -> Result<(), Reported> {
        let d = match &value.kind {
            ValueKind::Text(text) if self.given.name.is_some() => Diagnostic::new(
                "RNN0124",
                value.span,
                format!("this layer has two names, {text:?} is the second"),
            )
            .help("remove one of the two"),
            ValueKind::Text(text) if is_name(text) => {
                self.given.name = Some((text.clone(), value.span));
                return Ok(());
            }
            ValueKind::Text(text) => Diagnostic::new(
                "RNN0112",
                value.span,
                format!("{text:?} cannot be the name of a layer"),
            )
            .note("weights are stored as `name/kernel`")
            .help("use letters, digits, `_`, `-` and `.`: `name = \"encoder\"`"),
            _ => Diagnostic::new(
                "RNN0112",
                value.span,
                format!("a layer's name is a text, found `{value}`"),
            )
            .help("write it in quotes: `name = \"encoder\"`"),
        };
        self.mistake(d)
    }

    fn unknown(&mut self, written: &ArgumentAst, name: &str, span: Span) -> Result<(), Reported> {
        self.unclear = true;
        let class = self.given.class;
        let d = Diagnostic::new("RNN0120", span, format!("{class} has no argument `{name}`"));
        if syntax::is_argument(&self.class(), name) {
            if std::mem::replace(&mut self.translated, true) {
                return Err(Reported);
            }
            let (code, notes) = self.written();
            let d = notes.into_iter().fold(d, Diagnostic::note);
            return self.mistake(d.help(format!("write `{code}`")));
        }
        let known = self.declared.iter().map(|a| a.name).chain(["name"]);
        let meant = did_you_mean(name, known);
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => self.elsewhere(written, name),
        };
        self.mistake(d.help(help))
    }

    /// Help for an argument that the layer does not have and that is no slip of the pen.
    fn elsewhere(&self, written: &ArgumentAst, name: &str) -> String {
        let LayerArguments { def, class, .. } = self.given;
        if let Some((_, instead)) = def.refused.iter().find(|(refused, _)| *refused == name) {
            return (*instead).to_owned();
        }
        let inside = def.inside();
        if inside.any() && !OF_LAYER_ONLY.contains(&name) {
            let whole = inside.with(self.given.written.clone(), written);
            return format!("an argument of the layer inside is written there: `{whole}`");
        }
        match def.cell_argument() {
            Some(_) => format!(
                "an argument of the cell is written there: `{class}(LSTMCell(64, {name} = …))`"
            ),
            None => self.signature(),
        }
    }

    /// Reports required arguments that are missing.
    fn missing(&mut self) {
        for argument in self.declared {
            let Argument { name, required, .. } = argument;
            // An unknown argument may have been meant as this one.
            if !required || self.used.contains(name) || self.unclear {
                continue;
            }
            self.given.complete = false;
            let class = self.given.class;
            self.diagnostics.push(
                Diagnostic::new(
                    "RNN0122",
                    self.given.span,
                    format!("{class} needs `{name}`"),
                )
                .help(format!("write `{}`", self.with_example(argument))),
            );
        }
    }

    /// The layer as written, with an example of a missing argument at the end.
    fn with_example(&self, argument: &Argument) -> LayerAst {
        let written = self.given.written.clone();
        if written.arguments.is_empty() {
            return written.with_text(argument.example());
        }
        let position = self.declared.iter().position(|a| a.name == argument.name);
        match !self.named && position == Some(self.position) {
            true => written.with_text(argument.one()),
            false => written.with_text(&format!("{} = {}", argument.name, argument.one())),
        }
    }

    /// What the layer takes, as a sentence.
    fn signature(&self) -> String {
        let names: Vec<&str> = self
            .declared
            .iter()
            .filter(|a| !matches!(a.kind, Kind::NotYet(_)))
            .map(|a| a.name)
            .collect();
        if names.is_empty() {
            return format!("{} takes no arguments but `name`", self.given.class);
        }
        format!("{} takes {}", self.given.class, names.join(", "))
    }
}

/// Whether a text can be part of a weight's name.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
