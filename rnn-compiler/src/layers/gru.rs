//! `GRU`: the gated recurrent unit (Cho et al. 2014), as `keras.layers.GRU` computes it.
//!
//! With `reset_after` (the default, as in cuDNN) the reset gate acts after the recurrent product,
//! so one product serves all gates; without it the candidate needs a second product.

use crate::layer::{self, Argument, DropsTime, Kind, LayerDef, Reads};

/// The columns of the weights are the gates: update z, reset r, candidate. As in Keras, every gate has
/// masks of its own with `recurrent_dropout`; otherwise all gates share one mask of the input. The part
/// of the old state that `z` keeps is never dropped.
const CELL: &str = "
cell GRUCell(
    units,
    activation = tanh,
    recurrent_activation = sigmoid,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
    reset_after = true,
    dropout = 0.0,
    recurrent_dropout = 0.0,
    learn_initial_state = false,
) {
    param kernel: [input, 3 * units] = kernel_initializer;
    param recurrent_kernel: [units, 3 * units] = recurrent_initializer;
    if learn_initial_state {
        param initial_h: [units] = zeros;
        state h: [units] = initial_h;
    } else {
        state h: [units];
    }
    if recurrent_dropout > 0 {
        let [kz, kr, kh] = split(kernel);
        let [uz, ur, uh] = split(recurrent_kernel);
        let dropped = dropout(h, recurrent_dropout);
        let x_all = concat(dropout(x, dropout) @ kz, dropout(x, dropout) @ kr, dropout(x, dropout) @ kh);
        let h_all = concat(dropout(h, recurrent_dropout) @ uz, dropout(h, recurrent_dropout) @ ur, dropped @ uh);
    } else {
        let dropped = h;
        let x_all = dropout(x, dropout) @ kernel;
        let h_all = h @ recurrent_kernel;
    }
    if use_bias {
        if reset_after {
            param bias: [2, 3 * units] = bias_initializer;
            let x_all = x_all + bias[0];
            let h_all = h_all + bias[1];
        } else {
            param bias: [3 * units] = bias_initializer;
            let x_all = x_all + bias;
        }
    }
    let [xz, xr, xh] = split(x_all);
    let [hz, hr, hh] = split(h_all);
    let z = recurrent_activation(xz + hz);
    let r = recurrent_activation(xr + hr);
    if reset_after {
        let candidate = activation(xh + r * hh);
    } else {
        let [_z, _r, reset] = split((r * dropped) @ recurrent_kernel);
        let candidate = activation(xh + reset);
    }
    next h = z * h + (1 - z) * candidate;
    output h;
}";

pub(super) const GRU: LayerDef = LayerDef {
    class: "GRU",
    stem: "gru",
    arguments: &[
        Argument::required("units", Kind::Size),
        Argument::optional("activation", Kind::Activation),
        Argument::optional("recurrent_activation", Kind::Activation),
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
        Argument::optional("reset_after", Kind::Flag),
        Argument::instead("use_cudnn", "leave it out: every cell takes the fast path"),
    ],
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::LAST),
    cell: Some(("GRUCell", CELL)),
    build: |given, context, found| {
        let cell = layer::parse(CELL, found).map(|cell| vec![given.used(cell)]);
        layer::recurrent(given, context, cell, given.size("units"), found)
    },
    ..LayerDef::ORDINARY
};
