//! The head of `rnn_model!`: the tokens that macros pass to one another, and the form of the model.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser as _;

use super::{
    ast::LayerAst,
    chain::starts_weights,
    class::{Class, find},
    functional,
    graph::is_graph,
    model::{BodyAst, FetchedCell, ModelAst, SourceAst, SourceKind},
    value::Reader,
};
use crate::{
    cell::{CellAst, deep_message},
    cursor::{Cursor, Parsed, too_deep},
    diagnostics::{Diagnostic, Diagnostics},
};

impl ModelAst {
    /// Parses what stands in `rnn_model!(…)`, after `@krate(…)` and the cells handed in.
    ///
    /// Messages have the codes `RNN0030` to `RNN0059`. After a mistake the rest is read as well, so that all
    /// mistakes are shown. A model that cannot be read has no layers.
    ///
    /// `classes` are the classes of the layers, for proposals in messages.
    pub fn parse(
        tokens: TokenStream,
        classes: &[Class],
        diagnostics: &mut Diagnostics,
    ) -> ModelAst {
        let mut model = ModelAst {
            krate: quote!(::recurrent::__private_0_1),
            cells: Vec::new(),
            attrs: Vec::new(),
            vis: syn::Visibility::Inherited,
            name: None,
            item: false,
            body: BodyAst::Chain(Vec::new()),
            source: None,
            tokens: TokenStream::new(),
        };
        if let Some(span) = too_deep(&tokens) {
            diagnostics.push(deep_message(span));
            return model;
        }
        let mut c = Cursor::new(tokens, Span::call_site());
        handed_in(&mut c, &mut model, diagnostics);
        model.tokens = c.rest();
        // The mistake has been reported; the parts read before it are kept.
        let mut reader = Reader::new(classes, diagnostics);
        let _: Parsed<()> = form(&mut c, &mut model, &mut reader);
        model
    }
}

impl LayerAst {
    /// The layer in the text of an example: `LSTM(64)`. `None` if the text is no layer.
    pub fn of_text(text: &str) -> Option<LayerAst> {
        let mut unseen = Diagnostics::new();
        let mut c = Cursor::new(text.parse().ok()?, Span::call_site());
        let layer = Reader::new(&[], &mut unseen).whole_layer(&mut c);
        unseen.take();
        layer
    }
}

/// `@krate(path) @cell(path) { tokens } @broken(path)`, written by the facade and by the macros of
/// cells, never by hand.
fn handed_in(c: &mut Cursor, model: &mut ModelAst, diagnostics: &mut Diagnostics) {
    while c.is("@") {
        let start = c.position();
        c.next();
        let word = c.ident().map(|i| i.to_string());
        let group = c.group(Delimiter::Parenthesis).map(|g| g.stream());
        let path = |tokens| syn::Path::parse_mod_style.parse2(tokens).ok();
        let given = match (word.as_deref(), group) {
            (Some("krate"), Some(path)) => {
                model.krate = path;
                continue;
            }
            (Some("broken"), Some(tokens)) => {
                path(tokens).map(|path| FetchedCell { path, cell: None })
            }
            (Some("cell"), Some(tokens)) => {
                path(tokens)
                    .zip(c.group(Delimiter::Brace))
                    .map(|(path, body)| FetchedCell {
                        cell: CellAst::parse(body.stream(), diagnostics).map(|cell| CellAst {
                            path: path.clone(),
                            ..cell
                        }),
                        path,
                    })
            }
            _ => None,
        };
        let Some(given) = given else {
            c.set_position(start);
            return;
        };
        model.cells.push(given);
    }
}

/// The layers of a text: what stands after `=`, or the statements of a graph.
pub fn read_body(
    tokens: TokenStream,
    span: Span,
    graph: bool,
    classes: &[Class],
    diagnostics: &mut Diagnostics,
) -> BodyAst {
    let mut c = Cursor::new(tokens, span);
    let mut reader = Reader::new(classes, diagnostics);
    match graph {
        true => BodyAst::Graph(reader.graph(&mut c, span)),
        false => BodyAst::Chain(reader.layers(&mut c)),
    }
}

