//! `recurrent new`.

use std::{fs, path::Path};

use rnn_compiler::ir::Content;
use rnn_reference::{Call, Input, InputInfo};
use serde_json::json;

use crate::{
    arguments::ModelFile,
    compile,
    failure::{Done, Failure},
    model::{Model, Opened},
    output::{self, Output},
    program::{self, Expected, Given, Template, crate_of},
};

/// Steps of the test where the model leaves them open.
const STEPS: usize = 16;

/// Makes a crate that streams a model.
///
/// # Errors
/// If the file or the model is wrong, or the folder is there already.
pub fn new(file: &ModelFile, folder: &Path, recurrent: Option<&str>, output: Output) -> Done<()> {
    if folder.exists() {
        return Err(
            Failure::new(format!("{} is there already", folder.display()))
                .help("name a folder that is not"),
        );
    }
    let model = Opened::read(file)?.model()?;
    let plan = compile::plan(model.text(), &model.network.cells)?;
    let dependency = program::dependency(recurrent)?;
    let name = program::type_name(&model.opened.stem());
    let package = package(folder);
    let expected = expected(&model)?;
    let template = Template {
        package: &package,
        dependency: &dependency,
        declaration: "",
    };
    let whole = plan.whole.as_deref();
    let (files, start) = crate_of(&model, &template, &name, whole, &expected);
    // Beside its place first: a crate is there whole or not at all.
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |e: &std::io::Error| Failure::io(folder, "made", e);
    fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    let made = tempfile::Builder::new()
        .prefix(".recurrent")
        .tempdir_in(parent)
        .map_err(|e| failed(&e))?;
    let root = made.path().join("crate");
    program::copy_files(&model, &root.join("models"))?;
    for (path, text) in &files {
        let path = root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed(&e))?;
        }
        output::write(&path, text.as_bytes())?;
    }
    fs::rename(&root, folder).map_err(|e| failed(&e))?;
    let text = format!(
        "{}: a crate with the type `{name}`{}\ncd {} && cargo test && {start}",
        folder.display(),
        whole.map_or(String::new(), |why| format!(
            ", which does not stream: {why}"
        )),
        folder.display()
    );
    let json = json!({
        "folder": folder,
        "package": package,
        "type": name,
        "streams": plan.streams(),
        "notes": model.notes,
        "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
    });
    output.notes(&model.notes);
    output.print(&text, &json)
}

/// The name of the package: that of the folder, in letters that cargo takes.
fn package(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let letters = name
        .chars()
        .map(|c| match c.is_ascii_alphanumeric() || c == '_' {
            true => c.to_ascii_lowercase(),
            false => '-',
        });
    let name: String = letters.collect();
    let name = name.trim_matches('-');
    match name.chars().next() {
        Some(c)
            if c.is_ascii_alphabetic()
                && !["test", "core", "std", "recurrent", "alloc"].contains(&name) =>
        {
            name.to_owned()
        }
        _ => format!("model-{name}").trim_matches('-').to_owned(),
    }
}

/// Inputs that are not all alike and what the interpreter gives for them.
fn expected(model: &Model) -> Done<Expected> {
    let wrong = |e: rnn_reference::Wrong| Failure::new(e.to_string());
    let infos = model.reference.inputs().map_err(wrong)?;
    let mut state = 1_u32;
    let mut next = |most: u32| {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (state >> 8) % most
    };
    let vocabulary = vocabulary(model);
    let inputs: Vec<Input> = infos
        .iter()
        .map(|info| {
            let time = info.steps.map_or(1, |steps| steps.unwrap_or(STEPS));
            let count = time * info.width;
            let ids = info.content == Content::Ids;
            let number = |next: &mut dyn FnMut(u32) -> u32| match info.content {
                // At least the first step is valid.
                Content::Mask => 1.0,
                _ => f64::from(next(2001)) / 1000.0 - 1.0,
            };
            Input {
                batch: 1,
                time,
                floats: match ids {
                    true => Vec::new(),
                    // As the program has them.
                    false => (0..count)
                        .map(|_| f64::from(number(&mut next) as f32))
                        .collect(),
                },
                ids: match ids {
                    true => (0..count).map(|_| next(vocabulary)).collect(),
                    false => Vec::new(),
                },
            }
        })
        .collect();
    let call = Call {
        inputs: inputs.clone(),
        ..Call::default()
    };
    let answer = model
        .reference
        .call(&model.weights(), &call)
        .map_err(wrong)?;
    let given = |(info, input): (InputInfo, Input)| Given {
        info,
        time: input.time,
        values: match input.floats.is_empty() {
            true => input.ids.into_iter().map(|id| id as f64).collect(),
            false => input.floats,
        },
    };
    Ok(Expected {
        inputs: infos.into_iter().zip(inputs).map(given).collect(),
        widths: answer.outputs.iter().map(|o| o.width).collect(),
        outputs: answer.outputs.into_iter().map(|o| o.data).collect(),
    })
}

/// The smallest vocabulary of the model.
fn vocabulary(model: &Model) -> u32 {
    let tables = model
        .tensors
        .iter()
        .filter(|t| t.name.ends_with("/embeddings"));
    let rows = tables.filter_map(|t| t.shape.first().copied());
    let least = rows.min().unwrap_or(1).max(1);
    u32::try_from(least).unwrap_or(u32::MAX)
}
