//! What users can name shows how it is used, in code that they can paste.
//!
//! `cargo xtask check doctest` compiles the examples with the facade as their only crate of ours.

use super::{Finding, Source};

/// Crates whose items users reach through the facade.
const CRATES: &[&str] = &["rnn-runtime/src/", "rnn-train/src/", "src/"];

/// What no path leads to from the facade but that of generated code, and what takes no example: texts for messages.
const HIDDEN: &[&str] = &[
    "rnn-runtime/src/code.rs",
    "rnn-runtime/src/cpu/",
    "rnn-runtime/src/cuda/",
    "rnn-runtime/src/executor.rs",
    "rnn-runtime/src/host/constrain.rs",
    "rnn-runtime/src/host/learner.rs",
    "rnn-runtime/src/host/losses/categorical.rs",
    "rnn-runtime/src/host/penalize.rs",
    "rnn-runtime/src/model/cuda.rs",
    "rnn-runtime/src/model/data.rs",
    "rnn-runtime/src/model/elsewhere.rs",
    "rnn-runtime/src/model/program.rs",
    "rnn-runtime/src/on_device.rs",
    "rnn-runtime/src/weights/atomic.rs",
    "rnn-train/src/by_name.rs",
];

/// Items of other files that only generated code names.
const GENERATED: &[&str] = &[
    "Array",
    "Computed",
    "Floats",
    "Nothing",
    "OwnNumbers",
    "StreamInfo",
    "StreamProgram",
    "StreamState",
];

/// The crates that the facade is made of.
const INSIDE: &[&str] = &["rnn_runtime::", "rnn_train::", "rnn_tables::"];

const KINDS: &[&str] = &["struct", "enum", "trait", "fn", "type", "const"];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let public = |file: &&Source| {
        let path = file.path();
        let test = path.split('/').any(|part| part.starts_with("tests"));
        let hidden = HIDDEN.iter().any(|hidden| path.starts_with(hidden));
        file.is_rust() && CRATES.iter().any(|c| path.starts_with(c)) && !test && !hidden
    };
    files.iter().filter(public).flat_map(of_file).collect()
}

fn of_file(file: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut finding = |line: usize, message: String| {
        findings.push(Finding {
            path: file.path().into(),
            line,
            message,
        });
    };
    // Of the documentation that the next item has.
    let (mut documented, mut shows, mut hidden, mut in_code) = (false, false, false, false);
    for (number, line) in file.numbered() {
        let (code, comment) = (line.code.as_str(), line.comment.trim_start());
        if code.trim().is_empty() && !comment.is_empty() {
            let text = comment.trim_start_matches(['/', '!']).trim_start();
            documented |= comment.starts_with("/ ") || comment.starts_with('/');
            if text.starts_with("```") {
                in_code = !in_code;
                shows = true;
            }
            shows |= text.starts_with("Example: ")
                || text.starts_with("Nothing of it has to be written");
            if let (true, Some(inside)) = (in_code, INSIDE.iter().find(|c| text.contains(*c))) {
                finding(
                    number,
                    format!("an example names `{inside}…`; users have `recurrent::…` only"),
                );
            }
            continue;
        }
        hidden |= code.contains("doc(hidden)") || code.contains("#[deprecated");
        let item = code.strip_prefix("pub ").and_then(|rest| {
            let rest = rest
                .strip_prefix("const fn")
                .map_or(rest, |_| &rest["const ".len()..]);
            let (kind, rest) = rest.split_once(' ')?;
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            KINDS
                .contains(&kind)
                .then(|| &rest[..end.unwrap_or(rest.len())])
        });
        if let Some(name) = item
            && documented
            && !shows
            && !hidden
            && !GENERATED.contains(&name)
        {
            finding(
                number,
                format!(
                    "`{name}` has no example: show how it is used, or write \"Example: [`…`]\" where one does"
                ),
            );
        }
        // Attributes stand between the documentation and its item.
        let attribute = code.starts_with("#[") || code.starts_with(' ') || code.starts_with(')');
        if !attribute {
            (documented, shows, hidden) = (false, false, false);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn an_item_without_an_example_is_found() {
        let text = "/// A thing.\n#[derive(Debug)]\npub struct Thing;\n\n/// Other.\n///\n/// ```\n/// let x = 1;\n/// ```\n#[a(\n    b\n)]\npub enum Other {}\n\n/// Third. Example: no.\n///\n/// Example: [`Other`].\npub fn third() {}\n\n/// Hidden.\n#[doc(hidden)]\npub fn fourth() {}\n";
        let found = messages(check, &[("rnn-train/src/a.rs", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("rnn-train/src/a.rs:3: `Thing` has no example"));
        assert!(messages(check, &[("rnn-compiler/src/a.rs", text)]).is_empty());
    }

    #[test]
    fn an_example_that_cannot_be_pasted_is_found() {
        let text = "/// See [`X`](rnn_runtime::X).\n///\n/// ```\n/// use rnn_runtime::Error;\n/// ```\npub struct A;\n";
        let found = messages(check, &[("rnn-runtime/src/a.rs", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a.rs:4: an example names `rnn_runtime::…`"));
    }
}
