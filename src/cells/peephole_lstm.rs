//! [`PeepholeLstm`].

crate::rnn_cell! {
    /// LSTM whose gates also look at the cell state: F. A. Gers and J. Schmidhuber, "Recurrent nets
    /// that time and count", 2000; F. A. Gers, N. N. Schraudolph and J. Schmidhuber, "Learning precise
    /// timing with LSTM recurrent networks", 2002.
    ///
    /// ```text
    /// i  = σ(x Wᵢ + h Uᵢ + pᵢ ⊙ c + bᵢ)
    /// f  = σ(x W_f + h U_f + p_f ⊙ c + b_f)
    /// c' = f ⊙ c + i ⊙ tanh(x W_g + h U_g + b_g)
    /// o  = σ(x Wₒ + h Uₒ + pₒ ⊙ c' + bₒ)
    /// h' = o ⊙ tanh(c')
    /// ```
    ///
    /// Use it where durations and counts matter: a closed output gate hides the state from the gates of a
    /// plain LSTM, but not from peepholes.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation` of the candidate and the output, `recurrent_activation` of the gates.
    /// - `kernel_initializer`, `recurrent_initializer`, `bias_initializer`, and `peephole_initializer`
    ///   for the vectors p (the 2002 paper draws all weights between −0.1 and 0.1).
    /// - `unit_forget_bias`: the bias of the forget gates starts as 1.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; states `h`, `c` `[batch, units]`; output `h`.
    /// Weights: `kernel` `[features, 4 · units]`, `recurrent_kernel` `[units, 4 · units]`, gates in
    /// Keras's order i, f, g, o; `peephole_kernel` `[3, units]` for i, f, o; `bias` `[4 · units]`.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(PeepholeLstm(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell PeepholeLstm(
        units,
        activation = tanh,
        recurrent_activation = sigmoid,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        peephole_initializer = random_uniform(-0.1, 0.1),
        bias_initializer = zeros,
        unit_forget_bias = true,
    ) {
        param kernel: [input, 4 * units] = kernel_initializer;
        param recurrent_kernel: [units, 4 * units] = recurrent_initializer;
        param peephole_kernel: [3, units] = peephole_initializer;
        if unit_forget_bias {
            param bias: [4 * units] = ones_in(units, 2 * units, bias_initializer);
        } else {
            param bias: [4 * units] = bias_initializer;
        }
        state h: [units];
        state c: [units];
        let [i, f, g, o] = split(x @ kernel + h @ recurrent_kernel + bias);
        let i = recurrent_activation(i + peephole_kernel[0] * c);
        let f = recurrent_activation(f + peephole_kernel[1] * c);
        next c = f * c + i * activation(g);
        next h = recurrent_activation(o + peephole_kernel[2] * c) * activation(c);
        output h;
    }
}
