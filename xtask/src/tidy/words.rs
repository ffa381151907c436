//! The words of the field instead of words of our own: a reader who knows compilers and recurrent
//! networks need not learn a second language.

use super::{Finding, Source, source::has_word};

/// Names that are gone, each with the name to write. Code and `quoted` code in prose are searched.
const NAMES: &[(&str, &str)] = &[
    ("Active", "ValidPositions"),
    ("Fork", "FanOut"),
    ("Found", "a noun for what was found"),
    ("GROUPS", "GATES"),
    ("Held", "CarryOver"),
    ("HeldBack", "CarryOver"),
    ("Noise", "DropoutMask"),
    ("Phase", "Kernel"),
    ("Scored", "Predictions"),
    ("Seen", "a noun for what was seen"),
    ("Sink", "Destination"),
    ("Sweep", "Scan"),
    ("Takes", "LossTargets"),
    ("Total", "an accumulator, or a saved tensor"),
    ("Wanted", "a noun for what is wanted"),
    ("codegen", "emit"),
];

/// Words of comments, messages and documents, each with what to write.
const PROSE: &[(&str, &str)] = &[
    ("Behind", "\"after\", or \"epilogue\""),
    ("behind", "\"after\", or \"epilogue\""),
    ("held back", "\"carried over\""),
    ("number of the row", "\"row scalar\""),
    ("numbers of the row", "\"row scalars\""),
    ("of whom", "a sentence for each thought"),
    (
        "phase",
        "\"kernel\", or a part of a program: prologue, step, post-loop",
    ),
    (
        "phases",
        "\"kernels\", or parts of a program: prologue, step, post-loop",
    ),
    ("sweep", "\"scan\""),
    ("sweeps", "\"scans\""),
    ("swept", "\"scanned\""),
];

/// Files that may name a word, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    (
        "Scored",
        "rnn-train/src/lib.rs",
        "the deprecated alias that keeps users' code compiling",
    ),
    ("", "xtask/src/tidy/words.rs", "the tables themselves"),
];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let allowed = |word: &str| {
            ALLOWED
                .iter()
                .any(|(name, path, _)| *path == file.path() && (*name == word || name.is_empty()))
        };
        for (line, text) in file.numbered() {
            let mut find = |word: &str, instead: &str| {
                if !allowed(word) {
                    findings.push(Finding {
                        path: file.path().into(),
                        line,
                        message: format!(
                            "`{word}` is a word of our own; write {instead} (the list is \
                             xtask/src/tidy/words.rs)"
                        ),
                    });
                }
            };
            let prose = match file.is_rust() {
                true => vec![text.comment.as_str(), &text.literal],
                false if file.path().ends_with(".md") => vec![text.code.as_str()],
                // A manifest or a script is neither.
                false => Vec::new(),
            };
            for (word, instead) in NAMES {
                let quoted = format!("`{word}`");
                let named = file.is_rust() && has_word(&text.code, word);
                if named || prose.iter().any(|p| p.contains(&quoted)) {
                    find(word, instead);
                }
            }
            for (word, instead) in PROSE {
                if prose.iter().any(|p| has_word(p, word)) {
                    find(word, instead);
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn names_are_found_in_code_and_where_prose_quotes_them() {
        let text = "struct Sink;\n/// A [`Sweep`] over time.\nfn f() { let s = \"`Fork`\"; }\n";
        let found = messages(check, &[("src/a.rs", text)]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("src/a.rs:1: `Sink` is a word of our own; write Destination"),
            "{found:?}"
        );
        assert!(found[1].contains("`Sweep`"), "{found:?}");
        assert!(found[2].contains("`Fork`"), "{found:?}");
    }

    #[test]
    fn longer_names_and_words_of_a_sentence_are_free() {
        let text = "struct SinkList; // Total time; Held out.\nlet active = \"Noise\";\n";
        assert_eq!(messages(check, &[("src/a.rs", text)]), [""; 0]);
    }

    #[test]
    fn words_are_found_in_comments_messages_and_documents() {
        let rust = "// What stands behind it.\nlet m = format!(\"expected `;` behind {x}\");\n\
                    let behind = 1; /* swept */\n";
        let found = messages(check, &[("src/a.rs", rust), ("a.md", "text\nIt sweeps.\n")]);
        let places: Vec<&str> = found
            .iter()
            .map(|f| f.split(": ").next().unwrap())
            .collect();
        assert_eq!(places, ["src/a.rs:1", "src/a.rs:2", "src/a.rs:3", "a.md:2"]);
        assert!(found[1].contains("write \"after\""), "{found:?}");
    }

    #[test]
    fn the_deprecated_alias_stays() {
        let alias = "pub type Scored<'a> = Predictions<'a>;";
        assert_eq!(messages(check, &[("rnn-train/src/lib.rs", alias)]), [""; 0]);
        assert_eq!(messages(check, &[("rnn-train/src/a.rs", alias)]).len(), 1);
    }
}
