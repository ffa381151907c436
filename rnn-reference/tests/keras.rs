//! The interpreter against real Keras: every case of `tests/grid`, outputs, masks, states and
//! penalties, in inference and in training.
//!
//! All comparisons of generated code with the interpreter rest on this. `tests/grid` compares gradients,
//! which the interpreter does not compute.

use std::path::Path;

use rnn_compiler::ir::Content;
use rnn_reference::{Call, Definitions, Input, ReferenceModel, Weights};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The numbers are computed in float64 and stored as float32.
const TOLERANCE: f64 = 1e-6;

const NESTED: &str = r#"cell NestedCell(unit_1, unit_2, unit_3) {
    input input_1: [i1];
    input input_2: [i2, i3];
    param kernel_1: [i1, unit_1] = random_uniform;
    param kernel_2_3: [i2, i3, unit_2, unit_3] = random_uniform;
    state s1: [unit_1];
    state s2: [unit_2, unit_3];
    let output_1 = input_1 @ kernel_1;
    let output_2_3 = einsum("bij,ijkl->bkl", input_2, kernel_2_3);
    next s1 = s1 + output_1;
    next s2 = s2 + output_2_3;
    output output_1, output_2_3;
}"#;

/// The tensors of one case; `tests/keras/graph_goldens.py` lists the keys.
struct Golden<'a> {
    tensors: &'a SafeTensors<'a>,
    name: &'a str,
}

impl Golden<'_> {
    fn find(&self, call: usize, part: &str, name: &str) -> Option<(Vec<usize>, Vec<f64>)> {
        let of_call = match call {
            0 => part.to_owned(),
            call => format!("{part}.{call}"),
        };
        let end = match name {
            "" => String::new(),
            name => format!("/{name}"),
        };
        let key = format!("{}/{of_call}{end}", self.name);
        let tensor = self.tensors.tensor(&key).ok()?;
        Some((tensor.shape().to_vec(), numbers(&tensor)))
    }

    /// A weight by its index; its name in Keras differs.
    fn weight(&self, index: usize) -> Option<(Vec<usize>, Vec<f64>)> {
        let prefix = format!("{}/weight/{index:02}/", self.name);
        let names = self.tensors.names();
        let key = names.iter().find(|n| n.starts_with(&prefix))?;
        let tensor = self.tensors.tensor(key).ok()?;
        Some((tensor.shape().to_vec(), numbers(&tensor)))
    }

    fn has_training(&self) -> bool {
        let prefix = format!("{}/d/", self.name);
        self.tensors.names().iter().any(|n| n.starts_with(&prefix))
    }
}

fn numbers(tensor: &TensorView<'_>) -> Vec<f64> {
    let data = tensor.data();
    let words = || data.as_chunks::<4>().0.iter();
    match tensor.dtype() {
        Dtype::F32 => words().map(|b| f32::from_le_bytes(*b).into()).collect(),
        Dtype::U32 => words().map(|b| u32::from_le_bytes(*b).into()).collect(),
        _ => data.iter().map(|&b| b.into()).collect(),
    }
}

/// The first mistake in numbers that should be those of Keras, relative to the largest.
fn compare(what: &str, found: &[f64], keras: &[f64]) -> Result<(), String> {
    if found.len() != keras.len() {
        return Err(format!(
            "{what}: {} numbers, Keras has {}",
            found.len(),
            keras.len()
        ));
    }
    let largest = keras.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    for (i, (found, keras)) in found.iter().zip(keras).enumerate() {
        let close = (found - keras).abs() <= TOLERANCE * largest;
        if !close {
            return Err(format!("{what}[{i}]: {found}, Keras has {keras}"));
        }
    }
    Ok(())
}

fn weights(model: &ReferenceModel, golden: &Golden<'_>) -> Result<Weights, String> {
    let mut all = Weights::new();
    for (i, spec) in model.specs().iter().enumerate() {
        let (shape, data) = golden
            .weight(i)
            .ok_or(format!("Keras has no {}", spec.name))?;
        if shape != spec.shape {
            return Err(format!(
                "{}: {:?}, Keras has {shape:?}",
                spec.name, spec.shape
            ));
        }
        all.insert(spec.name.clone(), data);
    }
    match golden.weight(model.specs().len()) {
        None => Ok(all),
        Some((shape, _)) => Err(format!("Keras has one more weight of {shape:?}")),
    }
}

