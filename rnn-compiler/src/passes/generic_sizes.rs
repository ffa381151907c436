//! Sizes that are const generics of the function around the model.
//!
//! What a model expands to has items, and items see no generics of the function around them; rustc would say that once for
//! each of them, in words about items. A macro does not see what stands around its call either, so the source file is
//! read: only for a model with sizes that are names, and only for a message.

use std::fs;

use proc_macro2::{Ident, LineColumn};

use crate::{
    cell::is_const,
    diagnostics::{Diagnostic, Diagnostics},
    syntax::{BodyAst, InputKind, ModelAst, StatementAst, ValueAst, ValueKind},
};

/// Reports the first size that is a const generic.
pub fn check_generic_sizes(model: &ModelAst, found: &mut Diagnostics) {
    let mut sizes = Vec::new();
    match &model.body {
        BodyAst::Chain(chain) => {
            for layer in chain.iter().flatten() {
                layer
                    .arguments
                    .iter()
                    .for_each(|a| names(&a.value, &mut sizes));
            }
        }
        BodyAst::Graph(statements) => statements.iter().for_each(|s| match s {
            StatementAst::Input { kind, .. } => match kind {
                InputKind::Floats(axes) => axes.iter().for_each(|a| names(a, &mut sizes)),
                InputKind::Ids(axis) | InputKind::Mask(axis) => {
                    axis.iter().for_each(|a| names(a, &mut sizes));
                }
            },
            StatementAst::Layer { layer, .. } => {
                let all = layer.iter().flat_map(|l| &l.arguments);
                all.for_each(|a| names(&a.value, &mut sizes));
            }
            StatementAst::Let { value, .. } | StatementAst::Output { value, .. } => {
                let all = value.layers.iter().flatten().flat_map(|l| &l.arguments);
                all.for_each(|a| names(&a.value, &mut sizes));
            }
            StatementAst::Unreadable { .. } => {}
        }),
    }
    let Some(file) = sizes.first().and_then(|name| name.span().local_file()) else {
        return;
    };
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    for name in sizes {
        let at = name.span().start();
        if let Some(function) = generic_of(&text, at, &name.to_string()) {
            found.push(
                Diagnostic::new(
                    "RNN0179",
                    name.span(),
                    format!("the size `{name}` is a const generic of {function}"),
                )
                .note("a model is compiled for its sizes, once: they are numbers or `const`s of the program")
                .help(format!(
                    "write `const {name}: usize = 64;` outside of {function}, and take `const {name}: usize` out of its `<>`"
                )),
            );
            return;
        }
    }
}

/// The names of `const`s in a value.
fn names(value: &ValueAst, all: &mut Vec<Ident>) {
    match &value.kind {
        ValueKind::Path(path) if is_const(path) => all.extend(path.get_ident().cloned()),
        ValueKind::Call(_, arguments) => arguments.iter().for_each(|a| names(&a.value, all)),
        ValueKind::List(list) => list.iter().for_each(|v| names(v, all)),
        ValueKind::Struct(parts) => parts.iter().for_each(|(_, v)| names(v, all)),
        _ => {}
    }
}

