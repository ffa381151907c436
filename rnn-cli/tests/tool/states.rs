//! States of an ONNX graph that come in and go out, left to a stream by `--states stream`.

use std::fs;

use crate::starts::{close, fine, json, keras, npy, numbers, path, wrong};

#[test]
fn states_are_left_to_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "state_in_and_out.keras");
    let onnx = path(&folder, "voice.onnx");
    fine(&["convert", &file, &onnx]);
    // The graph has three inputs and three outputs, and a note says what can be done about it.
    let whole = json(&["inspect", &onnx]);
    let text = whole["text"].as_str().unwrap();
    assert!(text.contains("initial_state = [h, c]"), "{text}");
    let notes = whole["notes"].to_string();
    assert!(notes.contains("`--states stream` of the tool"), "{notes}");
    assert_eq!(json(&["inspect", &onnx, "--states", "inputs"]), whole);
    let streamed = json(&["inspect", &onnx, "--states", "stream"]);
    let text = streamed["text"].as_str().unwrap();
    assert!(text.starts_with("Input(_, 1) -> LSTM(3"), "{text}");
    assert!(!text.contains("state"), "{text}");

    // It computes what the whole one does of zeros.
    let x = npy(
        &folder.path().join("x.npy"),
        &[4, 1],
        &[0.5, -1.0, 0.25, 2.0],
    );
    let zeros = npy(&folder.path().join("zeros.npy"), &[3], &[0.0; 3]);
    let all = json(&["run", &onnx, &x, &zeros, &zeros]);
    let one = json(&["run", &onnx, &x, "--states", "stream"]);
    assert_eq!(one["outputs"].as_array().unwrap().len(), 1);
    let flat = |run: &serde_json::Value| numbers(&run["outputs"][0]["values"]);
    close(&flat(&one), &flat(&all));

    // A crate of it names the graph in the same way.
    let made = path(&folder, "voice");
    let new = json(&["new", &onnx, &made, "--states", "stream"]);
    assert_eq!(new["streams"], true);
    let mut files = new["files"].as_array().unwrap().iter();
    assert!(files.any(|file| {
        let file = folder.path().join("voice").join(file.as_str().unwrap());
        let text = fs::read_to_string(file).unwrap();
        text.contains("import(\"models/voice.onnx\", states = stream)")
    }));

    let e = wrong(&["inspect", &file, "--states", "stream"]);
    assert!(e.contains("leave `states` out"), "{e}");
}
