//! What models of ONNX are in the words of `rnn_model!`, and what their users are told.
#![cfg(feature = "all")]

mod onnx_common;

use std::collections::BTreeMap;

use onnx_common::{Case, pack, read, text};
use rnn_formats::Format;

fn texts(cases: &BTreeMap<String, Case>, name: &str) -> (String, Vec<String>) {
    let imported = read(&cases[name]).unwrap();
    assert_eq!(imported.format, Format::Onnx);
    (text(imported.network.as_ref().unwrap()), imported.notes)
}

/// A plain layer is a plain layer, whatever an exporter writes around it.
#[test]
fn exports_of_pytorch() {
    let cases = pack("pytorch.safetensors.z");
    for (name, wanted) in [
        (
            "lstm_dynamo_open",
            "Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2)",
        ),
        ("gru_last_dynamo_open", "Input(_, 3) -> GRU(4) -> Dense(2)"),
        (
            "rnn_dynamo_open",
            "Input(_, 3) -> SimpleRNN(4, return_sequences) -> Dense(2)",
        ),
        (
            "rnn_last_state_two_dynamo_fixed",
            "Input(_, 3) -> SimpleRNN(4, return_sequences) -> SimpleRNN(4) -> Dense(2)",
        ),
        (
            "lstm_two_script_open",
            "Input(_, 3) -> LSTM(4, return_sequences, name = \"rnn\") -> LSTM(4, return_sequences, name = \"rnn_1\") -> Dense(2, name = \"head\")",
        ),
        (
            "lstm_last_state_dynamo_open",
            "Input(_, 3) -> Bidirectional(LSTM(4)) -> Dense(2)",
        ),
        (
            "last_after_dynamo_fixed",
            "Input(_, 3) -> LSTM(4) -> Dense(2) -> Activation(tanh)",
        ),
        (
            "sum_of_ways_dynamo_open",
            "Input(_, 3) -> Bidirectional(LSTM(4, return_sequences), merge_mode = sum)",
        ),
        (
            "learnt_dynamo_open",
            "Input(_, 3) -> LSTM(4, return_sequences, learn_initial_state)",
        ),
        (
            "flat_dynamo_open",
            "Input(5, 3) -> GRU(4, return_sequences) -> Flatten -> Dense(2)",
        ),
        (
            "old_norm_script_open",
            "Embedding(11, 3, name = \"words\") -> LayerNormalization(epsilon = 0.00001, name = \"before\") \
             -> Bidirectional(GRU(4, return_sequences), name = \"rnn\") \
             -> Bidirectional(GRU(4, return_sequences), name = \"rnn_1\") \
             -> LayerNormalization(epsilon = 0.00001, name = \"after\") -> Dense(3, activation = softmax, name = \"head\")",
        ),
        (
            "classifier_18_dynamo_open",
            "Input(_, 3) -> Dense(4, activation = gelu) -> GRU(4) -> Activation(gelu) -> Activation(hard_sigmoid) \
             -> Dense(3, activation = log_softmax)",
        ),
        (
            "classifier_18_script_fixed",
            "Input(_, 3) -> Dense(4, activation = gelu, name = \"before\") -> GRU(4, name = \"rnn\") -> Activation(gelu) \
             -> Activation(hard_sigmoid) -> Dense(3, activation = log_softmax, name = \"head\")",
        ),
        (
            "classifier_20_script_open",
            "Input(_, 3) -> Dense(4, activation = gelu, name = \"before\") -> GRU(4, name = \"rnn\") -> Activation(gelu) \
             -> Activation(hard_sigmoid) -> Dense(3, activation = log_softmax, name = \"head\")",
        ),
        (
            "packed_script_open",
            "input x: [time, 3];\ninput lengths: mask[time];\n\
             let v0 = x -> LSTM(4, return_sequences, zero_output_for_mask, mask = lengths, name = \"rnn\");\n\
             let v1 = v0 -> Dense(2, name = \"head\");\noutput y = v1;\n",
        ),
        (
            "amplifier_dynamo_open",
            "input x: [_, 1];\nlet v0 = x -> LSTM(4, return_sequences);\nlet v1 = v0 -> Dense(1);\n\
             let v2 = (v1, x) -> Add;\noutput y = v2;\n",
        ),
        (
            "encoder_decoder_script_open",
            "input x: [_, 3];\ninput target: [_, 2];\n\
             let (v0, v0_1, v0_2) = x -> LSTM(4, return_state, name = \"encoder\");\n\
             let v1 = target -> LSTM(4, return_sequences, initial_state = [v0_1, v0_2], name = \"decoder\");\n\
             let v2 = v1 -> Dense(2, name = \"head\");\noutput y = v2;\n",
        ),
    ] {
        assert_eq!(texts(&cases, name).0, wanted, "{name}");
    }
}

