//! Cells of Keras 2, whose `hard_sigmoid` is another function: clip(0.2x + 0.5, 0, 1). It was the default of the gates up to
//! version 2.2.

/// A cell in the cell language: its name and its text.
pub(super) type Own = (&'static str, &'static str);

pub(super) const LSTM: Own = (
    "OldLstmCell",
    "cell OldLstmCell(
    units,
    activation = tanh,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
    dropout = 0.0,
    recurrent_dropout = 0.0,
) {
    param kernel: [input, 4 * units] = kernel_initializer;
    param recurrent_kernel: [units, 4 * units] = recurrent_initializer;
    state h: [units];
    state c: [units];
    let z = dropout(x, dropout) @ kernel + dropout(h, recurrent_dropout) @ recurrent_kernel;
    if use_bias {
        param bias: [4 * units] = bias_initializer;
        let z = z + bias;
    }
    let [i, f, g, o] = split(z);
    let i = min(max(0.2 * i + 0.5, 0), 1);
    let f = min(max(0.2 * f + 0.5, 0), 1);
    let o = min(max(0.2 * o + 0.5, 0), 1);
    next c = f * c + i * activation(g);
    next h = o * activation(c);
    output h;
}",
);

pub(super) const GRU: Own = (
    "OldGruCell",
    "cell OldGruCell(
    units,
    activation = tanh,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    recurrent_initializer = orthogonal,
    bias_initializer = zeros,
    dropout = 0.0,
    recurrent_dropout = 0.0,
    reset_after = true,
) {
    param kernel: [input, 3 * units] = kernel_initializer;
    param recurrent_kernel: [units, 3 * units] = recurrent_initializer;
    state h: [units];
    let dropped = dropout(h, recurrent_dropout);
    let x_all = dropout(x, dropout) @ kernel;
    let h_all = dropped @ recurrent_kernel;
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
    let z = min(max(0.2 * (xz + hz) + 0.5, 0), 1);
    let r = min(max(0.2 * (xr + hr) + 0.5, 0), 1);
    if reset_after {
        let candidate = activation(xh + r * hh);
    } else {
        let [_z, _r, reset] = split((r * dropped) @ recurrent_kernel);
        let candidate = activation(xh + reset);
    }
    next h = z * h + (1 - z) * candidate;
    output h;
}",
);
