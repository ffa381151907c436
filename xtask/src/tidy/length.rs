//! No file is longer than can be read in a sitting.

use super::{Finding, Source};

/// The most lines a file may have.
const MOST: usize = 700;

pub fn check(files: &[Source]) -> Vec<Finding> {
    let long = files
        .iter()
        .filter(|file| file.is_rust() && file.len() > MOST);
    long.map(|file| Finding {
        path: file.path().into(),
        line: MOST + 1,
        message: format!(
            "{} lines, more than the {MOST} that can be read in a sitting; move each second idea \
             of this file into a file of its own, with its tests",
            file.len()
        ),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(messages(check, &[("src/a.rs", &"\n".repeat(700))]), [""; 0]);
        let found = messages(check, &[("src/a.rs", &"\n".repeat(701))]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("src/a.rs:701: 701 lines"), "{found:?}");
    }

    #[test]
    fn manifests_do_not_count() {
        assert_eq!(
            messages(check, &[("Cargo.toml", &"\n".repeat(900))]),
            [""; 0]
        );
    }
}