/// The item around a position of a source text that has `name` as a const generic: `` `sized` ``, `this impl`.
fn generic_of(text: &str, at: LineColumn, name: &str) -> Option<String> {
    let lines = text.split_inclusive('\n').take(at.line.checked_sub(1)?);
    let before = lines.map(str::len).sum::<usize>();
    let line = text.get(before..)?;
    let end = before + line.char_indices().nth(at.column).map_or(0, |(i, _)| i);
    let mut headers = Vec::new();
    let mut header = String::new();
    // Parentheses and brackets that are open: a `;` in `[f32; 2]` ends nothing.
    let mut open = 0_usize;
    let mut around = Vec::new();
    let mut rest = text.get(..end)?;
    while let Some(c) = rest.chars().next() {
        let skipped = skipped(rest);
        if skipped > 0 {
            rest = rest.get(skipped..)?;
            header.push(' ');
            continue;
        }
        match c {
            '{' => {
                headers.push(std::mem::take(&mut header));
                around.push(std::mem::take(&mut open));
            }
            '}' => {
                headers.pop();
                open = around.pop().unwrap_or(0);
                header.clear();
            }
            ';' if open == 0 => {
                // A `const` of that name in the function hides the generic.
                let own: Vec<&str> = words(&header).collect();
                if header.contains('=') && own.windows(2).any(|p| p[0] == "const" && p[1] == name) {
                    return None;
                }
                header.clear();
            }
            c => {
                match c {
                    '(' | '[' => open += 1,
                    ')' | ']' => open = open.saturating_sub(1),
                    _ => {}
                }
                header.push(c);
            }
        }
        rest = rest.get(c.len_utf8()..)?;
    }
    // A nested function does not see the generics of the one around it.
    let inner = headers.iter().rposition(|h| words(h).any(|w| w == "fn"));
    let own = inner.map_or(&headers[..], |i| {
        match i.checked_sub(1).map(|j| &headers[j]) {
            Some(around) if words(around).any(|w| matches!(w, "impl" | "trait")) => {
                &headers[i - 1..]
            }
            _ => &headers[i..],
        }
    });
    own.iter().find_map(|header| {
        let all: Vec<&str> = words(header).collect();
        all.windows(2)
            .find(|pair| pair[0] == "const" && pair[1] == name)?;
        header.contains('<').then_some(())?;
        let function = all
            .iter()
            .position(|w| *w == "fn")
            .and_then(|i| all.get(i + 1));
        Some(function.map_or("this impl".to_owned(), |f| format!("`{f}`")))
    })
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !word(c)).filter(|w| !w.is_empty())
}

/// The bytes of a comment or a literal that a text starts with; 0 if it starts with something else.
fn skipped(text: &str) -> usize {
    let until = |start: usize, end: &str| {
        let rest = text.get(start..).unwrap_or("");
        rest.find(end).map_or(text.len(), |i| start + i + end.len())
    };
    if text.starts_with("//") {
        return until(2, "\n");
    }
    if text.starts_with("/*") {
        return until(2, "*/");
    }
    if let Some(rest) = text.strip_prefix('r') {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            return until(hashes + 2, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    let quote = match text.chars().next() {
        Some('"') => '"',
        // A lifetime has no closing quote.
        Some('\'') if text.starts_with("'\\") || text.chars().nth(2) == Some('\'') => '\'',
        _ => return 0,
    };
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        let at = text.find("(UNITS").unwrap() + 1;
        let line = text[..at].matches('\n').count() + 1;
        let column = text[..at].chars().rev().take_while(|c| *c != '\n').count();
        generic_of(text, LineColumn { line, column }, "UNITS")
    }

    #[test]
    fn generics_of_the_function_around_are_found() {
        let sized = "use a::b;\nfn sized<const UNITS: usize>(x: [f32; 2]) -> f32 {\n    rnn_model!(LSTM(UNITS))\n}";
        assert_eq!(of(sized).as_deref(), Some("`sized`"));
        let text =
            "impl<const UNITS: usize> A<UNITS> { fn new<'a>(x: &'a str) { m!(LSTM(UNITS)) } }";
        assert_eq!(of(text).as_deref(), Some("this impl"));
        let block =
            "fn f<T, const UNITS: usize>() where T: Copy { loop { let _ = '{'; m!(LSTM(UNITS)) } }";
        assert_eq!(of(block).as_deref(), Some("`f`"));
    }

    #[test]
    fn consts_of_the_program_are_none() {
        for text in [
            "const UNITS: usize = 4;\nfn f() { m!(LSTM(UNITS)) }",
            "fn g<const UNITS: usize>() {}\nfn f() { const UNITS: usize = 4; m!(LSTM(UNITS)) }",
            "// fn f<const UNITS: usize>() {\nfn f<const N: usize>() { m!(LSTM(UNITS)) }",
            "fn f() { let s = \"fn g<const UNITS: usize>() {\"; m!(LSTM(UNITS)) }",
            "fn f() { const UNITS: usize = 4; { m!(LSTM(UNITS)) } }",
            "fn f<const UNITS: usize>() { fn g() { m!(LSTM(UNITS)) } }",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
