//! `SimpleRNN`: the output is fed back (Elman 1990), as `keras.layers.SimpleRNN` computes it.

use crate::layer::{self, Argument, DropsTime, Kind, LayerDef, Reads};

const CELL: &str = "
cell SimpleRNNCell(
    units,
    activation = tanh,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
    dropout = 0.0,
    recurrent_dropout = 0.0,
    learn_initial_state = false,
) {
    param kernel: [input, units] = kernel_initializer;
    param recurrent_kernel: [units, units] = recurrent_initializer;
    if learn_initial_state {
        param initial_h: [units] = zeros;
        state h: [units] = initial_h;
    } else {
        state h: [units];
    }
    let z = dropout(x, dropout) @ kernel + dropout(h, recurrent_dropout) @ recurrent_kernel;
    if use_bias {
        param bias: [units] = bias_initializer;
        let z = z + bias;
    }
    next h = activation(z);
    output h;
}";

pub(super) const SIMPLE_RNN: LayerDef = LayerDef {
    class: "SimpleRNN",
    stem: "simple_rnn",
    arguments: &[
        Argument::required("units", Kind::Size),
        Argument::optional("activation", Kind::Activation),
        Argument::optional("use_bias", Kind::Flag),
        Argument::optional("kernel_initializer", Kind::Initializer),
        Argument::optional("recurrent_initializer", Kind::Initializer),
        Argument::optional("bias_initializer", Kind::Initializer),
        Argument::optional("kernel_regularizer", Kind::Regularizer),
        Argument::optional("recurrent_regularizer", Kind::Regularizer),
        Argument::optional("bias_regularizer", Kind::Regularizer),
        Argument::optional("kernel_constraint", Kind::Constraint),
        Argument::optional("recurrent_constraint", Kind::Constraint),
        Argument::optional("bias_constraint", Kind::Constraint),
        Argument::optional("dropout", Kind::Rate),
        Argument::optional("recurrent_dropout", Kind::Rate),
        Argument::optional("return_sequences", Kind::Flag),
        Argument::optional("return_state", Kind::Flag),
        Argument::optional("go_backwards", Kind::Flag),
        Argument::optional("stateful", Kind::Flag),
        Argument::optional("unroll", Kind::Flag),
        Argument::optional("zero_output_for_mask", Kind::Flag),
        Argument::optional("initial_state", Kind::Values),
        Argument::optional("mask", Kind::Values),
        Argument::optional("learn_initial_state", Kind::Flag),
        Argument::optional("seed", Kind::Whole),
    ],
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::LAST),
    cell: Some(("SimpleRNNCell", CELL)),
    build: |given, context, found| {
        let cell = layer::parse(CELL, found).map(|cell| vec![given.used(cell)]);
        layer::recurrent(given, context, cell, given.size("units"), found)
    },
    ..LayerDef::ORDINARY
};
