//! `cargo xtask bits`: the bits of everything that the models of the tests compute.
//!
//! `record` runs the packages of [`PACKAGES`] with `RECURRENT_BITS` set, so that their harness writes
//! a hash of every output, state and gradient (`tests/support/bits.rs`), and folds them into one hash
//! for each test and instruction set in `tests/bits/`. `compare` does the same and lists what differs
//! from the record: a change that must not change any result is checked with it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::cargo;

/// The packages whose harness writes down bits, with the arguments that run all of their tests.
const PACKAGES: &[(&str, &[&str])] = &[
    ("recurrent-test-goldens", &["--features", "all"]),
    ("recurrent-test-grid", &["--features", "exhaustive"]),
    ("recurrent-test-modes", &["--features", "all"]),
    ("recurrent-test-models", &["--features", "all"]),
];

/// Hashes by `program::test isa`.
type Record = BTreeMap<String, u64>;

/// Runs `record` or `compare`, for all packages or those named after it, and tells whether all bits
/// are as they should be.
pub fn run(root: &Path, arguments: &[String]) -> Result<bool, String> {
    let (command, named) = arguments.split_first().ok_or("bits: record or compare?")?;
    let mut same = true;
    for &(package, tests) in PACKAGES {
        if !named.is_empty() && !named.iter().any(|name| name == package) {
            continue;
        }
        let now = measure(root, package, tests)?;
        let path = root.join("tests/bits").join(package).with_extension("txt");
        match command.as_str() {
            "record" => write(&path, &now)?,
            "compare" => same &= compare(package, &read(&path)?, &now),
            other => return Err(format!("bits: `{other}` is neither record nor compare")),
        }
    }
    Ok(same)
}

/// Runs the tests of a package and folds what they wrote down.
fn measure(root: &Path, package: &str, tests: &[&str]) -> Result<Record, String> {
    let folder = root.join("target/bits").join(package);
    // A hash of an earlier run would count as one of this run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let text = folder.to_str().ok_or("the path of target is not UTF-8")?;
    let arguments = [&["test", "-p", package], tests].concat();
    if !cargo(root, &arguments, &[("RECURRENT_BITS", text)]) {
        return Err(format!("bits: the tests of {package} fail"));
    }
    let mut lines = Vec::new();
    for program in list(&folder)? {
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&program).map_err(|error| error.to_string())?;
        lines.extend(text.lines().map(|line| format!("{name}::{line}")));
    }
    fold(lines)
}

/// The files of a folder in order.
fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut files: Vec<_> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    Ok(files)
}

/// One hash for each test and instruction set of lines `test isa what hash`.
fn fold(mut lines: Vec<String>) -> Result<Record, String> {
    // Tests write side by side.
    lines.sort();
    let mut record = Record::new();
    for line in &lines {
        let mut words = line.splitn(3, ' ');
        let (Some(test), Some(isa), Some(rest)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("bits: `{line}` is no line of a record"));
        };
        let hash = record
            .entry(format!("{test} {isa}"))
            .or_insert(0xcbf2_9ce4_8422_2325);
        for byte in rest.bytes() {
            *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    match record.is_empty() {
        true => Err("bits: nothing was written down".to_string()),
        false => Ok(record),
    }
}

fn write(path: &Path, record: &Record) -> Result<(), String> {
    let text: String = record
        .iter()
        .map(|(test, hash)| format!("{test} {hash:016x}\n"))
        .collect();
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<Record, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let line = |line: &str| {
        let (test, hash) = line.rsplit_once(' ')?;
        Some((test.to_string(), u64::from_str_radix(hash, 16).ok()?))
    };
    text.lines()
        .map(|text| line(text).ok_or_else(|| format!("{}: `{text}`", path.display())))
        .collect()
}

/// Prints what differs. Tests that are new, and instruction sets that this machine lacks, do not.
fn compare(package: &str, recorded: &Record, now: &Record) -> bool {
    let isas: Vec<_> = now
        .keys()
        .filter_map(|key| key.rsplit(' ').next())
        .collect();
    let (mut same, mut lost, mut other) = (0, Vec::new(), Vec::new());
    for (key, hash) in recorded {
        match now.get(key) {
            Some(now) if now == hash => same += 1,
            Some(_) => other.push(key),
            None if key
                .rsplit(' ')
                .next()
                .is_some_and(|isa| isas.contains(&isa)) =>
            {
                lost.push(key)
            }
            None => {}
        }
    }
    for key in &other {
        println!("{package}: other bits: {key}");
    }
    for key in &lost {
        println!("{package}: no longer tested: {key}");
    }
    let new = now
        .keys()
        .filter(|key| !recorded.contains_key(*key))
        .count();
    println!(
        "{package}: {same} the same, {} other, {} lost, {new} new",
        other.len(),
        lost.len()
    );
    other.is_empty() && lost.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(lines: &[&str]) -> Record {
        fold(lines.iter().map(|line| line.to_string()).collect()).unwrap()
    }

    #[test]
    fn the_order_of_tests_does_not_matter_but_every_bit_does() {
        let one = record(&["a::x avx2 output 01", "a::y avx2 output 02"]);
        let two = record(&["a::y avx2 output 02", "a::x avx2 output 01"]);
        assert_eq!(one, two);
        let other = record(&["a::y avx2 output 03", "a::x avx2 output 01"]);
        assert!(compare("same", &one, &two));
        assert!(!compare("other", &one, &other));
    }

    #[test]
    fn a_test_may_be_new_but_not_lost() {
        let one = record(&["a::x avx2 output 01"]);
        let more = record(&["a::x avx2 output 01", "a::y avx2 output 02"]);
        assert!(compare("new", &one, &more));
        assert!(!compare("lost", &more, &one));
    }

    #[test]
    fn an_instruction_set_that_is_not_there_is_not_compared() {
        let both = record(&["a::x avx2 output 01", "a::x avx512 output 02"]);
        let one = record(&["a::x avx2 output 01"]);
        assert!(compare("one", &both, &one));
    }

    #[test]
    fn nothing_written_down_is_an_error() {
        assert!(fold(vec![]).is_err());
        assert!(fold(vec!["x".to_string()]).is_err());
    }
}
