//! [`LayerNormLstm`].

crate::rnn_cell! {
    /// LSTM with layer normalisation, which keeps gates in their useful range whatever the scale of
    /// inputs and weights: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer Normalization", 2016
    /// (equations 20 to 22).
    ///
    /// ```text
    /// i, f, g, o = LN(x W; γₓ) + LN(h U; γₕ) + b       normalised over all four gates together
    /// c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
    /// h' = σ(o) ⊙ tanh(LN(c'; γ, β))
    ///
    /// LN(a; γ, β) = γ ⊙ (a − mean(a)) / √(variance(a) + epsilon) + β
    /// ```
    /// The paper shifts the first two normalisations, too: their β and `b` add up, so there is only `b`.
    ///
    /// Use it where an LSTM trains slowly or needs its learning rate tuned, and where batches are too
    /// small for batch normalisation. It takes no statistics of the batch: every row and step is
    /// normalised by itself, in training as in a stream.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation` of the candidate and the output, `recurrent_activation` of the gates.
    /// - `epsilon`: added to variances.
    /// - `kernel_initializer`, `recurrent_initializer`, `bias_initializer`.
    /// - `unit_forget_bias`: the bias of the forget gates starts as 1.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; states `h`, `c` `[batch, units]`; output `h`.
    /// Weights: `kernel` `[features, 4 · units]`, `recurrent_kernel` `[units, 4 · units]`, `bias`,
    /// `kernel_gamma`, `recurrent_gamma` `[4 · units]`, `state_gamma`, `state_beta` `[units]`; gates in
    /// Keras's order i, f, g, o.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(LayerNormLstm(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell LayerNormLstm(
        units,
        activation = tanh,
        recurrent_activation = sigmoid,
        epsilon = 0.001,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        bias_initializer = zeros,
        unit_forget_bias = true,
    ) {
        param kernel: [input, 4 * units] = kernel_initializer;
        param recurrent_kernel: [units, 4 * units] = recurrent_initializer;
        param kernel_gamma: [4 * units] = ones;
        param recurrent_gamma: [4 * units] = ones;
        if unit_forget_bias {
            param bias: [4 * units] = ones_in(units, 2 * units, bias_initializer);
        } else {
            param bias: [4 * units] = bias_initializer;
        }
        param state_gamma: [units] = ones;
        param state_beta: [units] = zeros;
        state h: [units];
        state c: [units];
        let a = x @ kernel;
        let a = a - mean(a);
        let a = a * rsqrt(mean(a * a) + epsilon) * kernel_gamma;
        let b = h @ recurrent_kernel;
        let b = b - mean(b);
        let b = b * rsqrt(mean(b * b) + epsilon) * recurrent_gamma;
        let [i, f, g, o] = split(a + b + bias);
        next c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g);
        let s = c - mean(c);
        let s = s * rsqrt(mean(s * s) + epsilon) * state_gamma + state_beta;
        next h = recurrent_activation(o) * activation(s);
        output h;
    }
}
