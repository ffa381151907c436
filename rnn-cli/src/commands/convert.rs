//! `recurrent convert`.

use std::path::{Path, PathBuf};

use rnn_formats::{Body, Error, write};
use serde_json::json;

use crate::{
    arguments::{ModelFile, Names, Target},
    failure::{Done, Failure},
    model::{Model, Opened},
    output::{self, Output},
};

/// Where a model goes, and as what.
pub struct Conversion<'a> {
    /// The new file.
    pub path: &'a Path,
    /// Its format; `None`: that of its ending.
    pub to: Option<Target>,
    /// The names of tensors, for safetensors.
    pub names: Option<Names>,
    /// Writes over a file.
    pub force: bool,
}

/// Writes a model in another format.
///
/// # Errors
/// If the file is wrong, the format cannot hold the model, or the new file cannot be written.
pub fn convert(file: &ModelFile, conversion: &Conversion<'_>, output: Output) -> Done<()> {
    let path = conversion.path;
    let to = match conversion.to {
        Some(to) => to,
        None => ending(path)?,
    };
    if conversion.names.is_some() && to != Target::Safetensors {
        return Err(Failure::new(format!(
            "`--names` says names of tensors in safetensors, and {} is none",
            path.display()
        ))
        .help("leave `--names` out, or end the new file with .safetensors"));
    }
    let names = conversion.names.unwrap_or(Names::Keras);
    output::may_write(path, conversion.force)?;
    let opened = Opened::read(file)?;
    // Weights go to weights without any layers.
    let without = opened.imported.network.is_none() && file.layers.is_none();
    let (written, read) = match (to, names) {
        (Target::Safetensors, Names::Keras) if without => {
            let written = write::safetensors(&opened.imported.tensors);
            let written = written.map_err(|e| unwritten(path, &e))?;
            (written, opened.imported.notes)
        }
        _ => {
            let model = opened.model()?;
            let (network, tensors) = (&model.network, &model.tensors);
            let written = match (to, names) {
                (Target::Safetensors, Names::Keras) => write::safetensors(tensors),
                (Target::Safetensors, Names::Pytorch) => write::pytorch(network, tensors),
                (Target::Keras, _) => write::keras(network, tensors),
                (Target::Onnx, _) => write::onnx(network, tensors),
                (Target::Rtneural, _) => write::rtneural(network, tensors),
                (Target::Rust, _) => {
                    let (text, note) = rust(&model, path);
                    Ok(write::Written {
                        bytes: text.into_bytes(),
                        notes: note.into_iter().collect(),
                    })
                }
            };
            (written.map_err(|e| unwritten(path, &e))?, model.notes)
        }
    };
    output::write(path, &written.bytes)?;
    output.notes(&read);
    let mut text = format!(
        "{}: {} bytes",
        path.display(),
        output::grouped(written.bytes.len())
    );
    for note in &written.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    let json = json!({
        "file": path,
        "bytes": written.bytes.len(),
        "notes": read,
        "notes_of_output": written.notes,
    });
    output.print(&text, &json)
}

/// The format of a file's name.
fn ending(path: &Path) -> Done<Target> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    Ok(match ending.to_ascii_lowercase().as_str() {
        "safetensors" => Target::Safetensors,
        "keras" => Target::Keras,
        "onnx" => Target::Onnx,
        "json" => Target::Rtneural,
        "rs" | "txt" => Target::Rust,
        _ => {
            return Err(Failure::new(format!(
                "the ending of {} says no format",
                path.display()
            ))
            .help("end it with .safetensors, .keras, .onnx, .json (RTNeural) or .rs, or say `--to`"));
        }
    })
}

fn unwritten(path: &Path, e: &Error) -> Failure {
    let lines = match e {
        Error::NotUnderstood(lines) => lines.join("\n"),
        e => e.to_string(),
    };
    Failure::new(format!(
        "{} cannot hold this model\n{lines}",
        path.display()
    ))
}

/// The folder of the crate that a file is in: the nearest above it that has a Cargo.toml.
fn home(file: &Path) -> Option<PathBuf> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize().ok()?,
        _ => std::env::current_dir().ok()?,
    };
    let mut above = folder.ancestors();
    let home = above.find(|folder| folder.join("Cargo.toml").is_file())?;
    Some(home.to_owned())
}

/// A file as `weights =` names it, relative to the crate that `to` is in; and what to do if it is not in there.
fn weights_path(file: &Path, to: &Path) -> (String, Option<String>) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let home = home(to);
    let inside = home.as_deref().and_then(|home| {
        let file = file.canonicalize().ok()?;
        let path = file.strip_prefix(home).ok()?.iter();
        let parts: Vec<_> = path.map(|part| part.to_string_lossy()).collect();
        Some(parts.join("/"))
    });
    match inside {
        Some(path) => (path, None),
        None => {
            let note = format!(
                "`weights = {name:?}` is relative to the folder of the crate's Cargo.toml: copy {name} there, or write where it is"
            );
            (name.into_owned(), Some(note))
        }
    }
}

/// The model as Rust: what a user writes who wants to change it. And what to do with the file of its weights.
fn rust(model: &Model, path: &Path) -> (String, Option<String>) {
    let (file, note) = weights_path(&model.opened.path, path);
    let mut text = String::from("use recurrent::prelude::*;\n\n");
    for (_, cell) in &model.network.cells {
        text.push_str(&format!("rnn_cell! {{\n{}\n}}\n\n", indented(cell)));
    }
    let name = crate::program::type_name(&model.opened.stem());
    let layers = match &model.body {
        Body::Chain(chain) => {
            let chain = chain.replace(" -> ", "\n        -> ");
            format!("    pub struct {name} = {chain},\n        weights = {file:?};")
        }
        Body::Graph(graph) => format!(
            "    pub struct {name} {{\n{}    }}, weights = {file:?}",
            indented(&indented(graph))
        ),
    };
    text.push_str(&format!("rnn_model! {{\n{layers}\n}}\n"));
    (text, note)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
