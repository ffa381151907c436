//! `input x: [_, 28]; let y = x -> LSTM(64); output logits = y -> Dense(10);`

use proc_macro2::{Delimiter, Ident, Span, TokenTree};

use super::{
    class::is_input,
    functional, python,
    statement::{StatementAst, TargetAst},
    value::Reader,
};
use crate::{
    cursor::{Cursor, Parsed, Reported},
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
};

/// The words that statements start with.
const WORDS: [&str; 4] = ["input", "layer", "let", "output"];

const CHAIN: &str = "a model of one chain has no statements: `pub struct Rows = Input(28, 28) -> LSTM(64) -> Dense(10);`";

/// Whether a statement starts here: with one of its words, followed by a token that cannot follow a
/// name in a chain.
pub(super) fn starts_statement(c: &Cursor) -> bool {
    let mut ahead = c.clone();
    let Some(word) = ahead.ident().filter(|i| WORDS.iter().any(|w| i == w)) else {
        return false;
    };
    let name = ahead.ident().is_some() || ahead.eat("_");
    // `let` is no name in Rust; a value may be called `input`, `layer` or `output`.
    name || word == "let" || ahead.is(":") && !ahead.is("::") || ahead.is("=")
}

/// Whether tokens are statements of a graph rather than a chain of layers.
pub(super) fn is_graph(c: &Cursor) -> bool {
    let mut c = c.clone();
    while !c.at_end() {
        if starts_statement(&c) {
            return true;
        }
        c.skip_past_semicolon();
    }
    false
}

