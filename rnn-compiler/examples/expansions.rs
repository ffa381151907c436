//! Writes what every model of the repository becomes, a file each: a change of the compiler that
//! must not change its output leaves them all the same.
//!
//! ```text
//! cargo run -p rnn-compiler --example expansions -- target/before
//! cargo run -p rnn-compiler --example expansions -- target/after
//! diff -r target/before target/after
//! ```

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

fn main() {
    let folder = std::env::args().nth(1).expect("the folder to write to");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for part in ["tests", "examples", "benches", "src"] {
        walk(&root.join(part), &mut files);
    }
    files.sort();
    let mut calls = Vec::new();
    let mut cells = BTreeMap::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("a source file");
        let Ok(tokens) = text.parse::<TokenStream>() else {
            continue;
        };
        let name = path.strip_prefix(&root).unwrap_or(path);
        let name = name.display().to_string().replace('/', "-");
        find(tokens, &mut |called, tokens| match called {
            "rnn_cell" => {
                if let Some(cell) = name_after(&tokens, "cell") {
                    cells.insert(cell, tokens);
                }
            }
            _ => calls.push((name.clone(), called.to_owned(), tokens)),
        });
    }
    let mut count = 0;
    for (number, (name, called, tokens)) in calls.into_iter().enumerate() {
        for (part, model) in models(&called, tokens).into_iter().enumerate() {
            let out = format!("{name}-{number}-{part}");
            fs::write(Path::new(&folder).join(out), expand(model, &cells)).expect("it is written");
            count += 1;
        }
    }
    println!("{count} models");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Calls `with` for every macro call, those within other calls included.
fn find(tokens: TokenStream, with: &mut impl FnMut(&str, TokenStream)) {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, tree) in all.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        if let [.., TokenTree::Ident(called), TokenTree::Punct(mark)] = &all[..i]
            && mark.as_char() == '!'
        {
            with(&called.to_string(), group.stream());
        }
        find(group.stream(), with);
    }
}

fn name_after(tokens: &TokenStream, word: &str) -> Option<String> {
    let mut names = tokens.clone().into_iter();
    names.find(|t| t.to_string() == word)?;
    names.next().map(|t| t.to_string())
}

/// The models in a call: of `rnn_model!` itself, and of the macros of the tests.
fn models(called: &str, tokens: TokenStream) -> Vec<TokenStream> {
    let all: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match called {
        "rnn_model" => vec![tokens],
        "golden" if all.len() > 4 => vec![all[4..].iter().cloned().collect()],
        "grid" | "shipped" | "check" | "same" => all
            .iter()
            .filter_map(|tree| match tree {
                TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => Some(g.stream()),
                _ => None,
            })
            .collect(),
        _ => vec![],
    }
}

/// What the model becomes, after its cells have been fetched as rustc would.
fn expand(model: TokenStream, cells: &BTreeMap<String, TokenStream>) -> String {
    // Any path will do here: the files are compared, not compiled.
    let mut tokens = rnn_compiler::expand_model(quote!(@krate(recurrent::rt::code) #model));
    // `path::Cell! { @krate(…) @path(…) rest }` comes back with the cell's tokens in front.
    while let Some((path, rest)) = fetched(&tokens) {
        let Some(cell) = path
            .split("::")
            .last()
            .and_then(|name| cells.get(name.trim()))
        else {
            return format!("fetches {path}\n");
        };
        let path: TokenStream = path.parse().expect("a path");
        tokens = rnn_compiler::expand_model(
            quote!(@krate(recurrent::rt::code) @cell(#path) { #cell } #rest),
        );
    }
    match syn::parse2(tokens.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => match syn::parse2(quote!(fn model() #tokens)) {
            Ok(file) => prettyplease::unparse(&file),
            Err(_) => tokens.to_string(),
        },
    }
}

/// The path of the cell that is fetched, and what stands after `@path(…)`.
fn fetched(tokens: &TokenStream) -> Option<(String, TokenStream)> {
    let all: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let [.., TokenTree::Punct(mark), TokenTree::Group(group)] = all.as_slice() else {
        return None;
    };
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    let [_, krate, _, _, _, path, rest @ ..] = inner.as_slice() else {
        return None;
    };
    if mark.as_char() != '!' || krate.to_string() != "krate" {
        return None;
    }
    let TokenTree::Group(path) = path else {
        return None;
    };
    Some((path.stream().to_string(), rest.iter().cloned().collect()))
}
