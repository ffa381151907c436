//! Mistakes of people who come from Keras, PyTorch and Rust: the words of each message, the place where it
//! points, and what the user has afterwards.
//!
//! Each file of `mistakes/` is a list of cases. A case is a line `=== grade: what is wrong`, the mistake,
//! `--- fixed` with the same after the message has been followed, and `--- message`. The grades are ours: a reader
//! who sees nothing but the message gets 3 if it points at the place, says what is wrong in words that the
//! reader used, and says what to write; 2 if one of these is weak; 1 if two are; 0 if it misleads.
//!
//! `INSTA_UPDATE=always cargo test -p rnn-compiler --test mistakes` writes the messages anew: read them, and grade them
//! again, before you commit.

mod support;

use std::{env, fs, path::Path};

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use support::{messages_at, model, part, warnings_at};

/// One mistake.
struct Case {
    grade: u32,
    title: String,
    mistake: String,
    fixed: String,
    message: String,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("=== ").skip(1);
    blocks
        .map(|block| {
            let (head, rest) = block.split_once('\n').unwrap();
            let (grade, title) = head.split_once(": ").unwrap_or_else(|| panic!("{head}"));
            let (mistake, rest) = rest
                .split_once("--- fixed\n")
                .unwrap_or_else(|| panic!("{head}"));
            let (fixed, message) = rest.split_once("--- message\n").unwrap_or((rest, ""));
            Case {
                grade: grade.parse().unwrap(),
                title: title.to_owned(),
                mistake: mistake.trim_end().to_owned(),
                fixed: fixed.trim_end().to_owned(),
                message: message.trim_end().to_owned(),
            }
        })
        .collect()
}

