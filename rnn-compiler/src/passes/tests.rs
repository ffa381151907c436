//! Models through the check of layers: shapes, names, parameters, assertions, messages.

use super::check_layers::check_layers;
use crate::{
    cell::Cell,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{LayerGraph, LayerKind, Port, Time},
    syntax::ModelAst,
};

fn compile(text: &str) -> Result<LayerGraph, Vec<String>> {
    let mut found = Diagnostics::new();
    let model = ModelAst::parse(text.parse().unwrap(), &crate::layers::classes(), &mut found);
    let graph = check_layers(&model, &mut found);
    let messages: Vec<String> = found.take().iter().map(Diagnostic::text).collect();
    match graph {
        Some(graph) if messages.is_empty() => Ok(graph),
        _ => {
            assert!(
                !messages.is_empty(),
                "{text}: neither a model nor a message"
            );
            Err(messages)
        }
    }
}

fn codes(text: &str) -> Vec<String> {
    let messages = compile(text).expect_err(text);
    messages.iter().map(|m| m[1..8].to_owned()).collect()
}

/// Every layer as `name: shape`.
fn shapes(text: &str) -> Vec<String> {
    let graph = compile(text).unwrap();
    graph
        .layers
        .iter()
        .map(|l| format!("{}: {}", l.name, l.outputs[0]))
        .collect()
}

/// The parameters of the last layer, as `name[shape] = initialiser`, `frozen` if they are.
fn params(text: &str) -> Vec<String> {
    let graph = compile(text).unwrap();
    let last = graph.layers.last().unwrap();
    let cell = match &last.kind {
        LayerKind::Rnn(rnn) => &rnn.cells[0],
        LayerKind::Pointwise { cell } | LayerKind::BatchNormalization { cell, .. } => cell,
        other => panic!("{text}: {other:?}"),
    };
    let inputs: Vec<_> = last
        .inputs
        .iter()
        .map(|&p| graph.shape(p).axes.clone())
        .collect();
    let mut found = Diagnostics::new();
    let cell = Cell::build(&cell.cell, &inputs, &mut found).unwrap();
    cell.params
        .iter()
        .map(|p| {
            let shape: Vec<String> = p.shape.iter().map(ToString::to_string).collect();
            let frozen = if p.trainable { "" } else { "frozen " };
            format!("{frozen}{}[{}] = {:?}", p.name, shape.join(", "), p.init)
        })
        .collect()
}

#[test]
fn shapes_and_names_are_those_of_keras() {
    assert_eq!(
        shapes("Embedding(1000, 64) -> LSTM(128, return_sequences) -> LSTM(32) -> Dense(10)"),
        [
            "input_layer: [batch, time]",
            "embedding: [batch, time, 64]",
            "lstm: [batch, time, 128]",
            "lstm_1: [batch, 32]",
            "dense: [batch, 10]",
        ]
    );
    assert_eq!(
        shapes(
            "Input(28, 8) -> SimpleRNN(4, return_sequences) -> BatchNormalization -> Dense(3) -> Activation(softmax) -> Dropout(0.5) -> Flatten"
        ),
        [
            "input_layer: [batch, 28, 8]",
            "simple_rnn: [batch, 28, 4]",
            "batch_normalization: [batch, 28, 4]",
            "dense: [batch, 28, 3]",
            "activation: [batch, 28, 3]",
            "dropout: [batch, 28, 3]",
            "flatten: [batch, 84]",
        ]
    );
    assert_eq!(
        shapes("Input(20) -> Embedding(10, 4, name = \"table\") -> RNN(GRUCell(3)) -> Flatten"),
        [
            "input_layer: [batch, 20]",
            "table: [batch, 20, 4]",
            "rnn: [batch, 3]",
            "flatten: [batch, 3]"
        ]
    );
    assert_eq!(
        shapes("Input(STEPS, sizes::F) -> GRU(2, return_sequences, name = \"a\") -> Flatten"),
        [
            "input_layer: [batch, STEPS, sizes::F]",
            "a: [batch, STEPS, 2]",
            "flatten: [batch, 2 * STEPS]"
        ]
    );
}

