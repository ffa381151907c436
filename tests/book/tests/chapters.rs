//! No chapter of the book is left out of its contents, and no example of one out of the tests.

use std::{fs, path::Path};

const SUMMARY: &str = include_str!("../../../docs/src/SUMMARY.md");
const EXAMPLES: &str = include_str!("../lib.rs");

#[test]
fn every_chapter_is_in_the_contents_and_its_examples_are_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    let mut chapters = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "SUMMARY.md" {
            continue;
        }
        chapters += 1;
        assert!(
            SUMMARY.contains(&format!("({name})")),
            "{name} is not in SUMMARY.md"
        );
        let text = fs::read_to_string(&path).unwrap();
        let tested = EXAMPLES.contains(&format!("docs/src/{name}\""));
        assert_eq!(
            text.contains("```rust"),
            tested,
            "examples of {name} in lib.rs"
        );
    }
    assert_eq!(
        SUMMARY.matches(".md)").count(),
        chapters,
        "chapters that are not there"
    );
}