const NAMED: &str = "pub struct Rows = Input(28, 28) -> LSTM(64) -> Dense(10);";

fn form(c: &mut Cursor, model: &mut ModelAst, reader: &mut Reader<'_>) -> Parsed<()> {
    let whole = c.span();
    if c.at_end() {
        return reader.mistake(
            Diagnostic::new("RNN0030", whole, "this model has no layers")
                .help("write `rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10))`"),
        );
    }
    let named = head(c, model, reader)?;
    if named && let Some(body) = c.group(Delimiter::Brace) {
        let mut inside = Cursor::inside(&body);
        model.body = BodyAst::Graph(reader.graph(&mut inside, body.span_open()));
        model.source = weights(c, reader)?;
        if model.source.is_some() {
            // As after a chain; only braces alone are an end.
            c.eat(";");
        }
        return after_braces(c, reader);
    }
    if !named && is_graph(c) {
        model.body = BodyAst::Graph(reader.graph(c, whole));
        return Ok(());
    }
    if !named && c.is_group(Delimiter::Brace) {
        return braces(c, model, reader);
    }
    if named && !c.eat("=") {
        let (message, help) = if c.is("<") {
            (
                "a model has no generics".to_owned(),
                "sizes may be the names of `const`s: `LSTM(UNITS)`".to_owned(),
            )
        } else {
            (
                format!("expected `=` or `{{`, found {}", c.found()),
                format!("write `{NAMED}`"),
            )
        };
        return reader.mistake(Diagnostic::new("RNN0032", c.span(), message).help(help));
    }
    if named && (c.is_group(Delimiter::Brace) || is_graph(c)) {
        return equals_graph(c, model, reader);
    }
    if c.is_word("import")
        && c.peek_nth(1)
            .is_some_and(|t| matches!(t, TokenTree::Group(_)))
    {
        model.source = Some(import(c, reader)?);
        // The end of the one token that stands for a model needs no sign.
        c.eat(";");
        if starts_weights(c) {
            return twice(c, reader);
        }
        return end(c, reader);
    }
    let open = c.is("<").then(|| c.span());
    if open.is_some() {
        c.next();
    }
    if let Some(help) = program(c, model.name.as_ref(), reader.classes) {
        c.next();
        let d = Diagnostic::new("RNN0041", c.span(), "expected `->`, found `=`");
        return reader.mistake(d.help(help));
    }
    let layers = reader.layers(c);
    if let Some(span) = open
        && !c.eat(">")
    {
        return reader.mistake(Diagnostic::new("RNN0033", span, "this `<` is not closed")
                .help("write `rnn_model!(< Embedding(1000, 64) -> LSTM(128) -> Dense(10) >)`, or leave both brackets out"),
        );
    }
    model.body = BodyAst::Chain(layers);
    model.source = weights(c, reader)?;
    if model.source.is_some() && named && c.at_end() {
        return Ok(());
    }
    ending(c, named, reader);
    Ok(())
}

/// `import("amp.keras")`, `import("voice.onnx", states = stream)`.
fn import(c: &mut Cursor, reader: &mut Reader<'_>) -> Parsed<SourceAst> {
    c.next();
    let span = c.span();
    let group = c.group(Delimiter::Parenthesis);
    let mut inside = group.as_ref().map_or_else(|| c.clone(), Cursor::inside);
    let path = file(&mut inside);
    match path {
        Some((path, span)) => Ok(SourceAst {
            kind: SourceKind::Model,
            path,
            stream: keeps_states(&mut inside, reader)?,
            span,
        }),
        _ => reader.mistake(
            Diagnostic::new("RNN0037", span, "expected the path of a file in quotes")
                .help("write `pub struct Amp = import(\"models/amp.keras\");`"),
        ),
    }
}

/// `, states = stream` after the path of a file. `states = inputs` says what is so without it.
fn keeps_states(c: &mut Cursor, reader: &mut Reader<'_>) -> Parsed<bool> {
    let comma = c.eat(",");
    if c.at_end() {
        return Ok(false);
    }
    if comma && c.eat_word("states") && c.eat("=") {
        let stream = c.eat_word("stream");
        if stream || c.eat_word("inputs") {
            c.eat(",");
            if c.at_end() {
                return Ok(stream);
            }
        }
    }
    let message = format!(
        "expected `)` or `, states = stream)` after the path, found {}",
        c.found()
    );
    reader.mistake(
        Diagnostic::new("RNN0037", c.span(), message).help(
            "write `import(\"models/voice.onnx\", states = stream)`: a stream keeps the states of the ONNX graph",
        ),
    )
}

