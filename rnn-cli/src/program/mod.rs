//! Programs with a model in them: made, built by cargo, run.

mod cache;
mod created;
mod templates;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rnn_formats::Body;
use serde_json::Value as Json;

use crate::{
    arguments::{Building, States},
    failure::{Done, Failure},
    model::Model,
    output::Output,
};

pub use created::{Expected, Given, crate_of};
pub use templates::Template;

/// The folder of `recurrent` that this tool was built in.
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How a Cargo.toml names `recurrent`: `path = "…"` or `version = "…"`.
///
/// # Errors
/// If it is neither a version nor a folder with its sources.
pub fn dependency(recurrent: Option<&str>) -> Done<String> {
    let of_path = |path: &Path| {
        let toml = fs::read_to_string(path.join("Cargo.toml")).ok()?;
        let is_it = toml
            .lines()
            .any(|line| line.trim() == "name = \"recurrent\"");
        let path = path.canonicalize().ok().filter(|_| is_it)?;
        Some(format!("path = {:?}", path.to_string_lossy()))
    };
    match recurrent {
        None => Ok(of_path(Path::new(HOME))
            .unwrap_or_else(|| format!("version = {:?}", env!("CARGO_PKG_VERSION")))),
        Some(version)
            if version.starts_with(|c: char| c.is_ascii_digit() || "^=~<>".contains(c)) =>
        {
            Ok(format!("version = {version:?}"))
        }
        Some(path) => of_path(Path::new(path)).ok_or_else(|| {
            Failure::new(format!("{path} is not the folder of `recurrent`"))
                .help("give the folder that has its Cargo.toml, or a version: `--recurrent 0.1`")
        }),
    }
}

/// A name for a type: `my_amp` is `MyAmp`. Names that programs import get another ending.
pub fn type_name(stem: &str) -> String {
    let parts = stem.split('_').map(|part| {
        let mut letters = part.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    let name: String = parts.collect();
    let taken = [
        "Add",
        "Box",
        "Dataset",
        "Device",
        "Err",
        "Error",
        "ExitCode",
        "Fit",
        "History",
        "Id",
        "Ids",
        "InputView",
        "Learner",
        "Logs",
        "Masks",
        "Model",
        "None",
        "Ok",
        "Option",
        "Pad",
        "Result",
        "Scores",
        "Sequence",
        "Self",
        "Some",
        "Stream",
        "String",
        "Trainer",
        "Values",
        "Vec",
    ];
    match taken.contains(&name.as_str()) || name.is_empty() {
        true => format!("{name}Net"),
        false => name,
    }
}

/// The model as `rnn_model!` reads it: the file that is imported, or layers with the weights of a file.
pub fn declaration(model: &Model, name: &str, file: &str) -> String {
    match (&model.opened.layers, &model.body) {
        (None, _) if model.opened.states == States::Stream => {
            format!("pub struct {name} = import({file:?}, states = stream);")
        }
        (None, _) => format!("pub struct {name} = import({file:?});"),
        (Some(_), Body::Chain(chain)) => {
            format!("pub struct {name} = {chain}, weights = {file:?};")
        }
        (Some(_), Body::Graph(graph)) => {
            format!("pub struct {name} {{ {graph} }}, weights = {file:?}")
        }
    }
}

/// Copies the file of a model, and those that it names, into a folder; gives its name there.
pub fn copy_files(model: &Model, folder: &Path) -> Done<String> {
    fs::create_dir_all(folder).map_err(|e| Failure::io(folder, "made", &e))?;
    let name = model.opened.path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    cache::keep(&folder.join(&name), &model.opened.bytes)?;
    for (beside, bytes) in &model.opened.beside {
        // It is a relative path without `..`.
        let path = folder.join(beside);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Failure::io(parent, "made", &e))?;
        }
        cache::keep(&path, bytes)?;
    }
    Ok(name)
}

/// Builds the program that runs and measures a model; gives its path. What was built before is kept.
///
/// # Errors
/// If cargo is not there, or the program cannot be built.
pub fn build(model: &Model, streams: bool, building: &Building, output: Output) -> Done<PathBuf> {
    let dependency = dependency(building.recurrent.as_deref())?;
    let cache = cache::folder(building)?;
    let name = cache::name(model, &dependency);
    let folder = cache.join(&name);
    let file = copy_files(model, &folder)?;
    cache::used(&cache, &name)?;
    let program = Template {
        package: &name,
        dependency: &dependency,
        declaration: &declaration(model, "Imported", &file),
    };
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|e| Failure::io(&sources, "made", &e))?;
    cache::keep(&folder.join("Cargo.toml"), program.cargo("").as_bytes())?;
    let tool = program.tool(model, streams)?;
    cache::keep(&sources.join("main.rs"), tool.as_bytes())?;
    let progress = output.progress(&format!("building {name}"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ran = Command::new(cargo)
        .args(["build", "--release", "--quiet"])
        .args(["--message-format=json-render-diagnostics", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(cache.join("target"))
        // Settings of cargo and the toolchain of the folder where the user is are those of another program.
        .current_dir(&folder)
        // The program runs here, and no coverage or lint of an outer build belongs into it.
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .stdin(Stdio::null())
        .output();
    progress.finish_and_clear();
    let ran = ran.map_err(|e| {
        Failure::new(format!("cargo cannot be started: {e}")).help(
            "a compiled model needs Rust: https://rustup.rs; without `--compiled` it runs without",
        )
    })?;
    if !ran.status.success() {
        let words = String::from_utf8_lossy(&ran.stderr);
        let lines: Vec<&str> = words.lines().take(60).collect();
        return Err(Failure::new(format!(
            "the program of the model cannot be built\n{}",
            lines.join("\n")
        ))
        .help(format!("the crate is in {}", folder.display())));
    }
    executable(&ran.stdout, &name)
        .ok_or_else(|| Failure::new("cargo does not say where the program of the model is"))
}

/// The program of a package, of what cargo says in JSON. Where it is depends on the user's settings: with a `build.target`
/// it has a folder more.
fn executable(printed: &[u8], package: &str) -> Option<PathBuf> {
    let lines = printed.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice::<Json>(line).ok());
    let mut own = messages.filter(|m| m["target"]["name"] == package);
    own.find_map(|m| m["executable"].as_str().map(PathBuf::from))
}

/// Runs a program that was built; gives what it has printed.
///
/// # Errors
/// If it fails, with its words.
pub fn run(program: &Path, arguments: &[&str]) -> Done<String> {
    let ran = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::io(program, "started", &e))?;
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        false => Err(Failure::new(format!(
            "the compiled model has failed\n{}",
            String::from_utf8_lossy(&ran.stderr)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_a_program_is() {
        let printed = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"recurrent"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"amp-1"},"executable":"/c/target/wasm32-wasip1/release/amp-1.wasm"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n",
        );
        let found = executable(printed.as_bytes(), "amp-1");
        let expected = Path::new("/c/target/wasm32-wasip1/release/amp-1.wasm");
        assert_eq!(found.as_deref(), Some(expected));
        assert_eq!(executable(printed.as_bytes(), "recurrent"), None);
        assert_eq!(executable(b"not JSON\n", "amp-1"), None);
    }
}
