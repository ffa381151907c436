//! The words of every message. What must compile is in `tests/models/tests/forms.rs` and `names.rs`: beside it, trybuild
//! would generate code for all that these programs only have to check.

use std::{fs, path::Path, process::Command, sync::OnceLock};

/// Set in the process that compiles for [`words_of_rustc`].
const CHILD: &str = "RECURRENT_TEST_OF_RUSTC";
/// What trybuild writes above the messages that it did not expect.
const ACTUAL: &str = "ACTUAL OUTPUT:";

/// `TRYBUILD=overwrite cargo test -p recurrent-test-ui --features all` writes the messages anew; read them before you
/// commit.
#[test]
fn messages() {
    let of_rustc = std::env::var_os(CHILD).is_some();
    let files = if of_rustc { "rustc_*.rs" } else { "fail_*.rs" };
    trybuild::TestCases::new().compile_fail(files);
}

/// What rustc finds in `file`.
///
/// Its words differ from version to version, and trybuild compares whole messages only. So it gets to
/// compare with files that never fit, once in a process of its own, and what it shows as found is read.
fn words_of_rustc(file: &str) -> &'static str {
    static SHOWN: OnceLock<String> = OnceLock::new();
    let shown = SHOWN.get_or_init(|| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "messages", "--nocapture"])
            .env(CHILD, "1")
            // Else it marks differences inside of words.
            .env("TERM", "dumb")
            .env_remove("TRYBUILD")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        format!("{text}{}", String::from_utf8_lossy(&output.stdout))
    });
    // A paragraph a file, which starts with its name.
    let mut paragraphs = shown.split("\ntest ");
    let own = paragraphs.find(|paragraph| paragraph.starts_with(file));
    match own.and_then(|own| own.split_once(ACTUAL)) {
        Some((_, found)) => found,
        None => panic!("{file} was not compiled: {shown}"),
    }
}

/// Number of errors: one a mistake.
fn errors(found: &str) -> usize {
    let errors = found
        .lines()
        .filter(|l| l.trim_start().starts_with("error"));
    let own = errors.filter(|l| !l.contains("aborting") && !l.contains("could not compile"));
    own.count()
}

/// Sizes that are `const`s and cells that do not exist are found by rustc: what is ours in its words
/// are the sentence, the help and the place.
#[test]
fn messages_of_rustc() {
    let found = words_of_rustc("rustc_words.rs");
    for ours in [
        "[RNN0127]: `units` of LSTM is 0",
        "[RNN0127]: `time` of Input is 0",
        "help: every size is at least 1",
        // The sizes, and the names of the cells.
        "rustc_words.rs:9:44",
        "rustc_words.rs:10:30",
        "rustc_words.rs:11:43",
        "rustc_words.rs:12:50",
    ] {
        assert!(found.contains(ours), "`{ours}` is not in {found}");
    }
    assert_eq!(errors(found), 4, "{found}");
    // What the macro is made of is nobody's business.
    assert!(!found.contains("__rnn_"), "{found}");
}

/// Arrays of another type than the model reads: what to write instead.
#[test]
fn arrays_of_other_types() {
    let found = words_of_rustc("rustc_data.rs");
    for ours in [
        "a model reads numbers of type `f32`, not `f64`",
        "write `&x.mapv(|v| v as f32)`",
        "class ids are whole numbers such as `u32`, not `f32`",
        "write `&ids.mapv(|v| v as u32)`",
        "a mask is of booleans, not `f32`",
        "write `&mask.mapv(|v| v != 0.0)`",
        "this model takes Sequence, not `&ArrayBase",
        "[RNN0300]: this model cannot stream: Bidirectional(GRU(2)) needs the whole sequence",
    ] {
        assert!(found.contains(ours), "`{ours}` is not in {found}");
    }
    assert_eq!(errors(found), 5, "{found}");
}

/// Numbers of the program that a parameter cannot start with: the shape is a sentence of ours, the type is explained, and
/// all of them are shown where they are named in the cell.
#[test]
fn numbers_of_other_shapes_and_types() {
    let found = words_of_rustc("rustc_numbers.rs");
    for ours in [
        "[RNN0251]: `rnn/a` has the shape [4, 4], and the array `SQUARE` has another",
        "a parameter cannot start with `[i32; 4]`",
        "an array is `const A: [[f32; 4]; 4] = …;`",
        "a function is `fn a(shape: &[usize], values: &mut [f32])`",
        "no_shape",
        "rustc_numbers.rs:14:42",
        "rustc_numbers.rs:24:35",
        "rustc_numbers.rs:25:35",
        "rustc_numbers.rs:26:35",
    ] {
        assert!(found.contains(ours), "`{ours}` is not in {found}");
    }
    assert!(!found.contains("`rnn/b`"), "{found}");
}

