//! The examples of the documentation, as programs of users: `cargo xtask check doctest`.
//!
//! What the crates, the README and the book show is written into crates below `target/examples`, which belong to no
//! workspace and see the facade and `ndarray` only. rustdoc runs them there. It gets the libraries that the tests have
//! built: cargo names a package after its place below the workspace's root, and would build all of ours again for a
//! workspace of their own.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
};

/// A crate of examples: its name, where they stand, the crates that they name.
struct ExampleCrate {
    name: &'static str,
    from: &'static [&'static str],
    crates: &'static [&'static str],
}

/// What users have.
const OUTSIDE: &[&str] = &["recurrent", "ndarray"];

/// The folders and files that have examples; those that rustc needs longest for come first.
const CRATES: &[ExampleCrate] = &[
    ExampleCrate {
        name: "book",
        from: &["README.md", "docs/src"],
        crates: OUTSIDE,
    },
    ExampleCrate {
        name: "runtime",
        from: &["rnn-runtime/src"],
        crates: OUTSIDE,
    },
    ExampleCrate {
        name: "facade",
        from: &["src"],
        crates: OUTSIDE,
    },
    ExampleCrate {
        name: "train",
        from: &["rnn-train/src"],
        crates: OUTSIDE,
    },
    ExampleCrate {
        name: "inside",
        from: INSIDE,
        crates: &["rnn_compiler", "rnn_reference", "rnn_runtime"],
    },
];

/// What users do not name: files of the runtime that no path of the facade leads to, and the other crates.
const INSIDE: &[&str] = &[
    "rnn-compiler/src",
    "rnn-macros/src",
    "rnn-reference/src",
    "rnn-runtime/src/cpu/math/mod.rs",
    "rnn-runtime/src/cpu/simd/mod.rs",
    "rnn-tables/src",
];

/// The smallest programs of the tests that name the libraries of all sets.
const PROGRAMS: &[&str] = &["idx", "keras", "macros"];

/// One example: the fence's words, the code, the line of the fence.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    line: usize,
    words: String,
    code: Vec<String>,
}

/// The examples of `text`, which is Rust with documentation, or Markdown.
fn examples(text: &str, rust: bool) -> Vec<Example> {
    let (mut found, mut open) = (Vec::new(), None::<Example>);
    for (line, text) in (1..).zip(text.lines()) {
        let shown = if rust {
            let text = text.trim_start();
            let text = text.strip_prefix("///").or(text.strip_prefix("//!"));
            match text {
                Some(text) => text.strip_prefix(' ').unwrap_or(text),
                // A comment has ended.
                None => {
                    open = None;
                    continue;
                }
            }
        } else {
            text
        };
        let fence = shown.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(words)) => {
                open = Some(Example {
                    line,
                    words: words.trim().to_owned(),
                    code: Vec::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take().filter(is_rust)),
            (Some(example), None) => example.code.push(shown.to_owned()),
            (None, None) => {}
        }
    }
    found
}

/// Whether rustdoc takes it for Rust.
fn is_rust(example: &Example) -> bool {
    const WORDS: &[&str] = &[
        "rust",
        "no_run",
        "ignore",
        "should_panic",
        "compile_fail",
        "standalone_crate",
    ];
    let mut words = example.words.split(',').map(str::trim);
    example.words.is_empty() || words.all(|word| WORDS.contains(&word))
}

/// A crate's text, and the file that each of its modules stands for.
struct Crate {
    text: String,
    files: BTreeMap<String, String>,
    number: usize,
}

/// Writes each example as the documentation of an item that has its file and line as a name.
fn crate_of(files: &[(String, String)]) -> Crate {
    let mut made = Crate {
        text: String::from("//! Written by `cargo xtask check doctest`.\n"),
        files: BTreeMap::new(),
        number: 0,
    };
    for (path, text) in files {
        let found = examples(text, path.ends_with(".rs"));
        if found.is_empty() {
            continue;
        }
        let module = path.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        made.text += &format!("\n/// {path}\npub mod {module} {{\n");
        for example in &found {
            made.text += &format!("/// ```{}\n", example.words);
            for line in &example.code {
                made.text += &format!("/// {line}\n");
            }
            made.text += &format!("/// ```\npub mod line_{} {{}}\n", example.line);
        }
        made.text += "}\n";
        made.number += found.len();
        made.files.insert(module, path.clone());
    }
    made
}

