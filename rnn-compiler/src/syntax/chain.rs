//! `Embedding(1000, 64) -> LSTM(128, return_sequences) -> Dense(units = 10)`

use proc_macro2::{Delimiter, TokenTree};

use super::{
    ast::LayerAst,
    class::find,
    foreign::is_layer as is_foreign,
    graph::starts_statement,
    python,
    value::{Position, Reader},
};
use crate::{
    cursor::{Cursor, Parsed, Reported},
    diagnostics::Diagnostic,
};

/// An arrow, and what is written instead by mistake.
const SIGNS: [&str; 6] = ["->", "=>", ">>", ",", "|", "."];

/// Whether `, weights` follows: the file of a model's weights.
pub(super) fn starts_weights(c: &Cursor) -> bool {
    c.is(",") && matches!(c.peek_nth(1), Some(TokenTree::Ident(word)) if *word == "weights")
}

impl Reader<'_> {
    /// The layers up to `;`, the end, a closing `>` or, in a graph, the next statement; `None` for a layer
    /// with mistakes.
    pub(super) fn layers(&mut self, c: &mut Cursor) -> Vec<Option<LayerAst>> {
        self.start = c.position();
        let mut layers = Vec::new();
        loop {
            layers.push(self.whole_layer(c));
            // `ends` has reported a token that was written instead of an arrow.
            if self.at_end(c) || !(SIGNS.iter().any(|sign| c.eat(sign)) || next_layer(c)) {
                return layers;
            }
        }
    }

    /// One layer, and what stands after it up to the end of the layer.
    pub(super) fn whole_layer(&mut self, c: &mut Cursor) -> Option<LayerAst> {
        let layer = match self.layer(c) {
            Ok(layer) => self.ends(c).ok().map(|()| layer),
            Err(Reported) => None,
        };
        while !(self.ends_layer(c) || separates(c)) {
            c.next();
        }
        layer
    }

    /// Whether the chain ends here.
    fn at_end(&self, c: &Cursor) -> bool {
        c.at_end()
            || c.is(";")
            || !self.graph && (c.is(">") && !c.is(">>") || starts_weights(c))
            || self.graph && (starts_statement(c) || comma_for_semicolon(c))
    }

    /// Whether a layer may end here.
    fn ends_layer(&self, c: &Cursor) -> bool {
        c.is("->") || self.at_end(c)
    }

    fn layer(&mut self, c: &mut Cursor) -> Parsed<LayerAst> {
        let statement = self.graph && starts_statement(c);
        if let (Some(TokenTree::Group(list)), false) = (c.peek(), self.graph)
            && list.delimiter() == Delimiter::Bracket
            && let Some(chain) = python::chain_of(list, self.classes)
        {
            let d = Diagnostic::new("RNN0040", c.span(), "layers stand in no list");
            c.next();
            return self.mistake(d.help(format!("write `{chain}`")));
        }
        let Some(name) = (if statement { None } else { c.ident() }) else {
            let found = c.found();
            let after_arrow = if c.position() == self.start {
                c.span()
            } else {
                c.previous_span()
            };
            let ends = statement || c.at_end() || c.is(";") || c.is("->");
            let d = Diagnostic::new(
                "RNN0040",
                if ends { after_arrow } else { c.span() },
                format!("expected a layer, found {found}"),
            );
            return self.mistake(if ends {
                d.help("write a layer on both sides of `->`, such as `Dense(10)`")
            } else {
                d.help("a layer is a name with arguments, such as `LSTM(128)`")
            });
        };
        self.no_model(c, &name)?;
        self.position = Position::Layer;
        let module = self.no_module(c, &name.to_string(), name.span());
        self.position = Position::Value;
        module?;
        let mut arguments = Vec::new();
        if let Some(group) = c.group(Delimiter::Parenthesis) {
            let class = name.to_string();
            let known = find(self.classes, &class).is_some();
            self.no_shape(&name, &group)?;
            arguments = match !known && is_foreign(&class) {
                true => self.quiet_arguments(&group),
                false => self.arguments(&group)?,
            };
        }
        Ok(LayerAst { name, arguments })
    }

    /// Reports Keras's `Sequential([…])` and `Model(inputs, outputs)`, also after modules.
    fn no_model(&mut self, c: &mut Cursor, first: &proc_macro2::Ident) -> Parsed<()> {
        let (mut ahead, mut class) = (c.clone(), first.clone());
        while ahead.eat(".") {
            match ahead.ident() {
                Some(next) => class = next,
                None => return Ok(()),
            }
        }
        let help = match (
            class.to_string().as_str(),
            ahead.group(Delimiter::Parenthesis),
        ) {
            ("Sequential", group) => {
                let chain = group.as_ref().and_then(|g| {
                    let listed = python::sequential(g, self.classes);
                    listed.or_else(|| python::chain_of(g, self.classes))
                });
                let chain = chain.unwrap_or("Input(_, 8) -> LSTM(64) -> Dense(10)".to_owned());
                format!("write the layers one after the other: `{chain}`")
            }
            ("Model", Some(_)) => {
                "inputs and outputs are statements: `input x: [_, 8]; output y = x -> LSTM(64);`"
                    .to_owned()
            }
            _ => return Ok(()),
        };
        *c = ahead;
        let words = format!("Keras's `{class}` is not needed: `rnn_model!` makes the model");
        self.mistake(Diagnostic::new("RNN0101", first.span(), words).help(help))
    }

    /// Reports `Input(shape=(10, 8))`, `LSTM(8, input_shape=(10, 8))` and `Reshape((4, 2))`.
    fn no_shape(&mut self, class: &proc_macro2::Ident, group: &proc_macro2::Group) -> Parsed<()> {
        let name = class.to_string();
        if let Some(sizes) = python::open_sizes(&name, group, self.classes) {
            let none = |t: &TokenTree| matches!(t, TokenTree::Ident(i) if i == "None");
            let span = group
                .stream()
                .into_iter()
                .find(none)
                .map_or(class.span(), |t| t.span());
            let d = Diagnostic::new("RNN0043", span, "`None` is Python's name");
            return self.mistake(d.help(format!("an open length is `_`: write `Input({sizes})`")));
        }
        // `with_input` also writes a layer that has both mistakes.
        if let Some(right) = python::with_input(&name, group, self.classes) {
            let words = format!("Keras's shape of {class} is written as sizes here");
            let d = Diagnostic::new("RNN0121", class.span(), words);
            return self.mistake(d.help(format!("write `{right}`")));
        }
        let Some(right) = python::axes(&name, group, self.classes) else {
            return Ok(());
        };
        let named = group.stream().to_string().contains('=');
        let code = if named { "RNN0047" } else { "RNN0042" };
        let d = Diagnostic::new(code, class.span(), format!("{class} takes no tuple"));
        self.mistake(d.help(format!("write `{right}`")))
    }

    /// Reports a token after a layer that is not `->`. A slip for an arrow does not harm the layer; any
    /// other token makes the layer unreadable.
    fn ends(&mut self, c: &Cursor) -> Parsed<()> {
        if self.ends_layer(c) {
            return Ok(());
        }
        let found = c.found();
        let d = Diagnostic::new("RNN0041", c.span(), format!("expected `->`, found {found}"));
        if separates(c) {
            self.diagnostics.push(d.help("layers are joined by `->`"));
            return Ok(());
        }
        let python = self.graph && c.is_group(Delimiter::Parenthesis);
        let bracket = c.is_group(Delimiter::Bracket) || c.is_group(Delimiter::Brace);
        let d = if c.is(".") || c.is(">>") {
            d.help("layers are joined by `->`")
        } else if bracket || matches!(c.peek(), Some(TokenTree::Literal(_))) {
            d.help("arguments stand in parentheses: `Dense(10)`")
        } else if python {
            d.help("what a layer reads stands before it: write `let y = x -> LSTM(64);`")
        } else if c.is_group(Delimiter::Parenthesis) {
            d.help("a layer is not called here: write `A(1) -> B(2)`")
        } else if c.is("::") {
            d.help("layers have plain names; a cell with a path runs inside `RNN`: `RNN(cells::MyCell(32))`")
        } else {
            d.help("write `A(1) -> B(2)`")
        };
        self.mistake(d)
    }
}

/// Whether a token other than `->` separates two layers here.
fn separates(c: &Cursor) -> bool {
    let dot = c.is(".") && matches!(c.peek_nth(1), Some(TokenTree::Ident(_)));
    dot || c.is(">>") || c.is("=>") || c.is(",") || c.is("|") || next_layer(c)
}

/// Whether a layer starts here, with no arrow before it.
fn next_layer(c: &Cursor) -> bool {
    matches!(c.peek(), Some(TokenTree::Ident(_))) && c.position() > 0 && !follows_path(c)
}

/// Whether the token before is the `:` of a path.
fn follows_path(c: &Cursor) -> bool {
    let mut before = c.clone();
    before.set_position(c.position().saturating_sub(1));
    before.is(":")
}

/// Whether a `,` ends a statement of a graph by mistake.
fn comma_for_semicolon(c: &Cursor) -> bool {
    let mut ahead = c.clone();
    ahead.eat(",") && (ahead.at_end() || starts_statement(&ahead))
}
