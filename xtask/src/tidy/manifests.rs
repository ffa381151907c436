//! Crates depend one way: `recurrent → rnn-macros → rnn-compiler`, and
//! `recurrent → rnn-train → rnn-runtime`. Tests alone use `rnn-reference`.

use super::{Finding, Source};

/// A crate's manifest, the crates of this workspace that it must not build on, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "rnn-compiler/Cargo.toml",
        &[
            "recurrent",
            "rnn-macros",
            "rnn-reference",
            "rnn-runtime",
            "rnn-train",
        ],
        "the compiler knows the runtime by the names it emits only, so that it can be tested and \
         fuzzed as an ordinary library",
    ),
    (
        "rnn-runtime/Cargo.toml",
        &[
            "recurrent",
            "rnn-macros",
            "rnn-compiler",
            "rnn-reference",
            "rnn-train",
        ],
        "the runtime is what generated code links against and carries neither compiler nor training",
    ),
    (
        "rnn-train/Cargo.toml",
        &["recurrent", "rnn-macros", "rnn-compiler", "rnn-reference"],
        "training sees models through a trait of the runtime, whoever made them",
    ),
    (
        "rnn-macros/Cargo.toml",
        &["recurrent", "rnn-reference", "rnn-runtime", "rnn-train"],
        "the macros are a page that calls rnn-compiler",
    ),
];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (manifest, crates, why) in FORBIDDEN {
        for file in files.iter().filter(|file| file.path() == *manifest) {
            for (line, name) in dependencies(file) {
                if crates.contains(&name.as_str()) {
                    findings.push(Finding {
                        path: file.path().into(),
                        line,
                        message: format!("must not depend on `{name}`: {why}"),
                    });
                }
            }
        }
    }
    findings
}

/// The line and name of every dependency that ends up in a user's build; those of tests do not.
fn dependencies(file: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in file.numbered() {
        let code = line.code.trim();
        if let Some(header) = code
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            inside = header.ends_with("dependencies") && !header.ends_with("dev-dependencies");
            // `[dependencies.name]`
            if let Some((section, name)) = header.rsplit_once('.')
                && section.ends_with("dependencies")
                && !section.ends_with("dev-dependencies")
            {
                found.push((number, name.trim_matches('"').into()));
            }
        } else if inside && !code.starts_with('#') {
            let name: String = code
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
                .collect();
            if !name.is_empty() {
                found.push((number, name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn the_compiler_does_not_build_on_the_runtime() {
        let text = "[dependencies]\nsyn = \"2\"\nrnn-runtime.workspace = true\n";
        let found = messages(check, &[("rnn-compiler/Cargo.toml", text)]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("rnn-compiler/Cargo.toml:3: must not depend on `rnn-runtime`")
        );
    }

    #[test]
    fn tables_and_targets_count() {
        let text = "[dependencies.rnn-compiler]\npath = \"x\"\n[target.'cfg(unix)'.dependencies]\nrecurrent = \"1\"";
        assert_eq!(
            messages(check, &[("rnn-runtime/Cargo.toml", text)]).len(),
            2
        );
    }

    #[test]
    fn tests_may_depend_on_anything() {
        let text =
            "[dev-dependencies]\nrnn-runtime.workspace = true\n[dev-dependencies.recurrent]\n";
        assert_eq!(
            messages(check, &[("rnn-compiler/Cargo.toml", text)]),
            [""; 0]
        );
    }

    #[test]
    fn the_facade_depends_on_both() {
        let text = "[dependencies]\nrnn-macros.workspace = true\nrnn-runtime.workspace = true\n";
        assert_eq!(messages(check, &[("Cargo.toml", text)]), [""; 0]);
    }
}
