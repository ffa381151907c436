//! Options that do not go together, files that are there, notes, shapes of arrays, and output that nobody takes.

use std::{fs, path::Path, process::Command};

use serde_json::Value as Json;

use crate::starts::{close, fine, fixture, json, keras, npy, numbers, path, start, wrong};

/// What clap says of a command line that is none.
fn misused(arguments: &[&str]) -> String {
    let done = start(arguments);
    assert_eq!(done.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn options_without_an_effect_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let x = npy(&folder.path().join("x.npy"), &[3, 1], &[0.0; 3]);
    for option in ["--recurrent", "--cache"] {
        let e = misused(&["run", &file, &x, option, "/nonexistent"]);
        assert!(e.contains("--compiled"), "{e}");
    }
    assert!(misused(&["run", &file, &x, "--force"]).contains("--output"));
    // The variable is for all calls, so it is no option without an effect.
    let mut command = Command::new(env!("CARGO_BIN_EXE_recurrent"));
    let command = command
        .args(["run", &file, &x])
        .env("RECURRENT_CACHE", "/nonexistent");
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let target = path(&folder, "a.onnx");
    let e = wrong(&["convert", &file, &target, "--names", "pytorch"]);
    assert!(e.contains("`--names`") && e.contains("help: "), "{e}");
    assert!(!Path::new(&target).exists());
    let target = path(&folder, "a.safetensors");
    fine(&["convert", &file, &target, "--names", "keras"]);
}

#[test]
fn files_that_are_there_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let x = npy(&folder.path().join("x.npy"), &[3, 1], &[0.0; 3]);
    let there = path(&folder, "y.npy");
    fs::write(&there, "mine").unwrap();
    let e = wrong(&["run", &file, &x, "--output", &there]);
    assert!(e.contains("y.npy is there already\nhelp: `--force`"), "{e}");
    assert_eq!(fs::read(&there).unwrap(), b"mine");
    fine(&["run", &file, &x, "--output", &there, "--force"]);
    assert!(fs::read(&there).unwrap().starts_with(b"\x93NUMPY"));
    // Of several outputs each has a file, and none is written if one is there.
    let states = keras(folder.path(), "states.keras");
    let ids = npy(&folder.path().join("ids.npy"), &[4], &[1.0, 2.0, 3.0, 4.0]);
    let both = npy(&folder.path().join("both.npy"), &[4, 2], &[0.5; 8]);
    let (dense, gru) = (path(&folder, "z.dense.npy"), path(&folder, "z.gru.npy"));
    fs::write(&gru, "mine").unwrap();
    let z = path(&folder, "z.npy");
    let e = wrong(&["run", &states, &ids, &both, "--output", &z]);
    assert!(e.contains("z.gru.npy is there already"), "{e}");
    assert!(!Path::new(&dense).exists());
    fine(&["run", &states, &ids, &both, "--output", &z, "--force"]);
    assert!(Path::new(&dense).exists() && !Path::new(&z).exists());
    assert!(fs::read(&gru).unwrap().starts_with(b"\x93NUMPY"));
    // An array is no model.
    let e = wrong(&["run", &file, &x, "--output", &path(&folder, "out.keras")]);
    assert!(e.contains("out.keras ends with .keras\nhelp: "), "{e}");
    let e = wrong(&[
        "run",
        &file,
        &x,
        "--output",
        &folder.path().to_string_lossy(),
    ]);
    assert!(e.contains(" is a folder\nhelp: "), "{e}");
    let e = wrong(&[
        "convert",
        &file,
        &folder.path().to_string_lossy(),
        "--to",
        "onnx",
        "--force",
    ]);
    assert!(e.contains(" is a folder\nhelp: "), "{e}");
}