/// `, weights = "amp.safetensors"` after the layers.
fn weights(c: &mut Cursor, reader: &mut Reader<'_>) -> Parsed<Option<SourceAst>> {
    if !starts_weights(c) {
        return Ok(None);
    }
    c.next();
    c.next();
    let span = c.span();
    if c.eat("=")
        && let Some((path, span)) = file(c)
    {
        return Ok(Some(SourceAst {
            kind: SourceKind::Weights,
            path,
            stream: false,
            span,
        }));
    }
    reader.mistake(
        Diagnostic::new("RNN0037", span, "expected `= \"…\"` with the path of a file after `weights`")
            .help("write `pub struct Amp = Input(_, 1) -> LSTM(16) -> Dense(1), weights = \"amp.safetensors\";`"),
    )
}

/// A path in quotes, and where it stands.
fn file(c: &mut Cursor) -> Option<(String, Span)> {
    let token = c.peek()?.clone();
    let literal: syn::LitStr = syn::parse2(token.into()).ok()?;
    c.next();
    Some((literal.value(), literal.span()))
}

/// Reports what stands after the end.
fn end(c: &Cursor, reader: &mut Reader<'_>) -> Parsed<()> {
    if c.at_end() {
        return Ok(());
    }
    let words = format!("{} after the end of the model", c.found());
    let d = Diagnostic::new("RNN0034", c.span(), words);
    reader.mistake(d.help("write one model in one `rnn_model!`"))
}

/// Reports `weights = …` after `import(…)`.
fn twice(c: &Cursor, reader: &mut Reader<'_>) -> Parsed<()> {
    let words = "`weights` after `import`, which takes the weights of its file, too";
    reader.mistake(Diagnostic::new("RNN0034", c.span(), words).help(
        "leave `, weights = …` out for the layers and the weights of the file in `import`; for the weights of another file \
         write the layers in the place of `import(…)`",
    ))
}

/// What to write instead of a program for Keras; `None` if the tokens are no such program.
fn program(c: &Cursor, name: Option<&proc_macro2::Ident>, classes: &[Class]) -> Option<String> {
    if let Some(chain) = functional::sequential(c, classes) {
        return Some(format!("write the layers as a chain: `{chain}`"));
    }
    let graph = functional::graph(c, classes)?;
    Some(match name {
        Some(name) => format!("write `struct {name} {{ {graph} }}`"),
        None => format!("write `{graph}`"),
    })
}

/// Reports what stands after the braces of a named graph.
fn after_braces(c: &mut Cursor, reader: &mut Reader<'_>) -> Parsed<()> {
    let span = c.span();
    if c.eat(";") && c.at_end() {
        return reader.mistake(
            Diagnostic::new("RNN0035", span, "a model in braces has no `;` after them")
                .help("remove the `;`"),
        );
    }
    end(c, reader)
}

/// Reports braces around a graph without a name, and reads what they hold.
fn braces(c: &mut Cursor, model: &mut ModelAst, reader: &mut Reader<'_>) -> Parsed<()> {
    let span = c.span();
    if let Some(body) = c.group(Delimiter::Brace) {
        let mut inside = Cursor::inside(&body);
        if is_graph(&inside) {
            model.body = BodyAst::Graph(reader.graph(&mut inside, span));
        }
    }
    let d = Diagnostic::new(
        "RNN0057",
        span,
        "a model without a name has no braces of its own",
    );
    reader.mistake(d.help("write `rnn_model!(input x: [_, 28]; output y = x -> LSTM(64);)`, or put `struct Name` before the braces"),
    )
}

