//! The tool as a user starts it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value as Json;
use tempfile::TempDir;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/formats")
        .join(name);
    path.to_string_lossy().into_owned()
}

/// A model of the archive of Keras's files, unpacked.
fn keras(folder: &Path, name: &str) -> String {
    let bytes = fs::read(fixture("keras/keras.zip")).unwrap();
    let archive = rnn_formats::zip::Archive::open(&bytes).unwrap();
    let path = folder.join(name);
    fs::write(&path, archive.read(name).unwrap()).unwrap();
    path.to_string_lossy().into_owned()
}

fn start(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recurrent"));
    command.args(arguments).output().unwrap()
}

/// What it prints where all is fine.
fn fine(arguments: &[&str]) -> String {
    let done = start(arguments);
    let errors = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Json {
    serde_json::from_str(&fine(&[&["--json"], arguments].concat())).unwrap()
}

/// What it says where the file or the model is wrong.
fn wrong(arguments: &[&str]) -> String {
    let done = start(arguments);
    assert_eq!(done.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(done.stderr).unwrap()
}

/// An array as `numpy.save` writes it.
fn npy(path: &Path, shape: &[usize], values: &[f32]) -> String {
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

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_string_lossy().into_owned()
}

fn numbers(value: &Json) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|x| x.as_f64().unwrap()).collect()
}

fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-6_f64, |m, x| m.max(x.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5 * largest, "{a} and {b}");
    }
}

#[test]
fn inspect_says_layers_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let text = fine(&["inspect", &file]);
    for line in [
        "lstm (LSTM)         (None, None, 4)            96",
        "Total params: 101 (404 bytes)",
        "  keras_version: 3.15.1",
        "  -> LSTM(4, return_sequences)",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let said = json(&["inspect", &file]);
    assert_eq!(
        said["text"],
        "Input(_, 1) -> LSTM(4, return_sequences) -> Dense(1)"
    );
    assert_eq!(said["layers"][1]["parameters"], 96);
    assert_eq!(said["format"], "Keras");
}

#[test]
fn inspect_of_weights_proposes_layers() {
    let said = json(&["inspect", &fixture("torch/lstm.pt")]);
    let layers = said["proposed"].as_str().unwrap();
    assert!(layers.starts_with("Input(_, 3) -> LSTM(4"), "{layers}");
    assert!(said["layers"].is_null());
    let with = json(&["inspect", &fixture("torch/lstm.pt"), "--layers", layers]);
    assert_eq!(with["layers"][1]["class"], "LSTM");
}

#[test]
fn conversions_keep_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let x: Vec<f32> = (0..10).map(|i| (i as f32).sin()).collect();
    let x = npy(&folder.path().join("x.npy"), &[2, 5, 1], &x);
    let expected = numbers(&json(&["run", &file, &x])["outputs"][0]["values"]);
    assert_eq!(expected.len(), 10);
    let layers = "Input(_, 1) -> LSTM(4, return_sequences) -> Dense(1)";
    for (name, options) in [
        ("a.keras", &[][..]),
        ("a.onnx", &[]),
        ("a.json", &[]),
        ("a.safetensors", &[]),
        ("b.safetensors", &["--names", "pytorch"]),
        ("model", &["--to", "onnx"]),
    ] {
        let target = path(&folder, name);
        let said = json(&[&["convert", &file, &target], options].concat());
        assert_eq!(said["bytes"], fs::metadata(&target).unwrap().len());
        let layers = match name.ends_with(".safetensors") {
            true => &["--layers", layers][..],
            false => &[],
        };
        let found = json(&[&["run", &target, &x], layers].concat());
        close(&numbers(&found["outputs"][0]["values"]), &expected);
    }
    // Nothing is left beside them.
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 8);
}

#[test]
fn rust_text_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "shared.keras");
    let target = path(&folder, "shared.rs");
    fine(&["convert", &file, &target]);
    let text = fs::read_to_string(target).unwrap();
    assert!(
        text.contains("pub struct Shared {\n        input left: [_, 3];"),
        "{text}"
    );
    assert!(
        text.ends_with("    }, weights = \"shared.keras\"\n}\n"),
        "{text}"
    );
}

