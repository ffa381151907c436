//! One name, one public type: a reader who meets the name in a message, a signature or a search knows
//! which type it is.

use std::collections::BTreeMap;

use super::{Finding, Source};

/// Names that two types share, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "BufferRef",
        "the compiler's alias of the shared type in its own stage",
    ),
    (
        "Constraint",
        "the compiler's has axes that count from the end; the runtime's is what users read",
    ),
    (
        "Instruction",
        "the compiler's alias of the shared type in its own stage",
    ),
    (
        "Kind",
        "of a layer's argument in the compiler; of an input in generated code",
    ),
    (
        "ModelData",
        "weights and caches; without std an empty type stands for it",
    ),
    (
        "Op",
        "an operation of a model in the compiler; code for an instruction set in the runtime",
    ),
    (
        "Perturb",
        "the operator in the compiler; what runs it on the CPU",
    ),
    (
        "Regularizer",
        "the compiler's is in float64; the runtime's is what users read",
    ),
    (
        "Schedules",
        "vectors while the compiler works, lists that are `'static` in a program",
    ),
    ("Sealed", "seals a trait, and is never named anywhere else"),
    (
        "Training",
        "what callbacks see of a training; the CPU's executor of one",
    ),
];

/// A public type: its name and where it is.
struct Type<'a> {
    name: &'a str,
    path: &'a str,
    line: usize,
}

pub fn check(files: &[Source]) -> Vec<Finding> {
    check_with(files, KNOWN)
}

fn check_with(files: &[Source], known: &[(&str, &str)]) -> Vec<Finding> {
    let mut names: BTreeMap<&str, Vec<Type<'_>>> = BTreeMap::new();
    // Readers of files and the tool stand beside the library: nobody meets their types where he meets those of a model.
    let beside = |file: &&Source| {
        ["rnn-formats/", "rnn-cli/"]
            .iter()
            .any(|c| file.path().starts_with(c))
    };
    for one in files.iter().filter(|f| !beside(f)).flat_map(types) {
        names.entry(one.name).or_default().push(one);
    }
    let mut findings = Vec::new();
    for (name, types) in names {
        // Alternatives of one module are one type, whichever `cfg` chooses.
        let other = |one: &Type<'_>| types.iter().find(|t| t.path != one.path).map(|t| t.path);
        let listed = known.iter().any(|(known, _)| *known == name);
        for one in &types {
            let message = match (other(one), listed) {
                (Some(other), false) => format!(
                    "`{name}` is a public type in {other} as well; give one of them a name that says \
                     how they differ, or share the type"
                ),
                (None, true) => format!(
                    "`{name}` is one public type now: take the line out of KNOWN in \
                     xtask/src/tidy/types.rs"
                ),
                _ => continue,
            };
            findings.push(Finding {
                path: one.path.into(),
                line: one.line,
                message,
            });
        }
    }
    findings
}

/// The public types of a crate's source file; none of other files and of tests.
fn types(file: &Source) -> Vec<Type<'_>> {
    let path = file.path();
    let Some((_, inside)) = path.split_once("src/").filter(|(root, _)| {
        let root = root.trim_end_matches('/');
        root.is_empty() || root.starts_with("rnn-") && !root.contains('/')
    }) else {
        return Vec::new();
    };
    let test = |part: &str| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs");
    if !file.is_rust() || inside.split('/').any(test) {
        return Vec::new();
    }
    let declared = |(line, text)| {
        let name = declared(text)?;
        Some(Type { name, path, line })
    };
    file.numbered()
        .map(|(line, text)| (line, text.code.as_str()))
        .filter_map(declared)
        .collect()
}

/// The name of the public type that a line of code declares. One that a macro fills in has none.
fn declared(code: &str) -> Option<&str> {
    let rest = code.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    let name = &rest[..end.unwrap_or(rest.len())];
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn one_name_in_two_modules_or_crates_is_found_in_both() {
        for other in ["rnn-a/src/g/mod.rs", "rnn-b/src/f.rs", "src/lib.rs"] {
            let files = [
                ("rnn-a/src/f.rs", "\npub struct Mode<T>(T);"),
                (other, "pub enum Mode { A }"),
            ];
            let found = messages(check, &files);
            assert_eq!(found.len(), 2, "{found:?}");
            assert!(
                found[0].starts_with(&format!(
                    "rnn-a/src/f.rs:2: `Mode` is a public type in {other} as well"
                )),
                "{found:?}"
            );
        }
    }

    #[test]
    fn private_types_tests_and_alternatives_are_free() {
        let declared = "pub struct Mode;";
        for (path, text) in [
            ("rnn-a/src/g.rs", "pub(crate) struct Mode; struct Mode2;"),
            ("rnn-a/src/g.rs", "impl A for B { type Mode = u8; }"),
            ("rnn-a/src/g.rs", "pub struct $name; // pub struct Mode;"),
            ("rnn-a/src/g/tests.rs", declared),
            ("rnn-a/src/g_tests.rs", declared),
            ("rnn-a/tests/g.rs", declared),
            ("tests/book/src/lib.rs", declared),
        ] {
            let files = [("rnn-a/src/f.rs", declared), (path, text)];
            assert_eq!(messages(check, &files), [""; 0], "{path}");
        }
        let both = "#[cfg(a)]\npub enum Mode { A }\n#[cfg(not(a))]\npub struct Mode;";
        assert_eq!(messages(check, &[("rnn-a/src/f.rs", both)]), [""; 0]);
    }

    #[test]
    fn known_names_are_let_be_until_they_are_one_type() {
        let known: fn(&[Source]) -> Vec<Finding> =
            |files| check_with(files, &[("Mode", "for a reason")]);
        let (a, b) = (
            ("rnn-a/src/f.rs", "pub struct Mode;"),
            ("rnn-b/src/f.rs", "pub trait Mode {}"),
        );
        assert_eq!(messages(known, &[a, b]), [""; 0]);
        let found = messages(known, &[a]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("one public type now"), "{found:?}");
    }
}
