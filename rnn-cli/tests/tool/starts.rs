//! Starting the tool, and files for it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A file of the fixtures.
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/formats")
        .join(name);
    path.to_string_lossy().into_owned()
}

/// A model of the archive of Keras's files, unpacked.
pub fn keras(folder: &Path, name: &str) -> String {
    let bytes = fs::read(fixture("keras/keras.zip")).unwrap();
    let archive = rnn_formats::zip::Archive::open(&bytes).unwrap();
    let path = folder.join(name);
    fs::write(&path, archive.read(name).unwrap()).unwrap();
    path.to_string_lossy().into_owned()
}

/// Starts the tool.
pub fn start(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recurrent"));
    command.args(arguments).output().unwrap()
}

/// What it prints where all is fine.
pub fn fine(arguments: &[&str]) -> String {
    let done = start(arguments);
    let errors = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

/// What it prints for machines.
pub fn json(arguments: &[&str]) -> Json {
    serde_json::from_str(&fine(&[&["--json"], arguments].concat())).unwrap()
}

/// What it says where the file or the model is wrong.
pub fn wrong(arguments: &[&str]) -> String {
    let done = start(arguments);
    assert_eq!(done.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(done.stderr).unwrap()
}

/// An array as `numpy.save` writes it.
pub fn npy(path: &Path, shape: &[usize], values: &[f32]) -> String {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    fs::write(path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

/// A path in a folder.
pub fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_string_lossy().into_owned()
}

/// A list of JSON as numbers.
pub fn numbers(value: &Json) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|x| x.as_f64().unwrap()).collect()
}

/// Numbers that differ by what float32 rounds.
pub fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-6_f64, |m, x| m.max(x.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5 * largest, "{a} and {b}");
    }
}
