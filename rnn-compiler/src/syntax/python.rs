//! Translates parts of programs for Keras into this project's syntax.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::{
    ast::LayerAst,
    class::{Class, Reads, find, is_input},
    foreign,
};
use crate::cursor::Cursor;

/// What Python's `None` means where it stands.
#[derive(Clone, Copy, PartialEq)]
enum NoneIs {
    /// An open length.
    Open,
    /// What [`instead_of_none`] gives for the argument; an argument without a name is left out.
    Argument,
}

/// Translates an argument that is `None` in Python. Gives `None` if that is its default, so that the
/// argument is left out.
pub(super) fn instead_of_none(name: &str) -> Option<String> {
    match name {
        "merge_mode" => Some("merge_mode = none".to_owned()),
        // In Keras `None` means no activation; recurrent layers without the argument would have `tanh`
        // and `sigmoid`.
        "activation" | "recurrent_activation" => Some(format!("{name} = linear")),
        // Keras's initialiser of weights for which none is named. The defaults of layers differ from it,
        // such as `orthogonal` for a recurrent kernel.
        _ if name.ends_with("_initializer") => Some(format!("{name} = glorot_uniform")),
        _ => None,
    }
}

/// Translates Python's tokens: leaves out modules, writes `true` for `True`, and for an argument that is
/// `None` what that means.
pub(super) fn written(tokens: TokenStream, classes: &[Class]) -> String {
    list(parts_of(tokens), NoneIs::Argument, classes)
}

/// Translates Python's sizes: `_` for `None`.
pub(super) fn sizes(group: &Group, classes: &[Class]) -> String {
    list(parts(group), NoneIs::Open, classes)
}

fn list(parts: Vec<Vec<TokenTree>>, none: NoneIs, classes: &[Class]) -> String {
    let all: Vec<String> = parts
        .iter()
        .filter_map(|p| part(p, none, classes))
        .collect();
    all.join(", ")
}

/// Translates the tokens between two commas; `None` for an argument that is left out.
fn part(trees: &[TokenTree], none: NoneIs, classes: &[Class]) -> Option<String> {
    let is_none = |t: &TokenTree| matches!(t, TokenTree::Ident(i) if i == "None");
    match trees {
        [TokenTree::Ident(name), TokenTree::Punct(p), value]
            if p.as_char() == '=' && is_none(value) =>
        {
            return instead_of_none(&name.to_string());
        }
        [one] if is_none(one) => return (none == NoneIs::Open).then(|| "_".to_owned()),
        _ => {}
    }
    let mut text = String::new();
    let mut i = 0;
    while let Some(tree) = trees.get(i) {
        i += 1;
        match tree {
            TokenTree::Ident(_) if dot(trees.get(i)) => i += 1,
            TokenTree::Ident(word) => {
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
                text += &match word.to_string().as_str() {
                    "True" => "true".to_owned(),
                    "False" => "false".to_owned(),
                    other => other.to_owned(),
                };
                if let Some(TokenTree::Group(g)) = trees.get(i)
                    && let Some(sizes) = match is_input(classes, &word.to_string()) {
                        true => input_sizes(g, classes),
                        false => axes_of(&word.to_string(), &parts(g), classes),
                    }
                {
                    text += &format!("({sizes})");
                    i += 1;
                }
            }
            TokenTree::Punct(p) if p.as_char() == '=' => text += " = ",
            TokenTree::Punct(p) => text.push(p.as_char()),
            // A layer without arguments has no parentheses.
            TokenTree::Group(g)
                if g.delimiter() == Delimiter::Parenthesis && g.stream().is_empty() => {}
            TokenTree::Group(g) => text += &group(g, none, classes),
            TokenTree::Literal(l) => text += &l.to_string(),
        }
    }
    Some(text)
}

fn group(g: &Group, none: NoneIs, classes: &[Class]) -> String {
    let inside = list(parts(g), none, classes);
    match g.delimiter() {
        Delimiter::Parenthesis => format!("({inside})"),
        Delimiter::Brace => format!("{{ {inside} }}"),
        Delimiter::Bracket | Delimiter::None => format!("[{inside}]"),
    }
}

fn dot(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == '.')
}

/// The tokens between the commas of a group.
pub(super) fn parts(g: &Group) -> Vec<Vec<TokenTree>> {
    parts_of(g.stream())
}

fn parts_of(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut all = vec![Vec::new()];
    for tree in tokens {
        match (&tree, all.last_mut()) {
            (TokenTree::Punct(p), _) if p.as_char() == ',' => all.push(Vec::new()),
            (_, Some(last)) => last.push(tree),
            _ => {}
        }
    }
    all.retain(|part| !part.is_empty());
    all
}