/// The inputs of one call; `None` after the last call.
fn inputs(model: &ReferenceModel, golden: &Golden<'_>, call: usize) -> Option<Vec<Input>> {
    let specs = model.inputs().ok()?;
    let one = |spec: &rnn_reference::InputInfo| {
        let (shape, data) = golden.find(call, "in", &spec.name)?;
        let ids = spec.content == Content::Ids;
        Some(Input {
            batch: shape[0],
            time: if spec.steps.is_some() { shape[1] } else { 1 },
            ids: data.iter().filter(|_| ids).map(|&x| x as u32).collect(),
            floats: if ids { vec![] } else { data },
        })
    };
    specs.iter().map(one).collect()
}

/// Calls the model as often as Keras was called, each time from the states before.
fn calls(model: &ReferenceModel, golden: &Golden<'_>, training: bool) -> Result<usize, String> {
    let weights = weights(model, golden)?;
    let (mut states, mut call) = (Vec::new(), 0);
    while let Some(inputs) = inputs(model, golden, call) {
        let answer = Call {
            inputs,
            states,
            training,
            draws: vec![],
        };
        let answer = model.call(&weights, &answer).map_err(|e| e.to_string())?;
        for o in &answer.outputs {
            // Outputs of training are stored where they differ.
            let train = golden.find(call, "train", &o.name).filter(|_| training);
            let keras = train.or(golden.find(call, "out", &o.name));
            let (_, keras) = keras.ok_or(format!("Keras has no output {}", o.name))?;
            compare(&o.name, &o.data, &keras)?;
            let keras = golden.find(call, "mask", &o.name);
            let keras = keras.map(|(_, m)| m.iter().map(|&x| x != 0.0).collect::<Vec<bool>>());
            // A mask whose steps are all valid is the same as no mask.
            let valid = |mask: &Option<Vec<bool>>| mask.iter().flatten().all(|&valid| valid);
            if o.mask != keras && !(valid(&o.mask) && valid(&keras)) {
                return Err(format!(
                    "mask of {}: {:?}, Keras has {keras:?}",
                    o.name, o.mask
                ));
            }
        }
        if training {
            let keras = golden.find(call, "penalty", "").map_or(0.0, |(_, p)| p[0]);
            compare("penalty", &[answer.penalty], &[keras])?;
        }
        states = answer.states;
        call += 1;
    }
    Ok(call)
}

fn case(name: &str, text: &str, tensors: &SafeTensors<'_>) -> Result<(), String> {
    let scope = Definitions {
        cells: &[("NestedCell", NESTED)],
        consts: &[],
    };
    let model = ReferenceModel::parse_in(text, scope).map_err(|e| e.to_string())?;
    let golden = Golden { tensors, name };
    if calls(&model, &golden, false)? == 0 {
        return Err("Keras was not called".into());
    }
    // Random numbers of training differ from Keras's.
    if model.draws().is_empty() && golden.has_training() {
        calls(&model, &golden, true)?;
    }
    Ok(())
}

/// `grid!(name, "file", { text });`
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let rest = line.strip_prefix("grid!(")?.strip_suffix(");")?;
    let (name, rest) = rest.split_once(", \"")?;
    let (file, text) = rest.split_once("\", ")?;
    let text = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .unwrap_or(text);
    Some((name, file, text))
}

#[test]
fn the_interpreter_computes_what_keras_does() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in std::fs::read_dir(tests.join("grid/tests")).unwrap() {
        let cases = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for (name, file, text) in cases.lines().filter_map(parts) {
            let path = tests
                .join("keras/grid")
                .join(file)
                .with_extension("safetensors");
            let bytes = std::fs::read(&path).unwrap();
            let tensors = SafeTensors::deserialize(&bytes).unwrap();
            compared += 1;
            if let Err(e) = case(name, text, &tensors) {
                wrong.push(format!("{name}: {e}\n  {text}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared >= 240, "{compared} cases");
}
