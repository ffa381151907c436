//! What each command prints and writes.

use std::{fs, path::Path};

use serde_json::Value as Json;

use crate::starts::{close, fine, fixture, json, keras, npy, numbers, path, start, wrong};

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
    let said = fine(&["convert", &file, &target]);
    let text = fs::read_to_string(target).unwrap();
    assert!(
        text.contains("pub struct Shared {\n        input left: [_, 3];"),
        "{text}"
    );
    assert!(
        text.ends_with("    }, weights = \"shared.keras\"\n}\n"),
        "{text}"
    );
    // There is no crate whose folder the path could be relative to.
    assert!(
        said.contains("note: `weights = \"shared.keras\"` is relative to"),
        "{said}"
    );

    // In a crate it is relative to the crate's folder, wherever the text stands.
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("src/parts")).unwrap();
    fs::create_dir_all(home.join("models")).unwrap();
    fs::write(home.join("Cargo.toml"), "").unwrap();
    let inside = keras(&home.join("models"), "shared.keras");
    for (file, expected, notes) in [
        (&inside, "models/shared.keras", 0),
        (&file, "shared.keras", 1),
    ] {
        let target = home.join("src/parts/shared.rs");
        let said = json(&["convert", file, &target.to_string_lossy(), "--force"]);
        assert_eq!(said["notes_of_output"].as_array().unwrap().len(), notes);
        let text = fs::read_to_string(target).unwrap();
        assert!(
            text.ends_with(&format!("}}, weights = {expected:?}\n}}\n")),
            "{text}"
        );
    }
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
    let fits = "help: the file's weights fit the layers `Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2)`";
    assert!(e.contains(fits), "{e}");
    let e = wrong(&[
        "plan",
        &fixture("torch/lstm.pt"),
        "--layers",
        "Input(_, 3) -> LSTM(4, activation = relu, return_sequences) -> Dense(2)",
    ]);
    assert!(
        e.contains("fit, and its modules compute something else\n  `lstm`: the LSTM `rec` of the file is PyTorch's")
            && e.contains("here has `relu`: write `activation = tanh`"),
        "{e}"
    );
    let e = wrong(&["plan", &path(&folder, "Mask.keras")]);
    assert!(
        e.contains("\nhelp: did you mean ") && e.contains("masks.keras?"),
        "{e}"
    );
    let weights = keras(folder.path(), "stacked.weights.h5");
    let e = wrong(&["plan", &weights]);
    assert!(
        e.contains("help: say the layers: --layers \"Input(_, 3) -> LSTM(4, return_sequences, name = \\\"second\\\") -> "),
        "{e}"
    );
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

/// The book has the features of a crate that `new` makes.
#[test]
fn new_crates_have_the_features_of_the_book() {
    let folder = tempfile::tempdir().unwrap();
    let target = path(&folder, "made");
    fine(&["new", &keras(folder.path(), "lstm.keras"), &target]);
    let cargo = fs::read_to_string(Path::new(&target).join("Cargo.toml")).unwrap();
    let line = cargo.lines().find(|line| line.starts_with("recurrent = "));
    let (_, features) = line.unwrap().split_once(", default-features").unwrap();
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/deploy.md");
    let book = fs::read_to_string(book).unwrap();
    let line = format!("recurrent = {{ path = \"../recurrent\", default-features{features}");
    assert!(book.contains(&line), "{line}");
}

/// All texts of a crate that `new` makes.
#[test]
fn new_crates_have_no_unwrap() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["embedding.keras", "bidirectional_concat.keras"] {
        let file = keras(folder.path(), name);
        let target = path(&folder, &name.replace('.', "-"));
        fine(&["new", &file, &target]);
        for text in ["src/lib.rs", "src/main.rs", "tests/outputs.rs", "README.md"] {
            let text = fs::read_to_string(Path::new(&target).join(text)).unwrap();
            for word in [".unwrap()", ".expect(", "@"] {
                assert!(!text.contains(word), "{word} in\n{text}");
            }
        }
    }
}

/// The command that `new` prints has all that the program reads, and the README calls it with arrays of the right axes.
#[test]
fn new_crates_say_how_they_are_started() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = path(&folder, "voice.onnx");
    let file = keras(folder.path(), "state_in_and_out.keras");
    fine(&["convert", &file, &onnx]);
    let made = |file: &str, name: &str| {
        let target = path(&folder, name);
        let said = fine(&["new", file, &target]);
        let readme = fs::read_to_string(Path::new(&target).join("README.md")).unwrap();
        (said, readme, target)
    };
    let (said, readme, target) = made(&onnx, "voice");
    let start = "cargo run --release -- inputs/x.txt inputs/h.txt inputs/c.txt\n";
    assert!(said.ends_with(start), "{said}");
    assert!(readme.contains(start), "{readme}");
    assert!(said.contains("does not stream: "), "{said}");
    assert!(
        readme.contains("let h = Array2::<f32>::zeros((1, 3)); // [batch, features]\n"),
        "{readme}"
    );
    assert!(readme.contains(".predict((&x, &h, &c))?"), "{readme}");
    assert!(readme.contains("`--states stream` of the tool"), "{readme}");
    let lines = |input: &str| {
        fs::read_to_string(Path::new(&target).join(input))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!((lines("inputs/x.txt"), lines("inputs/h.txt")), (16, 1));

    let (said, readme, target) = made(&keras(folder.path(), "two_inputs.keras"), "two");
    assert!(
        said.ends_with("cargo run --release < inputs/steps.txt\n"),
        "{said}"
    );
    assert!(readme.contains("stream.step(&[1.0; 4])?"), "{readme}");
    assert!(readme.contains("of all inputs in a row"), "{readme}");
    let steps = fs::read_to_string(Path::new(&target).join("inputs/steps.txt")).unwrap();
    assert!(
        steps.lines().all(|line| line.split(' ').count() == 4),
        "{steps}"
    );
}
