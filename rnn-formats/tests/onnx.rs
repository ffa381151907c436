//! Models of ONNX against what their libraries give.
#![cfg(feature = "all")]

mod onnx_common;

use onnx_common::compare;

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
    assert!(compare("pytorch.safetensors.z") >= 100);
}

/// The operators around recurrent layers, and weights of all types.
#[test]
fn operators() {
    assert!(compare("operators.safetensors.z") >= 90);
}
