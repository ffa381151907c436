//! The statements of a cell.
//!
//! After a mistake the parser skips to the next statement, so that one build shows all mistakes.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenTree};

use super::{
    ast::{Expr, Item},
    parse::Parser,
};
use crate::{
    cursor::{Cursor, Parsed, Reported},
    diagnostics::{Diagnostic, did_you_mean},
};

/// Words that other languages have for the statements of a cell.
const ELSEWHERE: &[(&str, &str)] = &[
    ("buffer", "frozen param {}: [units] = zeros;"),
    ("carry", "state {}: [units];"),
    ("hidden", "state {}: [units];"),
    ("parameter", "param {}: [input, units] = glorot_uniform;"),
    ("var", "let {} = …;"),
    ("variable", "param {}: [input, units] = glorot_uniform;"),
    ("weight", "param {}: [input, units] = glorot_uniform;"),
    ("weights", "param {}: [input, units] = glorot_uniform;"),
];

const STATEMENTS: &[&str] = &[
    "input", "param", "frozen", "state", "let", "next", "output", "if",
];

impl Parser<'_> {
    /// The statements inside braces.
    pub(super) fn items(&mut self, body: &Group) -> Vec<Item> {
        let mut c = Cursor::inside(body);
        let mut items = Vec::new();
        while !c.at_end() {
            let start = c.position();
            match self.item(&mut c) {
                Ok(item) => items.push(item),
                Err(Reported) => {
                    c.skip_past_semicolon();
                    debug_assert!(c.position() > start);
                }
            }
        }
        items
    }

    fn item(&mut self, c: &mut Cursor) -> Parsed<Item> {
        // `state = …` is an assignment to a variable by mistake, not a declaration.
        let declares = c.is_word("let")
            || !matches!(c.peek_nth(1), Some(TokenTree::Punct(p)) if p.as_char() == '=');
        let span = c.span();
        if c.is_word("if") {
            return self.if_item(c);
        }
        let item = if declares && c.eat_word("input") {
            let name = self.declared(c, "the input's name", "input x: [features];")?;
            let example = format!("input {name}: [features];");
            self.expect(c, ":", "RNN0013", &example)?;
            let shape = self.shape(c, &example)?;
            Item::Input { name, shape }
        } else if declares && c.eat_word("param") {
            self.param(c, true)?
        } else if declares && c.eat_word("frozen") {
            if !c.eat_word("param") {
                return self.expected(
                    c,
                    "RNN0012",
                    "`param` after `frozen`",
                    "write `frozen param moving_mean: [units] = zeros;`",
                );
            }
            self.param(c, false)?
        } else if declares && c.eat_word("state") {
            self.state(c)?
        } else if declares && c.eat_word("let") {
            self.let_item(c)?
        } else if declares && c.eat_word("next") {
            let name = self.name(c, "the state that gets a new value", "next h = …;")?;
            self.expect(c, "=", "RNN0013", &format!("next {name} = …;"))?;
            Item::Next {
                name,
                value: self.expr(c)?,
            }
        } else if declares && c.eat_word("output") {
            self.output(c, span)?
        } else {
            return self.not_a_statement(c);
        };
        self.semicolon(c);
        Ok(item)
    }

    /// Reports a missing `;` at the end of a statement that is otherwise fine.
    fn semicolon(&mut self, c: &mut Cursor) {
        if c.eat(";") {
            return;
        }
        let found = c.found();
        let next = STATEMENTS.iter().any(|s| c.is_word(s));
        let span = if next { c.previous_span() } else { c.span() };
        let mut d = Diagnostic::new(
            "RNN0014",
            span,
            format!("expected `;` or an operator, found {found}"),
        );
        d = if c.is("%") {
            d.help("the operators are + - * / @; a power is `pow(x, 2)`")
        } else if c.is("=") {
            d.help("`next h = …;` sets a state, `let h = …;` names a value; compare by `==`")
        } else if c.is_word("as") {
            d.help("there are no types: every value is a vector of numbers")
        } else {
            d.help("end every statement with `;`")
        };
        let _: Parsed<()> = self.mistake(d);
        // After a forgotten `;` the next statement is read; other tokens are skipped.
        if !next {
            c.skip_past_semicolon();
        }
    }

    fn not_a_statement(&mut self, c: &Cursor) -> Parsed<Item> {
        let found = c.found();
        let d = Diagnostic::new(
            "RNN0011",
            c.span(),
            format!("expected a statement, found {found}"),
        );
        let word = match c.peek() {
            Some(TokenTree::Ident(i)) => i.to_string(),
            _ => String::new(),
        };
        let sign = |n: usize, sign: char| matches!(c.peek_nth(n), Some(TokenTree::Punct(p)) if p.as_char() == sign);
        let after = |n: usize| {
            let mut c = c.clone();
            c.set_position(c.position() + n);
            self.quiet(&c)
        };
        let state = self.states.contains(&word);
        let start = if state { "next" } else { "let" };
        let operator = ['+', '-', '*', '/']
            .into_iter()
            .find(|o| sign(1, *o) && sign(2, '='));
        let help = if c.is(";") {
            "remove the extra `;`".to_owned()
        } else if sign(1, '=') {
            let value = after(2).unwrap_or("…".to_owned());
            match state {
                true => format!("`{word}` is a state: write `next {word} = {value};`"),
                false => {
                    format!("write `let {word} = {value};`, or `next {word} = …;` if it is a state")
                }
            }
        } else if let Some(operator) = operator {
            let value = after(3).unwrap_or("…".to_owned());
            format!("values do not change: write `{start} {word} = {word} {operator} {value};`")
        } else if word == "return" {
            format!("write `output {};`", after(1).unwrap_or("h".to_owned()))
        } else if matches!(word.as_str(), "for" | "while" | "loop") {
            "a cell is one step, and the layer runs it for all of them: write what happens in one, `next h = …;`, without the loop"
                .to_owned()
        } else if let (Some(value), true) = (self.quiet(c), !word.is_empty()) {
            format!("what a cell gives is its output: write `output {value};`")
        } else if let Some((_, own)) = ELSEWHERE.iter().find(|(w, _)| *w == word) {
            let name = match c.peek_nth(1) {
                Some(TokenTree::Ident(name)) => name.to_string(),
                _ => "k".to_owned(),
            };
            format!("write `{}`", own.replace("{}", &name))
        } else if let Some(meant) = did_you_mean(&word, STATEMENTS.iter().copied()) {
            format!("did you mean `{meant}`?")
        } else {
            "statements are `input`, `param`, `frozen param`, `state`, `let`, `next`, `output` and `if`"
                .to_owned()
        };
        self.mistake(d.help(help))
    }

    fn param(&mut self, c: &mut Cursor, trainable: bool) -> Parsed<Item> {
        let name = self.declared(
            c,
            "the parameter's name",
            "param kernel: [input, units] = glorot_uniform;",
        )?;
        let example = format!("param {name}: [input, units] = glorot_uniform;");
        self.expect(c, ":", "RNN0013", &example)?;
        let shape = self.shape(c, &example)?;
        if c.is(";") || c.at_end() {
            return self.mistake(
                Diagnostic::new(
                    "RNN0015",
                    c.span(),
                    format!("the parameter `{name}` has no initialiser"),
                )
                .help({
                    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
                    let init = if sizes.len() > 1 {
                        "glorot_uniform"
                    } else {
                        "zeros"
                    };
                    format!("write `param {name}: [{}] = {init};`", sizes.join(", "))
                }),
            );
        }
        self.expect(c, "=", "RNN0013", &example)?;
        Ok(Item::Param {
            name,
            shape,
            init: self.expr(c)?,
            trainable,
        })
    }

    fn state(&mut self, c: &mut Cursor) -> Parsed<Item> {
        let name = self.declared(c, "the state's name", "state h: [units];")?;
        let example = format!("state {name}: [units];");
        let shape = match c.is("=") {
            true => None,
            false => {
                self.expect(c, ":", "RNN0013", &example)?;
                Some(self.shape(c, &example)?)
            }
        };
        let Some(shape) = shape else {
            return self.no_start(&name, c.span(), &example);
        };
        let mut start = None;
        if c.eat("=") {
            let span = c.previous_span();
            start = match c.ident() {
                Some(param) if c.is(";") && param != "zeros" => Some(param),
                _ => return self.no_start(&name, span, &example),
            };
        }
        self.states.push(name.to_string());
        Ok(Item::State { name, shape, start })
    }

    /// Reports a value of a state that is none.
    fn no_start<T>(&mut self, name: &Ident, span: Span, example: &str) -> Parsed<T> {
        self.mistake(
            Diagnostic::new(
                "RNN0013",
                span,
                format!("the state `{name}` is zero before the first step: it takes no value"),
            )
            .note("what it starts with is an argument of the layer, `initial_state = …`, or a parameter that is learned: `param first: [units] = zeros; state h: [units] = first;`")
            .help(format!("write `{example}`")),
        )
    }

    /// `h`, `a, b`, `location = a, pressure = b`
    fn output(&mut self, c: &mut Cursor, span: Span) -> Parsed<Item> {
        let mut values = Vec::new();
        loop {
            let named = matches!(c.peek_nth(1), Some(TokenTree::Punct(p)) if p.as_char() == '=')
                && !matches!(c.peek_nth(2), Some(TokenTree::Punct(p)) if p.as_char() == '=');
            let mut typed = c.clone();
            if let (Some(name), true, false) = (typed.ident(), typed.is(":"), typed.is("::")) {
                typed.next();
                let (colon, start) = (typed.previous_span(), typed.position());
                while !(typed.at_end() || typed.is(",") || typed.is(";")) {
                    typed.next();
                }
                let value = typed.since(start).to_string();
                let more = if typed.is(",") { ", …" } else { "" };
                return self.mistake(
                    Diagnostic::new(
                        "RNN0013",
                        colon,
                        format!("an output's value stands after `=`, found `:` after `{name}`"),
                    )
                    .help(format!(
                        "write `output {name} = {value}{more};`, or `output {value}{more};` without names"
                    )),
                );
            }
            let name = match named {
                true => Some(self.declared(c, "the output's name", "output y = h;")?),
                false => None,
            };
            if named {
                c.eat("=");
            }
            values.push((name, self.expr(c)?));
            if !c.eat(",") {
                return Ok(Item::Output { values, span });
            }
        }
    }

    fn let_item(&mut self, c: &mut Cursor) -> Parsed<Item> {
        if c.is_word("mut") {
            return self.mistake(
                Diagnostic::new("RNN0017", c.span(), "values of a cell do not change")
                    .help("write `let` without `mut`; a later `let` of the same name replaces the earlier one"),
            );
        }
        let (names, parts) = if let Some(group) = c.group(Delimiter::Bracket) {
            (self.parts(&group)?, true)
        } else if c.is_group(Delimiter::Parenthesis) {
            let span = c.span();
            let names = c
                .group(Delimiter::Parenthesis)
                .map(|g| g.stream().to_string());
            return self.unbracketed(c, span, &names.unwrap_or_default());
        } else {
            (vec![self.let_name(c, "let z = …;")?], false)
        };
        if c.is(",") {
            let (span, mut all) = (c.span(), names[0].to_string());
            while c.eat(",") {
                all += &format!(", {}", self.let_name(c, "let [a, b] = split(…);")?);
            }
            return self.unbracketed(c, span, &all);
        }
        if c.is(":") {
            let mut ahead = c.clone();
            while !(ahead.at_end() || ahead.is("=") || ahead.is(";")) {
                ahead.next();
            }
            let value = ahead.eat("=").then(|| self.quiet(&ahead)).flatten();
            let value = value.unwrap_or("…".to_owned());
            return self.mistake(
                Diagnostic::new(
                    "RNN0017",
                    c.span(),
                    "values of a cell have no types: every one is a vector of numbers",
                )
                .help(format!("write `let {} = {value};`", names[0])),
            );
        }
        self.expect(c, "=", "RNN0013", "let z = …;")?;
        Ok(Item::Let {
            names,
            parts,
            value: self.expr(c)?,
        })
    }

    /// Reports parts of a split that stand in no brackets; the cursor stands at the `=`.
    fn unbracketed(&mut self, c: &Cursor, span: Span, names: &str) -> Parsed<Item> {
        let names: Vec<&str> = names
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .collect();
        let mut ahead = c.clone();
        let value = ahead.eat("=").then(|| self.quiet(&ahead)).flatten();
        let value = value.unwrap_or("split(…)".to_owned());
        self.mistake(
            Diagnostic::new("RNN0018", span, "the parts of a split stand in brackets")
                .help(format!("write `let [{}] = {value};`", names.join(", "))),
        )
    }

    /// `i, f, g, o`
    fn parts(&mut self, group: &Group) -> Parsed<Vec<Ident>> {
        let mut c = Cursor::inside(group);
        let mut names = Vec::new();
        while !c.at_end() {
            names.push(self.let_name(&mut c, "let [i, f, g, o] = split(…);")?);
            if !c.eat(",") && !c.at_end() {
                return self
                    .expect(&mut c, ",", "RNN0013", "let [i, f, g, o] = split(…);")
                    .map(|()| names);
            }
        }
        if names.is_empty() {
            return self.mistake(
                Diagnostic::new("RNN0018", group.span_open(), "these brackets name no parts")
                    .help("write `let [i, f, g, o] = split(…);`"),
            );
        }
        Ok(names)
    }

    /// `if flag { … } else if other { … } else { … }`
    fn if_item(&mut self, c: &mut Cursor) -> Parsed<Item> {
        c.eat_word("if");
        let condition = self.condition(c)?;
        let then = self.block(c, "if use_bias { … }")?;
        let then = self.items(&then);
        let otherwise = if !c.eat_word("else") {
            Vec::new()
        } else if c.is_word("if") {
            let span = c.span();
            vec![self.deeper(span, |p| p.if_item(c))?]
        } else {
            let group = self.block(c, "if use_bias { … } else { … }")?;
            self.items(&group)
        };
        c.eat(";");
        Ok(Item::If {
            condition,
            then,
            otherwise,
        })
    }

    /// A group in braces.
    pub(super) fn block(&mut self, c: &mut Cursor, example: &str) -> Parsed<Group> {
        match c.group(Delimiter::Brace) {
            Some(group) => Ok(group),
            None => self.expected(c, "RNN0019", "`{`", format!("write `{example}`")),
        }
    }

    fn shape(&mut self, c: &mut Cursor, example: &str) -> Parsed<Vec<Expr>> {
        let Some(group) = c.group(Delimiter::Bracket) else {
            return self.expected(
                c,
                "RNN0013",
                "a shape in brackets",
                format!("write `{example}`"),
            );
        };
        let sizes = self.list(&group)?;
        if sizes.is_empty() {
            return self.mistake(
                Diagnostic::new("RNN0016", group.span_open(), "this shape has no sizes")
                    .help(format!("write `{example}`")),
            );
        }
        Ok(sizes)
    }

    /// The name of a declaration. That of a state becomes a field, so it must not be a keyword of Rust's.
    pub(super) fn declared(&mut self, c: &mut Cursor, what: &str, example: &str) -> Parsed<Ident> {
        let name = self.name(c, what, example)?;
        self.free(&name)?;
        Ok(name)
    }

    /// A name of a `let`, or `_` for a value that nothing reads.
    fn let_name(&mut self, c: &mut Cursor, example: &str) -> Parsed<Ident> {
        match c.is_word("_") {
            true => self.name(c, "a name", example),
            false => self.declared(c, "a name", example),
        }
    }

    /// Reports a name that is impossible in Rust. Other keywords can be names after `r#`.
    pub(super) fn free(&mut self, name: &Ident) -> Parsed<()> {
        const KEPT: &[&str] = &["self", "super", "crate", "Self", "_"];
        let name_text = name.to_string();
        if !KEPT.contains(&name_text.as_str()) {
            return Ok(());
        }
        let other = match name_text.as_str() {
            "_" => "unread".to_owned(),
            word => format!("{}_", word.to_lowercase()),
        };
        self.mistake(
            Diagnostic::new(
                "RNN0027",
                name.span(),
                format!("`{name_text}` is a word of Rust and cannot be a name"),
            )
            .help(format!("write another name, such as `{other}`")),
        )
    }

    fn name(&mut self, c: &mut Cursor, what: &str, example: &str) -> Parsed<Ident> {
        if let Some(name) = c.ident() {
            return Ok(name);
        }
        self.expected(c, "RNN0013", what, format!("write `{example}`"))
    }

    pub(super) fn expect(
        &mut self,
        c: &mut Cursor,
        what: &str,
        code: &'static str,
        example: &str,
    ) -> Parsed<()> {
        // `==` is not `=` and `::` is not `:`.
        let doubled = c.is(what) && c.is(&what.repeat(2));
        if !doubled && c.eat(what) {
            return Ok(());
        }
        self.expected(c, code, &format!("`{what}`"), format!("write `{example}`"))
    }
}
