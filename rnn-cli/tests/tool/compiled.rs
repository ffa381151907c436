//! Programs with a model in them. They build recurrent as a release, so they are started by `--ignored`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::SystemTime,
};

use serde_json::Value as Json;

use crate::starts::{close, json, keras, npy, numbers, path, wrong};

/// The folder in which tests build.
fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recurrent")
}

/// The programs of models whose names start so, and when they were built. Cargo writes the lists of what they depend on each
/// time.
fn programs(stem: &str) -> Vec<(PathBuf, SystemTime)> {
    let all = fs::read_dir(cache().join("target/release")).unwrap();
    let files = all.map(|file| file.unwrap());
    let mut found: Vec<(PathBuf, SystemTime)> = files
        .filter(|file| file.file_name().to_string_lossy().starts_with(stem))
        .filter(|file| file.path().extension().is_none_or(|ending| ending != "d"))
        .map(|file| (file.path(), file.metadata().unwrap().modified().unwrap()))
        .collect();
    found.sort();
    found
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
    // Nothing is built again, also where the settings of cargo are others: they are of another program.
    let built = programs("lstm-");
    assert!(!built.is_empty());
    fs::create_dir(folder.path().join(".cargo")).unwrap();
    fs::write(
        folder.path().join(".cargo/config.toml"),
        "[build]\ntarget = \"wasm32-unknown-unknown\"\n",
    )
    .unwrap();
    let again = Command::new(env!("CARGO_BIN_EXE_recurrent"))
        .args(["--json", "run", &file, &x, "--compiled", "--cache", &cache])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let again: Json = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again, found);
    assert_eq!(programs("lstm-"), built);
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
        "state_in_and_out.keras",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = keras(folder.path(), name);
        let target = path(&folder, "made");
        let said = json(&["new", &file, &target]);
        let streams = !["bidirectional_concat.keras", "state_in_and_out.keras"].contains(&name);
        assert_eq!(said["streams"], streams);
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
        // It runs on what it comes with: a file for each of several inputs of a batch, or what is piped in.
        let inputs = Path::new(&target).join("inputs");
        let program = cache().join("target/release/made");
        let all: Vec<PathBuf> = fs::read_dir(inputs)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        match &all[..] {
            [one] => {
                let done = fed(&program, &fs::read_to_string(one).unwrap());
                assert!(done.status.success(), "{name}");
                assert!(!done.stdout.is_empty(), "{name}");
            }
            _ => {
                let of = |input: &str| Path::new(&target).join(format!("inputs/{input}.txt"));
                let named = |inputs: &[&str]| {
                    Command::new(&program)
                        .args(inputs.iter().map(|i| of(i)))
                        .output()
                        .unwrap()
                };
                let words = String::from_utf8(named(&["x"]).stderr).unwrap();
                assert_eq!(
                    words,
                    "error: name a file of numbers for each input: x, h, c\n"
                );
                let done = named(&["x", "h", "c"]);
                let words = String::from_utf8(done.stdout).unwrap();
                let headers: Vec<&str> = words.lines().filter(|line| line.ends_with(':')).collect();
                assert_eq!(headers, ["dense:", "lstm:", "lstm_1:"], "{words}");
            }
        }
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
            "bidirectional_concat.keras" => {
                &[("1\nx\n", "error: input, line 2: expected a number")]
            }
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
