//! `x -> LSTM(64)`, `(a, b) -> Add`: a chain of a graph starts with what its first layer reads.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::{
    ast::{ArgumentAst, LayerAst},
    foreign, functional,
    graph::starts_statement,
    python,
    statement::ChainAst,
    value::Reader,
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
            if !matches!(c.peek(), Some(TokenTree::Literal(_))) {
                c.set_position(start);
                return Ok(());
            }
            let words =
                format!("expected `->`, found `{sign}` and a number: a layer reads values only");
            let d = Diagnostic::new("RNN0041", span, words);
            let plain = self.whole(&first.to_string());
            self.skip(c);
            return self.mistake(d.help(format!(
                "{plain}, and compute with numbers in Rust, before `predict` and `Dataset::new`"
            )));
        };
        self.skip(c);
        let words = format!("expected `->`, found `{sign}`: values are merged by a layer");
        let d = Diagnostic::new("RNN0041", span, words);
        self.mistake(d.help(format!("write `({first}, {second}) -> {layer}`")))
    }

    /// Goes to the end of the statement.
    fn skip(&self, c: &mut Cursor) {
        while !(c.at_end() || c.is(";")) {
            c.next();
        }
    }

    /// The help that proposes a chain in the place of the current statement.
    fn whole(&self, chain: &str) -> String {
        match self.statement.as_str() {
            "" => format!("write `{chain}`"),
            start => format!("write `{start} = {chain};`"),
        }
    }

    /// The message for `h[:, -1, :]` and `h.relu()`, if `h` is a value.
    fn part_or_method(&mut self, c: &Cursor) -> Option<Diagnostic> {
        let mut c = c.clone();
        let value = c.ident()?;
        let name = value.to_string();
        if !self.values.contains(&name) {
            return None;
        }
        let span = c.span();
        if let Some(part) = c.group(Delimiter::Bracket) {
            return Some(self.no_part(&name, &part, span));
        }
        if !c.eat(".") {
            return None;
        }
        let method = c.ident()?;
        let arguments = c.group(Delimiter::Parenthesis);
        let layer = LayerAst {
            name: method.clone(),
            arguments: arguments.map_or(Vec::new(), |g| self.quiet_arguments(&g)),
        };
        let words = format!("the values of a graph have no methods, found `{name}.{method}`");
        let d = Diagnostic::new("RNN0051", method.span(), words);
        Some(match self.code(&layer) {
            Ok(code) => d.help(self.whole(&self.then(&name, &code, &c))),
            Err(Some(help)) => d.help(help),
            Err(None) => d.help("what is computed from a value is a layer: `x -> LSTM(64)`"),
        })
    }

    /// The message for a part of a value by its indices.
    fn no_part(&self, name: &str, part: &Group, span: proc_macro2::Span) -> Diagnostic {
        let words = format!("the values of a graph have no parts by index, found `{name}[…]`");
        let d = Diagnostic::new("RNN0051", span, words);
        let text = part.stream().to_string().replace(' ', "");
        if !text.contains("-1") {
            return d.note("a layer reads the whole value").help(format!(
                "write `{name}` alone; the last step is what a recurrent layer gives without `return_sequences`"
            ));
        }
        // The chain that made the value, without the flag that keeps all steps.
        let chain = self.chains.iter().rev().find(|(n, _)| n == name);
        let last = chain.and_then(|(_, chain)| {
            let mut chain = chain.clone();
            let last = chain.layers.last_mut()?.as_mut()?;
            let before = last.arguments.len();
            let flag = |a: &ArgumentAst| match &a.name {
                Some(name) => name == "return_sequences",
                None => a.value.to_string() == "return_sequences",
            };
            last.arguments.retain(|a| !flag(a));
            (last.arguments.len() < before).then(|| chain.to_string())
        });
        let d = d.note("the last step is what a recurrent layer gives without `return_sequences`");
        match last {
            Some(chain) => d.help(format!("write `let {name} = {chain};`, and `{name}` here")),
            None => d.help(format!("write `{name}` here")),
        }
    }

    /// The message for a function of another library that is called on values: `torch.cat([a, b])`, `add([a, b])`,
    /// `Concatenate([a, b])`.
    fn function(&mut self, c: &Cursor) -> Option<Diagnostic> {
        let mut c = c.clone();
        let span = c.span();
        let mut name = c.ident()?;
        let mut text = name.to_string();
        while c.eat(".") || c.eat("::") {
            name = c.ident()?;
            text += &format!(".{name}");
        }
        let group = c.group(Delimiter::Parenthesis)?;
        if c.is_group(Delimiter::Parenthesis) {
            return None;
        }
        let is_value = |t: &TokenTree| matches!(t, TokenTree::Ident(i) if self.values.contains(&i.to_string()));
        if matches!(name.to_string().as_str(), "Model" | "model") {
            let output = group.stream().into_iter().filter(is_value).last()?;
            let d = Diagnostic::new(
                "RNN0051",
                span,
                format!("`{text}` is not needed: `rnn_model!` makes the model"),
            );
            return Some(d.help(format!(
                "write `output result = {output};` in place of this statement"
            )));
        }
        let (mut read, mut rest) = (Vec::new(), proc_macro2::TokenStream::new());
        let mut listed = false;
        for part in python::parts(&group) {
            match part.as_slice() {
                [one] if is_value(one) => read.push(one.to_string()),
                [TokenTree::Group(g)]
                    if python::parts(g)
                        .iter()
                        .all(|p| matches!(p.as_slice(), [one] if is_value(one))) =>
                {
                    listed = true;
                    read.extend(
                        g.stream()
                            .into_iter()
                            .filter(is_value)
                            .map(|t| t.to_string()),
                    );
                }
                other => {
                    rest.extend(other.iter().cloned());
                    rest.extend([TokenTree::from(proc_macro2::Punct::new(
                        ',',
                        proc_macro2::Spacing::Alone,
                    ))]);
                }
            }
        }
        let module = text.contains('.');
        let known = super::class::find(self.classes, &name.to_string()).is_some();
        // A layer with its value among its arguments is read on, so that its other mistakes are shown.
        if read.is_empty() || known && !listed && !module {
            return None;
        }
        let rest = Group::new(Delimiter::Parenthesis, rest);
        let layer = LayerAst {
            name,
            arguments: self.quiet_arguments(&rest),
        };
        let source = match read.as_slice() {
            [one] if !listed => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let words = format!("`{text}` is called, and what a layer reads stands before it");
        let d = Diagnostic::new("RNN0051", span, words);
        Some(match self.code(&layer) {
            Ok(code) => d.help(self.whole(&self.then(&source, &code, &c))),
            Err(Some(help)) => d.help(help),
            Err(None) => d.help(format!(
                "what is computed from a value is a layer: `{source} -> Dense(64)`"
            )),
        })
    }

    /// A layer as it is written here; else what stands nearest.
    fn code(&self, layer: &LayerAst) -> Result<String, Option<String>> {
        let name = layer.name.to_string();
        if super::class::find(self.classes, &name).is_some() {
            return Ok(foreign::written(layer, self.classes).0);
        }
        match foreign::layer_here(layer, self.classes) {
            Some(here) => here.code.ok_or(Some(here.help)),
            None => Err(None),
        }
    }

    /// `source -> code`, and the layers after it.
    fn then(&self, source: &str, code: &str, ahead: &Cursor) -> String {
        let mut links = vec![source.to_owned(), code.to_owned()];
        let mut ahead = ahead.clone();
        if ahead.eat("->") {
            links.extend(functional::links(&ahead, self.classes));
        }
        links.join(" -> ")
    }

    /// The value at the start of a chain.
    fn source(&mut self, c: &mut Cursor) -> Parsed<Ident> {
        if c.is("&") {
            let span = c.span();
            while c.eat("&") || c.eat_word("mut") {}
            let chain = functional::chain(c, self.classes).unwrap_or("x -> LSTM(64)".to_owned());
            self.skip(c);
            let d = Diagnostic::new("RNN0051", span, "the values of a graph have no references");
            return self.mistake(d.help(self.whole(&chain)));
        }
        if let Some(d) = self.part_or_method(c) {
            self.skip(c);
            return self.mistake(d);
        }
        if let Some(d) = self.function(c) {
            self.skip(c);
            return self.mistake(d);
        }
        let (start, found) = (c.position(), c.found());
        let statement = starts_statement(c);
        let name = if statement { None } else { c.type_name() };
        let call = c.is_group(Delimiter::Parenthesis);
        if name.is_some()
            && let Some((class, chain)) = python::call(&from(c, start), self.classes)
        {
            let words = format!("`{class}` is called, and what a layer reads stands before it");
            self.skip(c);
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
                let alone = layer.clone().filter(|_| c.at_end() || c.is(";"));
                self.mistake(d.help(if self.is_input(&name) {
                    "write `input x: [_, 28];` before, and `x -> …` here".to_owned()
                } else {
                    let chain = self.read_first(&name, layer, c);
                    let shared = self.statement.strip_prefix("let ");
                    let layer = shared.zip(alone.as_ref());
                    match layer.filter(|_| self.values.len() > 1) {
                        Some((own, layer)) => format!(
                            "{}, or for a layer that is used several times `layer {own} = {layer};`",
                            self.whole(&chain)
                        ),
                        None => self.whole(&chain),
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