#[test]
fn angle_brackets_and_names_change_nothing_else() {
    let inline = shapes("Input(_, 3) -> LSTM(4)");
    assert_eq!(shapes("< Input(_, 3) -> LSTM(4) >"), inline);
    assert_eq!(
        shapes("/// Doc.\n #[derive(Clone)] pub(crate) struct Rows = Input(_, 3) -> LSTM(4);"),
        inline
    );
    assert_eq!(shapes("struct Rows = < Input(_, 3) -> LSTM(4) > ;"), inline);
    let graph = compile("@krate(::other) #[derive(Clone)] pub struct Rows = Input(3) -> Dense(4);")
        .unwrap();
    assert_eq!(graph.name.unwrap(), "Rows");
    assert_eq!(graph.attrs.len(), 1);
    assert!(matches!(graph.vis, syn::Visibility::Public(_)));
    assert_eq!(graph.krate.to_string(), ":: other");
}

#[test]
fn arguments_reach_the_layer() {
    let graph = compile(
        "Input(5, 3) -> LSTM(4, relu, go_backwards, unroll, return_sequences) \
         -> RNN(SimpleRNNCell(2), unroll = false, return_sequences = true) \
         -> BatchNormalization(momentum = 0.9, epsilon = 0.01) -> Dropout(0)",
    )
    .unwrap();
    let rnn = |layer: usize| match &graph.layers[layer].kind {
        LayerKind::Rnn(rnn) => rnn,
        other => panic!("{other:?}"),
    };
    let lstm = rnn(1);
    assert!(lstm.return_sequences && lstm.go_backwards && !lstm.stateful);
    assert_eq!(lstm.unroll, Some(true));
    let [cell] = lstm.cells.as_slice() else {
        panic!()
    };
    let names: Vec<&str> = cell
        .cell
        .arguments
        .iter()
        .map(|(n, ..)| n.as_str())
        .collect();
    assert_eq!(names, ["units", "activation"]);
    assert!(rnn(2).return_sequences && !rnn(2).go_backwards);
    assert_eq!(rnn(2).unroll, Some(false));
    let LayerKind::BatchNormalization {
        momentum,
        epsilon,
        cell,
    } = &graph.layers[3].kind
    else {
        panic!()
    };
    assert_eq!((*momentum, *epsilon), (0.9, 0.01));
    assert!(cell.cell.arguments.iter().any(|(n, ..)| n == "epsilon"));
    let LayerKind::Op(dropout) = &graph.layers[4].kind else {
        panic!("{:?}", graph.layers[4].kind)
    };
    let draws = dropout.draws().unwrap();
    assert!(draws.every_step && draws.seed.is_none());
    let shape = &graph.layers[4].outputs[0];
    assert!(dropout.is_identity(shape, shape), "a rate of 0");
    assert_eq!(graph.layers[1].outputs[0].time, Time::Steps(5.into()));
    assert_eq!(graph.layers[4].inputs, [Port { layer: 3, index: 0 }]);
    assert_eq!(graph.outputs[0].port, Port { layer: 4, index: 0 });
}

