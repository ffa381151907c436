//! Every link of the documents leads to a file that is there, and the README stays short.
//!
//! A link is relative to its file, or begins with [`REPOSITORY`]: the book uses the second form for
//! what lies outside of it, so that its pages work where they are published, too. Of a link with a
//! `#` into a document, the heading must be there.

use std::{collections::BTreeMap, path::Path};

use super::{Finding, Source};

/// How a link to a file or folder of this repository begins.
const REPOSITORY: &str = "https://github.com/recurrent-rs/recurrent/";
/// The most lines that the README may have.
const MOST: usize = 200;

/// Checks the documents among `files`; `exists` tells whether a path below the root is there.
pub fn check(files: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let documents = || files.iter().filter(|file| file.path().ends_with(".md"));
    let headings: BTreeMap<&str, Vec<String>> = documents()
        .map(|file| (file.path(), headings(file)))
        .collect();
    let mut findings = Vec::new();
    for file in documents() {
        for (line, link) in links(file) {
            if let Some(wrong) = wrong(file.path(), &link, &exists, &headings) {
                findings.push(Finding {
                    path: file.path().into(),
                    line,
                    message: format!("the link `{link}` {wrong}"),
                });
            }
        }
        if file.path() == "README.md" && file.len() > MOST {
            findings.push(Finding {
                path: file.path().into(),
                line: MOST + 1,
                message: format!(
                    "{} lines, more than the {MOST} that somebody reads who sees the project for \
                     the first time; move details into docs/src",
                    file.len()
                ),
            });
        }
    }
    findings
}

/// The documents, as git names them.
pub const FILES: &str = "*.md";

/// What is wrong with a link of the document `from`.
fn wrong(
    from: &str,
    link: &str,
    exists: &impl Fn(&str) -> bool,
    headings: &BTreeMap<&str, Vec<String>>,
) -> Option<String> {
    let (target, heading) = match link.split_once('#') {
        Some((target, heading)) => (target, Some(heading)),
        None => (link, None),
    };
    let path = if let Some(own) = target.strip_prefix(REPOSITORY) {
        let kinds = ["blob/main/", "tree/main/"];
        // Issues and the like.
        kinds.iter().find_map(|kind| own.strip_prefix(kind))?.into()
    } else if target.contains("://") || target.contains("::") || target.starts_with("mailto:") {
        // Somewhere else, or an item in the documentation of Rust code.
        return None;
    } else if target.is_empty() {
        from.to_owned()
    } else {
        join(from, target)
    };
    if !exists(&path) {
        return Some(format!(
            "leads to {path}, which is not there; name the file as it is now"
        ));
    }
    if from.starts_with("docs/src/") && !path.starts_with("docs/src/") && !target.contains("://") {
        return Some(format!(
            "leaves the book, where its pages are published alone; write \
             `{REPOSITORY}blob/main/{path}`"
        ));
    }
    let known = headings.get(path.as_str())?;
    let heading = heading.filter(|heading| !known.iter().any(|known| known == heading))?;
    Some(format!(
        "names the heading `{heading}`, which {path} has not"
    ))
}

/// The path that `target` is from the file `from`.
fn join(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The lines of a document that are not inside of a block of code.
fn prose(file: &Source) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    file.numbered().filter_map(move |(number, line)| {
        let fence = line.code.trim_start().starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((number, line.code.as_str()))
    })
}

/// The targets of all links, each with its line. A link may break between its words and its target.
fn links(file: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(file) {
        // Code between backquotes has no links.
        let line: String = line
            .split('`')
            .enumerate()
            .fold(String::new(), |text, (i, part)| {
                text + if i % 2 == 0 { part } else { "code" }
            });
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            if let Some((link, _)) = rest.split_once(')') {
                let link = link.split(' ').next().unwrap_or(link);
                found.push((number, link.to_owned()));
            }
        }
    }
    found
}

/// The names under which GitHub and mdBook link to the headings of a document.
fn headings(file: &Source) -> Vec<String> {
    let titles = prose(file).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then_some(title.trim())
    });
    let name = |title: &str| -> String {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let name: String = title.chars().filter(kept).collect();
        name.to_lowercase().replace(' ', "-")
    };
    titles.map(name).collect()
}

/// Whether a path is there, below the root.
pub fn below(root: &Path) -> impl Fn(&str) -> bool + '_ {
    |path| root.join(path).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let there: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        let files: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        let found = check(&files, |path| there.contains(&path));
        found.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let good = "[a](b.md) [b](b.md#two-words) [c](#here)\n\n# Here\n[d](https://example.com/x)";
        let files = [
            ("docs/src/a.md", good),
            ("docs/src/b.md", "## Two `words`!"),
        ];
        assert_eq!(messages(&files), [""; 0]);
        let bad = "[a](c.md) [b](b.md#three)\n[c](#there)";
        let found = messages(&[("docs/src/a.md", bad), ("docs/src/b.md", "## Two words")]);
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(
            found[0].starts_with("docs/src/a.md:1: the link `c.md`"),
            "{found:#?}"
        );
        assert!(found[1].contains("heading `three`"), "{found:#?}");
        assert!(found[2].starts_with("docs/src/a.md:2:"), "{found:#?}");
    }

    #[test]
    fn code_has_no_links() {
        let text = "`[a](b.md)`\n```text\n[a](b.md)\n# No heading\n```\n";
        assert_eq!(messages(&[("a.md", text)]), [""; 0]);
        assert_eq!(
            messages(&[("a.md", &format!("{text}[a](#no-heading)"))]).len(),
            1
        );
    }

    #[test]
    fn links_into_the_repository_lead_to_files_too() {
        let link = |path: &str| format!("[a]({REPOSITORY}blob/main/{path})");
        assert_eq!(messages(&[("a.md", &link("a.md"))]), [""; 0]);
        assert_eq!(messages(&[("a.md", &link("b.md"))]).len(), 1);
        assert_eq!(
            messages(&[("a.md", &format!("[a]({REPOSITORY}issues)"))]),
            [""; 0]
        );
    }

    #[test]
    fn the_book_is_left_by_whole_addresses() {
        let files = [("docs/src/a.md", "[b](../../b.md)"), ("b.md", "")];
        let found = messages(&files);
        assert!(found[0].contains("blob/main/b.md"), "{found:#?}");
    }

    #[test]
    fn the_readme_is_short() {
        assert_eq!(messages(&[("README.md", &"\n".repeat(200))]), [""; 0]);
        let found = messages(&[("README.md", &"\n".repeat(201))]);
        assert!(
            found[0].starts_with("README.md:201: 201 lines"),
            "{found:#?}"
        );
        assert_eq!(messages(&[("CHANGELOG.md", &"\n".repeat(900))]), [""; 0]);
    }
}