/// `module::line_12 (line 34)` in what rustdoc says becomes `path:12`.
fn with_places(said: &str, files: &BTreeMap<String, String>) -> String {
    const MARK: &str = "::line_";
    let mut text = String::new();
    let mut rest = said;
    while let Some(at) = rest.find(MARK) {
        let (before, after) = (&rest[..at], &rest[at + MARK.len()..]);
        let end = after.find(|c: char| !c.is_ascii_digit());
        let (line, mut after) = after.split_at(end.unwrap_or(after.len()));
        let part = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let start = before.rfind(part).map_or(0, |at| at + 1);
        match files.get(&before[start..]) {
            Some(path) => {
                text += &format!("{}{path}:{line}", &before[..start]);
                if let Some(own) = after.strip_prefix(" (line ") {
                    after = own.split_once(')').map_or(own, |(_, after)| after);
                }
            }
            None => text += &format!("{before}{MARK}{line}"),
        }
        rest = after;
    }
    text + rest
}

/// The number of tests that rustdoc has run, or left out because of `ignore`.
fn tests_run(said: &str) -> usize {
    let numbers = said.lines().filter_map(|line| {
        let line = line.strip_prefix("running ")?;
        line.split(' ').next()?.parse::<usize>().ok()
    });
    numbers.sum()
}

/// Runs the examples of a crate's text, which is written to `folder`: what was said, and whether all of them passed.
fn run_crate(
    folder: &Path,
    name: &str,
    made: &Crate,
    arguments: &[String],
) -> io::Result<(String, bool)> {
    fs::create_dir_all(folder)?;
    let file = format!("{name}.rs");
    fs::write(folder.join(&file), &made.text)?;
    let output = Command::new(env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .current_dir(folder)
        .args(["--test", "--edition", "2024", &file])
        // rustdoc imports a crate where an example has its name as a word.
        .arg(format!("--crate-name=examples_of_{name}"))
        .args(arguments)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let mut said = with_places(&said, &made.files);
    let run = tests_run(&said);
    // An example that nobody runs proves nothing.
    let all = run == made.number;
    if !all {
        said += &format!("{} examples were found, {run} run\n", made.number);
    }
    Ok((said, output.status.success() && all))
}

/// The text of a file or of all files of a folder, by their paths below the root.
fn read(root: &Path, path: &str, into: &mut Vec<(String, String)>) -> io::Result<()> {
    let full = root.join(path);
    if full.is_dir() {
        let mut names = Vec::new();
        for entry in fs::read_dir(full)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        return names
            .iter()
            .try_for_each(|name| read(root, &format!("{path}/{name}"), into));
    }
    if path.ends_with(".rs") || path.ends_with(".md") {
        into.push((path.to_owned(), fs::read_to_string(full)?));
    }
    Ok(())
}

/// The crate of a set: the files of another one are left to that.
fn crate_of_set(root: &Path, set: &ExampleCrate) -> io::Result<Crate> {
    let mut files = Vec::new();
    for path in set.from {
        read(root, path, &mut files)?;
    }
    if set.from != INSIDE {
        files.retain(|(path, _)| !INSIDE.contains(&path.as_str()));
    }
    Ok(crate_of(&files))
}

/// The library of the crate `name` in what `cargo --message-format=json` says.
fn library(said: &str, name: &str) -> Option<String> {
    let own = format!("\"name\":\"{name}\"");
    said.lines()
        .filter(|line| line.contains("\"reason\":\"compiler-artifact\"") && line.contains(&own))
        .flat_map(|line| line.split('"'))
        .find(|path| path.ends_with(".rlib"))
        .map(|path| path.replace("\\\\", "\\"))
}

/// What rustdoc has to know of the crates `names`.
fn externs(said: &str, names: &[&str]) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    for name in names {
        let path = library(said, name).ok_or(format!("cargo has built no library `{name}`"))?;
        if let Some(folder) = Path::new(&path).parent() {
            arguments.push(format!("-Ldependency={}", folder.display()));
        }
        arguments.push(format!("--extern={name}={path}"));
    }
    arguments.dedup();
    Ok(arguments)
}

