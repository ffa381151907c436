//! `cargo test --workspace --tests` runs a default set of the programs with many models, and CI runs all of
//! them: `tests/README.md` lists the default set, and no program is left out of both.

use super::{Finding, Source};
use std::collections::BTreeSet;

const README: &str = "tests/README.md";
/// Stands in front of the programs of a package in the README: `- goldens: lstm, models`.
const ITEM: &str = "- ";
/// What leaves a program to `cargo xtask check` and CI, in the manifest.
const LEFT_OUT: &str = "required-features = [\"all\"]";
/// The same for a program that is about a device, which CI turns on, too.
const LEFT_OUT_DEVICE: &str = "required-features = [\"all\", \"cuda\"]";
/// What leaves a program to the job `exhaustive`, in its code, of which strings are no part.
const EXHAUSTIVE: &str = "#![cfg(feature = \"\")]";

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in files {
        let folder = manifest
            .path()
            .strip_prefix("tests/")
            .and_then(|path| path.strip_suffix("/Cargo.toml"));
        let Some(folder) = folder.filter(|_| has(manifest, "all = [")) else {
            continue;
        };
        let left_out = left_out(manifest, &mut findings);
        let programs = programs(files, folder);
        let expected: BTreeSet<_> = programs.difference(&left_out).cloned().collect();
        compare(files, folder, &expected, &mut findings);
    }
    findings
}

fn has(file: &Source, text: &str) -> bool {
    file.numbered()
        .any(|(_, line)| line.code.trim().starts_with(text))
}

/// The programs that a manifest leaves to the features `all` and `cuda`, which CI turns on. No other feature is.
fn left_out(manifest: &Source, findings: &mut Vec<Finding>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut test, mut name) = (false, String::new());
    for (number, line) in manifest.numbered() {
        let code = line.code.trim();
        if code.starts_with('[') {
            test = code == "[[test]]";
        } else if let Some(text) = code.strip_prefix("name = ").filter(|_| test) {
            name = text.trim_matches('"').into();
        } else if code.starts_with("required-features") && test {
            if ![LEFT_OUT, LEFT_OUT_DEVICE].contains(&code) {
                findings.push(Finding {
                    path: manifest.path().into(),
                    line: number,
                    message: format!("`{name}` would run nowhere: write `{LEFT_OUT}`"),
                });
            }
            found.insert(name.clone());
        }
    }
    found
}

/// The programs of a package that are not left to the job `exhaustive`.
fn programs(files: &[Source], folder: &str) -> BTreeSet<String> {
    let start = format!("tests/{folder}/tests/");
    let name = |file: &Source| {
        let name = file.path().strip_prefix(&start)?.strip_suffix(".rs")?;
        (!name.contains('/') && !has(file, EXHAUSTIVE)).then(|| name.to_owned())
    };
    files.iter().filter_map(name).collect()
}

/// Compares the README's list of a package with what is not left out.
fn compare(
    files: &[Source],
    folder: &str,
    expected: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    let start = format!("{ITEM}{folder}: ");
    let readme = files.iter().find(|file| file.path() == README);
    let listed = readme.and_then(|readme| {
        readme.numbered().find_map(|(number, line)| {
            let names = line.code.strip_prefix(&start)?;
            Some((number, names.split(", ").map(str::to_owned).collect()))
        })
    });
    let (line, found): (usize, BTreeSet<String>) = listed.unwrap_or((1, BTreeSet::new()));
    if found != *expected {
        let names: Vec<&str> = expected.iter().map(String::as_str).collect();
        findings.push(Finding {
            path: README.into(),
            line,
            message: format!(
                "the default set is another: write `{start}{}`, or leave programs out with \
                 `{LEFT_OUT}` in tests/{folder}/Cargo.toml",
                names.join(", ")
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    const MANIFEST: &str =
        "[features]\nall = []\n[[test]]\nname = \"many\"\nrequired-features = [\"all\"]\n";

    fn found(manifest: &str, readme: &str) -> Vec<String> {
        let files = [
            ("tests/modes/Cargo.toml", manifest),
            ("tests/modes/tests/few.rs", "check! {}\n"),
            ("tests/modes/tests/many.rs", "check! {}\n"),
            (
                "tests/modes/tests/rest.rs",
                "#![cfg(feature = \"exhaustive\")]\n",
            ),
            (README, readme),
        ];
        messages(check, &files)
    }

    #[test]
    fn the_list_is_what_the_manifest_does_not_leave_out() {
        assert_eq!(found(MANIFEST, "# Tests\n- modes: few\n"), [""; 0]);
        for readme in [
            "",
            "- modes: many\n",
            "- modes: few, many\n",
            "- modes: few, rest\n",
        ] {
            let found = found(MANIFEST, readme);
            assert_eq!(found.len(), 1, "{readme}");
            assert!(found[0].contains("write `- modes: few`"), "{found:?}");
        }
    }

    #[test]
    fn a_feature_that_nobody_turns_on_is_found() {
        let manifest = MANIFEST.replace("[\"all\"]", "[\"slow\"]");
        let found = found(&manifest, "- modes: few\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("tests/modes/Cargo.toml:5: `many` would run nowhere"));
    }

    #[test]
    fn packages_without_the_feature_run_whole() {
        assert_eq!(found("[features]\n", ""), [""; 0]);
    }
}