/// A GELU may be written in parts, in any order; `HardSigmoid` has a slope.
#[test]
fn activations() {
    let cases = pack("operators.safetensors.z");
    for (name, activation) in [
        ("gelu", "gelu"),
        ("gelu_sum_first", "gelu"),
        ("gelu_half_first", "gelu"),
        ("gelu_half_of_sum", "gelu"),
        ("hard_sigmoid", "hard_sigmoid"),
        ("hard_sigmoid_usual", "hard_sigmoid(0.2)"),
        ("hard_sigmoid_alpha", "hard_sigmoid(0.45)"),
        ("log_softmax", "log_softmax"),
        ("log_softmax_old", "log_softmax"),
    ] {
        let wanted = format!("Input(_, 4) -> Activation({activation})");
        assert_eq!(texts(&cases, name).0, wanted, "{name}");
    }
}

#[test]
fn notes() {
    let cases = pack("pytorch.safetensors.z");
    let told = |name: &str, part: &str| {
        let notes = texts(&cases, name).1;
        assert!(notes.iter().any(|n| n.contains(part)), "{name}: {notes:#?}");
    };
    told(
        "lstm_states_1_dynamo_open",
        "input `h` and output `hn` are the state h of the layer `lstm` before and after",
    );
    told(
        "lstm_states_1_dynamo_open",
        "this model cannot stream as it is, since a stream keeps its states itself: `import(\"…\", states = stream)`",
    );
    told(
        "lstm_states_1_dynamo_open",
        "input `c` and output `cn` are the state c of the layer `lstm`",
    );
    told(
        "lstm_states_2_dynamo_open",
        "part 1 of the input `h` of the file is `h_1` here",
    );
    told(
        "lstm_dynamo_fixed",
        "the file fixes 5 steps of `x`; here it takes any number",
    );
    told("rnn_dynamo_open", "the exporter wrote out 5 steps");
    told(
        "lstm_steps_first_script_open",
        "input `x` is [time, batch, 3] in the file and [batch, time, features] here",
    );
    let grid = pack("grid.safetensors.z");
    let notes = texts(&grid, "GRU_forward_lengths").1;
    assert!(
        notes
            .iter()
            .any(|n| n.contains("the lengths `sequence_lens` [batch] of the file are a mask here")),
        "{notes:#?}"
    );
}

/// What Keras has not is a cell of its own, the same cell for layers of the same maths.
#[test]
fn own_cells() {
    let cases = pack("grid.safetensors.z");
    let imported = read(&cases["LSTM_bidirectional_coupled"]).unwrap();
    let network = imported.network.unwrap();
    assert_eq!(network.cells.len(), 1);
    let (name, cell) = &network.cells[0];
    assert_eq!(name, "OnnxLstm1");
    assert!(
        cell.starts_with("cell OnnxLstm1(units) {") && cell.contains("let f = 1 - i;"),
        "{cell}"
    );
    let names: Vec<&str> = imported.tensors.iter().map(|t| t.name.as_str()).collect();
    assert!(
        names.contains(&"bidirectional/backward_rnn/recurrent_kernel"),
        "{names:?}"
    );
    let (name, kernel) = imported
        .metadata
        .iter()
        .find(|(k, _)| k == "ir_version")
        .unwrap();
    assert_eq!((name.as_str(), kernel.as_str()), ("ir_version", "8"));
}
