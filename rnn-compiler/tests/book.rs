//! The messages in README and book, the list of codes and the examples, are those of the compiler.
//!
//! After a change of words, `INSTA_UPDATE=always cargo test -p rnn-compiler --test book` rewrites both:
//! read the difference before committing it.

mod support;

use std::{env, fs, path::Path};

use rnn_compiler::{diagnostics::CATALOGUE, layer::Kind, layers::LAYERS};
use support::model;

/// Compares `text` with the file `path` below the repository's root, or writes the file.
fn compare(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    let first = found.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(
        found == text,
        "{} is not what the compiler says; first difference: {first:#?}",
        path.display()
    );
}

#[test]
fn every_code_is_in_the_book() {
    let mut text = String::from(
        "# All codes\n\n\
         A code never changes its meaning. `RNN00xx` are about how something is written, `RNN01xx` \
         about layers, their\narguments and shapes, `RNN02xx` about what a cell computes, `RNN03xx` \
         about what a model cannot do.\n\n\
         This page is written by a test from the compiler's own list.\n\n\
         | code | mistake | why, and what to do |\n|---|---|---|\n",
    );
    for entry in CATALOGUE {
        let cell = |text: &str| text.replace('|', "\\|");
        let (title, explanation) = (cell(entry.title), cell(entry.explanation));
        text += &format!("| {} | {title} | {explanation} |\n", entry.code);
    }
    compare("docs/src/codes.md", &text);
}

/// `text` with the messages after each `rnn_model!(…);` in a block of text made anew.
fn with_messages(text: &str) -> (String, usize) {
    let (mut new, mut block, mut examples) = (String::new(), false, 0);
    let mut models = 0;
    for line in text.lines() {
        if line.starts_with("```") {
            (block, models) = (line == "```text", 0);
        }
        let written = line
            .strip_prefix("rnn_model!(")
            .and_then(|rest| rest.strip_suffix(");"))
            .filter(|_| block);
        if let Some(written) = written {
            new += if models > 0 { "\n" } else { "" };
            new += &format!("{line}\n");
            for message in model(written) {
                let message = message.replace("\n  ", "\n         ");
                new += &format!("error: {message}\n");
            }
            (models, examples) = (models + 1, examples + 1);
        } else if !(block && models > 0) {
            new += &format!("{line}\n");
        }
    }
    (new, examples)
}

#[test]
fn the_examples_of_messages_are_what_the_compiler_says() {
    for (path, text) in [
        ("README.md", include_str!("../../README.md")),
        (
            "docs/src/messages.md",
            include_str!("../../docs/src/messages.md"),
        ),
    ] {
        let (new, examples) = with_messages(text);
        assert!(examples > 0, "{path} has no example");
        compare(path, &new);
    }
}

#[test]
fn every_layer_and_argument_is_in_the_book() {
    let text = include_str!("../../docs/src/layers.md");
    let (_, all) = text.split_once("\n## All layers\n").unwrap();
    let (layers, rest) = all
        .split_once("\n## Arguments of the recurrent layers\n")
        .unwrap();
    let says = |text: &str, name: &str| {
        let code = text.split('`').skip(1).step_by(2);
        code.into_iter()
            .any(|code| code.split(" = ").next() == Some(name))
    };
    let rows = || layers.lines().filter(|line| line.starts_with("| `"));
    for layer in LAYERS {
        let first = |row: &&str| says(row.split(" | ").next().unwrap(), layer.class);
        let row = rows().find(first);
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", layer.class));
        let below = row.contains("| below |");
        for argument in layer.arguments {
            if !matches!(argument.kind, Kind::NotYet(_)) {
                let text = if below { rest } else { row };
                assert!(
                    says(text, argument.name),
                    "{} of {}",
                    argument.name,
                    layer.class
                );
            }
        }
    }
}
