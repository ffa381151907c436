//! Tokens to [`CellAst`]: the head of a cell.
//!
//! Statements are in `parse_items.rs`, expressions in `parse_expr.rs`.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::Parser as _;

use super::{
    ast::{CellArgument, CellAst},
    parse_value::value,
};
use crate::{
    cursor::{Cursor, Parsed, Reported, too_deep},
    diagnostics::{Diagnostic, Diagnostics},
};

/// How deep expressions and `else if` chains may nest. Real cells stay far below it, and so does the
/// stack of the later passes, which recurse.
pub(super) const MAX_DEPTH: usize = 40;

impl CellAst {
    /// Parses one cell, attributes and visibility included.
    ///
    /// Returns `None` after a mistake; then at least one message has been added. Messages have the codes
    /// `RNN0001` to `RNN0029`.
    pub fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<CellAst> {
        if let Some(span) = too_deep(&tokens) {
            diagnostics.push(deep_message(span));
            return None;
        }
        let mut parser = Parser {
            diagnostics,
            depth: 0,
            failed: false,
            states: Vec::new(),
        };
        let cell = parser.cell(tokens).ok()?;
        (!parser.failed).then_some(cell)
    }
}

/// The message for brackets or expressions that are nested too deep.
pub(crate) fn deep_message(span: Span) -> Diagnostic {
    Diagnostic::new("RNN0001", span, "this is nested too deeply")
        .help("give the inner parts names with `let`")
}

/// The state of the parser: everything but the position.
pub(super) struct Parser<'d> {
    diagnostics: &'d mut Diagnostics,
    pub(super) depth: usize,
    failed: bool,
    /// The names of the states so far.
    pub(super) states: Vec<String>,
}

