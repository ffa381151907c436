//! Keras's functional programs and `model.add(…)`, as they are written here.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::{
    class::{Class, is_input},
    python,
};
use crate::cursor::Cursor;

/// `inputs = Input(shape=(None, 8)); x = LSTM(64)(inputs)` as a graph, with or without `;`. A part that
/// cannot be translated becomes an example. `None` if the tokens start differently.
pub(super) fn graph(c: &Cursor, classes: &[Class]) -> Option<String> {
    const EXAMPLE: &str = "input x: [_, 8]; output y = x -> LSTM(64) -> Dense(10);";
    let mut c = c.clone();
    let (mut inputs, mut values) = (Vec::new(), Vec::new());
    while !c.at_end() {
        let name = c.ident().filter(|_| c.eat("=") && !c.is("="));
        let Some(name) = name else {
            // Tokens that start differently are no functional program.
            let first = inputs.is_empty() && values.is_empty();
            return (!first).then(|| EXAMPLE.to_owned());
        };
        if let Some(input) = input(&name, &c, classes) {
            inputs.push(input);
        } else if let Some((_, chain)) = python::call(&c, classes) {
            values.push((name, chain));
        } else if is_model(&c) {
            break;
        } else {
            return Some(EXAMPLE.to_owned());
        }
        call(&mut c);
        while c.group(Delimiter::Parenthesis).is_some() {}
        while c.eat(";") {}
    }
    // The last value is the model's output.
    let last = values.len().checked_sub(1).filter(|_| !inputs.is_empty());
    let Some(last) = last else {
        return Some(EXAMPLE.to_owned());
    };
    let statements = values.iter().enumerate().map(|(i, (name, chain))| {
        let word = if i == last { "output" } else { "let" };
        format!("{word} {name} = {chain};")
    });
    Some(
        inputs
            .into_iter()
            .chain(statements)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// `model = Sequential([…])`, or without a list and with `model.add(…)` after it, as a chain.
pub(super) fn sequential(c: &Cursor, classes: &[Class]) -> Option<String> {
    let mut c = c.clone();
    let model = c.ident().filter(|_| c.eat("="))?.to_string();
    let (class, arguments) = call(&mut c)?;
    if class != "Sequential" {
        return None;
    }
    let listed = arguments
        .as_ref()
        .and_then(|g| python::sequential(g, classes));
    let added = || {
        while c.eat(";") {}
        let first = c.eat_word(&model) && c.eat(".") && c.eat_word("add");
        first.then(|| added(&mut c, &model, classes)).flatten()
    };
    const EXAMPLE: &str = "Input(_, 8) -> LSTM(64) -> Dense(10)";
    Some(listed.or_else(added).unwrap_or(EXAMPLE.to_owned()))
}

/// A class after its modules, and its arguments.
fn call(c: &mut Cursor) -> Option<(Ident, Option<Group>)> {
    let mut class = c.ident()?;
    while c.eat(".") {
        class = c.ident()?;
    }
    Some((class, c.group(Delimiter::Parenthesis)))
}

fn is_model(c: &Cursor) -> bool {
    call(&mut c.clone()).is_some_and(|(class, _)| class == "Model")
}

/// `inputs = Input(shape=(None, 8))` as `input inputs: [_, 8];`; the cursor stands after the `=`.
pub(super) fn input(name: &Ident, c: &Cursor, classes: &[Class]) -> Option<String> {
    let (class, arguments) = call(&mut c.clone())?;
    let arguments = arguments.filter(|_| is_input(classes, &class.to_string()))?;
    let sizes = python::input_sizes(&arguments, classes);
    let sizes = sizes.unwrap_or_else(|| python::written(arguments.stream(), classes));
    Some(match sizes.as_str() {
        _ if sizes.is_empty() || sizes.contains(" = ") => format!("input {name}: [_, 8];"),
        // One open axis: steps without features, so ids.
        "_" => format!("input {name}: ids;"),
        sizes => format!("input {name}: [{}];", sizes),
    })
}

/// What stands between arrows up to the end of the statement.
pub(super) fn links(c: &Cursor, classes: &[Class]) -> Vec<String> {
    let (mut c, mut links) = (c.clone(), Vec::new());
    let mut start = c.position();
    while !(c.at_end() || c.is(";")) {
        let end = c.position();
        if c.is("->") {
            links.push(python::written(between(&c, start, end), classes));
            c.eat("->");
            start = c.position();
        } else {
            c.next();
        }
    }
    links.push(python::written(c.since(start), classes));
    links
}

/// `a -> LSTM(4)` up to the end of its statement, if it is a chain.
pub(super) fn chain(c: &Cursor, classes: &[Class]) -> Option<String> {
    let links = links(c, classes);
    // It starts with a value or several; without an arrow it is another name for a value.
    let name = |first: &str| first.chars().all(|c| c.is_alphanumeric() || c == '_');
    let whole = links.iter().all(|l| !l.is_empty()) && (links.len() > 1 || name(&links[0]));
    let value = !links[0].starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    (whole && value).then(|| links.join(" -> "))
}

fn between(c: &Cursor, start: usize, end: usize) -> TokenStream {
    let mut c = c.clone();
    c.set_position(end);
    c.since(start)
}

/// The layers of `model.add(LSTM(16)); model.add(Dense(1));` as a chain. The cursor stands after
/// the first `add`, and then after the last.
pub(super) fn added(c: &mut Cursor, model: &str, classes: &[Class]) -> Option<String> {
    let mut layers = TokenStream::new();
    loop {
        let Some(one) = c.group(Delimiter::Parenthesis) else {
            break;
        };
        layers.extend(one.stream());
        layers.extend(",".parse::<TokenStream>().ok()?);
        let mut next = c.clone();
        while next.eat(";") {}
        let again = next.is_word(model) && next.next().is_some() && next.eat(".");
        if !(again && next.eat_word("add")) {
            if next.at_end() {
                *c = next;
            }
            break;
        }
        *c = next;
    }
    let list = Group::new(Delimiter::Bracket, layers);
    let arguments = Group::new(
        Delimiter::Parenthesis,
        TokenStream::from(TokenTree::from(list)),
    );
    python::sequential(&arguments, classes)
}