impl Reader<'_> {
    /// All statements to the end. `whole` is where messages about the whole graph point.
    pub(super) fn graph(&mut self, c: &mut Cursor, whole: Span) -> Vec<StatementAst> {
        self.graph = true;
        if c.at_end() {
            self.diagnostics.push(
                Diagnostic::new("RNN0053", whole, "this graph has no statements")
                    .help("write `input x: [_, 28]; output y = x -> LSTM(64) -> Dense(10);`"),
            );
            return Vec::new();
        }
        let (mut statements, mut failed) = (Vec::new(), false);
        while !c.at_end() {
            let mut names = Vec::new();
            let word = WORDS.into_iter().find(|w| c.is_word(w));
            let statement = self.statement(c, &mut names);
            let good = statement.is_ok();
            failed |= !good;
            self.statement.clear();
            if let Ok(StatementAst::Let { targets, value, .. }) = &statement
                && let [TargetAst::Name(name)] = targets.as_slice()
            {
                self.chains.push((name.to_string(), value.clone()));
            }
            self.values.extend(match word {
                Some("layer") => Vec::new(),
                _ => names.iter().map(Ident::to_string).collect(),
            });
            let word = word.unwrap_or_default();
            statements.push(statement.unwrap_or(StatementAst::Unreadable { word, names }));
            self.semicolon(c, good);
        }
        // The missing statement may be one that could not be read.
        if !failed {
            self.inputs_and_outputs(&statements, whole);
        }
        statements
    }

    fn inputs_and_outputs(&mut self, statements: &[StatementAst], whole: Span) {
        if !statements
            .iter()
            .any(|s| matches!(s, StatementAst::Input { .. }))
        {
            self.diagnostics.push(
                Diagnostic::new("RNN0054", whole, "this graph has no input")
                    .help("write `input x: [_, 28];` first"),
            );
        }
        if !statements
            .iter()
            .any(|s| matches!(s, StatementAst::Output { .. }))
        {
            let last = statements.iter().rev().find_map(|s| match s {
                StatementAst::Let { targets, .. } => targets.iter().find_map(|t| match t {
                    TargetAst::Name(name) => Some(name.to_string()),
                    TargetAst::Skip(_) => None,
                }),
                _ => None,
            });
            let help = match last {
                Some(value) => format!("write `output result = {value};` last"),
                None => "write `output y = x -> LSTM(64) -> Dense(10);` last".to_owned(),
            };
            let d = Diagnostic::new("RNN0055", whole, "this graph has no output");
            self.diagnostics.push(d.help(help));
        }
    }

    /// The `;` after a statement, or a message, and on to the next statement.
    fn semicolon(&mut self, c: &mut Cursor, good: bool) {
        if c.eat(";") {
            // `;;` is allowed, as in Rust.
            while c.eat(";") {}
            return;
        }
        if good {
            let (next, found) = (c.at_end() || starts_statement(c), c.found());
            let span = if next { c.previous_span() } else { c.span() };
            let d = Diagnostic::new(
                "RNN0045",
                span,
                format!("expected `;` after this statement, found {found}"),
            );
            self.diagnostics.push(
                d.help("every statement of a graph ends with `;`: `output y = x -> Dense(10);`"),
            );
        }
        c.eat(",");
        while !c.at_end() && !starts_statement(c) {
            if c.eat(";") {
                return;
            }
            c.next();
        }
    }

    /// One statement without its `;`. If it cannot be read, `names` has the names that it would have given.
    fn statement(&mut self, c: &mut Cursor, names: &mut Vec<Ident>) -> Parsed<StatementAst> {
        let word = match c.peek() {
            Some(TokenTree::Ident(i)) => i.to_string(),
            _ => String::new(),
        };
        // `output (a, b);`
        let listed = matches!(c.peek_nth(1), Some(TokenTree::Group(_)));
        let word = if starts_statement(c) || word == "let" || word == "output" && listed {
            c.next();
            word
        } else {
            self.unknown(c, &word, names)?
        };
        match word.as_str() {
            "input" => self.input(c, names),
            "layer" => self.shared(c, names),
            "output" => {
                const EXAMPLE: &str = "output y = x -> Dense(10);";
                self.outputs(c)?;
                let name = self.value_name(c, "RNN0048", "an output", EXAMPLE)?;
                names.push(name.clone());
                self.equals(c, &format!("output {name}"), "x -> Dense(10)")?;
                let value = self.chain(c)?;
                Ok(StatementAst::Output { name, value })
            }
            _ => self.binding(c, names),
        }
    }

    /// Reports values that are outputs without names: `output y;`, `output a, b;`, `output (a, b);`.
    fn outputs(&mut self, c: &mut Cursor) -> Parsed<()> {
        let (span, mut ahead) = (c.span(), c.clone());
        let group = [Delimiter::Parenthesis, Delimiter::Bracket];
        let group = group.into_iter().find_map(|d| ahead.group(d));
        let mut list = group.as_ref().map_or(ahead.clone(), Cursor::inside);
        let mut values = Vec::new();
        while let Some(value) = list.ident() {
            values.push(value.to_string());
            list.eat(",");
        }
        let ends = |c: &Cursor| c.at_end() || c.is(";");
        let whole = ends(&list) && (group.is_none() || ends(&ahead));
        if values.is_empty() || !whole || !values.iter().all(|v| self.values.contains(v)) {
            return Ok(());
        }
        while !ends(c) {
            c.next();
        }
        let words = match values.len() {
            1 => "an output has a name and a value",
            _ => "each output is a statement, with a name and a value",
        };
        let all: Vec<String> = values
            .iter()
            .map(|v| format!("output {v} = {v};"))
            .collect();
        let d = Diagnostic::new("RNN0050", span, words);
        self.mistake(d.help(format!("write `{}`", all.join(" "))))
    }

    /// What `y += x` is called as a layer.
    fn merged(&self, name: &Ident, c: &Cursor) -> Option<String> {
        let merges = self.classes.iter();
        let mut merges = merges.filter_map(|class| Some((class.operator?, class.name)));
        let (sign, layer) = merges.find(|(sign, _)| c.is(&format!("{sign}=")))?;
        let mut ahead = c.clone();
        ahead.eat(&format!("{sign}="));
        let other = ahead.ident()?;
        Some(format!(
            "write `let {name} = ({name}, {other}) -> {layer};`"
        ))
    }

    /// `let y = …`, `let (y, _) = …`, after `let`
    fn binding(&mut self, c: &mut Cursor, names: &mut Vec<Ident>) -> Parsed<StatementAst> {
        const EXAMPLE: &str = "let y = x -> LSTM(64);";
        if c.is_word("mut") {
            let d = Diagnostic::new("RNN0049", c.span(), "the values of a graph do not change");
            self.diagnostics.push(d.help("write `let` without `mut`"));
            c.next();
            self.binding(c, names)?;
            return Err(Reported);
        }
        let mut targets = Vec::new();
        let group = c.group(Delimiter::Parenthesis);
        let tuple = group.is_some();
        if let Some(group) = group {
            targets = self.targets(&group, names)?;
        } else if c.is_group(Delimiter::Bracket) || c.is_group(Delimiter::Brace) {
            let words = format!("several names stand in parentheses, found {}", c.found());
            let d = Diagnostic::new("RNN0049", c.span(), words);
            let group = c.group(Delimiter::Bracket).or(c.group(Delimiter::Brace));
            let mut inside = group.as_ref().map(Cursor::inside);
            while let Some(c) = inside.as_mut().filter(|c| !c.at_end()) {
                names.extend(c.ident());
                c.next();
            }
            return self.mistake(d.help(self.several_names(names, c)));
        } else {
            let name = self.value_name(c, "RNN0048", "a value", EXAMPLE)?;
            names.push(name.clone());
            targets.push(TargetAst::Name(name));
            let mut ahead = c.clone();
            if ahead.eat(",") && !starts_statement(&ahead) {
                let d = Diagnostic::new("RNN0049", c.span(), "several names stand in parentheses");
                while c.eat(",") {
                    names.extend(c.ident());
                }
                return self.mistake(d.help(self.several_names(names, c)));
            }
        }
        let start = match (targets.first(), tuple) {
            (Some(TargetAst::Name(name)), false) => format!("let {name}"),
            _ => "let (y, state)".to_owned(),
        };
        let example = if tuple {
            "x -> LSTM(64, return_state)"
        } else {
            "x -> LSTM(64)"
        };
        self.equals(c, &start, example)?;
        let value = self.chain(c)?;
        Ok(StatementAst::Let {
            targets,
            tuple,
            value,
        })
    }

    /// What to write for several names that stand in no parentheses; the cursor stands at the `=`.
    fn several_names(&self, names: &[Ident], c: &Cursor) -> String {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut ahead = c.clone();
        let chain = ahead
            .eat("=")
            .then(|| functional::chain(&ahead, self.classes));
        let chain = chain
            .flatten()
            .unwrap_or("x -> LSTM(64, return_state)".to_owned());
        format!("write `let ({}) = {chain};`", names.join(", "))
    }

    /// `y, _, c` in the parentheses of a `let`
    fn targets(
        &mut self,
        group: &proc_macro2::Group,
        names: &mut Vec<Ident>,
    ) -> Parsed<Vec<TargetAst>> {
        const EXAMPLE: &str = "let (y, state) = x -> LSTM(64, return_state);";
        let mut c = Cursor::inside(group);
        let (mut targets, mut failed) = (Vec::new(), false);
        while !c.at_end() {
            let span = c.span();
            if c.eat_word("_") || c.eat("_") {
                targets.push(TargetAst::Skip(span));
            } else {
                match self.value_name(&mut c, "RNN0049", "a value", EXAMPLE) {
                    Ok(name) => {
                        names.push(name.clone());
                        targets.push(TargetAst::Name(name));
                    }
                    Err(Reported) => failed = true,
                }
            }
            if !failed && !c.at_end() && !c.is(",") {
                failed = true;
                let words = format!("expected `,` or `)`, found {}", c.found());
                let d = Diagnostic::new("RNN0049", c.span(), words);
                self.diagnostics.push(d.help(format!("write `{EXAMPLE}`")));
            }
            while !c.at_end() && !c.eat(",") {
                c.next();
            }
        }
        if targets.is_empty() && !failed {
            let d = Diagnostic::new("RNN0049", group.span_open(), "this `let` gives no name");
            return self.mistake(d.help(format!("write `{EXAMPLE}`")));
        }
        if failed { Err(Reported) } else { Ok(targets) }
    }

    /// `shared = LSTM(64)`, after `layer`
    fn shared(&mut self, c: &mut Cursor, names: &mut Vec<Ident>) -> Parsed<StatementAst> {
        let name = self.value_name(c, "RNN0048", "a layer", "layer shared = LSTM(64);")?;
        names.push(name.clone());
        self.equals(c, &format!("layer {name}"), "LSTM(64)")?;
        self.start = c.position();
        let layer = self.whole_layer(c);
        if c.is("->") {
            let d = Diagnostic::new(
                "RNN0058",
                c.span(),
                format!("`{name}` is one layer, not a chain"),
            );
            let first = layer.map_or("LSTM(64)".to_owned(), |l| l.to_string());
            return self.mistake(d.help(format!(
                "write `layer {name} = {first};`, and one more `layer` for each of the others"
            )));
        }
        Ok(StatementAst::Layer { name, layer })
    }

    /// The `=` after what a statement names; `start` is the statement up to there.
    fn equals(&mut self, c: &mut Cursor, start: &str, example: &str) -> Parsed<()> {
        if c.eat("=") {
            self.statement = start.to_owned();
            // `==` and `=>` are slips for `=`.
            return Ok(());
        }
        let found = c.found();
        let typed = c.is(":").then(|| {
            let mut ahead = c.clone();
            while !(ahead.at_end() || ahead.is("=") || ahead.is(";")) {
                ahead.next();
            }
            ahead
                .eat("=")
                .then(|| functional::chain(&ahead, self.classes))
                .flatten()
        });
        let typed = typed.flatten();
        let example = typed.as_deref().unwrap_or(example);
        let (words, example) = if c.is(":") {
            (
                format!("expected `=` after `{start}`, found {found}; a value has no type"),
                example,
            )
        } else {
            (
                format!("expected `=` after `{start}`, found {found}"),
                example,
            )
        };
        self.mistake(
            Diagnostic::new("RNN0050", c.span(), words)
                .help(format!("write `{start} = {example};`")),
        )
    }

    /// Reports tokens that are no statement; gives the word that they must start with, if that is clear.
    fn unknown(&mut self, c: &mut Cursor, word: &str, names: &mut Vec<Ident>) -> Parsed<String> {
        let found = c.found();
        let mut ahead = c.clone();
        let name = ahead.ident();
        let named = matches!(ahead.peek(), Some(TokenTree::Ident(_)))
            || ahead.is_group(Delimiter::Parenthesis) && !is_input(self.classes, word);
        let d = Diagnostic::new(
            "RNN0044",
            c.span(),
            format!("a statement starts with `input`, `layer`, `let` or `output`, found {found}"),
        );
        if let (Some(meant), true) = (did_you_mean(word, WORDS), named) {
            self.diagnostics
                .push(d.help(format!("did you mean `{meant}`?")));
            c.next();
            // Reads on to find other mistakes.
            return Ok(meant.to_owned());
        }
        let merged = name.as_ref().and_then(|name| self.merged(name, &ahead));
        let d = match name {
            Some(_) if merged.is_some() => d
                .note("values do not change; a later `let` of the same name replaces the earlier one")
                .help(merged.unwrap_or_default()),
            Some(name) if name == "return" => {
                let value = ahead.ident().map_or("y".to_owned(), |i| i.to_string());
                d.help(format!("write `output result = {value};`"))
            }
            Some(name) if ahead.is("=") => {
                names.push(name.clone());
                ahead.eat("=");
                if let Some(input) = functional::input(&name, &ahead, self.classes) {
                    return self.mistake(d.help(format!("write `{input}`")));
                }
                if let Some(chain) = functional::chain(&ahead, self.classes) {
                    return self.mistake(d.help(format!("write `let {name} = {chain};`")));
                }
                if let Some((_, chain)) = python::call(&ahead, self.classes) {
                    return self.mistake(d.help(format!("write `let {name} = {chain};`")));
                }
                let chain = self.called(&ahead).unwrap_or("x -> LSTM(64)".to_owned());
                d.help(format!("write `let {name} = {chain};`"))
            }
            Some(name) if self.is_input(&name) => {
                d.note(CHAIN).help("an input of a graph has a name: `input x: [_, 28];`")
            }
            Some(name) if name.to_string().starts_with(char::is_uppercase) => {
                d.note(CHAIN).help(format!("write `let y = x -> {name}(…);`"))
            }
            Some(name) if ahead.is("->") => {
                d.help(format!("what is computed gets a name: `let y = {name} -> …;`"))
            }
            Some(name) if matches!(name.to_string().as_str(), "param" | "state" | "next" | "frozen") => {
                d.help(format!("`{name}` belongs to a cell, which `rnn_cell!` makes; in a graph write `let y = x -> RNN(MyCell(32));`"))
            }
            _ => d.help("write `let y = x -> LSTM(64);`"),
        };
        self.mistake(d)
    }

    /// `a -> LSTM(4)` of `LSTM(4, a)`, which stands after the `=` of no statement.
    fn called(&self, c: &Cursor) -> Option<String> {
        let class = c.clone().ident()?;
        if !class.to_string().starts_with(char::is_uppercase) {
            return None;
        }
        // Mistakes inside are not shown: the statement has its message.
        let mut unseen = Diagnostics::new();
        let mut reader = Reader {
            start: c.position(),
            graph: true,
            values: self.values.clone(),
            ..Reader::new(self.classes, &mut unseen)
        };
        let mut ahead = c.clone();
        let layer = reader.whole_layer(&mut ahead);
        unseen.take();
        Some(self.read_first(&class, Some(layer?), &ahead))
    }
}