/// The sizes of an argument with one of these names: `10, 8` of `shape=(10, 8)`. A name that starts with
/// `batch` has the batch as its first size, which is left out.
fn shape_of(arguments: &Group, names: &[&str], classes: &[Class]) -> Option<String> {
    parts(arguments)
        .iter()
        .find_map(|part| match part.as_slice() {
            [
                TokenTree::Ident(name),
                TokenTree::Punct(p),
                TokenTree::Group(g),
            ] if p.as_char() == '=' && names.iter().any(|n| name == n) => {
                let batch = usize::from(name.to_string().starts_with("batch"));
                let sizes = parts(g).into_iter().skip(batch);
                Some(list(sizes.collect(), NoneIs::Open, classes))
            }
            _ => None,
        })
}

/// The sizes of a tuple that is the first argument: `(10, 8)` in `Input((10, 8))`.
fn tuple(arguments: &Group, classes: &[Class]) -> Option<String> {
    match parts(arguments).first()?.as_slice() {
        [TokenTree::Group(g)] => Some(sizes(g, classes)),
        _ => None,
    }
}

/// The names of an `Input`'s shape.
const SHAPE: &[&str] = &["shape", "batch_shape"];

/// The sizes of an `Input` with these arguments: `10, 8` of `shape=(10, 8)` and of `(10, 8)`.
pub(super) fn input_sizes(arguments: &Group, classes: &[Class]) -> Option<String> {
    shape_of(arguments, SHAPE, classes).or_else(|| tuple(arguments, classes))
}

/// `LSTM(8, input_shape=(10, 8))` as `Input(10, 8) -> LSTM(8)`, if the layer gives the shape of its
/// input. `arguments` are in the layer's parentheses.
pub(super) fn with_input(class: &str, arguments: &Group, classes: &[Class]) -> Option<String> {
    const NAMES: &[&str] = &[
        "input_shape",
        "batch_input_shape",
        "input_dim",
        "input_length",
    ];
    if is_input(classes, class) {
        let shape = shape_of(arguments, SHAPE, classes)?;
        return Some(format!("{class}({shape})"));
    }
    let shape =
        shape_of(arguments, NAMES, classes).or_else(|| old_shape(class, arguments, classes))?;
    let own = find(classes, class).is_some_and(|c| c.takes("input_dim"));
    let is_shape = |part: &Vec<TokenTree>| match part.first() {
        Some(TokenTree::Ident(i)) => NAMES.iter().any(|n| i == n && !(own && *n == "input_dim")),
        _ => false,
    };
    let others = parts(arguments).into_iter().filter(|part| !is_shape(part));
    let arguments = match arguments_of(class, others.collect(), classes) {
        none if none.is_empty() => none,
        all => format!("({all})"),
    };
    Some(format!("Input({shape}) -> {class}{arguments}"))
}

/// The sizes of the input of a layer in Keras's older way: `input_dim = 4`, and `input_length = 20` of an `Embedding`.
fn old_shape(class: &str, arguments: &Group, classes: &[Class]) -> Option<String> {
    let class = find(classes, class)?;
    let number = |wanted: &str| {
        parts(arguments)
            .iter()
            .find_map(|part| match part.as_slice() {
                [
                    TokenTree::Ident(name),
                    TokenTree::Punct(p),
                    TokenTree::Literal(n),
                ] if p.as_char() == '=' && name == wanted => Some(n.to_string()),
                _ => None,
            })
    };
    match class.reads {
        Reads::Ids => number("input_length"),
        Reads::Numbers => number("input_dim"),
        _ => {
            let length = number("input_length").unwrap_or("_".to_owned());
            Some(format!("{length}, {}", number("input_dim")?))
        }
    }
}

/// The sizes of an `Input` with Python's `None` among them: `_, 28` of `None, 28`. The batch, a `None` more than a
/// sequence has, is left out.
pub(super) fn open_sizes(class: &str, arguments: &Group, classes: &[Class]) -> Option<String> {
    let mut all = parts(arguments);
    let is_none =
        |part: &Vec<TokenTree>| matches!(part.as_slice(), [TokenTree::Ident(i)] if i == "None");
    if !is_input(classes, class) || !all.iter().any(is_none) {
        return None;
    }
    while all.iter().filter(|p| is_none(p)).count() > 1 && all.first().is_some_and(is_none) {
        all.remove(0);
    }
    Some(list(all, NoneIs::Open, classes))
}