#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let link = folder.path().join("link.onnx");
    let target = folder.path().join("target.onnx");
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fine(&["convert", &file, &link.to_string_lossy(), "--force"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::metadata(&target).unwrap().len() > 0);
    fine(&["convert", &file, "/dev/null", "--to", "onnx", "--force"]);
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_nobody_takes_is_no_panic() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let tool = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recurrent"));
        command.args(arguments);
        command
    };
    for arguments in [
        &["completions", "bash"][..],
        &["plan", &fixture("amps/nam_one.nam")],
        &["--json", "plan", &fixture("amps/nam_one.nam")],
    ] {
        let done = tool(arguments).stdout(full()).output().unwrap();
        let words = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{arguments:?}: {words}");
        assert!(words.contains("cannot be printed"), "{words}");
    }
    // Nor where errors and notes cannot be printed.
    for arguments in [
        &["plan", "/nonexistent"][..],
        &["--json", "plan", "/nonexistent"],
    ] {
        let done = tool(arguments).stdout(full()).stderr(full()).output();
        assert_eq!(done.unwrap().status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn completions_are_text_or_json() {
    assert_eq!(json(&["completions", "fish"])["shell"], "fish");
    let text = fine(&["completions", "fish"]);
    assert_eq!(
        json(&["completions", "fish"])["text"]
            .as_str()
            .unwrap()
            .trim_end(),
        text.trim_end()
    );
}

#[test]
fn sound_is_an_array_of_one_axis() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let x: Vec<f32> = (0..8).map(|i| (i as f32).sin()).collect();
    let run = |shape: &[usize]| {
        let x = npy(&folder.path().join("x.npy"), shape, &x);
        let out = json(&["run", &file, &x])["outputs"][0].clone();
        (out["shape"].clone(), numbers(&out["values"]))
    };
    let shape = |axes: [usize; 3]| Json::from(axes.to_vec());
    let (whole, expected) = run(&[1, 8, 1]);
    assert_eq!(whole, shape([1, 8, 1]));
    for axes in [&[8][..], &[8, 1], &[1, 8]] {
        let (found, values) = run(axes);
        assert_eq!(found, whole, "{axes:?}");
        close(&values, &expected);
    }
    let (rows, expected) = run(&[2, 4, 1]);
    assert_eq!(rows, shape([2, 4, 1]));
    let (found, values) = run(&[2, 4]);
    assert_eq!(found, rows);
    close(&values, &expected);
    // Of more features an axis is one.
    let file = fixture("torch/lstm.pt");
    let x = npy(&folder.path().join("x.npy"), &[8], &x);
    let layers = json(&["inspect", &file])["proposed"].clone();
    let e = wrong(&["run", &file, &x, "--layers", layers.as_str().unwrap()]);
    assert!(e.contains("expected [batch, time, 3], found [8]"), "{e}");
}

#[test]
fn notes_of_the_file_are_said_wherever_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("amps/guitarml_rnn.json");
    let notes = json(&["inspect", &file])["notes"].clone();
    let first = notes[0].as_str().unwrap().to_owned();
    let x = npy(&folder.path().join("x.npy"), &[8], &[0.5; 8]);
    let said = |arguments: &[&str]| {
        let done = start(arguments);
        assert_eq!(done.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(done.stderr).unwrap()
    };
    let (onnx, made) = (path(&folder, "a.onnx"), path(&folder, "made"));
    for arguments in [
        &["convert", &file, &onnx, "--force"][..],
        &["run", &file, &x],
        &["plan", &file],
    ] {
        let words = said(arguments);
        assert!(words.starts_with(&format!("note: {first}")), "{words}");
        assert_eq!(said(&[&["--quiet"], arguments].concat()), "");
        assert_eq!(said(&[&["--json"], arguments].concat()), "");
        assert_eq!(json(arguments)["notes"], notes, "{arguments:?}");
    }
    assert!(said(&["new", &file, &made]).contains(&first));
    let readme = fs::read_to_string(Path::new(&made).join("README.md")).unwrap();
    assert!(readme.contains(&format!("\n- {first}")), "{readme}");
    assert_eq!(
        json(&["new", &file, &path(&folder, "again")])["notes"],
        notes
    );
}

#[test]
fn layers_hide_no_reason() {
    let folder = tempfile::tempdir().unwrap();
    let layers = ["--layers", "Input(_, 1) -> LSTM(4) -> Dense(1)"];
    let mystery = path(&folder, "mystery.json");
    let text = r#"{"in_shape": [null, null, 1], "layers": [{"type": "mystery", "shape": [null, null, 1], "weights": []}]}"#;
    fs::write(&mystery, text).unwrap();
    for (file, reason) in [
        (mystery, "mystery"),
        (fixture("torch/refused.nan.pt"), "NaN"),
        (fixture("torch/refused.whole.pt"), "pickle"),
    ] {
        let e = wrong(&["inspect", &file, layers[0], layers[1]]);
        assert!(e.contains(reason), "{e}");
        assert!(!e.contains("does not fit the layers"), "{e}");
    }
}

#[test]
fn layers_are_proposed_where_they_follow_one_another() {
    // A file of safetensors is sorted by names, and these modules do not stand in that order.
    let file = fixture("torch/words.safetensors");
    let said = json(&["inspect", &file]);
    match said["proposed"].as_str() {
        None => {
            let e = wrong(&["plan", &file]);
            let help = "\nhelp: say the layers by --layers \"…\"; a state dict has no architecture";
            assert!(e.contains(help) && !e.contains("()"), "{e}");
            assert!(!fine(&["inspect", &file]).contains("would fit"));
        }
        // An order in which the sizes fit.
        Some(layers) => {
            assert!(layers.starts_with("Embedding("), "{layers}");
            json(&["plan", &file, "--layers", layers]);
        }
    }
    for name in ["lstm", "stacked_gru", "both_lstm"] {
        let file = fixture(&format!("torch/{name}.pt"));
        let layers = json(&["inspect", &file])["proposed"].clone();
        let said = json(&["plan", &file, "--layers", layers.as_str().unwrap()]);
        // With layers the notes are of these: which module is which.
        let notes = said["notes"].to_string();
        assert!(notes.contains("modules as layers: "), "{notes}");
        assert!(!notes.contains("forward`"), "{notes}");
    }
}
