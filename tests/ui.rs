//! The words of every message, and what must compile.

use std::process::Command;

/// `TRYBUILD=overwrite cargo test --test ui` writes the messages anew; read them before you commit.
#[test]
fn messages() {
    let t = trybuild::TestCases::new();
    t.pass("tests/ui/pass_*.rs");
    t.compile_fail("tests/ui/fail_*.rs");
}

/// Set in the process that compiles for [`messages_of_rustc`].
const CHILD: &str = "RECURRENT_TEST_OF_RUSTC";
/// What trybuild writes above the messages that it did not expect.
const ACTUAL: &str = "ACTUAL OUTPUT:";

/// Sizes that are `const`s and cells that do not exist are found by rustc, in words that differ from
/// version to version: what is ours in them are the sentence, the help and the place.
///
/// trybuild compares whole messages only. So it gets to compare with a file that never fits, in a
/// process of its own, and what it shows as found is read here.
#[test]
fn messages_of_rustc() {
    const FILE: &str = "tests/ui/rustc_words.rs";
    if std::env::var_os(CHILD).is_some() {
        trybuild::TestCases::new().compile_fail(FILE);
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "messages_of_rustc", "--nocapture"])
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
    for ours in [
        "[RNN0127]: `units` of LSTM is 0",
        "[RNN0127]: `time` of Input is 0",
        "help: every size is at least 1",
        // The sizes, and the names of the cells.
        "tests/ui/rustc_words.rs:9:44",
        "tests/ui/rustc_words.rs:10:30",
        "tests/ui/rustc_words.rs:11:43",
        "tests/ui/rustc_words.rs:12:50",
    ] {
        assert!(found.contains(ours), "`{ours}` is not in {found}");
    }
    // One a mistake; and what the macro is made of is nobody's business.
    let errors = found
        .lines()
        .filter(|l| l.trim_start().starts_with("error"));
    let errors = errors.filter(|l| !l.contains("aborting") && !l.contains("could not compile"));
    assert_eq!(errors.count(), 4, "{found}");
    assert!(!found.contains("__rnn_"), "{found}");
}
