//! Fixtures, the interpreter, and damage.
#![allow(dead_code)]

use std::{io::Write, path::Path};

use rnn_formats::Tensor;
use rnn_reference::{Call, Input, ReferenceModel};
use serde_json::Value;

/// The bytes of a fixture.
pub fn file(folder: &str, name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/formats");
    let path = root.join(folder).join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A model, what it is given and what the original library gives.
pub struct Case {
    pub name: String,
    pub text: String,
    pub input: Vec<f64>,
    /// `[batch, time, features]`, without features for ids.
    pub shape: Vec<usize>,
    pub output: Vec<f64>,
}

/// The cases of `cases.json`.
pub fn cases(folder: &str) -> Vec<Case> {
    cases_in(folder, "cases.json")
}

/// The cases of a file.
pub fn cases_in(folder: &str, name: &str) -> Vec<Case> {
    let all: Value = serde_json::from_slice(&file(folder, name)).unwrap();
    let all = all.as_object().unwrap().iter();
    let floats = |v: &Value| {
        v.as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_f64().unwrap())
            .collect()
    };
    all.map(|(name, case)| Case {
        name: name.clone(),
        text: case["text"].as_str().unwrap_or_default().to_string(),
        input: floats(&case["input"]),
        shape: case["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap() as usize)
            .collect(),
        output: floats(&case["output"]),
    })
    .collect()
}

/// What the interpreter computes with these weights.
pub fn run(text: &str, tensors: &[Tensor], case: &Case) -> Vec<f64> {
    run_inputs(text, tensors, vec![input(case)])
}

/// The input of a case.
pub fn input(case: &Case) -> Input {
    let ids = case.shape.len() == 2;
    Input {
        batch: case.shape[0],
        time: case.shape[1],
        floats: if ids { vec![] } else { case.input.clone() },
        ids: match ids {
            true => case.input.iter().map(|id| *id as u32).collect(),
            false => vec![],
        },
    }
}

/// What the interpreter computes of several inputs.
pub fn run_inputs(text: &str, tensors: &[Tensor], inputs: Vec<Input>) -> Vec<f64> {
    let model = ReferenceModel::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    for spec in model.specs() {
        let found = tensors.iter().find(|t| t.name == spec.name);
        let shape = found.map(|t| &t.shape);
        assert_eq!(shape, Some(&spec.shape), "{} in {text}", spec.name);
    }
    let unused = tensors
        .iter()
        .find(|t| model.specs().iter().all(|s| s.name != t.name));
    assert_eq!(unused.map(|t| &t.name), None, "{text}");
    let weights = tensors.iter().map(|t| {
        let values = t.values.iter().copied().map(f64::from).collect();
        (t.name.clone(), values)
    });
    let call = Call {
        inputs,
        ..Call::default()
    };
    let answer = model.call(&weights.collect(), &call).unwrap();
    answer.outputs[0].data.clone()
}

/// Fails if numbers differ by more than 1e-5 of the largest.
pub fn close(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let far = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let far = far.fold(0.0, f64::max);
    assert!(far <= 1e-5 * largest, "{name}: {far} of {largest}");
}

/// Reads a file cut at every length (or at 2000 of them) and with one to four bytes altered, `times` times.
pub fn damage(bytes: &[u8], times: usize, read: &dyn Fn(&[u8])) {
    let step = bytes.len().div_ceil(2000).max(1);
    for length in (0..bytes.len()).step_by(step) {
        read(&bytes[..length]);
    }
    let mut seed = bytes.len() as u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let mut altered = bytes.to_vec();
    for _ in 0..times {
        let places: Vec<usize> = (0..1 + random() % 4)
            .map(|_| random() % bytes.len())
            .collect();
        for at in &places {
            altered[*at] = match random() % 4 {
                0 => 0,
                1 => 0xff,
                2 => altered[*at] ^ (1 << (random() % 8)),
                _ => random() as u8,
            };
        }
        read(&altered);
        for at in places {
            altered[at] = bytes[at];
        }
    }
}

/// A zip archive with these files, stored.
pub fn packed<N: AsRef<str>, B: AsRef<[u8]>>(files: &[(N, B)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, contents) in files {
        let (mut entry, config) = archive.new_file(name.as_ref()).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(contents.as_ref()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}
