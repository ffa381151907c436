//! Unpacks the files of tests/formats, and writes a test for each: a file that is imported has to be one when a test is compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use rnn_formats::zip::Archive;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

/// Files that are compiled by default: every format and both exporters to ONNX, ids and masks, normalisations, several inputs, states
/// in and out. The tests of rnn-formats have all of them, in the interpreter.
const DEFAULT: &[&str] = &[
    "keras/bidirectional_concat",
    "keras/embedding",
    "keras/lstm",
    "keras/normalised",
    "keras/state_in_and_out",
    "keras/two_inputs",
    "onnx/amplifier_script_open",
    "onnx/encoder_decoder_dynamo_open",
    "onnx/external_dynamo_open",
    "onnx/gru_states_2_script_open",
    "onnx/lstm_both_dynamo_open",
    "onnx/lstm_tagger_script_open",
    "amps/guitarml_gru",
    "amps/nam_two",
];

type Error = Box<dyn std::error::Error>;

/// Graphs of ONNX whose states come in and go out, which tests/streamed.rs streams.
const STREAMED: &[&str] = &[
    "onnx/gru_states_2_script_open",
    "onnx/lstm_states_1_dynamo_open",
];

/// A model: its file, and the numbers that the library gave which made it.
struct Case {
    name: String,
    file: PathBuf,
    numbers: PathBuf,
}

fn main() -> Result<(), Error> {
    let formats = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../formats");
    let formats = formats.canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", formats.display());
    let mut cases = keras(&formats.join("keras"), &out)?;
    cases.extend(onnx(&formats.join("onnx"), &out)?);
    cases.extend(amps(&formats.join("amps"), &out)?);
    streamed(&cases, &out)?;
    if env::var_os("CARGO_FEATURE_EXHAUSTIVE").is_none() {
        let known: BTreeSet<&str> = cases.iter().map(|c| c.name.as_str()).collect();
        if let Some(gone) = DEFAULT.iter().find(|name| !known.contains(*name)) {
            return Err(format!("{gone} is not among the files").into());
        }
        cases.retain(|case| DEFAULT.contains(&case.name.as_str()));
    }
    let mut text = String::new();
    for Case {
        name,
        file,
        numbers,
    } in &cases
    {
        let test = name.replace('/', "_");
        text.push_str(&format!(
            "mod {test} {{\n    recurrent::rnn_model!(pub struct Imported = import({file:?}));\n    #[test]\n    fn gives_its_numbers() {{\n        recurrent_test_import::check::<Imported>({file:?}, {numbers:?});\n    }}\n}}\n"
        ));
    }
    fs::write(out.join("files.rs"), text)?;
    Ok(())
}

/// Models that keep the states of their graphs in a stream.
fn streamed(cases: &[Case], out: &Path) -> Result<(), Error> {
    let mut text = String::new();
    for name in STREAMED {
        let case = cases.iter().find(|case| case.name == *name);
        let Case { file, numbers, .. } = case.ok_or(format!("{name} is not among the files"))?;
        let module = name.trim_start_matches("onnx/");
        text.push_str(&format!(
            "mod {module} {{\n    recurrent::rnn_model!(pub struct Imported = import({file:?}, states = stream));\n    pub const NUMBERS: &str = {numbers:?};\n}}\n"
        ));
    }
    fs::write(out.join("streamed.rs"), text)?;
    Ok(())
}

/// Whole models of Keras.
fn keras(from: &Path, out: &Path) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for library in ["keras", "tf_keras"] {
        let bytes = fs::read(from.join(library).with_extension("zip"))?;
        let archive = Archive::open(&bytes)?;
        // Both have models of the same names, whose numbers differ.
        let out = out.join(library);
        fs::create_dir_all(&out)?;
        for name in archive.names() {
            fs::write(out.join(name), archive.read(name)?)?;
            // Keras computes `half` in bfloat16; what is refused has no numbers.
            let stem = name
                .strip_suffix(".keras")
                .filter(|stem| !["refused", "half"].contains(stem));
            if let Some(stem) = stem {
                cases.push(Case {
                    name: format!("{library}/{stem}"),
                    file: out.join(name),
                    numbers: out.join(format!("{stem}.safetensors")),
                });
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

/// What both exporters of PyTorch write.
fn onnx(from: &Path, out: &Path) -> Result<Vec<Case>, Error> {
    let packed = fs::read(from.join("pytorch.safetensors.z"))?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&packed).map_err(|e| e.to_string())?;
    let all = SafeTensors::deserialize(&bytes)?;
    let mut models: BTreeMap<String, BTreeMap<String, TensorView<'_>>> = BTreeMap::new();
    for (name, view) in all.tensors() {
        if let Some((model, what)) = name.split_once('/') {
            models
                .entry(model.to_owned())
                .or_default()
                .insert(what.to_owned(), view);
        }
    }
    let mut cases = Vec::new();
    for (model, parts) in models {
        let Some(bytes) = parts.get("onnx") else {
            continue;
        };
        let folder = out.join("onnx").join(&model);
        fs::create_dir_all(&folder)?;
        let file = folder.join("model.onnx");
        fs::write(&file, bytes.data())?;
        for (name, view) in &parts {
            if let Some(beside) = name.strip_prefix("beside/") {
                fs::write(folder.join(beside), view.data())?;
            }
        }
        let numbers = folder.join("numbers.safetensors");
        let arrays = parts.iter().filter(|(name, view)| {
            (name.starts_with("in/") || name.starts_with("out/")) && view.dtype() != Dtype::U8
        });
        fs::write(&numbers, serialize(arrays, None)?)?;
        cases.push(Case {
            name: format!("onnx/{model}"),
            file,
            numbers,
        });
    }
    Ok(cases)
}

/// Amplifiers: JSON of RTNeural, GuitarML and AIDA-X, and `.nam`.
fn amps(from: &Path, out: &Path) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for table in ["cases.json", "rtneural.cases.json"] {
        let table: serde_json::Value = serde_json::from_slice(&fs::read(from.join(table))?)?;
        for (name, case) in table.as_object().into_iter().flatten() {
            let file = ["json", "nam"].map(|end| from.join(format!("{name}.{end}")));
            let Some(file) = file.into_iter().find(|file| file.exists()) else {
                continue;
            };
            let floats = |key: &str| -> Vec<u8> {
                let all = case[key].as_array().into_iter().flatten();
                all.flat_map(|v| (v.as_f64().unwrap_or(f64::NAN) as f32).to_le_bytes())
                    .collect()
            };
            let (input, output) = (floats("input"), floats("output"));
            let axes = case["shape"].as_array().into_iter().flatten();
            let shape: Vec<usize> = axes.filter_map(|n| Some(n.as_u64()? as usize)).collect();
            if shape.is_empty() || output.is_empty() {
                continue;
            }
            let numbers = out.join(format!("{name}.numbers.safetensors"));
            let arrays = [
                ("input.0", TensorView::new(Dtype::F32, shape, &input)?),
                (
                    "output.0",
                    TensorView::new(Dtype::F32, vec![output.len() / 4], &output)?,
                ),
            ];
            fs::write(&numbers, serialize(arrays, None)?)?;
            cases.push(Case {
                name: format!("amps/{name}"),
                file,
                numbers,
            });
        }
    }
    Ok(cases)
}
