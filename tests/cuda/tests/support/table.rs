//! Tables of figures that must not grow: a name and its numbers on a line, in a file beside the test. RECURRENT_BLESS=1 writes
//! the file anew.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

/// A number that has not been looked for: it is as it was.
pub const UNSEEN: u32 = u32::MAX;

/// Numbers by name.
pub type Table = BTreeMap<String, Vec<u32>>;

/// Compares what was found with the table of a file, whose first lines say what its columns are. A number may grow by one in
/// twenty, and by its column's `slack` where that is more; one that has shrunk by more than that is to be written down.
///
/// # Panics
/// If anything differs, with all of it.
pub fn compare(file: &str, header: &str, found: &Table, slack: &[u32]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(file);
    if env::var_os("RECURRENT_BLESS").is_some_and(|v| v == "1") {
        fs::write(&path, print(header, found)).unwrap_or_else(|e| panic!("{e}"));
    }
    let known = known(file);
    let wrong = differences(found, &known, slack);
    assert!(
        wrong.is_empty(),
        "{file}: RECURRENT_BLESS=1 writes it anew\n{}",
        wrong.join("\n")
    );
}

/// The table of a file.
pub fn known(file: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(file);
    parse(&fs::read_to_string(path).unwrap_or_default())
}

fn print(header: &str, table: &Table) -> String {
    let mut text = String::new();
    for line in header.lines() {
        let _ = writeln!(text, "# {line}");
    }
    for (name, numbers) in table {
        for number in numbers {
            let _ = write!(text, "{number:5} ");
        }
        let _ = writeln!(text, "{name}");
    }
    text
}

fn parse(text: &str) -> Table {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let words = line.split_whitespace();
        let (mut numbers, mut name) = (Vec::new(), Vec::new());
        for word in words {
            match word.parse() {
                Ok(number) if name.is_empty() => numbers.push(number),
                _ => name.push(word),
            }
        }
        (name.join(" "), numbers)
    };
    lines.map(row).collect()
}

fn differences(found: &Table, known: &Table, slack: &[u32]) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in known.keys().filter(|name| !found.contains_key(*name)) {
        wrong.push(format!("{name} is gone"));
    }
    for (name, now) in found {
        let Some(before) = known.get(name).filter(|b| b.len() == now.len()) else {
            wrong.push(format!("{name} is new: {now:?}"));
            continue;
        };
        let columns = now.iter().zip(before).zip(slack);
        for (i, ((now, before), slack)) in columns.enumerate() {
            if *now == UNSEEN {
                continue;
            }
            // A twentieth, not rounded.
            let more = f64::from(*slack).max(0.05 * f64::from(*before));
            let change = f64::from(*now) - f64::from(*before);
            if change > more {
                wrong.push(format!("{name}, column {}: {now}, it was {before}", i + 1));
            } else if change < -more.max(2.0) {
                wrong.push(format!(
                    "{name}, column {}: only {now}, it was {before}: write it down",
                    i + 1
                ));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &[u32])]) -> Table {
        let rows = rows.iter().map(|(name, n)| (name.to_string(), n.to_vec()));
        rows.collect()
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let all = table(&[
            ("Lstm64 training kernel0", &[7, 100]),
            ("b", &[1, 1_000_000]),
        ]);
        assert_eq!(parse(&print("columns\nand more", &all)), all);
    }

    #[test]
    fn a_number_may_grow_by_a_twentieth_or_the_slack() {
        let known = table(&[("a", &[100, 10])]);
        let count = |now: &[u32]| differences(&table(&[("a", now)]), &known, &[0, 4]).len();
        assert_eq!(count(&[105, 14]), 0);
        assert_eq!(count(&[106, 15]), 2);
        assert_eq!(count(&[95, 6]), 0);
        assert_eq!(count(&[94, 5]), 2);
        assert_eq!(count(&[UNSEEN, 5]), 1);
    }

    #[test]
    fn rows_that_are_missing_or_new_are_differences() {
        let (one, two) = (table(&[("a", &[1])]), table(&[("b", &[1])]));
        assert_eq!(
            differences(&one, &two, &[0]),
            ["b is gone", "a is new: [1]"]
        );
        let wider = table(&[("a", &[1, 2])]);
        assert_eq!(differences(&wider, &one, &[0, 0]).len(), 1);
    }
}
