//! `SimpleRNN`: the output is fed back (Elman 1990), as `keras.layers.SimpleRNN` computes it.

use crate::layer::{self, Argument, Kind, LayerDef};

const CELL: &str = "
cell SimpleRNNCell(
    units,
    activation = tanh,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
) {
    param kernel: [input, units] = kernel_initializer;
    param recurrent_kernel: [units, units] = recurrent_initializer;
    state h: [units];
    let z = x @ kernel + h @ recurrent_kernel;
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
        Argument::not_yet("kernel_regularizer"),
        Argument::not_yet("recurrent_regularizer"),
        Argument::not_yet("bias_regularizer"),
        Argument::not_yet("activity_regularizer"),
        Argument::not_yet("kernel_constraint"),
        Argument::not_yet("recurrent_constraint"),
        Argument::not_yet("bias_constraint"),
        Argument::not_yet("dropout"),
        Argument::not_yet("recurrent_dropout"),
        Argument::optional("return_sequences", Kind::Flag),
        Argument::not_yet("return_state"),
        Argument::optional("go_backwards", Kind::Flag),
        Argument::not_yet("stateful"),
        Argument::optional("unroll", Kind::Flag),
        Argument::not_yet("seed"),
    ],
    cell: Some(("SimpleRNNCell", CELL)),
    build: |given, context, found| {
        let cell = layer::parse(CELL, found).map(|cell| given.use_of(cell));
        layer::recurrent(given, context, cell, given.size("units"), found)
    },
};