#[test]
fn layers_of_a_user_are_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "shared.keras");
    let weights = path(&folder, "weights.safetensors");
    fine(&["convert", &file, &weights]);
    let layers = "input left: [_, 3]; input right: [_, 3]; layer reader = LSTM(4, name = \"reader\"); \
                  output y = (left -> reader, right -> reader);";
    assert!(
        wrong(&["convert", &weights, "/dev/null/a.onnx", "--layers", layers])
            .starts_with("error: ")
    );
    let layers = "input left: [_, 3]; input right: [_, 3]; layer reader = LSTM(4, name = \"reader\"); \
                  let a = left -> reader; let b = right -> reader; output y = (a, b) -> Subtract -> Dense(2);";
    let target = path(&folder, "again.onnx");
    fine(&["convert", &weights, &target, "--layers", layers]);
    let x: Vec<f32> = (0..12).map(|i| (i as f32).cos()).collect();
    let left = npy(&folder.path().join("left.npy"), &[1, 4, 3], &x);
    let right = npy(&folder.path().join("right.npy"), &[1, 2, 3], &x[..6]);
    let expected = json(&["run", &file, &left, &right]);
    let found = json(&["run", &target, &left, &right]);
    close(
        &numbers(&found["outputs"][0]["values"]),
        &numbers(&expected["outputs"][0]["values"]),
    );
}

#[test]
fn run_writes_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "lstm.keras");
    let x = npy(
        &folder.path().join("x.npy"),
        &[5, 1],
        &[0.1, 0.2, 0.3, 0.4, 0.5],
    );
    let target = path(&folder, "y.npy");
    // A row without its batch is a batch of one.
    let text = fine(&["run", &file, &x, "-o", &target]);
    assert!(text.starts_with("output [1, 5, 1]: "), "{text}");
    let bytes = fs::read(&target).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY"));
    let e = wrong(&["run", &file, &target, &target]);
    assert!(
        e.contains("the model has 1 inputs, and 2 arrays are given"),
        "{e}"
    );
    let x = npy(&folder.path().join("x.npy"), &[1, 5, 2], &[0.0; 10]);
    let e = wrong(&["run", &file, &x]);
    assert!(
        e.contains("expected [batch, time, 1], found [1, 5, 2]"),
        "{e}"
    );
    let e = wrong(&["run", &file, &file]);
    assert!(e.contains("no .npy"), "{e}");
}

#[test]
fn plan_is_that_of_the_compiler() {
    let folder = tempfile::tempdir().unwrap();
    let file = keras(folder.path(), "bidirectional_concat.keras");
    let plan = json(&["plan", &file]);
    assert_eq!(plan["streams"], false);
    assert!(fine(&["plan", &fixture("amps/nam_one.nam")]).contains("LSTM(4"));
}

#[test]
fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let e = wrong(&["plan", &fixture("torch/lstm.pt")]);
    assert!(
        e.starts_with("error: ")
            && e.contains("\nhelp: say the layers: --layers \"Input(_, 3) -> LSTM"),
        "{e}"
    );
    let e = wrong(&["inspect", &path(&folder, "nothing")]);
    assert!(e.contains("cannot be read"), "{e}");
    fs::write(path(&folder, "a.txt"), "hello").unwrap();
    assert!(wrong(&["inspect", &path(&folder, "a.txt")]).contains("a.txt"));
    let file = keras(folder.path(), "masks.keras");
    let e = wrong(&["convert", &file, &path(&folder, "a.onnx")]);
    assert!(
        e.contains("cannot hold this model\n  Bidirectional `bidirectional`: it reads a mask"),
        "{e}"
    );
    assert!(!Path::new(&path(&folder, "a.onnx")).exists());
    let e = wrong(&["convert", &file, &path(&folder, "a.bin")]);
    assert!(e.contains("help: end it with .safetensors"), "{e}");
    let e = wrong(&["convert", &file, &file]);
    assert!(e.contains("is there already\nhelp: `--force`"), "{e}");
    let e = wrong(&[
        "plan",
        &fixture("torch/lstm.pt"),
        "--layers",
        "Input(_, 3) -> LSMT(4)",
    ]);
    assert!(e.contains("LSTM"), "{e}");
    let e = wrong(&[
        "plan",
        &fixture("torch/lstm.pt"),
        "--layers",
        "Input(_, 3) -> LSTM(5) -> Dense(2)",
    ]);
    assert!(e.contains("does not fit the layers"), "{e}");
    // Errors for machines are on stdout.
    let done = start(&["--json", "inspect", &path(&folder, "nothing")]);
    assert_eq!(done.status.code(), Some(1));
    let error: Json = serde_json::from_slice(&done.stdout).unwrap();
    assert!(error["error"].as_str().unwrap().contains("cannot be read"));
    assert_eq!(start(&["inspekt"]).status.code(), Some(2));
    assert_eq!(start(&["inspect"]).status.code(), Some(2));
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(fine(&["completions", shell]).contains("inspect"));
    }
}

