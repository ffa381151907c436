//! Files of real Keras: what they say here, and that they give the numbers of Keras.
#![cfg(feature = "all")]

use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

use rnn_formats::{Body, Error, Imported, Tensor, keras, zip::Archive};
use rnn_reference::{Call, Input, ReferenceModel, Weights};

/// The files of an archive beside the scripts, by name.
fn files(archive: &str) -> BTreeMap<String, Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras");
    let bytes = std::fs::read(path.join(archive)).unwrap();
    let archive = Archive::open(&bytes).unwrap();
    let names = archive.names().map(|n| (n.to_owned(), archive.read(n).unwrap()));
    names.collect()
}

static NEW: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| files("keras.zip"));
static OLD: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| files("tf_keras.zip"));

fn text(model: &Imported) -> String {
    match model.network.as_ref().unwrap().body() {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

/// The arrays of a safetensors file, as numbers.
fn arrays(bytes: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let all = file.tensors().into_iter().map(|(name, view)| {
        let numbers = view.data().chunks_exact(4);
        let numbers = numbers.map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())));
        (name, (view.shape().to_vec(), numbers.collect()))
    });
    all.collect()
}

fn weights(tensors: &[Tensor]) -> Weights {
    let all = tensors.iter();
    all.map(|t| (t.name.clone(), t.values.iter().map(|x| f64::from(*x)).collect()))
        .collect()
}

/// Checks that a file has all parameters of its model, in their order, and gives the numbers of Keras.
fn check(file: &str, files: &BTreeMap<String, Vec<u8>>, expected: &str) -> Imported {
    let imported = keras::read(&files[file]).unwrap_or_else(|e| panic!("{file}: {e}"));
    let text = text(&imported);
    let model = ReferenceModel::parse(&text).unwrap_or_else(|e| panic!("{file}: {e}\n{text}"));
    let wanted: Vec<_> = model.specs().iter().map(|s| (&s.name, &s.shape)).collect();
    let found: Vec<_> = imported.tensors.iter().map(|t| (&t.name, &t.shape)).collect();
    assert_eq!(wanted, found, "{file}\n{text}");
    let numbers = arrays(&files[expected]);
    let inputs = model.inputs().unwrap();
    let inputs = inputs.iter().enumerate().map(|(i, info)| {
        let (shape, values) = numbers[&format!("input.{i}")].clone();
        let ids = format!("{:?}", info.content) == "Ids";
        Input {
            batch: shape[0],
            time: if info.steps.is_some() { shape[1] } else { 1 },
            ids: if ids { values.iter().map(|x| *x as u32).collect() } else { vec![] },
            floats: if ids { vec![] } else { values },
        }
    });
    let call = Call {
        inputs: inputs.collect(),
        ..Call::default()
    };
    let answer = model.call(&weights(&imported.tensors), &call);
    let outputs = answer.unwrap_or_else(|e| panic!("{file}: {e}\n{text}")).outputs;
    assert_eq!(outputs.len() + call.inputs.len(), numbers.len(), "{file}\n{text}");
    for (i, output) in outputs.iter().enumerate() {
        let (_, wanted) = &numbers[&format!("output.{i}")];
        assert_eq!(output.data.len(), wanted.len(), "{file}, output {i}\n{text}");
        let largest = wanted.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        assert!(largest > 1e-3, "{file}, output {i} says nothing");
        for (a, b) in output.data.iter().zip(wanted) {
            let off = (a - b).abs() / largest;
            assert!(off < 1e-5, "{file}, output {i}: {a} and {b}\n{text}");
        }
    }
    imported
}

/// The files of models, with the file of their numbers.
fn models(files: &BTreeMap<String, Vec<u8>>) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    for name in files.keys() {
        let stem = name.strip_suffix(".keras").or_else(|| name.strip_suffix(".h5"));
        if let Some(stem) = stem.filter(|s| !s.ends_with("weights")) {
            all.push((name.as_str(), format!("{stem}.safetensors")));
        }
    }
    all
}

#[test]
fn models_of_keras_3_give_its_numbers() {
    let all = models(&NEW);
    assert!(all.len() > 40);
    for (file, expected) in all {
        let found = check(file, &NEW, &expected);
        println!("{file}: {}\n{:?}", text(&found), found.notes);
    }
}

#[test]
fn models_of_keras_2_give_its_numbers() {
    let all = models(&OLD);
    assert!(all.len() > 20);
    for (file, expected) in all {
        let found = check(file, &OLD, &expected);
        println!("{file}: {}\n{:?}", text(&found), found.notes);
    }
}

#[test]
fn something_else_is_none_of_these() {
    for bytes in [&b""[..], b"hello", b"PK\x03\x04"] {
        assert!(!matches!(keras::read(bytes), Ok(_) | Err(Error::NotUnderstood(_))));
    }
}