/// A code that may start with a cell, the tokens of the cell apart.
fn cell_and_model(text: &str) -> (Option<(String, TokenStream)>, TokenStream) {
    let mut trees = text.parse::<TokenStream>().unwrap().into_iter().peekable();
    // `fn` stands for a cell by mistake.
    if !matches!(trees.peek(), Some(TokenTree::Ident(i)) if i == "cell" || i == "fn") {
        return (None, trees.collect());
    }
    let mut cell = Vec::new();
    for tree in trees.by_ref() {
        let body = matches!(&tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
        cell.push(tree);
        if body {
            break;
        }
    }
    let name = cell.get(1).map_or(String::new(), ToString::to_string);
    (Some((name, cell.into_iter().collect())), trees.collect())
}

/// All messages for a code, each with the place where rustc would show it.
fn all(text: &str) -> Vec<(Span, String)> {
    let krate = "@krate(recurrent)".parse::<TokenStream>().unwrap();
    let (cell, body) = cell_and_model(text);
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    let mut tokens = krate.clone();
    if let Some((name, cell)) = cell {
        let own = krate.into_iter().chain(cell.clone()).collect();
        let code = rnn_compiler::expand_cell(own);
        warnings_at(&code, &mut warnings);
        messages_at(code, &mut found);
        let group = TokenTree::from(proc_macro2::Group::new(Delimiter::Brace, cell));
        tokens.extend(format!("@cell({name})").parse::<TokenStream>().unwrap());
        tokens.extend([group]);
    }
    if found.is_empty() && !body.is_empty() {
        tokens.extend(body);
        messages_at(rnn_compiler::expand_model(tokens), &mut found);
    }
    let found = found.into_iter().map(|(at, d)| (at, format!("error: {d}")));
    let warnings = warnings
        .into_iter()
        .map(|(at, d)| (at, format!("warning: {d}")));
    found.chain(warnings).collect()
}

/// The messages as rustc lays them out: the line, the place under it, the words.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for (span, message) in all(text) {
        let (start, end) = (span.start(), span.end());
        if let (Some(line), true) = (text.lines().nth(start.line.wrapping_sub(1)), end.column > 0) {
            let width = match end.line == start.line {
                true => end.column.saturating_sub(start.column).max(1),
                false => 1,
            };
            let before = " ".repeat(start.column);
            out += &format!("  | {line}\n  | {before}{}\n", "^".repeat(width));
        }
        out += &format!("{message}\n");
    }
    out.trim_end().to_owned()
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What a message tells to write: the code in its help.
fn proposals(message: &str) -> Vec<String> {
    let Some((_, help)) = message.rsplit_once("help: ") else {
        return Vec::new();
    };
    let code: Vec<String> = help.split('`').skip(1).step_by(2).map(bare).collect();
    // What is said of the program around the model is no part of it.
    let around = |c: &String| c.starts_with("model.") || c == "predict" || c.contains("::");
    let code: Vec<String> = code.into_iter().filter(|c| !around(c)).collect();
    if !code.is_empty() || help.contains('`') {
        return code;
    }
    // Without backticks: the words around the code end it.
    const AROUND: &[&str] = &[";", ": ", ", or ", " for ", " without ", " before "];
    let Some(rest) = help.strip_prefix("write ") else {
        return code;
    };
    let mut pieces = vec![rest];
    for words in AROUND {
        pieces = pieces.into_iter().flat_map(|p| p.split(words)).collect();
    }
    pieces.into_iter().map(bare).collect()
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn messages_are_those_written_down() {
    let update = env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always");
    let mut wrong = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let mut new = text.split("=== ").next().unwrap().to_owned();
        for case in cases(&path) {
            let message = shown(&case.mistake);
            if message != case.message {
                wrong.push(format!("{}: {}\n{message}", path.display(), case.title));
            }
            new += &format!(
                "=== {}: {}\n{}\n--- fixed\n{}\n--- message\n{message}\n\n",
                case.grade, case.title, case.mistake, case.fixed
            );
        }
        if update {
            fs::write(&path, new.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Who follows a message has a program, and has written what the message says.
#[test]
fn what_messages_say_compiles() {
    let mut wrong = Vec::new();
    for path in files() {
        for case in cases(&path) {
            let found = all(&case.mistake);
            if found.is_empty() {
                wrong.push(format!("{} is no mistake: {}", case.title, case.mistake));
            }
            let fixed = bare(&case.fixed);
            for (_, message) in &found {
                let mut proposals = proposals(message);
                // What stands instead of a word goes with an argument that another message takes out.
                proposals.retain(|p| found.len() == 1 || !["true", "false"].contains(&p.as_str()));
                if !proposals.is_empty() && !proposals.iter().any(|p| part(&fixed, p)) {
                    wrong.push(format!(
                        "{}: {} has none of {proposals:?}",
                        case.title, case.fixed
                    ));
                }
                for whole in support::proposed(message) {
                    let again = model(&whole);
                    if !again.is_empty() {
                        wrong.push(format!("{}: {whole} gives {again:?}", case.title));
                    }
                }
            }
            let after = shown(&case.fixed);
            if !after.is_empty() {
                wrong.push(format!("{}: {}\n{after}", case.title, case.fixed));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The grades in a file of `tests/ui`: lines `//~ 3: what is wrong`.
fn grades_of_rustc(text: &str) -> Vec<u32> {
    let notes = text
        .lines()
        .filter_map(|l| l.trim_start().strip_prefix("//~ "));
    notes
        .filter_map(|note| note.split_once(": ")?.0.parse().ok())
        .collect()
}

/// The table of grades in `tests/README.md`.
#[test]
fn grades_add_up() {
    const HEAD: &str =
        "| mistakes | number | mean grade | of 3 | of 2 | of 1 |\n|---|---|---|---|---|---|\n";
    const RUSTC: &[&str] = &["borrows", "habits", "quotes", "scope"];
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let mut rows = String::new();
    let mut row = |name: &str, grades: &[u32], least: f64| {
        assert!(grades.iter().all(|g| (1..=3).contains(g)), "{name}");
        let mean = f64::from(grades.iter().sum::<u32>()) / grades.len() as f64;
        assert!(mean >= least, "{name}: {mean}");
        let of = |grade| grades.iter().filter(|g| **g == grade).count();
        let (good, fair, poor) = (of(3), of(2), of(1));
        rows += &format!(
            "| {name} | {} | {mean:.2} | {good} | {fair} | {poor} |\n",
            grades.len()
        );
    };
    let (mut new, mut rustc) = (Vec::new(), Vec::new());
    for path in files() {
        let grades: Vec<u32> = cases(&path).iter().map(|c| c.grade).collect();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Those that were found first have to be right, and of habits nearly all.
        let first = name == "issue.txt";
        row(&format!("`{name}`"), &grades, if first { 3.0 } else { 2.7 });
        if !first {
            new.extend(grades);
        }
    }
    row("**the language of models, without `issue.txt`**", &new, 2.7);
    for name in RUSTC {
        let file = format!("rustc_{name}.rs");
        let grades = grades_of_rustc(&fs::read_to_string(tests.join("ui").join(&file)).unwrap());
        row(&format!("[ui/{file}](ui/{file})"), &grades, 2.3);
        rustc.extend(grades);
    }
    row("**types and borrows of Rust**", &rustc, 2.3);
    let readme = tests.join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (before, after) = text.split_once(HEAD).unwrap();
    let rest: String = after
        .split_inclusive('\n')
        .skip_while(|line| line.starts_with('|'))
        .collect();
    let new = format!("{before}{HEAD}{rows}{rest}");
    if env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(&readme, &new).unwrap();
        return;
    }
    assert_eq!(
        text, new,
        "the table in tests/README.md is not that of the files"
    );
}