/// The folder in which tests build.
fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recurrent")
}

#[test]
#[ignore = "builds recurrent as a release: cargo test -p rnn-cli -- --ignored"]
fn a_compiled_model_gives_the_numbers_of_the_interpreter() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache().to_string_lossy().into_owned();
    let file = keras(folder.path(), "lstm.keras");
    let x: Vec<f32> = (0..10).map(|i| (i as f32).sin()).collect();
    let x = npy(&folder.path().join("x.npy"), &[2, 5, 1], &x);
    let expected = json(&["run", &file, &x]);
    let found = json(&["run", &file, &x, "--compiled", "--cache", &cache]);
    assert_eq!(
        found["outputs"][0]["shape"],
        expected["outputs"][0]["shape"]
    );
    close(
        &numbers(&found["outputs"][0]["values"]),
        &numbers(&expected["outputs"][0]["values"]),
    );
    // Ids out of the vocabulary are an error of the program, whose words the tool says.
    let words = keras(folder.path(), "embedding.keras");
    let ids = npy(&folder.path().join("ids.npy"), &[1, 3], &[1.0, 99.0, 2.0]);
    let e = wrong(&["run", &words, &ids, "--compiled", "--cache", &cache]);
    assert!(e.contains("id 99 ") && !e.contains("panicked"), "{e}");
    let measured = json(&["bench", &file, "--seconds", "0.1", "--cache", &cache]);
    let median = measured["stream"]["median_ns"].as_f64().unwrap();
    assert!(median > 0.0 && median <= measured["stream"]["p99_ns"].as_f64().unwrap());
    assert!(measured["batch"]["rows_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
#[ignore = "builds recurrent as a release: cargo test -p rnn-cli -- --ignored"]
fn a_new_crate_passes_its_test() {
    for name in [
        "lstm.keras",
        "embedding.keras",
        "bidirectional_concat.keras",
        "two_inputs.keras",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = keras(folder.path(), name);
        let target = path(&folder, "made");
        let said = json(&["new", &file, &target]);
        assert_eq!(said["streams"], name != "bidirectional_concat.keras");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["test", "--release", "--all-targets"])
            .current_dir(&target);
        let done = cargo
            .env("CARGO_TARGET_DIR", cache().join("target"))
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "{name}: {words}{}",
            String::from_utf8_lossy(&done.stdout)
        );
        assert!(!words.contains("warning"), "{name}: {words}");
        assert!(wrong(&["new", &file, &target]).contains("is there already"));
        // What cannot be an input is said, and nothing panics.
        let lines: &[(&str, &str)] = match name {
            "lstm.keras" => &[
                ("0.5\nx\n", "error: line 2: expected a number, found `x`\n"),
                (
                    "1 2\n",
                    "error: line 1: input of a step: expected 1 number, found 2\n",
                ),
            ],
            "embedding.keras" => &[
                (
                    "1\n99\n",
                    "error: line 2: id 99 is outside of the vocabulary 0..",
                ),
                (
                    "0.5\n",
                    "error: line 1: a class id is a whole number below ",
                ),
            ],
            "bidirectional_concat.keras" => &[("1\nx\n", "error: line 2: expected a number")],
            _ => &[],
        };
        for (input, expected) in lines {
            let program = cache().join("target/release/made");
            let done = fed(&program, input);
            assert_eq!(done.status.code(), Some(1), "{name}");
            let words = String::from_utf8_lossy(&done.stderr);
            assert!(words.starts_with(expected), "{name}: {words}");
        }
    }
}

/// Starts a program with these lines as its input.
fn fed(program: &Path, input: &str) -> Output {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// All texts of a crate that `new` makes.
#[test]
fn new_crates_have_no_unwrap() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["embedding.keras", "bidirectional_concat.keras"] {
        let file = keras(folder.path(), name);
        let target = path(&folder, &name.replace('.', "-"));
        fine(&["new", &file, &target]);
        for text in ["src/lib.rs", "src/main.rs", "tests/outputs.rs"] {
            let text = fs::read_to_string(Path::new(&target).join(text)).unwrap();
            for word in [".unwrap()", ".expect(", "@"] {
                assert!(!text.contains(word), "{word} in\n{text}");
            }
        }
    }
}