/// Builds the libraries as the step `test` does, and tells where they lie.
fn build(root: &Path, features: &str) -> Result<String, String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["test", "--workspace", "--features", features])
        .args(PROGRAMS.iter().flat_map(|program| ["--test", program]))
        .args(["--no-run", "--message-format=json"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("the libraries cannot be built".into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs all examples, two crates at once.
pub fn run(root: &Path, features: &str) -> Result<bool, String> {
    let said = build(root, features)?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = root.join(target).join("examples");
    let mut waiting = Vec::new();
    for set in CRATES {
        let made = crate_of_set(root, set).map_err(|error| error.to_string())?;
        waiting.push((set.name, made, externs(&said, set.crates)?));
    }
    waiting.reverse();
    let (waiting, passed) = (Mutex::new(waiting), Mutex::new(true));
    let work = || {
        loop {
            let next = waiting.lock().ok().and_then(|mut waiting| waiting.pop());
            let Some((name, made, arguments)) = next else {
                break;
            };
            let (said, good) = match run_crate(&folder, name, &made, &arguments) {
                Ok(result) => result,
                Err(error) => (format!("cannot start rustdoc: {error}"), false),
            };
            if let Ok(mut passed) = passed.lock() {
                println!("== examples: {name}\n{}", said.trim());
                *passed &= good;
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    Ok(passed.into_inner().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/// A thing.\n///\n/// ```no_run\n/// # hidden();\n/// let x = 1;\n/// ```\n\
                        /// ```text\n/// none\n/// ```\npub struct Thing;\n    /// ```\n    /// two();\n    /// ```\n";

    #[test]
    fn examples_keep_their_words_and_hidden_lines() {
        let found = examples(TEXT, true);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].line, found[0].words.as_str()), (3, "no_run"));
        assert_eq!(found[0].code, ["# hidden();", "let x = 1;"]);
        assert_eq!((found[1].line, found[1].code[0].as_str()), (11, "two();"));
        let text = "# Title\n```rust,standalone_crate\nlet x = 1;\n```\n```sh\nls\n```\n";
        let found = examples(text, false);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].words, "rust,standalone_crate");
    }

    /// Of everything that has examples, some are found: the fences are counted in another way.
    #[test]
    fn the_examples_of_this_repository_are_found() {
        let mut all = 0;
        for set in CRATES {
            let made = crate_of_set(&crate::root(), set).unwrap();
            assert!(made.number > 0, "{}", set.name);
            all += made.number;
        }
        let mut files = Vec::new();
        for path in [
            "README.md",
            "docs/src",
            "rnn-compiler/src",
            "rnn-reference/src",
            "rnn-runtime/src",
            "rnn-train/src",
            "src",
        ] {
            read(&crate::root(), path, &mut files).unwrap();
        }
        let fences = files.iter().flat_map(|(_, text)| text.lines());
        let fences: Vec<&str> = fences
            .map(|line| line.trim_start().trim_start_matches(['/', '!', ' ']))
            .filter(|line| line.starts_with("```"))
            .collect();
        let other = ["```text", "```sh", "```toml", "```python"];
        let other = fences.iter().filter(|line| other.contains(*line)).count();
        assert_eq!(all, fences.len() / 2 - other);
    }

    #[test]
    fn every_chapter_of_the_book_is_in_its_contents() {
        let mut files = Vec::new();
        read(&crate::root(), "docs/src", &mut files).unwrap();
        let of = |name: &str| name.rsplit('/').next().unwrap().to_owned();
        let (summary, chapters): (Vec<_>, Vec<_>) = files
            .iter()
            .partition(|(path, _)| path.ends_with("SUMMARY.md"));
        let summary = &summary[0].1;
        for (path, _) in &chapters {
            assert!(summary.contains(&format!("({})", of(path))), "{path}");
        }
        assert_eq!(summary.matches(".md)").count(), chapters.len());
    }

    /// Broken examples are seen, by their places; one that rustdoc does not run is, too.
    #[test]
    fn a_broken_example_fails_at_its_place() {
        let folder = env::temp_dir().join(format!("recurrent-examples-{}", std::process::id()));
        let run = |text: &str| {
            let made = crate_of(&[("rnn-train/src/a.rs".to_owned(), text.to_owned())]);
            run_crate(&folder, "planted", &made, &[]).unwrap()
        };
        let (said, good) = run("/// ```\n/// assert_eq!(1 + 1, 2);\n/// ```\npub fn a() {}\n");
        assert!(good, "{said}");
        let (said, good) = run(
            "/// ```\n/// assert_eq!(1 + 1, 2);\n/// ```\n/// ```\n/// let x: u32 = \"\";\n/// ```\npub fn a() {}\n",
        );
        assert!(
            !good && said.contains("rnn-train/src/a.rs:4 ... FAILED"),
            "{said}"
        );
        // Names of the crates that the facade is made of are names of nothing.
        let (said, good) = run("/// ```\n/// use rnn_train::Trainer;\n/// ```\npub fn a() {}\n");
        assert!(!good && said.contains("rnn-train/src/a.rs:1"), "{said}");
        let made = Crate {
            number: 2,
            ..crate_of(&[("a.md".to_owned(), "```\nlet x = 1;\n```\n".to_owned())])
        };
        let (said, good) = run_crate(&folder, "planted", &made, &[]).unwrap();
        assert!(
            !good && said.contains("2 examples were found, 1 run"),
            "{said}"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
