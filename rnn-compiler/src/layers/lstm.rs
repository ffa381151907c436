//! `LSTM`: long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers,
//! Schmidhuber and Cummins 2000), as `keras.layers.LSTM` computes it.

use crate::layer::{self, Argument, DropsTime, Kind, LayerDef, Reads};

/// The columns of the weights are the gates: input, forget, candidate, output. As in Keras, every gate
/// has masks of its own with `recurrent_dropout`; otherwise all gates share one mask of the input.
const CELL: &str = "
cell LSTMCell(
    units,
    activation = tanh,
    recurrent_activation = sigmoid,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
    unit_forget_bias = true,
    dropout = 0.0,
    recurrent_dropout = 0.0,
    learn_initial_state = false,
) {
    param kernel: [input, 4 * units] = kernel_initializer;
    param recurrent_kernel: [units, 4 * units] = recurrent_initializer;
    if learn_initial_state {
        param initial_h: [units] = zeros;
        param initial_c: [units] = zeros;
        state h: [units] = initial_h;
        state c: [units] = initial_c;
    } else {
        state h: [units];
        state c: [units];
    }
    if recurrent_dropout > 0 {
        let [xi, xf, xg, xo] = split(kernel);
        let [hi, hf, hg, ho] = split(recurrent_kernel);
        let z = concat(
            dropout(x, dropout) @ xi + dropout(h, recurrent_dropout) @ hi,
            dropout(x, dropout) @ xf + dropout(h, recurrent_dropout) @ hf,
            dropout(x, dropout) @ xg + dropout(h, recurrent_dropout) @ hg,
            dropout(x, dropout) @ xo + dropout(h, recurrent_dropout) @ ho,
        );
    } else {
        let z = dropout(x, dropout) @ kernel + h @ recurrent_kernel;
    }
    if use_bias {
        if unit_forget_bias {
            param bias: [4 * units] = ones_in(units, 2 * units, bias_initializer);
        } else {
            param bias: [4 * units] = bias_initializer;
        }
        let z = z + bias;
    }
    let [i, f, g, o] = split(z);
    next c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g);
    next h = recurrent_activation(o) * activation(c);
    output h;
}";

pub(super) const LSTM: LayerDef = LayerDef {
    class: "LSTM",
    stem: "lstm",
    arguments: &[
        Argument::required("units", Kind::Size),
        Argument::optional("activation", Kind::Activation),
        Argument::optional("recurrent_activation", Kind::Activation),
        Argument::optional("use_bias", Kind::Flag),
        Argument::optional("kernel_initializer", Kind::Initializer),
        Argument::optional("recurrent_initializer", Kind::Initializer),
        Argument::optional("bias_initializer", Kind::Initializer),
        Argument::optional("unit_forget_bias", Kind::Flag),
        Argument::optional("kernel_regularizer", Kind::Regularizer),
        Argument::optional("recurrent_regularizer", Kind::Regularizer),
        Argument::optional("bias_regularizer", Kind::Regularizer),
        Argument::optional("kernel_constraint", Kind::Constraint),
        Argument::optional("recurrent_constraint", Kind::Constraint),
        Argument::optional("bias_constraint", Kind::Constraint),
        Argument::optional("dropout", Kind::Rate),
        Argument::optional("recurrent_dropout", Kind::Rate),
        Argument::optional("seed", Kind::Whole),
        Argument::optional("return_sequences", Kind::Flag),
        Argument::optional("return_state", Kind::Flag),
        Argument::optional("go_backwards", Kind::Flag),
        Argument::optional("stateful", Kind::Flag),
        Argument::optional("unroll", Kind::Flag),
        Argument::optional("zero_output_for_mask", Kind::Flag),
        Argument::optional("initial_state", Kind::Values),
        Argument::optional("mask", Kind::Values),
        Argument::optional("learn_initial_state", Kind::Flag),
        Argument::instead("use_cudnn", "leave it out: every cell takes the fast path"),
    ],
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::LAST),
    cell: Some(("LSTMCell", CELL)),
    build: |given, context, found| {
        let cell = layer::parse(CELL, found).map(|cell| vec![given.used(cell)]);
        layer::recurrent(given, context, cell, given.size("units"), found)
    },
    ..LayerDef::ORDINARY
};
