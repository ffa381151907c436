//! Arguments of layers and their values: `(64, activation = tanh, mask = m)`, `[h, c]`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenTree};

use super::{
    ast::{ArgumentAst, LayerAst, ValueAst, ValueKind, path_text},
    class::{Class, is_input},
    foreign, functional, python,
    statement::ChainAst,
};
use crate::{
    cell::{Number, number, path, snake},
    cursor::{Cursor, Parsed, Reported},
    diagnostics::{Diagnostic, Diagnostics},
};

/// The parser of all parts of a model, with the state that they share. It collects the messages.
pub(super) struct Reader<'d> {
    pub(super) diagnostics: &'d mut Diagnostics,
    /// The classes of the layers, for proposals in messages.
    pub(super) classes: &'d [Class],
    /// Where the first layer of the chain starts.
    pub(super) start: usize,
    /// Whether the chain stands in a graph, where a statement ends it and `>` does not.
    pub(super) graph: bool,
    /// The names that earlier statements have given to values.
    pub(super) values: Vec<String>,
    /// The current statement up to its `=`: `output y`.
    pub(super) statement: String,
    /// The values of the graph that are one chain, as written.
    pub(super) chains: Vec<(String, ChainAst)>,
    /// Whether a name that is read is that of a layer or of a value.
    pub(super) position: Position,
}

/// What a name with modules in front of it can be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Position {
    /// A layer of a chain.
    Layer,
    /// The value of an argument.
    Value,
}

impl<'d> Reader<'d> {
    pub(super) fn new(classes: &'d [Class], diagnostics: &'d mut Diagnostics) -> Self {
        Reader {
            diagnostics,
            classes,
            start: 0,
            graph: false,
            values: Vec::new(),
            statement: String::new(),
            chains: Vec::new(),
            position: Position::Value,
        }
    }

    /// Whether a name is the class of a model's inputs.
    pub(super) fn is_input(&self, name: &Ident) -> bool {
        is_input(self.classes, &name.to_string())
    }

    pub(super) fn mistake<T>(&mut self, d: Diagnostic) -> Parsed<T> {
        self.diagnostics.push(d);
        Err(Reported)
    }

