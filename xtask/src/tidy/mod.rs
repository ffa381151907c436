//! The rules of this repository that neither rustc nor clippy knows.
//!
//! One file a rule; `RULES` lists them. A message says what is wrong, why that matters and what
//! to do instead.

mod circles;
mod default_set;
mod examples;
mod imports;
mod length;
mod links;
mod manifests;
mod paths;
mod source;
mod types;
mod unfinished;
mod unsafety;
mod versions;
mod words;

use source::Source;
use std::{fmt, fs, path::Path, process::Command};

/// One thing to mend.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    /// What is wrong and what to do, in a sentence or two.
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A rule sees all files, since some compare a file with its neighbours.
type Rule = fn(&[Source]) -> Vec<Finding>;

const RULES: &[Rule] = &[
    length::check,
    unsafety::check,
    unfinished::check,
    imports::check,
    circles::check,
    manifests::check,
    default_set::check,
    examples::check,
    versions::check,
    types::check,
    words::check,
];

/// Prints what there is to mend in the repository at `root`; true when that is nothing.
pub fn run(root: &Path) -> bool {
    let files = match read(root) {
        Ok(files) => files,
        Err(message) => {
            eprintln!("tidy: {message}");
            return false;
        }
    };
    let mut findings = check(&files);
    findings.extend(links::check(&files, links::below(root)));
    for finding in &findings {
        eprintln!("{finding}");
    }
    eprintln!("tidy: {} files, {} to mend", files.len(), findings.len());
    findings.is_empty()
}

/// All findings in `files`, by place.
fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(files)).collect();
    findings.sort();
    findings
}

/// What rules read of what git tracks or would track: the Rust sources, the manifests, the documents,
/// and the files that repeat the oldest version of Rust.
fn read(root: &Path) -> Result<Vec<Source>, String> {
    let mut git = Command::new("git");
    git.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    git.args(["--", "*.rs", "*Cargo.toml", links::FILES])
        .args(versions::FILES);
    let output = git
        .output()
        .map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        // A file deleted in the working tree is still listed.
        if root.join(path).is_file() {
            let text = fs::read_to_string(root.join(path))
                .map_err(|error| format!("cannot read {path}: {error}"))?;
            files.push(Source::new(path, &text));
        }
    }
    if files.is_empty() {
        return Err(format!("no Rust file is below {}", root.display()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `rule` says about files given as `(path, text)`, printed.
    pub fn messages(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        rule(&files).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn findings_of_all_rules_come_in_the_order_of_places() {
        let text = "fn f() {\n    // FIXME: later\n    unsafe { g() }\n}\n";
        let found = messages(check, &[("src/b.rs", text), ("src/a.rs", text)]);
        let places: Vec<&str> = found.iter().map(|line| &line[..10]).collect();
        assert_eq!(
            places,
            [
                "src/a.rs:2",
                "src/a.rs:3",
                "src/a.rs:3",
                "src/b.rs:2",
                "src/b.rs:3",
                "src/b.rs:3"
            ]
        );
    }
}
