//! Every file that has layers, beside layers that are its own and others.
#![cfg(feature = "all")]

mod common;
mod onnx_common;

use common::file;
use rnn_formats::{
    Imported, Written, differences,
    onnx::{self, States},
    read,
    zip::Archive,
};

fn imported(bytes: &[u8]) -> Option<Imported> {
    let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    read(bytes, &mut none).ok().filter(|i| i.network.is_some())
}

/// Names and texts.
type Layers = Vec<(String, String)>;

/// The layers of a file, as a model has them that is written after it.
fn own(imported: &Imported) -> Layers {
    let network = imported.network.as_ref().unwrap();
    let mut layers: Layers = Vec::new();
    for layer in &network.layers {
        let name = layer.name.clone().unwrap_or_default();
        // A layer that is called twice is one.
        if name.is_empty() || layers.iter().all(|(other, _)| *other != name) {
            layers.push((name, layer.text()));
        }
    }
    layers
}

fn compared(imported: &Imported, layers: &[(String, String)]) -> Vec<String> {
    let written = layers.iter().map(|(name, text)| Written { name, text });
    let written: Vec<Written<'_>> = written.collect();
    differences(imported.network.as_ref().unwrap(), &written).lines
}

#[test]
fn a_file_does_not_differ_from_itself() {
    let amps = [
        "aidax_gains.json",
        "aidax_lstm.json",
        "guitarml_knob.json",
        "guitarml_lstm.json",
        "guitarml_stereo.json",
        "nam_two.nam",
        "rtneural_gru.json",
        "rtneural_more.json",
    ];
    let mut files: Vec<(String, Vec<u8>)> = amps
        .iter()
        .map(|name| (name.to_string(), file("amps", name)))
        .collect();
    for archive in ["keras.zip", "tf_keras.zip"] {
        let bytes = file("keras", archive);
        let archive = Archive::open(&bytes).unwrap();
        for name in archive.names().filter(|name| name.ends_with(".keras")) {
            files.push((name.to_owned(), archive.read(name).unwrap()));
        }
    }
    let mut read = 0;
    for (name, bytes) in files {
        if let Some(imported) = imported(&bytes) {
            assert_eq!(compared(&imported, &own(&imported)), [""; 0], "{name}");
            read += 1;
        }
    }
    assert!(read > 40, "{read}");
}

/// Whoever imports a graph for a stream loads its weights from a file that has states as inputs.
#[test]
fn states_of_a_graph_are_no_difference() {
    let (mut read, mut streamed) = (0, 0);
    for (name, case) in onnx_common::pack("pytorch.safetensors.z") {
        let Ok(imported) = onnx_common::read(&case) else {
            continue;
        };
        assert_eq!(compared(&imported, &own(&imported)), [""; 0], "{name}");
        read += 1;
        let mut beside = |file: &str| {
            let found = case.beside.get(file).cloned();
            found.ok_or_else(|| std::io::Error::other("there is no such file"))
        };
        if let Ok(stream) = onnx::read_with(&case.model, &mut beside, States::Stream) {
            assert_eq!(compared(&imported, &own(&stream)), [""; 0], "{name}");
            streamed += 1;
        }
    }
    assert!(read > 20 && streamed > 5, "{read} {streamed}");
}

#[test]
fn what_differs_in_real_files_is_said() {
    let lines = |name: &str, change: &dyn Fn(&mut Layers)| {
        let imported = imported(&file("amps", name)).unwrap();
        let mut layers = own(&imported);
        change(&mut layers);
        compared(&imported, &layers)
    };
    let without_skip = lines("guitarml_lstm.json", &|all| all.retain(|(_, t)| t != "Add"));
    assert_eq!(
        without_skip,
        ["the file has `Add`, which the layers here have not: add it"]
    );
    let other = lines("rtneural_more.json", &|all| {
        for (_, text) in all.iter_mut() {
            *text = text.replace("epsilon = 0.001", "epsilon = 0.1");
        }
    });
    assert_eq!(other.len(), 1, "{other:?}");
    assert!(other[0].contains("write `epsilon = 0.001`"), "{other:?}");
}
