//! What Keras's programs write, as it is written here.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::cursor::Cursor;

/// Tokens of Python as one writes them here: without modules, `true` for `True`.
pub(super) fn written(tokens: TokenStream) -> String {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
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
                    "None" => "_".to_owned(),
                    other => other.to_owned(),
                };
                if let Some(TokenTree::Group(g)) = trees.get(i)
                    && word == "Input"
                    && let Some(shape) = shape_of(g, &["shape", "batch_shape"])
                {
                    text += &format!("({shape})");
                    i += 1;
                }
            }
            TokenTree::Punct(p) => match p.as_char() {
                ',' => text += ", ",
                '=' => text += " = ",
                other => text.push(other),
            },
            TokenTree::Group(g) => text += &group(g),
            TokenTree::Literal(l) => text += &l.to_string(),
        }
    }
    text.trim_end_matches([',', ' ']).to_owned()
}

fn group(g: &Group) -> String {
    let inside = written(g.stream());
    match g.delimiter() {
        Delimiter::Parenthesis => format!("({inside})"),
        Delimiter::Brace => format!("{{ {inside} }}"),
        Delimiter::Bracket | Delimiter::None => format!("[{inside}]"),
    }
}

fn dot(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == '.')
}

/// What stands between the commas of a group.
fn parts(g: &Group) -> Vec<Vec<TokenTree>> {
    let mut all = vec![Vec::new()];
    for tree in g.stream() {
        match (&tree, all.last_mut()) {
            (TokenTree::Punct(p), _) if p.as_char() == ',' => all.push(Vec::new()),
            (_, Some(last)) => last.push(tree),
            _ => {}
        }
    }
    all.retain(|part| !part.is_empty());
    all
}

/// The sizes of an argument with one of these names: `10, 8` of `shape=(10, 8)`. Those that start
/// with `batch` have the batch first, which is not written here.
fn shape_of(arguments: &Group, names: &[&str]) -> Option<String> {
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
                let sizes = sizes.map(|s| written(s.into_iter().collect()));
                Some(sizes.collect::<Vec<_>>().join(", "))
            }
            _ => None,
        })
}

/// `LSTM(8, input_shape=(10, 8))` as `Input(10, 8) -> LSTM(8)`, if it says the shape of its input.
/// `arguments` are those in its parentheses.
pub(super) fn with_input(class: &str, arguments: &Group) -> Option<String> {
    const NAMES: &[&str] = &["input_shape", "batch_input_shape"];
    if class == "Input" {
        let shape = shape_of(arguments, &["shape", "batch_shape"])?;
        return Some(format!("Input({shape})"));
    }
    let shape = shape_of(arguments, NAMES)?;
    let others = parts(arguments).into_iter().filter(
        |part| !matches!(part.first(), Some(TokenTree::Ident(i)) if NAMES.iter().any(|n| i == n)),
    );
    let others: Vec<String> = others.map(|p| written(p.into_iter().collect())).collect();
    let arguments = match others.as_slice() {
        [] => String::new(),
        all => format!("({})", all.join(", ")),
    };
    Some(format!("Input({shape}) -> {class}{arguments}"))
}

/// The layers in `Sequential([…])` as a chain; `None` if there are none.
pub(super) fn sequential(arguments: &Group) -> Option<String> {
    let list = arguments.stream().into_iter().find_map(|t| match t {
        TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket => Some(g),
        _ => None,
    })?;
    let mut chain: Vec<String> = parts(&list)
        .into_iter()
        .map(|layer| match layer.as_slice() {
            [before @ .., TokenTree::Ident(class), TokenTree::Group(g)]
                if before.is_empty() || dot(before.last()) =>
            {
                with_input(&class.to_string(), g)
                    .unwrap_or_else(|| written(layer.iter().cloned().collect()))
            }
            _ => written(layer.into_iter().collect()),
        })
        .collect();
    let first = chain.first()?.clone();
    if !first.starts_with("Input") && !first.starts_with("Embedding") {
        let vector = ["Dense", "Activation", "BatchNormalization", "RepeatVector"];
        let input = match vector.iter().any(|v| first.starts_with(v)) {
            true => "Input(8)",
            false => "Input(_, 8)",
        };
        chain.insert(0, input.to_owned());
    }
    Some(chain.join(" -> ").replace("()", ""))
}

/// A layer that is called on values, as in Keras's functional programs, as a chain:
/// `x -> LSTM(4)` of `layers.LSTM(4)(x)`, `(a, b) -> Add` of `Add()([a, b])`.
pub(super) fn call(c: &Cursor) -> Option<String> {
    let mut c = c.clone();
    let mut class = c.ident()?;
    while c.eat(".") {
        class = c.ident()?;
    }
    let arguments = c.group(Delimiter::Parenthesis)?;
    let read = c.group(Delimiter::Parenthesis)?;
    let mut read = parts(&read).into_iter();
    let source = match read.next()?.as_slice() {
        [TokenTree::Group(g)] if g.delimiter() == Delimiter::Bracket => {
            format!("({})", written(g.stream()))
        }
        source => written(source.iter().cloned().collect()),
    };
    let own = parts(&arguments).into_iter();
    let all: Vec<String> = own
        .chain(read)
        .map(|a| written(a.into_iter().collect()))
        .collect();
    Some(match all.as_slice() {
        [] => format!("{source} -> {class}"),
        all => format!("{source} -> {class}({})", all.join(", ")),
    })
}
