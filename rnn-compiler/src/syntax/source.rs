//! `x -> LSTM(64)`, `(a, b) -> Add`: a chain of a graph starts with what its first layer reads.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::{
    ast::LayerAst, functional, graph::starts_statement, python, statement::ChainAst, value::Reader,
};
use crate::{
    cursor::{Cursor, Parsed},
    diagnostics::Diagnostic,
};

impl Reader<'_> {
    /// `x -> LSTM(64)`, `(a, b) -> Add`, `y`
    pub(super) fn chain(&mut self, c: &mut Cursor) -> Parsed<ChainAst> {
        let span = c.span();
        let mut sources = Vec::new();
        let group = c.group(Delimiter::Parenthesis);
        let tuple = group.is_some();
        if let Some(group) = group {
            sources = self.sources(&group)?;
        } else {
            sources.push(self.source(c)?);
        }
        if let (false, [first]) = (tuple, sources.as_slice()) {
            self.no_sum(c, first)?;
        }
        let mut layers = Vec::new();
        let joined = c.eat("->") || {
            let ends = c.at_end() || c.is(";") || starts_statement(c);
            // A slip for the arrow is reported as it is between layers; other tokens end the statement.
            let slip = c.is("=>") || c.is("|") || matches!(c.peek(), Some(TokenTree::Ident(_)));
            if !ends && slip {
                let d = Diagnostic::new(
                    "RNN0041",
                    c.span(),
                    format!("expected `->`, found {}", c.found()),
                );
                self.diagnostics.push(d.help("layers are joined by `->`"));
                let _ = c.eat("=>") || c.eat("|");
            }
            !ends && slip
        };
        if joined {
            layers = self.layers(c);
        }
        Ok(ChainAst {
            sources,
            tuple,
            layers,
            span,
        })
    }

    /// Reports `x + y`: values are merged by layers.
    fn no_sum(&mut self, c: &mut Cursor, first: &Ident) -> Parsed<()> {
        let merges = self.classes.iter();
        let mut merges = merges.filter_map(|class| Some((class.operator?, class.name)));
        let Some((sign, layer)) = merges.find(|(sign, _)| c.is(sign) && !c.is("->")) else {
            return Ok(());
        };
        let (span, start) = (c.span(), c.position());
        c.eat(sign);
        let Some(second) = c.ident() else {
            c.set_position(start);
            return Ok(());
        };
        while !(c.at_end() || c.is(";")) {
            c.next();
        }
        let words = format!("expected `->`, found `{sign}`: values are merged by a layer");
        let d = Diagnostic::new("RNN0041", span, words);
        self.mistake(d.help(format!("write `({first}, {second}) -> {layer}`")))
    }

    /// The value at the start of a chain.
    fn source(&mut self, c: &mut Cursor) -> Parsed<Ident> {
        let (start, found) = (c.position(), c.found());
        let statement = starts_statement(c);
        let name = if statement { None } else { c.type_name() };
        let call = c.is_group(Delimiter::Parenthesis);
        if name.is_some()
            && let Some((class, chain)) = python::call(&from(c, start), self.classes)
        {
            let words = format!("`{class}` is called, and what a layer reads stands before it");
            while !(c.at_end() || c.is(";")) {
                c.next();
            }
            let d = Diagnostic::new("RNN0051", class.span(), words);
            return self.mistake(d.help(format!("write `{chain}`")));
        }
        match name {
            Some(name)
                if !call && !name.to_string().starts_with(char::is_uppercase) && !c.is("::") =>
            {
                Ok(name)
            }
            Some(name) => {
                let words =
                    format!("this chain starts with the layer `{name}`: what it reads is missing");
                let d = Diagnostic::new("RNN0051", name.span(), words);
                c.set_position(start);
                self.start = start;
                let layer = self.whole_layer(c);
                self.mistake(d.help(if self.is_input(&name) {
                    "write `input x: [_, 28];` before, and `x -> …` here".to_owned()
                } else {
                    let chain = self.read_first(&name, layer, c);
                    match self.statement.as_str() {
                        "" => format!("write `{chain}`"),
                        start => format!("write `{start} = {chain};`"),
                    }
                }))
            }
            None => {
                let words =
                    format!("expected the value that this chain starts with, found {found}");
                let span = if c.at_end() || c.is(";") || statement {
                    c.previous_span()
                } else {
                    c.span()
                };
                let list = match c.peek() {
                    Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Bracket => {
                        python::written(g.stream(), self.classes)
                    }
                    _ => String::new(),
                };
                let d = Diagnostic::new("RNN0051", span, words);
                self.mistake(if list.is_empty() {
                    d.help("write `x -> LSTM(64)`")
                } else {
                    let mut ahead = c.clone();
                    ahead.next();
                    let start = ahead.position() + 2;
                    let layer = ahead.eat("->").then(|| {
                        ahead.ident();
                        ahead.group(Delimiter::Parenthesis);
                        python::written(ahead.since(start), self.classes)
                    });
                    let layer = layer.filter(|l| !l.is_empty()).unwrap_or("Add".to_owned());
                    d.help(format!(
                        "values stand in parentheses: `({list}) -> {layer}`"
                    ))
                })
            }
        }
    }

    /// Rewrites a layer that has its input among its arguments, and the layers after it: `a -> Dense(1)`
    /// for `Dense(1, a)`. A layer without a value among its arguments reads the value before.
    pub(super) fn read_first(
        &self,
        name: &Ident,
        layer: Option<LayerAst>,
        ahead: &Cursor,
    ) -> String {
        let mut read = Vec::new();
        let layer = layer.map_or(name.to_string(), |mut layer| {
            layer.arguments.retain(|a| {
                let value = a.value.to_string();
                let known = a.name.is_none() && self.values.contains(&value);
                if known {
                    read.push(value);
                }
                !known
            });
            layer.to_string()
        });
        let source = match read.as_slice() {
            [] => self.values.last().map_or("x".to_owned(), String::clone),
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let mut links = vec![source, layer];
        let mut ahead = ahead.clone();
        if ahead.eat("->") {
            links.extend(functional::links(&ahead, self.classes));
        }
        links.join(" -> ")
    }

    /// `a, b` in the parentheses at the start of a chain
    fn sources(&mut self, group: &Group) -> Parsed<Vec<Ident>> {
        let mut c = Cursor::inside(group);
        let mut sources = Vec::new();
        while !c.at_end() {
            let name = c.type_name();
            match name {
                Some(name) if c.at_end() || c.is(",") => sources.push(name),
                _ => {
                    let inner = !c.at_end() && c.position() > 0;
                    let words = if inner && (c.is("->") || c.is_group(Delimiter::Parenthesis)) {
                        "the values that a layer reads have names, found a chain".to_owned()
                    } else {
                        format!("expected the name of a value, found {}", c.found())
                    };
                    return self.mistake(Diagnostic::new("RNN0052", c.span(), words).help(
                        "give it a name before: `let a = x -> Dense(3);`, and write `(a, b) -> Add`",
                    ));
                }
            }
            c.eat(",");
        }
        if sources.is_empty() {
            let d = Diagnostic::new(
                "RNN0052",
                group.span_open(),
                "there is no value in these parentheses",
            );
            return self.mistake(d.help("write `(a, b) -> Add`"));
        }
        Ok(sources)
    }
}

/// The cursor back at a position.
fn from(c: &Cursor, start: usize) -> Cursor {
    let mut c = c.clone();
    c.set_position(start);
    c
}