/// `Reshape((4, 2))` as `Reshape(4, 2)`, with the arguments after the tuple.
pub(super) fn axes(class: &str, arguments: &Group, classes: &[Class]) -> Option<String> {
    Some(format!(
        "{class}({})",
        axes_of(class, &parts(arguments), classes)?
    ))
}

/// Translates the arguments of a layer.
fn arguments_of(class: &str, arguments: Vec<Vec<TokenTree>>, classes: &[Class]) -> String {
    axes_of(class, &arguments, classes)
        .unwrap_or_else(|| list(arguments, NoneIs::Argument, classes))
}

/// Translates the arguments of a layer that takes its axes one by one, where Keras takes a tuple.
fn axes_of(class: &str, arguments: &[Vec<TokenTree>], classes: &[Class]) -> Option<String> {
    let name = find(classes, class)?.sizes?;
    let (first, others) = arguments.split_first()?;
    let tuple = match first.as_slice() {
        [TokenTree::Group(g)] => g,
        [
            TokenTree::Ident(i),
            TokenTree::Punct(p),
            TokenTree::Group(g),
        ] if i == name && p.as_char() == '=' => g,
        _ => return None,
    };
    if tuple.delimiter() != Delimiter::Parenthesis || tuple.stream().is_empty() {
        return None;
    }
    let others = others
        .iter()
        .filter_map(|p| part(p, NoneIs::Argument, classes));
    let all = std::iter::once(sizes(tuple, classes)).chain(others);
    Some(all.collect::<Vec<_>>().join(", "))
}

/// The layers in `Sequential([…])` as a chain; `None` if there are none.
pub(super) fn sequential(arguments: &Group, classes: &[Class]) -> Option<String> {
    let list = arguments.stream().into_iter().find_map(|t| match t {
        TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket => Some(g),
        _ => None,
    })?;
    chain_of(&list, classes)
}

/// The layers in a list as a chain; `None` if there are none.
pub(super) fn chain_of(list: &Group, classes: &[Class]) -> Option<String> {
    let mut chain: Vec<String> = parts(list)
        .into_iter()
        .map(|layer| match layer.as_slice() {
            [before @ .., TokenTree::Ident(class), TokenTree::Group(g)]
                if before.is_empty() || dot(before.last()) =>
            {
                with_input(&class.to_string(), g, classes).unwrap_or_else(|| {
                    let text = written(layer.iter().cloned().collect(), classes);
                    here(&text, classes).unwrap_or(text)
                })
            }
            _ => written(layer.into_iter().collect(), classes),
        })
        .collect();
    // A layer whose input is unknown is assumed to read a sequence.
    let first = chain.first()?.split('(').next().unwrap_or_default();
    let reads = find(classes, first).map_or(Reads::Sequence, |class| class.reads);
    if let Some(input) = reads.example(8) {
        chain.insert(0, input);
    }
    Some(chain.join(" -> "))
}

/// The layer in a text as it is written here.
fn here(text: &str, classes: &[Class]) -> Option<String> {
    let layer = LayerAst::of_text(text)?;
    Some(foreign::written(&layer, classes).0)
}

/// A layer that is called on values, as in Keras's functional programs, as a chain:
/// `x -> LSTM(4)` of `layers.LSTM(4)(x)`, `(a, b) -> Add` of `Add()([a, b])`; with the name of the
/// layer.
pub(super) fn call(c: &Cursor, classes: &[Class]) -> Option<(Ident, String)> {
    let mut c = c.clone();
    let mut class = c.ident()?;
    while c.eat(".") {
        class = c.ident()?;
    }
    let arguments = c.group(Delimiter::Parenthesis)?;
    let read = c.group(Delimiter::Parenthesis)?;
    let mut read = parts(&read).into_iter();
    let first = read.next()?;
    // `Dense(1)(LSTM(4)(x))`
    let inner = Cursor::new(first.iter().cloned().collect(), class.span());
    let source = match first.as_slice() {
        _ if call(&inner, classes).is_some() => call(&inner, classes)?.1,
        [TokenTree::Group(g)] if g.delimiter() == Delimiter::Bracket => {
            format!("({})", written(g.stream(), classes))
        }
        source => written(source.iter().cloned().collect(), classes),
    };
    let all: Vec<_> = parts(&arguments).into_iter().chain(read).collect();
    let chain = match arguments_of(&class.to_string(), all, classes) {
        none if none.is_empty() => class.to_string(),
        all => format!("{class}({all})"),
    };
    let chain = here(&chain, classes).unwrap_or(chain);
    Some((class, format!("{source} -> {chain}")))
}
