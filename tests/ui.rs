//! The words of every message, and what must compile.

/// `TRYBUILD=overwrite cargo test --test ui` writes the messages anew; read them before you commit.
#[test]
fn messages() {
    let t = trybuild::TestCases::new();
    t.pass("tests/ui/pass_*.rs");
    t.compile_fail("tests/ui/fail_*.rs");
}