/// Reports a graph after `=`, and reads it.
fn equals_graph(c: &mut Cursor, model: &mut ModelAst, reader: &mut Reader<'_>) -> Parsed<()> {
    let span = c.previous_span();
    let name = model
        .name
        .as_ref()
        .map_or("Name".to_owned(), ToString::to_string);
    let group = c.group(Delimiter::Brace);
    let whole = c.span();
    let mut body = group.as_ref().map_or_else(|| c.clone(), Cursor::inside);
    model.body = BodyAst::Graph(reader.graph(&mut body, whole));
    let d = Diagnostic::new("RNN0057", span, "a graph stands in braces, without `=`");
    reader.mistake(d.help(format!(
        "write `struct {name} {{ input x: [_, 28]; output y = x -> LSTM(64); }}`"
    )))
}

/// Reports tokens after the last layer that may not stand there.
fn ending(c: &mut Cursor, named: bool, reader: &mut Reader<'_>) {
    let semicolon = c.span();
    let has_semicolon = c.eat(";");
    let d = if !c.at_end() {
        let found = c.found();
        // `LSTM(4); Dense(1)`
        let layer = match c.peek() {
            Some(TokenTree::Ident(i)) => find(reader.classes, &i.to_string()),
            _ => None,
        };
        if let Some(class) = layer.filter(|_| has_semicolon) {
            let d = Diagnostic::new("RNN0034", semicolon, "a `;` between two layers");
            reader.diagnostics.push(d.help(format!(
                "layers are joined by `->`: write `-> {}`",
                class.name
            )));
            return;
        }
        Diagnostic::new(
            "RNN0034",
            c.span(),
            format!("{found} after the end of the model"),
        )
        .help(if c.is(">") {
            "there is no `<` before the first layer; remove this `>`"
        } else {
            "write one model in one `rnn_model!`"
        })
    } else if named && !has_semicolon {
        Diagnostic::new(
            "RNN0035",
            c.previous_span(),
            "expected `;` after the last layer of a named model",
        )
        .help(format!("write `{NAMED}`"))
    } else if !named && has_semicolon {
        Diagnostic::new(
            "RNN0035",
            semicolon,
            "a model without a name is an expression and has no `;`",
        )
        .help("remove the `;`, or give the model a name: `struct Rows = … ;`")
    } else {
        return;
    };
    reader.diagnostics.push(d);
}

/// Reads attributes, visibility and `struct Name`; gives whether the model is a named one.
fn head(c: &mut Cursor, model: &mut ModelAst, reader: &mut Reader<'_>) -> Parsed<bool> {
    let (start, span) = (c.position(), c.span());
    while c.is("#")
        && matches!(c.peek_nth(1), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Bracket)
    {
        c.next();
        c.next();
    }
    match syn::Attribute::parse_outer.parse2(c.since(start)) {
        Ok(attrs) => model.attrs = attrs,
        Err(e) => {
            return reader.mistake(
                Diagnostic::new("RNN0007", span, format!("this attribute is not valid: {e}"))
                    .help("write attributes as in Rust: `#[name(…)]`"),
            );
        }
    }
    let (start, span) = (c.position(), c.span());
    if c.eat_word("pub") {
        c.group(Delimiter::Parenthesis);
    }
    match syn::parse2(c.since(start)) {
        Ok(vis) => model.vis = vis,
        Err(e) => {
            return reader.mistake(
                Diagnostic::new(
                    "RNN0008",
                    span,
                    format!("this visibility is not valid: {e}"),
                )
                .help("write `pub`, `pub(crate)` or nothing"),
            );
        }
    }
    model.item = c.position() > start || !model.attrs.is_empty() || c.is_word("struct");
    if !c.eat_word("struct") {
        if model.item {
            let found = c.found();
            return reader.mistake(
                Diagnostic::new(
                    "RNN0036",
                    c.span(),
                    format!("expected `struct`, found {found}"),
                )
                .help(format!("write `{NAMED}`")),
            );
        }
        return Ok(false);
    }
    model.name = c.type_name();
    if model.name.is_none() {
        let found = c.found();
        return reader.mistake(
            Diagnostic::new(
                "RNN0036",
                c.span(),
                format!("expected the model's name, found {found}"),
            )
            .help(format!("write `{NAMED}`")),
        );
    }
    Ok(true)
}
