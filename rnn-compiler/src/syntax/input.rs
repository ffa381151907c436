//! `x: [_, 28]`, `words: ids[time]`, `real: mask[time]`

use proc_macro2::{Delimiter, Group, Ident};

use super::{
    ast::{ValueAst, ValueKind},
    statement::{InputKind, StatementAst},
    value::{Reader, inside},
};
use crate::{
    cursor::{Cursor, Parsed},
    diagnostics::{Diagnostic, did_you_mean},
};

const KINDS: &str =
    "write `ids`, `mask`, `[28]` for a vector, `[_, 28]` for a sequence of 28 features";

impl Reader<'_> {
    /// What stands after the word `input`.
    pub(super) fn input(&mut self, c: &mut Cursor, names: &mut Vec<Ident>) -> Parsed<StatementAst> {
        let name = self.value_name(c, "RNN0046", "an input", "input x: [_, 28];")?;
        names.push(name.clone());
        if c.is(",") {
            return self.several_inputs(c, names);
        }
        let colon = c.is(":") && !c.is("::");
        let (span, found) = (c.span(), c.found());
        let equals = !colon && c.eat("=");
        if colon {
            c.next();
        } else if !equals {
            let group = c.is_group(Delimiter::Bracket) || c.is_word("ids") || c.is_word("mask");
            let words = if group {
                format!("expected `:` after `input {name}`, found {found}")
            } else {
                format!("`input {name}` does not say what it is: expected `:`, found {found}")
            };
            // The kind is missing at the end of the statement.
            let span = if c.at_end() || c.is(";") {
                c.previous_span()
            } else {
                span
            };
            let kind = if group {
                self.kind(c).map(|k| k.to_string())
            } else {
                Ok("[_, 28]".into())
            };
            let kind = kind.unwrap_or("[_, 28]".into());
            let d = Diagnostic::new("RNN0046", span, words);
            return self.mistake(d.help(format!("write `input {name}: {kind};`")));
        }
        let at = c.span();
        let kind = self.kind(c)?;
        if equals {
            let words = format!("the kind of an input stands after `:`, found {found}");
            let d = Diagnostic::new("RNN0046", span, words);
            return self.mistake(d.help(format!("write `input {name}: {kind};`")));
        }
        Ok(StatementAst::Input {
            name,
            kind,
            span: at,
        })
    }

    /// Reports `input a, b: [3];` after the first name.
    fn several_inputs(&mut self, c: &mut Cursor, names: &mut Vec<Ident>) -> Parsed<StatementAst> {
        let words = format!(
            "a statement declares one input, found {} and another name",
            c.found()
        );
        let d = Diagnostic::new("RNN0046", c.span(), words);
        while c.eat(",") {
            names.extend(c.ident());
        }
        let kind = match c.eat(":") {
            true => self.kind(c)?.to_string(),
            false => "[_, 28]".to_owned(),
        };
        let all: Vec<String> = names
            .iter()
            .map(|n| format!("input {n}: {kind};"))
            .collect();
        self.mistake(d.help(format!("write `{}`", all.join(" "))))
    }

    /// `ids[20]`, `mask`, `[_, 28]`
    fn kind(&mut self, c: &mut Cursor) -> Parsed<InputKind> {
        if let Some(group) = c.group(Delimiter::Bracket) {
            if let Some(sizes) = array_type(&group) {
                let words = "an input has no type of Rust's: its numbers are `f32`";
                let d = Diagnostic::new("RNN0046", group.span_open(), words);
                return self.mistake(d.help(format!("write `[{sizes}]`")));
            }
            let axes = self.axes(&group)?;
            if axes.is_empty() {
                let d = Diagnostic::new("RNN0056", group.span_open(), "this input has no axis");
                return self.mistake(d.help("write `[28]` for 28 features, `[1]` for a number"));
            }
            if c.is_word("mask") || c.is_word("ids") {
                let d = Diagnostic::new(
                    "RNN0046",
                    c.span(),
                    format!("{} stands before its length", c.found()),
                );
                let word = c.next().map_or(String::new(), |t| t.to_string());
                return self.mistake(d.help(format!("write `{word}[{}]`", inside(&group))));
            }
            return Ok(InputKind::Floats(axes));
        }
        let (span, found) = (c.span(), c.found());
        let d = |words: String| Diagnostic::new("RNN0046", span, words);
        let unknown = || d(format!("expected what the input is, found {found}"));
        if let Some(group) = c.group(Delimiter::Parenthesis) {
            let axes = inside(&group);
            return self.mistake(
                d("the axes of an input stand in brackets".to_owned())
                    .help(format!("write `[{axes}]`")),
            );
        }
        let word = c.ident().map(|i| i.to_string());
        match word.as_deref() {
            Some("ids") => Ok(InputKind::Ids(self.length(c, "ids")?)),
            Some("mask") => Ok(InputKind::Mask(self.length(c, "mask")?)),
            Some(word) => {
                let sizes = c.group(Delimiter::Parenthesis).map(|g| {
                    let given = super::python::input_sizes(&g, self.classes);
                    given.unwrap_or_else(|| inside(&g))
                });
                let help = match (word, did_you_mean(word, ["ids", "mask"]), sizes) {
                    (_, _, Some(sizes)) => format!("write `[{sizes}]`"),
                    (_, Some(meant), _) => format!("did you mean `{meant}`?"),
                    ("u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "int", ..) => {
                        "write `ids` for class ids".to_owned()
                    }
                    ("bool", ..) => "write `mask` for booleans, one a step".to_owned(),
                    _ => KINDS.to_owned(),
                };
                self.mistake(unknown().help(help))
            }
            None if c.at_end() || c.is(";") => {
                let d = Diagnostic::new(
                    "RNN0046",
                    c.previous_span(),
                    "this input does not say what it is",
                );
                self.mistake(d.help(KINDS))
            }
            None => {
                let help = match c.next() {
                    Some(proc_macro2::TokenTree::Literal(n)) => format!("write `[{n}]`"),
                    _ => KINDS.to_owned(),
                };
                self.mistake(unknown().help(help))
            }
        }
    }

    /// The one axis of ids or a mask, if it is written.
    fn length(&mut self, c: &mut Cursor, word: &str) -> Parsed<Option<ValueAst>> {
        let (span, found) = (c.span(), c.found());
        if let Some(group) = c.group(Delimiter::Bracket) {
            let mut axes = self.axes(&group)?;
            let structure = axes.iter().any(|a| matches!(a.kind, ValueKind::Struct(_)));
            if let (1, false) = (axes.len(), structure) {
                return Ok(axes.pop());
            }
            let d = Diagnostic::new(
                "RNN0056",
                group.span_open(),
                format!("`{word}` has one axis, the steps"),
            );
            return self.mistake(d.help(format!("write `{word}[20]`, or `{word}` for any number")));
        }
        if c.is_group(Delimiter::Parenthesis) || c.is_group(Delimiter::Brace) {
            let words = format!("the length of an input stands in brackets, found {found}");
            let inside = c
                .group(Delimiter::Parenthesis)
                .map_or("20".to_owned(), |g| inside(&g));
            let d = Diagnostic::new("RNN0056", span, words);
            return self.mistake(d.help(format!("write `{word}[{inside}]`")));
        }
        Ok(None)
    }

    /// Axes in brackets: sizes, names, `_`, and a structure as the last one.
    fn axes(&mut self, group: &Group) -> Parsed<Vec<ValueAst>> {
        let axes = self.list(group)?;
        let last = axes.len().saturating_sub(1);
        for (i, axis) in axes.iter().enumerate() {
            let help = match &axis.kind {
                ValueKind::Whole(_) | ValueKind::Path(_) | ValueKind::Open => continue,
                ValueKind::Struct(_) if i == last => continue,
                ValueKind::Struct(_) => {
                    "only what one step holds has parts: write `[_, { location: 2, pressure: 1 }]`"
                }
                _ => {
                    "an axis is a number, the name of a `const`, `_` for any number, or a name such as `time` for a number that several inputs share"
                }
            };
            let words = format!("`{axis}` is no axis of an input");
            return self.mistake(Diagnostic::new("RNN0056", axis.span, words).help(help));
        }
        Ok(axes)
    }
}

/// The sizes of `[f32; 8]` and `[[f32; 8]; 20]`.
fn array_type(group: &Group) -> Option<String> {
    let mut c = Cursor::inside(group);
    let inner = match c.group(Delimiter::Bracket) {
        Some(inner) => Some(array_type(&inner)?),
        None => c.ident().map(|_| String::new()),
    }?;
    let size = c.eat(";").then(|| c.rest().to_string())?;
    Some(match inner.is_empty() {
        true => size,
        false => format!("{size}, {inner}"),
    })
}
