//! The words of every message, and what must compile.

/// `TRYBUILD=overwrite cargo test --test ui` writes the messages anew; read them before you commit.
#[test]
fn messages() {
    let t = trybuild::TestCases::new();
    t.pass("tests/ui/pass_*.rs");
    t.compile_fail("tests/ui/fail_*.rs");
}

/// Sizes that are `const`s and cells that do not exist are found by rustc, in words that differ from
/// version to version: pinned for the stable version that the messages were written with.
#[test]
#[ignore = "the words are those of one version of rustc"]
fn messages_of_rustc() {
    trybuild::TestCases::new().compile_fail("tests/ui/rustc_*.rs");
}