    pub(super) fn arguments(&mut self, group: &Group) -> Parsed<Vec<ArgumentAst>> {
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
                    let help = if c.is("->") {
                        "a `)` seems to be missing before `->`"
                    } else if c.is("*") || c.is("+") || c.is("-") || c.is("/") {
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
                    self.no_none(c, &i)?;
                    name = Some(i);
                    self.no_tuple(c)?;
                }
                ':' if !matches!(c.peek_nth(2), Some(TokenTree::Punct(p)) if p.as_char() == ':') => {
                    let span = p.span();
                    c.next();
                    c.next();
                    let value = c.peek().map_or("…".to_owned(), ToString::to_string);
                    return self.mistake(
                        Diagnostic::new("RNN0042", span, "an argument's value stands after `=`")
                            .help(format!("write `{i} = {value}`")),
                    );
                }
                _ => {}
            }
        }
        let value = match &name {
            // `batch_first=True`: the argument is the mistake, and what stands after it does not matter.
            Some(n) if foreign::is_foreign_argument(&n.to_string(), self.classes) => {
                self.quiet_value(c)?
            }
            _ => self.value(c)?,
        };
        Ok(ArgumentAst { name, value })
    }

    /// A value in which Python's `True` and `False` are no mistakes of their own.
    fn quiet_value(&mut self, c: &mut Cursor) -> Parsed<ValueAst> {
        let span = c.span();
        let flag = match () {
            () if c.eat_word("True") => true,
            () if c.eat_word("False") => false,
            () => return self.value(c),
        };
        Ok(ValueAst {
            kind: ValueKind::Flag(flag),
            span,
        })
    }

    /// Reports Python's `None` for an argument that has a name.
    fn no_none(&mut self, c: &mut Cursor, name: &Ident) -> Parsed<()> {
        if !c.is_word("None") {
            return Ok(());
        }
        let d = Diagnostic::new("RNN0043", c.span(), "`None` is Python's name");
        c.next();
        self.mistake(d.help(match python::instead_of_none(&name.to_string()) {
            Some(instead) => format!("write `{instead}`"),
            None => format!("leave `{name}` out"),
        }))
    }

    /// The arguments of a layer that is not one of this project's: they may be anything.
    pub(super) fn quiet_arguments(&mut self, group: &Group) -> Vec<ArgumentAst> {
        let mut unseen = Diagnostics::new();
        let mut reader = Reader {
            values: self.values.clone(),
            ..Reader::new(self.classes, &mut unseen)
        };
        let mut c = Cursor::inside(group);
        let mut found = Vec::new();
        while !c.at_end() {
            found.extend(
                reader
                    .argument(&mut c)
                    .ok()
                    .filter(|_| c.at_end() || c.is(",")),
            );
            while !c.at_end() && !c.eat(",") {
                c.next();
            }
        }
        unseen.take();
        found
    }

    pub(super) fn value(&mut self, c: &mut Cursor) -> Parsed<ValueAst> {
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
                            format!("expected a number after `-`, found {found}"),
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
                // rustc has reported Python's quotes, and has proposed others.
                _ if quoted(&l.to_string()).is_some() => {
                    ValueKind::Text(quoted(&l.to_string()).unwrap_or_default())
                }
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
        } else if let Some(group) = c.group(Delimiter::Bracket) {
            ValueKind::List(self.list(&group)?)
        } else if let Some(group) = c.group(Delimiter::Brace) {
            ValueKind::Struct(self.structure(&group)?)
        } else {
            return self.no_value(c);
        };
        Ok(ValueAst { kind, span })
    }

    /// The values in brackets.
    pub(super) fn list(&mut self, group: &Group) -> Parsed<Vec<ValueAst>> {
        self.divided(group, "]", |reader, c| {
            let mut ahead = c.clone();
            if ahead.ident().is_some() && (ahead.is("=") || ahead.is(":") && !ahead.is("::")) {
                return reader.mistake(
                    Diagnostic::new("RNN0047", c.span(), "the values of a list have no names")
                        .help("write `[a, b]`, or a structure: `{ location: 2, pressure: 1 }`"),
                );
            }
            reader.no_tuple(c)?;
            reader.value(c)
        })
    }

    /// Reports Python's `(2, 3)` where a list can stand.
    fn no_tuple(&mut self, c: &Cursor) -> Parsed<()> {
        match c.peek() {
            Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis => {
                let d = Diagnostic::new("RNN0047", c.span(), "a list stands in brackets");
                self.mistake(d.help(format!("write `[{}]`", inside(g))))
            }
            _ => Ok(()),
        }
    }

    /// The name of a value, an output or a part. It becomes the name of a field, so it must not be a
    /// keyword of Rust's and has to start with a small letter.
    pub(super) fn value_name(
        &mut self,
        c: &mut Cursor,
        code: &'static str,
        what: &str,
        example: &str,
    ) -> Parsed<Ident> {
        let (span, found) = (c.span(), c.found());
        let word = matches!(c.peek(), Some(TokenTree::Ident(i)) if i != "_");
        let Some(name) = c.type_name() else {
            let (words, help) = if word {
                let word = found.trim_matches('`');
                (
                    format!("{found} is a word of Rust and cannot be the name of {what}"),
                    format!("write another name, such as `{word}_`"),
                )
            } else {
                (
                    format!("expected the name of {what}, found {found}"),
                    format!("write `{example}`"),
                )
            };
            return self.mistake(Diagnostic::new(code, span, words).help(help));
        };
        let text = name.to_string();
        if text.starts_with(char::is_uppercase) {
            let words = format!("the name of {what} starts with a small letter, found `{text}`");
            let d = Diagnostic::new(code, span, words);
            return self.mistake(d.help(format!("write `{}`", snake(&text))));
        }
        Ok(name)
    }

    /// The parts in braces.
    fn structure(&mut self, group: &Group) -> Parsed<Vec<(Ident, ValueAst)>> {
        const HELP: &str = "write `{ location: 2, pressure: 1 }`";
        let parts = self.divided(group, "}", Reader::part)?;
        if parts.is_empty() {
            let d = Diagnostic::new("RNN0047", group.span_open(), "this structure has no parts");
            return self.mistake(d.help(HELP));
        }
        for (i, (name, _)) in parts.iter().enumerate() {
            if parts[..i].iter().any(|(n, _)| n == name) {
                let words = format!("this structure has two parts `{name}`");
                let d = Diagnostic::new("RNN0047", name.span(), words);
                return self.mistake(d.help("give every part a name of its own"));
            }
        }
        Ok(parts)
    }

    /// `location: 2`
    fn part(&mut self, c: &mut Cursor) -> Parsed<(Ident, ValueAst)> {
        let span = c.span();
        let text = match c.peek() {
            Some(TokenTree::Literal(l)) => match syn::Lit::new(l.clone()) {
                syn::Lit::Str(s) => Some(s.value()),
                _ => None,
            },
            _ => None,
        };
        if let Some(text) = text {
            let words = format!("the name of a part has no quotes, found {text:?}");
            let name = match syn::parse_str::<Ident>(&text) {
                Ok(name) => name.to_string(),
                Err(_) => "location".to_owned(),
            };
            let d = Diagnostic::new("RNN0047", span, words);
            return self.mistake(d.help(format!("write `{{ {name}: 2 }}`")));
        }
        let name = self.value_name(c, "RNN0047", "a part", "{ location: 2, pressure: 1 }")?;
        if c.is("::") || !c.eat(":") {
            let words = format!("expected `:` after `{name}`, found {}", c.found());
            let d = Diagnostic::new("RNN0047", c.span(), words);
            let equals = c.eat("=");
            let value = match c.peek() {
                Some(t) if equals => t.to_string(),
                _ => "2".to_owned(),
            };
            return self.mistake(d.help(format!("write `{{ {name}: {value} }}`")));
        }
        self.no_tuple(c)?;
        Ok((name, self.value(c)?))
    }

    /// Reads the items between `,` in a group. After a mistake it goes on with the next item.
    fn divided<T>(
        &mut self,
        group: &Group,
        close: &str,
        read: impl Fn(&mut Self, &mut Cursor) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut c = Cursor::inside(group);
        let mut items = Vec::new();
        let mut failed = false;
        while !c.at_end() {
            let good = match read(self, &mut c) {
                Ok(item) => {
                    items.push(item);
                    true
                }
                Err(Reported) => false,
            };
            failed |= !good;
            if good && !c.at_end() && !c.is(",") {
                failed = true;
                let words = format!("expected `,` or `{close}`, found {}", c.found());
                let d = Diagnostic::new("RNN0047", c.span(), words);
                self.diagnostics.push(d.help(match close {
                    "}" => "write `{ location: 2, pressure: 1 }`",
                    _ => "write `[a, b]`",
                }));
            }
            while !c.at_end() && !c.eat(",") {
                c.next();
            }
        }
        if failed { Err(Reported) } else { Ok(items) }
    }

    /// Reports `regularizers.l2`, `keras.layers.LSTM`: a name after a module of Python's.
    pub(super) fn no_module(&mut self, c: &mut Cursor, first: &str, span: Span) -> Parsed<()> {
        let mut text = first.to_owned();
        let mut last = None;
        let start = c.position();
        let name_at = |c: &Cursor, n| matches!(c.peek_nth(n), Some(TokenTree::Ident(_)));
        let path = c.is("::");
        while let Some(sign) = match () {
            () if c.is("::") && name_at(c, 2) => Some("::"),
            () if c.is(".") && name_at(c, 1) => Some("."),
            () => None,
        } {
            c.eat(sign);
            last = c.ident();
            let name = last.as_ref().map_or(String::new(), Ident::to_string);
            text += &format!("{sign}{name}");
        }
        let Some(last) = last else { return Ok(()) };
        // Another path may be that of a cell, which runs inside of `RNN`; one that starts in the
        // user's own crate is.
        let mut parts = text.split("::");
        let own = matches!(parts.clone().next(), Some("crate" | "self" | "super"));
        let module = |part| matches!(part, "layers" | "nn" | "keras" | "torch" | "tf");
        let keras = !own && parts.any(module);
        if path && !keras {
            c.set_position(start);
            return Ok(());
        }
        let mut call: Vec<TokenTree> = vec![last.clone().into()];
        if c.is_group(Delimiter::Parenthesis) {
            call.extend(c.peek().cloned());
        }
        let arguments = match c.peek() {
            Some(TokenTree::Group(g)) if c.is_group(Delimiter::Parenthesis) => {
                self.quiet_arguments(g)
            }
            _ => Vec::new(),
        };
        let layer = LayerAst {
            name: last.clone(),
            arguments,
        };
        let mut right = python::written(call.into_iter().collect(), self.classes);
        let words = match path {
            true => format!("`{text}` is a path: layers stand in no module"),
            false => format!("`{text}` is Python's: there are no modules here"),
        };
        let mut d = Diagnostic::new("RNN0043", span, words);
        // `model.add(LSTM(16))`
        let add = last == "add" && !path;
        if let (Some(code), Position::Layer) = (foreign::cell(&layer), self.position) {
            c.group(Delimiter::Parenthesis);
            let d = d.note("a cell runs inside of RNN, and gets its own size only");
            return self.mistake(d.help(format!("write `{code}`")));
        }
        if !add && self.is_translated(&layer) {
            let (code, notes) = foreign::written(&layer, self.classes);
            d = notes.into_iter().fold(d, Diagnostic::note);
            right = code;
        } else if let Some(here) = foreign::layer_here(&layer, self.classes)
            && super::class::find(self.classes, &last.to_string()).is_none()
            && self.position == Position::Layer
            && !add
        {
            let absent = Diagnostic::new("RNN0100", last.span(), here.words);
            c.group(Delimiter::Parenthesis);
            let absent = here.notes.into_iter().fold(absent, Diagnostic::note);
            return self.mistake(match &here.code {
                Some(code) => d.help(format!("write `{code}`")),
                None => absent.help(here.help),
            });
        }
        // What a Keras layer keeps is a value here, which has a name.
        if matches!(last.to_string().as_str(), "states" | "state")
            && !c.is_group(Delimiter::Parenthesis)
        {
            return self.mistake(d.help(format!(
                "states get a name where the layer is called: `let (y, states) = x -> {first};` \
                 with `return_state` in the layer"
            )));
        }
        if last == "add" && c.is_group(Delimiter::Parenthesis) {
            let chain =
                functional::added(c, first, self.classes).unwrap_or("A(1) -> B(2)".to_owned());
            return self.mistake(d.help(format!("write the layers as a chain: `{chain}`")));
        }
        let unknown = super::class::find(self.classes, &last.to_string()).is_none();
        if unknown
            && self.position == Position::Layer
            && !last.to_string().ends_with("Cell")
            && !add
        {
            c.group(Delimiter::Parenthesis);
            let words = format!("`{text}` is Python's: there is no layer `{last}`");
            let d = Diagnostic::new("RNN0043", span, words);
            return self.mistake(d.help(
                "layers have Keras's names, `LSTM(64)`, `Dense(10)`, `Reshape(4, 16)`; maths of a step is a cell made by rnn_cell!: `RNN(MyCell(32))`",
            ));
        }
        c.group(Delimiter::Parenthesis);
        self.mistake(d.help(format!("write `{}`", right)))
    }

    fn path_value(&mut self, c: &mut Cursor, path: syn::Path) -> Parsed<ValueKind> {
        let span = c.previous_span();
        self.no_module(c, &path_text(&path), span)?;
        let mut python = |right: &str| {
            // The value is clear, so the layer is checked all the same.
            self.diagnostics.push(
                Diagnostic::new(
                    "RNN0043",
                    span,
                    format!("`{}` is Python's name", path_text(&path)),
                )
                .help(format!("write `{right}`")),
            );
        };
        match path_text(&path).as_str() {
            "True" => {
                python("true");
                return Ok(ValueKind::Flag(true));
            }
            "False" => {
                python("false");
                return Ok(ValueKind::Flag(false));
            }
            "None" => {
                return self.mistake(
                    Diagnostic::new("RNN0043", span, "`None` is Python's name").help(
                        "leave the argument out; an open length is `_`, no activation `linear`, no merge `none`",
                    ),
                );
            }
            _ => {}
        }
        match c.group(Delimiter::Parenthesis) {
            Some(group) if foreign::is_layer(&path_text(&path)) => {
                Ok(ValueKind::Call(path, self.quiet_arguments(&group)))
            }
            Some(group) => Ok(ValueKind::Call(path, self.arguments(&group)?)),
            None => Ok(ValueKind::Path(path)),
        }
    }

    /// Whether a layer is one of this project's with arguments that other libraries name, or stands for one.
    fn is_translated(&self, layer: &LayerAst) -> bool {
        let name = layer.name.to_string();
        let Some(class) = super::class::find(self.classes, &name) else {
            return false;
        };
        let named = |a: &ArgumentAst| a.name.as_ref().map(Ident::to_string);
        foreign::sized(layer, self.classes).is_some()
            || class.takes("units") && foreign::has_two_sizes(layer)
            || layer
                .arguments
                .iter()
                .filter_map(named)
                .any(|n| foreign::is_argument(class, &n))
    }

    fn no_value(&mut self, c: &mut Cursor) -> Parsed<ValueAst> {
        let found = c.found();
        let d = Diagnostic::new(
            "RNN0042",
            c.span(),
            format!("expected a value, found {found}"),
        );
        let help = if c.is_group(Delimiter::Parenthesis) {
            let sizes = match c.peek() {
                Some(TokenTree::Group(g)) => python::sizes(g, self.classes),
                _ => "28, 28".to_owned(),
            };
            let help = format!(
                "sizes are written one after another: `Input({sizes})`, not `Input(({sizes}))`"
            );
            return self.mistake(d.help(help));
        } else if c.is("*") {
            "there are no `*args`; write the arguments one by one"
        } else {
            "a value is a number, the name of a `const`, `true`, `false`, a name like `tanh`, a list `[a, b]`, or `_` for an open length"
        };
        self.mistake(d.help(help))
    }
}

/// The text in `'relu'`, which is no literal of Rust's; `'r'` is one.
fn quoted(literal: &str) -> Option<String> {
    let text = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    (text.chars().count() > 1 && !text.starts_with('\\')).then(|| text.to_owned())
}

/// What stands in a group, as one writes it.
pub(super) fn inside(group: &Group) -> String {
    python::sizes(group, &[])
}
