//! `recurrent run`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rnn_compiler::ir::Content;
use rnn_reference::{Call, Input};
use serde_json::json;

use crate::{
    arguments::{Building, ModelFile},
    array::Array,
    compile,
    failure::{Done, Failure},
    model::{Model, Opened},
    output::{self, Output},
    program,
};

/// Numbers of an output that are printed.
const PRINTED: usize = 64;

/// What is computed, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// An array for each input.
    pub data: &'a [PathBuf],
    /// Where the outputs go; `None`: they are printed.
    pub to: Option<&'a Path>,
    /// Writes over files.
    pub force: bool,
    /// How the compiled model is built; `None`: the interpreter computes.
    pub compiled: Option<&'a Building>,
}

/// Computes the outputs of arrays.
///
/// # Errors
/// If the file, the model or an array is wrong, the program cannot be built, or an output cannot be written.
pub fn run(file: &ModelFile, run: &Run<'_>, output: Output) -> Done<()> {
    let Run { to, compiled, .. } = *run;
    let model = Opened::read(file)?.model()?;
    // Before anything takes long.
    if let Some(to) = to {
        let graph = compile::check(model.text(), &model.network.cells)?.graph;
        for of in &graph.outputs {
            output::may_write(&of_output(to, &of.name, graph.outputs.len())?, run.force)?;
        }
    }
    let inputs = inputs(&model, run.data)?;
    output.notes(&model.notes);
    let outputs = match compiled {
        None => interpreted(&model, inputs, output)?,
        Some(building) => by_program(&model, &inputs, building, output)?,
    };
    let mut text = String::new();
    let mut all = Vec::new();
    for (name, array) in &outputs {
        let path = to
            .map(|to| of_output(to, name, outputs.len()))
            .transpose()?;
        let mut json = json!({"name": name, "shape": array.shape});
        let printed = match &path {
            Some(path) => {
                output::write(path, &array.bytes(compiled.is_some())?)?;
                path.display().to_string()
            }
            None => numbers(array),
        };
        if let Some(map) = json.as_object_mut() {
            match path {
                Some(path) => map.insert("file".into(), json!(path)),
                None => map.insert("values".into(), json!(array.values)),
            };
        }
        text.push_str(&format!("{name} {:?}: {printed}\n", array.shape));
        all.push(json);
    }
    let json = json!({
        "file": file.file,
        "compiled": compiled.is_some(),
        "notes": model.notes,
        "outputs": all,
    });
    output.print(&text, &json)
}

fn numbers(array: &Array) -> String {
    let shown = array.values.iter().take(PRINTED).map(f64::to_string);
    let more = match array.values.len().checked_sub(PRINTED) {
        Some(more) if more > 0 => format!(" … {more} more; --output writes all"),
        _ => String::new(),
    };
    format!("{}{more}", shown.collect::<Vec<_>>().join(" "))
}

/// `out.npy`; of several outputs `out.NAME.npy`.
fn of_output(to: &Path, name: &str, count: usize) -> Done<PathBuf> {
    if let Some(other) = to.extension().filter(|ending| *ending != "npy") {
        return Err(Failure::new(format!(
            "outputs are arrays of NumPy, and {} ends with .{}",
            to.display(),
            other.to_string_lossy()
        ))
        .help("end it with .npy; `recurrent convert` writes models"));
    }
    Ok(match count {
        1 => to.to_owned(),
        _ => to.with_extension(format!("{name}.npy")),
    })
}

fn inputs(model: &Model, data: &[PathBuf]) -> Done<Vec<Input>> {
    let infos = model
        .reference
        .inputs()
        .map_err(|e| Failure::new(e.to_string()))?;
    if infos.len() != data.len() {
        let names: Vec<String> = infos
            .iter()
            .map(|i| format!("{} [{}]", i.name, crate::array::axes(i).join(", ")))
            .collect();
        return Err(Failure::new(format!(
            "the model has {} inputs, and {} arrays are given",
            infos.len(),
            data.len()
        ))
        .help(format!(
            "give an array for each, in this order: {}",
            names.join(", ")
        )));
    }
    let all = infos.iter().zip(data);
    let all: Vec<Input> = all
        .map(|(info, path)| Array::read(path)?.input(info))
        .collect::<Done<_>>()?;
    let batch = all.first().map_or(0, |input| input.batch);
    match all.iter().find(|input| input.batch != batch) {
        None => Ok(all),
        Some(other) => Err(Failure::new(format!(
            "the arrays have different rows: {batch} and {}",
            other.batch
        ))),
    }
}

fn interpreted(model: &Model, inputs: Vec<Input>, output: Output) -> Done<Vec<(String, Array)>> {
    let batch = inputs.first().map_or(0, |input| input.batch);
    let call = Call {
        inputs,
        ..Call::default()
    };
    let progress = output.progress("interpreting in float64");
    let answer = model.reference.call(&model.weights(), &call);
    progress.finish_and_clear();
    let answer = answer.map_err(|e| Failure::new(e.to_string()))?;
    let outputs = answer.outputs.into_iter().map(|o| {
        let mut shape = vec![batch];
        shape.extend(o.steps);
        shape.push(o.width);
        let array = Array {
            shape,
            values: o.data,
        };
        (o.name, array)
    });
    Ok(outputs.collect())
}

fn by_program(
    model: &Model,
    inputs: &[Input],
    building: &Building,
    output: Output,
) -> Done<Vec<(String, Array)>> {
    let plan = compile::plan(model.text(), &model.network.cells)?;
    let graph = compile::check(model.text(), &model.network.cells)?.graph;
    let program = program::build(model, plan.streams(), building, output)?;
    let mut bytes = Vec::new();
    let infos = model
        .reference
        .inputs()
        .map_err(|e| Failure::new(e.to_string()))?;
    for (input, info) in inputs.iter().zip(&infos) {
        let bits: Vec<u32> = match info.content {
            Content::Ids => input.ids.clone(),
            _ => input.floats.iter().map(|x| (*x as f32).to_bits()).collect(),
        };
        for word in [input.batch, input.time, bits.len()] {
            bytes.extend((word as u64).to_le_bytes());
        }
        bytes.extend(bits.iter().flat_map(|b| b.to_le_bytes()));
    }
    let folder = tempfile::tempdir().map_err(|e| Failure::new(e.to_string()))?;
    let (from, to) = (folder.path().join("input"), folder.path().join("output"));
    output::write(&from, &bytes)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    program::run(&program, &["run", &text(&from), &text(&to)])?;
    let bytes = fs::read(&to).map_err(|e| Failure::io(&to, "read", &e))?;
    let mut rest = &bytes[..];
    let batch = inputs.first().map_or(0, |input| input.batch);
    let cut = || Failure::new("what the compiled model has written is cut off");
    let mut outputs = Vec::new();
    for of in &graph.outputs {
        let (head, tail) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let count = u64::from_le_bytes(*head) as usize;
        let numbers = tail.get(..4 * count).ok_or_else(cut)?;
        rest = tail.get(4 * count..).ok_or_else(cut)?;
        let values = numbers
            .chunks_exact(4)
            .filter_map(|b| Some(f64::from(f32::from_le_bytes(b.try_into().ok()?))));
        let shape = graph.shape(of.port);
        let width = shape.width().value().unwrap_or(1).max(1);
        let mut axes = vec![batch];
        if shape.is_sequence() {
            axes.push(count / (width * batch.max(1)));
        }
        axes.push(width);
        let array = Array {
            shape: axes,
            values: values.collect(),
        };
        outputs.push((of.name.clone(), array));
    }
    Ok(outputs)
}
