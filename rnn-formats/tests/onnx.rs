//! Models of ONNX against what their libraries give.
#![cfg(feature = "all")]

mod onnx_common;

use onnx_common::{compare, pack, read, run, text};
use rnn_formats::{
    Error,
    onnx::{self, States},
};

/// What the ONNX package generates for LSTM, GRU and RNN.
#[test]
fn node_tests() {
    assert_eq!(compare("node_tests.safetensors.z"), 18);
}

/// Every attribute, with what onnxruntime gives.
#[test]
fn grid() {
    assert!(compare("grid.safetensors.z") >= 150);
}

/// Both exporters of PyTorch, with open and with fixed axes.
#[test]
fn pytorch() {
    assert!(compare("pytorch.safetensors.z") >= 190);
}

/// The operators around recurrent layers, and weights of all types.
#[test]
fn operators() {
    assert!(compare("operators.safetensors.z") >= 100);
}

/// Without its states a model for streams gives what the other one gives of states of zeros.
#[test]
fn states_of_a_stream() {
    let cases = pack("pytorch.safetensors.z");
    let mut count = 0;
    for (name, case) in cases.iter().filter(|(name, _)| name.contains("_states_")) {
        let mut inputs = case.inputs.clone();
        for (_, values) in inputs.iter_mut().filter(|(name, _)| *name != "x") {
            values.1.fill(0.0);
        }
        let wanted = run(&read(case).unwrap(), &inputs).unwrap();
        inputs.retain(|name, _| name == "x");
        let none = &mut |_: &str| Ok(Vec::new());
        let stream = onnx::read_with(&case.model, none, States::Stream).unwrap();
        let found = run(&stream, &inputs).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].data, wanted[0].data, "{name}");
        let text = text(stream.network.as_ref().unwrap());
        assert!(text.starts_with("Input(_, 3) -> "), "{text}");
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

/// The note says that states can be left to a stream if they can, and only then; else an error says why.
#[test]
fn states_that_can_be_left_out() {
    let (mut can, mut why) = (0, std::collections::BTreeSet::new());
    for file in ["pytorch", "grid", "node_tests", "operators"] {
        for (name, case) in pack(&format!("{file}.safetensors.z")) {
            let Ok(imported) = read(&case) else { continue };
            let said = imported
                .notes
                .iter()
                .any(|note| note.contains("states = stream"));
            let mut beside = |name: &str| {
                let found = case.beside.get(name).cloned();
                found.ok_or(std::io::ErrorKind::NotFound.into())
            };
            match onnx::read_with(&case.model, &mut beside, States::Stream) {
                Ok(stream) => {
                    let has = |part: &str| stream.notes.iter().any(|note| note.contains(part));
                    assert_eq!(
                        has("states that came in"),
                        said,
                        "{name}: {:#?}",
                        stream.notes
                    );
                    assert_eq!(has("changes nothing"), !said, "{name}: {:#?}", stream.notes);
                    can += usize::from(said);
                }
                Err(Error::NotUnderstood(lines)) => {
                    assert!(!said, "{name}: {lines:#?}");
                    why.extend(lines.into_iter().map(|line| {
                        let line = line.split(": ").nth(1).unwrap_or_default();
                        line.split('`').step_by(2).collect::<String>()
                    }));
                }
                Err(e) => panic!("{name}: {e}"),
            }
        }
    }
    assert!(can >= 20, "{can}");
    for part in [
        ", and no output gives it back by itself",
        " starts where the graph computes, and no input gives that as it is",
        " start from one input, ",
        " reads the last step first",
    ] {
        assert!(why.iter().any(|line| line.contains(part)), "{why:#?}");
    }
}
