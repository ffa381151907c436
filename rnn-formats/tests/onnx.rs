//! Models of ONNX against what their libraries give.
#![cfg(feature = "all")]

mod onnx_common;

use onnx_common::{compare, pack, read, run, text};
use rnn_formats::onnx::{self, States};

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
