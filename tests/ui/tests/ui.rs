//! The words of every message, and what must compile.

use std::process::Command;

/// `TRYBUILD=overwrite cargo test -p recurrent-test-ui` writes the messages anew; read them before you commit.
#[test]
fn messages() {
    let t = trybuild::TestCases::new();
    t.pass("pass_*.rs");
    t.compile_fail("fail_*.rs");
}

/// Set in the process that compiles for [`messages_of_rustc`].
const CHILD: &str = "RECURRENT_TEST_OF_RUSTC";
/// What trybuild writes above the messages that it did not expect.
const ACTUAL: &str = "ACTUAL OUTPUT:";

/// What rustc finds in `file`, compiled in a process of its own by the test `test`.
///
/// Its words differ from version to version, and trybuild compares whole messages only. So it gets to
/// compare with a file that never fits, and what it shows as found is read.
fn words_of_rustc(test: &str, file: &str) -> Option<String> {
    if std::env::var_os(CHILD).is_some() {
        trybuild::TestCases::new().compile_fail(file);
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        // Else it marks differences inside of words.
        .env("TERM", "dumb")
        .env_remove("TRYBUILD")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let Some((_, found)) = text.split_once(ACTUAL) else {
        panic!(
            "nothing was compiled: {text}{}",
            String::from_utf8_lossy(&output.stdout)
        );
    };
    Some(found.to_owned())
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
    let Some(found) = words_of_rustc("messages_of_rustc", "rustc_words.rs") else {
        return;
    };
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
    assert_eq!(errors(&found), 4, "{found}");
    // What the macro is made of is nobody's business.
    assert!(!found.contains("__rnn_"), "{found}");
}

/// Arrays of another type than the model reads: what to write instead.
#[test]
fn arrays_of_other_types() {
    let Some(found) = words_of_rustc("arrays_of_other_types", "rustc_data.rs") else {
        return;
    };
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
    assert_eq!(errors(&found), 5, "{found}");
}

/// Numbers of the program that a parameter cannot start with: the shape is a sentence of ours, the type is explained, and
/// all of them are shown where they are named in the cell.
#[test]
fn numbers_of_other_shapes_and_types() {
    let test = "numbers_of_other_shapes_and_types";
    let Some(found) = words_of_rustc(test, "rustc_numbers.rs") else {
        return;
    };
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
    let Some(found) = words_of_rustc("steps_and_calls", "rustc_streams.rs") else {
        return;
    };
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
    assert_eq!(errors(&found), 11, "{found}");
    // What the macro is made of is nobody's business.
    assert!(
        !found.contains("__Streams") && !found.contains("__Whole"),
        "{found}"
    );
}
