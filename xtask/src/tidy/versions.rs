//! The oldest supported Rust is written down in one place; whoever repeats it says the same.

use super::{Finding, Source};

/// Where the number stands.
const MANIFEST: &str = "Cargo.toml";
/// A file that repeats it, and the words of the lines that do.
const REPEATED: &[(&str, &str)] = &[
    (FILES[0], "rustup toolchain install"),
    (FILES[1], "Rust toolchain"),
];
/// The files that repeat it.
pub const FILES: [&str; 2] = [".github/workflows/ci.yml", "README.md"];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let Some(oldest) = files
        .iter()
        .find(|file| file.path() == MANIFEST)
        .and_then(oldest)
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (path, words) in REPEATED {
        for file in files.iter().filter(|file| file.path() == *path) {
            let mut named = 0;
            for (line, text) in file.numbered() {
                if !text.code.contains(words) {
                    continue;
                }
                for version in versions(&text.code) {
                    named += 1;
                    if version != oldest {
                        findings.push(Finding {
                            path: (*path).into(),
                            line,
                            message: format!(
                                "names Rust {version}, but `rust-version` in {MANIFEST} is \
                                 {oldest}; make them the same"
                            ),
                        });
                    }
                }
            }
            // Else a new wording would take the file out of the comparison unnoticed.
            if named == 0 {
                findings.push(Finding {
                    path: (*path).into(),
                    line: 1,
                    message: format!(
                        "no line has `{words}` and a version; name {oldest}, the `rust-version` in \
                         {MANIFEST}, or tell xtask/src/tidy/versions.rs where the file does"
                    ),
                });
            }
        }
    }
    findings
}

/// The value of `rust-version`.
fn oldest(manifest: &Source) -> Option<String> {
    manifest.numbered().find_map(|(_, line)| {
        let (key, value) = line.code.split_once('=')?;
        (key.trim() == "rust-version").then(|| value.trim().trim_matches('"').into())
    })
}

/// What looks like `1.89` or `1.89.0` in `text`.
fn versions(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    const CARGO: (&str, &str) = (MANIFEST, "[workspace.package]\nrust-version = \"1.89\"\n");

    #[test]
    fn the_same_number_everywhere_is_right() {
        let workflow = "- run: rustup toolchain install 1.89 && rustup default 1.89\n";
        let readme = "x 0.9\nbut a Rust toolchain (1.89 or later).\n";
        let files = [CARGO, (FILES[0], workflow), (FILES[1], readme)];
        assert_eq!(messages(check, &files), [""; 0]);
    }

    #[test]
    fn every_other_number_is_found() {
        let workflow = "\n- run: rustup toolchain install 1.88 && rustup default 1.8\n";
        let readme = "a Rust toolchain, 1.90.0.";
        let found = messages(check, &[CARGO, (FILES[0], workflow), (FILES[1], readme)]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with(".github/workflows/ci.yml:2: names Rust 1.88, but"),
            "{found:?}"
        );
        assert!(
            found[2].starts_with("README.md:1: names Rust 1.90.0, but"),
            "{found:?}"
        );
    }

    #[test]
    fn a_file_that_stopped_naming_it_is_found() {
        let found = messages(check, &[CARGO, (FILES[1], "Any Rust toolchain will do.")]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("no line has `Rust toolchain`"),
            "{found:?}"
        );
    }
}