#[test]
fn parameters_are_those_of_keras() {
    assert_eq!(
        params("Input(_, 3) -> LSTM(4)"),
        [
            "kernel[3, 16] = Named(\"glorot_uniform\", [])",
            "recurrent_kernel[4, 16] = Named(\"orthogonal\", [])",
            "bias[16] = OnesIn(Size { terms: {[]: 4} }, Size { terms: {[]: 8} }, Named(\"zeros\", []))",
        ]
    );
    assert_eq!(
        params(
            "Input(_, 3) -> LSTM(4, unit_forget_bias = false, bias_initializer = constant(0.5), kernel_initializer = he_normal)"
        ),
        [
            "kernel[3, 16] = Named(\"he_normal\", [])",
            "recurrent_kernel[4, 16] = Named(\"orthogonal\", [])",
            "bias[16] = Named(\"constant\", [0.5])",
        ]
    );
    let gru = [
        "kernel[3, 12] = Named(\"glorot_uniform\", [])",
        "recurrent_kernel[4, 12] = Named(\"orthogonal\", [])",
    ];
    assert_eq!(
        params("Input(_, 3) -> GRU(4)"),
        [gru[0], gru[1], "bias[2, 12] = Named(\"zeros\", [])"]
    );
    assert_eq!(
        params("Input(_, 3) -> GRU(4, reset_after = false)"),
        [gru[0], gru[1], "bias[12] = Named(\"zeros\", [])"]
    );
    assert_eq!(params("Input(_, 3) -> GRU(4, use_bias = false)"), gru);
    assert_eq!(
        params("Input(_, 3) -> RNN(SimpleRNNCell(4))"),
        params("Input(_, 3) -> SimpleRNN(4)")
    );
    assert_eq!(
        params("Input(3) -> Dense(4)"),
        [
            "kernel[3, 4] = Named(\"glorot_uniform\", [])",
            "bias[4] = Named(\"zeros\", [])"
        ]
    );
    assert_eq!(
        params("Input(3) -> BatchNormalization"),
        [
            "gamma[3] = Named(\"ones\", [])",
            "beta[3] = Named(\"zeros\", [])",
            "frozen moving_mean[3] = Named(\"zeros\", [])",
            "frozen moving_variance[3] = Named(\"ones\", [])",
        ]
    );
    assert_eq!(
        params("Input(3) -> BatchNormalization(scale = false, center = false)").len(),
        2
    );
    assert!(params("Input(3) -> Activation(gelu)").is_empty());
}

#[test]
fn sizes_that_are_consts_are_asserted() {
    let graph = compile("Input(_, F) -> LSTM(UNITS) -> Dense(10)").unwrap();
    let conditions: Vec<String> = graph
        .assertions
        .iter()
        .map(|a| a.condition.to_string())
        .collect();
    assert_eq!(conditions, ["(1 * F) > 0", "(1 * UNITS) > 0"]);
    assert!(graph.assertions[1].message.contains("`units` of LSTM"));
}

#[test]
fn a_mistake_does_not_hide_or_cause_others() {
    assert_eq!(
        codes("Embeding(1, 2) -> LSTM(0) -> Dense(3, relux) -> Dropout(2) -> LSTM(3, units)"),
        ["RNN0101", "RNN0127", "RNN0130", "RNN0129", "RNN0126"]
    );
    // After a layer that could not be read, nothing is reported.
    assert_eq!(
        codes("Input(3) -> Dense[3] -> LSTM(4) -> LSTM(4, return_sequences)"),
        ["RNN0041", "RNN0107"]
    );
    assert_eq!(
        codes("Input(_, 3) -> LSTM(4) -> LSTM(4) -> LSTM(4)"),
        ["RNN0107", "RNN0107"]
    );
    assert_eq!(
        codes("Input(3) => Dense(3), Dense(4) | Dense(0) Dense(0)"),
        [
            "RNN0041", "RNN0041", "RNN0041", "RNN0041", "RNN0127", "RNN0127"
        ]
    );
}

#[test]
fn the_origin_of_a_shape_is_found_after_other_layers() {
    let messages =
        compile("Input(_, 3) -> GRU(7) -> Dropout(0.1) -> Dense(8) -> LSTM(4)").unwrap_err();
    assert!(
        messages[0].contains("note: GRU(7) before it returns only its last output"),
        "{messages:?}"
    );
    assert!(
        messages[0].contains("help: write GRU(7, return_sequences)"),
        "{messages:?}"
    );
}
