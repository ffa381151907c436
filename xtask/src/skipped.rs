//! `cargo xtask skipped`: which tests the last run of all tests could not run on this machine.
//!
//! `cargo test` shows nothing of a test that passes, so such a test appends a line to the file that
//! `RECURRENT_SKIPPED` names (`tests/support/skip.rs`).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What tests look for.
const VARIABLE: &str = "RECURRENT_SKIPPED";

fn file(root: &Path) -> PathBuf {
    root.join("target/skipped.txt")
}

/// Forgets what an earlier run skipped, and gives the variable that makes tests write down what they
/// skip.
pub fn start(root: &Path) -> io::Result<(&'static str, String)> {
    let path = file(root);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    fs::write(&path, "")?;
    Ok((VARIABLE, path.to_string_lossy().into_owned()))
}

/// The same for a run that belongs to the one before.
pub fn go_on(root: &Path) -> io::Result<(&'static str, String)> {
    let path = file(root);
    match path.exists() {
        true => Ok((VARIABLE, path.to_string_lossy().into_owned())),
        false => start(root),
    }
}

/// Adds something that this program has skipped itself.
pub fn add(root: &Path, what: &str, why: &str) -> io::Result<()> {
    let (_, path) = go_on(root)?;
    let line = format!("SKIPPED: {what}: {why}\n");
    eprint!("{line}");
    fs::write(&path, fs::read_to_string(&path)? + &line)
}

/// What the last run skipped, ending with the number.
pub fn report(root: &Path) -> String {
    match fs::read_to_string(file(root)) {
        Ok(lines) => count(&lines),
        Err(_) => "skipped tests: unknown, as the tests have not run\n".into(),
    }
}

fn count(lines: &str) -> String {
    format!("{lines}skipped tests: {}\n", lines.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_comes_last_and_no_test_is_a_number_too() {
        assert_eq!(count(""), "skipped tests: 0\n");
        let lines = "SKIPPED: a: no tool\nSKIPPED: b: no target\n";
        assert_eq!(count(lines), format!("{lines}skipped tests: 2\n"));
    }
}