impl Parser<'_> {
    /// Reports a mistake.
    pub(super) fn mistake<T>(&mut self, d: Diagnostic) -> Parsed<T> {
        self.failed = true;
        self.diagnostics.push(d);
        Err(Reported)
    }

    /// Reports what was expected, and the token found at `c` instead.
    pub(super) fn expected<T>(
        &mut self,
        c: &Cursor,
        code: &'static str,
        what: &str,
        help: impl Into<String>,
    ) -> Parsed<T> {
        let message = format!("expected {what}, found {}", c.found());
        self.mistake(Diagnostic::new(code, c.span(), message).help(help))
    }

    /// The text of the expression at `c`, for a message; reports nothing and moves nothing.
    pub(super) fn quiet(&self, c: &Cursor) -> Option<String> {
        let mut unseen = Diagnostics::new();
        let mut parser = Parser {
            diagnostics: &mut unseen,
            depth: self.depth,
            failed: false,
            states: Vec::new(),
        };
        let mut c = c.clone();
        let text = parser.expr(&mut c).ok().map(|e| e.to_string());
        unseen.take();
        text.filter(|_| c.at_end() || c.is(";"))
    }

    fn cell(&mut self, tokens: TokenStream) -> Parsed<CellAst> {
        let mut c = Cursor::new(tokens.clone(), Span::call_site());
        let attrs = self.attributes(&mut c)?;
        let vis = self.visibility(&mut c)?;
        if !c.eat_word("cell") {
            // `fn MyCell(units)`, `struct MyCell`
            let help = match c.peek_nth(1) {
                Some(TokenTree::Ident(name)) => format!("write `cell {name}`"),
                _ => "a cell starts like `pub cell MyCell(units) { … }`".to_owned(),
            };
            return self.expected(&c, "RNN0002", "`cell`", help);
        }
        let Some(name) = c.type_name() else {
            return self.expected(
                &c,
                "RNN0003",
                "the cell's name",
                "write `cell MyCell(units) { … }`",
            );
        };
        let Some(head) = c.group(Delimiter::Parenthesis) else {
            return self.expected(
                &c,
                "RNN0004",
                &format!("the arguments of `{name}` in parentheses"),
                format!("write `cell {name}(units) {{ … }}`"),
            );
        };
        let arguments = self.arguments(&head);
        let Some(body) = c.group(Delimiter::Brace) else {
            return self.expected(
                &c,
                "RNN0005",
                &format!("the body of `{name}` in braces"),
                format!("write `cell {name}(…) {{ state h: [units]; … output h; }}`"),
            );
        };
        if !c.at_end() {
            return self.mistake(
                Diagnostic::new(
                    "RNN0006",
                    c.span(),
                    format!("{} after the end of `{name}`", c.found()),
                )
                .help("write one cell in one `rnn_cell!`"),
            );
        }
        let items = self.items(&body);
        Ok(CellAst {
            attrs,
            vis,
            path: name.clone().into(),
            name,
            arguments,
            items,
            tokens,
        })
    }

    fn attributes(&mut self, c: &mut Cursor) -> Parsed<Vec<syn::Attribute>> {
        let start = c.position();
        let span = c.span();
        while c.is("#")
            && matches!(c.peek_nth(1), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Bracket)
        {
            c.next();
            c.next();
        }
        match syn::Attribute::parse_outer.parse2(c.since(start)) {
            Ok(attrs) => Ok(attrs),
            Err(e) => self.mistake(
                Diagnostic::new("RNN0007", span, format!("this attribute is not valid: {e}"))
                    .help("write attributes as in Rust: `#[name(…)]`"),
            ),
        }
    }

    fn visibility(&mut self, c: &mut Cursor) -> Parsed<syn::Visibility> {
        let start = c.position();
        let span = c.span();
        if c.eat_word("pub") {
            c.group(Delimiter::Parenthesis);
        }
        match syn::parse2(c.since(start)) {
            Ok(vis) => Ok(vis),
            Err(e) => self.mistake(
                Diagnostic::new(
                    "RNN0008",
                    span,
                    format!("this visibility is not valid: {e}"),
                )
                .help("write `pub`, `pub(crate)` or nothing"),
            ),
        }
    }

    /// `units, activation = tanh`
    fn arguments(&mut self, head: &Group) -> Vec<CellArgument> {
        let mut c = Cursor::inside(head);
        let mut arguments: Vec<CellArgument> = Vec::new();
        while !c.at_end() {
            let start = c.position();
            if let Ok(argument) = self.argument(&mut c) {
                if arguments.iter().any(|a| a.name == argument.name) {
                    let _: Parsed<()> = self.mistake(
                        Diagnostic::new(
                            "RNN0010",
                            argument.name.span(),
                            format!("the argument `{}` is declared twice", argument.name),
                        )
                        .help("remove one of the two"),
                    );
                } else {
                    arguments.push(argument);
                }
            }
            // Skips the rest of a broken argument, up to the next comma.
            while !c.at_end() && !c.is(",") {
                c.next();
            }
            c.eat(",");
            debug_assert!(c.position() > start);
        }
        arguments
    }

    fn argument(&mut self, c: &mut Cursor) -> Parsed<CellArgument> {
        let Some(name) = c.ident() else {
            return self.expected(
                c,
                "RNN0009",
                "an argument's name",
                "write arguments as `units` or `activation = tanh`",
            );
        };
        self.free(&name)?;
        let mut default = None;
        if c.eat("=") {
            default = Some(match value(c) {
                Ok(v) => v,
                Err(d) => return self.mistake(d),
            });
        }
        if c.at_end() || c.is(",") {
            return Ok(CellArgument { name, default });
        }
        let found = c.found();
        let (message, help) = if default.is_some() {
            (
                format!("expected `,` after the default of `{name}`, found {found}"),
                "a default is one number, flag or name",
            )
        } else {
            (
                format!("expected `=` or `,` after `{name}`, found {found}"),
                "arguments have no types: write `units` or `activation = tanh`",
            )
        };
        self.mistake(Diagnostic::new("RNN0009", c.span(), message).help(help))
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