/// Steps of other types, models whose type says nothing, calls of other sizes: what to write instead.
#[test]
fn steps_and_calls() {
    let found = words_of_rustc("rustc_streams.rs");
    for ours in [
        // The line of `step`, which names what to write.
        "expected `&[f32; 3]`, found `&Vec<f32>`",
        "Vec: v[..].try_into()?, Array1: &array::from_fn(|i| r[i]), id: &Id::new(3)?",
        "[RNN0300]: the type `impl recurrent::model::Model` does not say that it can stream",
        "help: write `impl Model<…> + Streamable<StepInput = [f32; 8]>`",
        "the type `impl recurrent::model::Model` does not say that it is called with an array",
        "expected an array with a size of 3, found one with a size of 2",
        "expected an array with a size of 10, found one with a size of 9",
        "expected `&[[f32; 3]; 10]`, found `&Vec<[{float}; 3]>`",
        "[RNN0300]: `Both` cannot stream: Bidirectional(LSTM(4)) needs the whole sequence",
        // A model by the name of a layer.
        "[RNN0300]: `Flatten` cannot stream: Flatten needs the whole sequence",
        // Where the layers stand.
        "rustc_streams.rs:7:43",
        "rustc_streams.rs:8:46",
    ] {
        assert!(found.contains(ours), "`{ours}` is not in {found}");
    }
    assert_eq!(errors(found), 11, "{found}");
    // What the macro is made of is nobody's business.
    assert!(
        !found.contains("__Streams") && !found.contains("__Whole"),
        "{found}"
    );
}

/// A mistake of a file with graded cases: its lines, and words that its error has.
struct Case {
    title: String,
    lines: std::ops::Range<usize>,
    words: Vec<String>,
}

/// The cases of a file: `//~ 3: what is wrong`, `//~ words`, and the mistake until the next case.
fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut all: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(note) = line.trim_start().strip_prefix("//~ ") else {
            if let Some(case) = all.last_mut() {
                case.lines.end = number + 1;
            }
            continue;
        };
        match note.split_once(": ") {
            Some((grade, title)) if grade.parse::<u32>().is_ok() => all.push(Case {
                title: title.to_owned(),
                lines: number..number + 1,
                words: Vec::new(),
            }),
            _ => all.last_mut().unwrap().words.push(note.to_owned()),
        }
    }
    all
}

/// Each mistake of a file is one error at its place, with the words of the case.
fn each_mistake_is_one_error(file: &str) {
    let found = words_of_rustc(file);
    let place = format!("--> {file}:");
    let line = |error: &str| -> Option<usize> {
        let (_, rest) = error.split_once(&place)?;
        rest.split(':').next()?.parse().ok()
    };
    // `error` at the start of a line starts the next one.
    let mut errors: Vec<String> = Vec::new();
    for text in found.lines() {
        let starts = text.starts_with("error") || text.starts_with("warning");
        if starts || errors.is_empty() {
            errors.push(String::new());
        }
        if let Some(last) = errors.last_mut() {
            *last += text;
            *last += "\n";
        }
    }
    let errors: Vec<(usize, &String)> = errors
        .iter()
        .filter(|e| e.starts_with("error"))
        .filter_map(|e| Some((line(e)?, e)))
        .collect();
    let mut wrong = Vec::new();
    let cases = cases(file);
    for case in &cases {
        let own: Vec<_> = errors
            .iter()
            .filter(|(l, _)| case.lines.contains(l))
            .collect();
        match own.as_slice() {
            [(_, error)] => {
                for words in case.words.iter().filter(|w| !error.contains(*w)) {
                    wrong.push(format!("{}: `{words}` is not in\n{error}", case.title));
                }
            }
            _ => wrong.push(format!("{}: {} errors\n{own:#?}", case.title, own.len())),
        }
        if case.words.is_empty() {
            wrong.push(format!("{}: no words to find", case.title));
        }
    }
    for (line, error) in &errors {
        if !cases.iter().any(|c| c.lines.contains(line)) {
            wrong.push(format!("of no case: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn habits() {
    each_mistake_is_one_error("rustc_habits.rs");
}

#[test]
fn borrows() {
    each_mistake_is_one_error("rustc_borrows.rs");
}

#[test]
fn scope() {
    each_mistake_is_one_error("rustc_scope.rs");
}

#[test]
fn quotes() {
    each_mistake_is_one_error("rustc_quotes.rs");
}
