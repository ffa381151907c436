//! `Embedding(1000, 64) -> LSTM(128, return_sequences) -> Dense(units = 10)`

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::ast::{ArgumentAst, LayerAst, ValueAst, ValueKind, path_text};
use crate::{
    cell::{Number, number, path},
    cursor::{Cursor, Parsed, Reported},
    diagnostics::{Diagnostic, Diagnostics},
};

/// The layers up to `;`, a closing `>` or the end; `None` for one with mistakes.
pub(super) fn layers(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Vec<Option<LayerAst>> {
    let mut reader = Reader {
        diagnostics,
        start: c.position(),
    };
    let mut layers = Vec::new();
    loop {
        let layer = reader.layer(c);
        layers.push(match layer {
            Ok(layer) => reader.ends(c).ok().map(|()| layer),
            Err(Reported) => None,
        });
        while !(ends_layer(c) || separates(c)) {
            c.next();
        }
        // What stands for an arrow by mistake has been reported by `ends`.
        if !(c.eat("->") || c.eat("=>") || c.eat(",") || c.eat("|") || next_layer(c)) {
            return layers;
        }
    }
}

struct Reader<'d> {
    diagnostics: &'d mut Diagnostics,
    /// Where the first layer starts.
    start: usize,
}

impl Reader<'_> {
    fn mistake<T>(&mut self, d: Diagnostic) -> Parsed<T> {
        self.diagnostics.push(d);
        Err(Reported)
    }

    fn layer(&mut self, c: &mut Cursor) -> Parsed<LayerAst> {
        let Some(name) = c.ident() else {
            let found = c.found();
            let after_arrow = if c.position() == self.start {
                c.span()
            } else {
                c.previous_span()
            };
            let ends = c.at_end() || c.is(";") || c.is("->");
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
        let mut arguments = Vec::new();
        if let Some(group) = c.group(Delimiter::Parenthesis) {
            arguments = self.arguments(&group)?;
        }
        Ok(LayerAst { name, arguments })
    }

    /// Reports what stands behind a layer if it is not `->`. What stands for an arrow leaves the
    /// layer as it is, anything else belongs to it and spoils it.
    fn ends(&mut self, c: &Cursor) -> Parsed<()> {
        if ends_layer(c) {
            return Ok(());
        }
        let found = c.found();
        let d = Diagnostic::new("RNN0041", c.span(), format!("expected `->`, found {found}"));
        if separates(c) {
            self.diagnostics.push(d.help("layers are joined by `->`"));
            return Ok(());
        }
        let bracket = c.is_group(Delimiter::Bracket) || c.is_group(Delimiter::Brace);
        let d = if bracket || matches!(c.peek(), Some(TokenTree::Literal(_))) {
            d.help("arguments stand in parentheses: `Dense(10)`")
        } else if c.is_group(Delimiter::Parenthesis) {
            d.help("a layer is not called here: write `A(1) -> B(2)`")
        } else if c.is("::") {
            d.help("layers have plain names; a cell with a path runs inside `RNN`: `RNN(cells::MyCell(32))`")
        } else {
            d.help("write `A(1) -> B(2)`")
        };
        self.mistake(d)
    }

    fn arguments(&mut self, group: &Group) -> Parsed<Vec<ArgumentAst>> {
        let mut c = Cursor::inside(group);
        let mut found = Vec::new();
        let mut failed = false;
        while !c.at_end() {
            match self.argument(&mut c) {
                Ok(argument) => found.push(argument),
                Err(Reported) => failed = true,
            }
            if !c.at_end() && !c.is(",") {
                if !failed {
                    failed = true;
                    let token = c.found();
                    let help = if c.is("*") || c.is("+") || c.is("-") || c.is("/") {
                        "a size is a number or the name of a `const`: write `const N: usize = …;` before the model and use `N`"
                    } else {
                        "arguments are divided by `,`"
                    };
                    self.diagnostics.push(
                        Diagnostic::new(
                            "RNN0042",
                            c.span(),
                            format!("expected `,` or `)`, found {token}"),
                        )
                        .help(help),
                    );
                }
                while !c.at_end() && !c.is(",") {
                    c.next();
                }
            }
            c.eat(",");
        }
        if failed { Err(Reported) } else { Ok(found) }
    }

    fn argument(&mut self, c: &mut Cursor) -> Parsed<ArgumentAst> {
        let mut name = None;
        if let (Some(TokenTree::Ident(i)), Some(TokenTree::Punct(p))) = (c.peek(), c.peek_nth(1)) {
            let i: Ident = i.clone();
            match p.as_char() {
                '=' => {
                    c.next();
                    c.next();
                    name = Some(i);
                }
                ':' if !matches!(c.peek_nth(2), Some(TokenTree::Punct(p)) if p.as_char() == ':') => {
                    let span = p.span();
                    c.next();
                    c.next();
                    let value = c.peek().map_or("…".to_owned(), ToString::to_string);
                    return self.mistake(
                        Diagnostic::new("RNN0042", span, "an argument's value stands behind `=`")
                            .help(format!("write `{i} = {value}`")),
                    );
                }
                _ => {}
            }
        }
        Ok(ArgumentAst {
            name,
            value: self.value(c)?,
        })
    }

    fn value(&mut self, c: &mut Cursor) -> Parsed<ValueAst> {
        let span = c.span();
        let kind = if c.eat_word("_") || c.eat("_") {
            ValueKind::Open
        } else if c.eat("-") {
            match c.peek() {
                Some(TokenTree::Literal(l)) => match number(l) {
                    Ok(n) => {
                        c.next();
                        ValueKind::Number(-n.value())
                    }
                    Err(d) => return self.mistake(d),
                },
                _ => {
                    let found = c.found();
                    return self.mistake(
                        Diagnostic::new(
                            "RNN0024",
                            span,
                            format!("expected a number behind `-`, found {found}"),
                        )
                        .help("write a number like `-1`"),
                    );
                }
            }
        } else if c.eat_word("true") {
            ValueKind::Flag(true)
        } else if c.eat_word("false") {
            ValueKind::Flag(false)
        } else if let Some(TokenTree::Literal(l)) = c.peek() {
            let kind = match syn::Lit::new(l.clone()) {
                syn::Lit::Str(s) => ValueKind::Text(s.value()),
                _ => match number(l) {
                    Ok(Number::Whole(n)) => ValueKind::Whole(n),
                    Ok(Number::Fraction(x)) => ValueKind::Number(x),
                    Err(d) => return self.mistake(d),
                },
            };
            c.next();
            kind
        } else if let Some(path) = path(c) {
            self.path_value(c, path)?
        } else {
            return self.no_value(c);
        };
        Ok(ValueAst { kind, span })
    }

    fn path_value(&mut self, c: &mut Cursor, path: syn::Path) -> Parsed<ValueKind> {
        let span = c.previous_span();
        let python = |right: &str| {
            Diagnostic::new(
                "RNN0043",
                span,
                format!("`{}` is Python's name", path_text(&path)),
            )
            .help(format!("write `{right}`"))
        };
        match path_text(&path).as_str() {
            "True" => return self.mistake(python("true")),
            "False" => return self.mistake(python("false")),
            "None" => {
                return self.mistake(
                    Diagnostic::new("RNN0043", span, "`None` is Python's name").help(
                        "leave the argument out; an open length is `_`, no activation is `linear`",
                    ),
                );
            }
            _ => {}
        }
        match c.group(Delimiter::Parenthesis) {
            Some(group) => Ok(ValueKind::Call(path, self.arguments(&group)?)),
            None => Ok(ValueKind::Path(path)),
        }
    }

    fn no_value(&mut self, c: &mut Cursor) -> Parsed<ValueAst> {
        let found = c.found();
        let d = Diagnostic::new(
            "RNN0042",
            c.span(),
            format!("expected a value, found {found}"),
        );
        let help = if c.is_group(Delimiter::Parenthesis) || c.is_group(Delimiter::Bracket) {
            "sizes are written one after another: `Input(28, 28)`, not `Input((28, 28))`"
        } else if c.is("*") {
            "there are no `*args`; write the arguments one by one"
        } else {
            "a value is a number, the name of a `const`, `true`, `false`, a name like `tanh`, or `_` for an open length"
        };
        self.mistake(d.help(help))
    }
}

/// Whether a layer may end here.
fn ends_layer(c: &Cursor) -> bool {
    c.at_end() || c.is("->") || c.is(";") || c.is(">")
}

/// Whether something else than `->` divides two layers here.
fn separates(c: &Cursor) -> bool {
    c.is("=>") || c.is(",") || c.is("|") || next_layer(c)
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
