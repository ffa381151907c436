//! Messages of the macros, and the code that they propose.

// No test uses all functions.
#![allow(dead_code)]

use proc_macro2::{Span, TokenStream, TokenTree};

/// The texts of all `compile_error!`s.
pub fn messages(tokens: TokenStream, all: &mut Vec<String>) {
    let mut found = Vec::new();
    messages_at(tokens, &mut found);
    all.extend(found.into_iter().map(|(_, text)| text));
}

/// The texts of all `compile_error!`s, and where they point.
pub fn messages_at(tokens: TokenStream, all: &mut Vec<(Span, String)>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, t) in trees.iter().enumerate() {
        let TokenTree::Group(g) = t else { continue };
        let bang = i >= 2 && trees[i - 1].to_string() == "!";
        if bang && trees[i - 2].to_string() == "compile_error" {
            for t in g.stream() {
                if let Ok(text) = syn::parse2::<syn::LitStr>(t.into()) {
                    all.push((trees[i - 2].span(), text.value()));
                }
            }
        } else {
            messages_at(g.stream(), all);
        }
    }
}

/// The texts of all warnings, and where they point.
pub fn warnings_at(tokens: &TokenStream, all: &mut Vec<(Span, String)>) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (i, t) in trees.iter().enumerate() {
        let TokenTree::Group(g) = t else { continue };
        if i >= 1 && trees[i - 1].to_string() == "deprecated" {
            let note = g.stream().into_iter().nth(2).unwrap();
            let text = syn::parse2::<syn::LitStr>(note.into()).unwrap();
            all.push((trees[i - 1].span(), text.value()));
        } else {
            warnings_at(&g.stream(), all);
        }
    }
}

pub fn model(text: &str) -> Vec<String> {
    let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
    let mut all = Vec::new();
    messages(rnn_compiler::expand_model(tokens), &mut all);
    all
}

/// The one message for a model says all of `words`.
pub fn says(text: &str, words: &[&str]) {
    said(text, &model(text), words);
}

pub fn said(text: &str, found: &[String], words: &[&str]) {
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    for w in words {
        assert!(found[0].contains(w), "{text}: no {w:?} in\n{}", found[0]);
    }
    for whole in proposed(&found[0]) {
        assert_eq!(model(&whole), [""; 0], "{text} proposes {whole}");
    }
}

/// A model with one cell that reads 3 features.
pub fn cell(body: &str) -> (String, Vec<String>) {
    let cell = format!("cell Own(units) {{ {body} }}");
    let text = format!("@cell(Own) {{ {cell} }} Input(_, 3) -> RNN(Own(8))");
    let found = model(&text);
    (text, found)
}

/// The whole models in the help of a message: what a user would paste. Parts of models, and those
/// with an `…`, are left to the reader.
pub fn proposed(message: &str) -> Vec<String> {
    let Some((_, help)) = message.split_once("help: ") else {
        return Vec::new();
    };
    let quoted = help.split('`').skip(1).step_by(2);
    // `Input` as a layer is written without quotes.
    let plain = help.strip_prefix("write Input(").map(|rest| {
        let end = rest.find(" for ").unwrap_or(rest.len());
        &help["write ".len().."write Input(".len() + end]
    });
    quoted
        .chain(plain)
        .filter(|t| whole(t))
        .map(str::to_owned)
        .collect()
}

fn whole(text: &str) -> bool {
    let chain = text.starts_with("Input(") || text.starts_with("Embedding(");
    let graph = text.starts_with("input ") && text.contains("output ");
    (chain || graph) && text.contains("->") && !text.contains('…')
}

/// Whether `text` has `part` in it; an `…` stands for anything.
pub fn part(text: &str, part: &str) -> bool {
    let mut rest = text;
    part.split('…').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}
