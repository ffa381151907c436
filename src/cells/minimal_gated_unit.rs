//! [`MinimalGatedUnit`].

crate::rnn_cell! {
    /// A GRU whose two gates are one: G.-B. Zhou, J. Wu, C.-L. Zhang and Z.-H. Zhou,
    /// "Minimal Gated Unit for Recurrent Neural Networks", 2016.
    ///
    /// ```text
    /// f  = σ(x W_f + h U_f + b_f)
    /// g  = tanh(x W_g + (f ⊙ h) U_g + b_g)
    /// h' = (1 − f) ⊙ h + f ⊙ g
    /// ```
    ///
    /// Use it where a model has to be small: it has two thirds of a GRU's weights and half of an
    /// LSTM's. The candidate waits for the gate, so a step has two products one after the other, as
    /// in a GRU with `reset_after = false`.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation` of the candidate, `recurrent_activation` of the gate.
    /// - `use_bias`; `kernel_initializer`, `recurrent_initializer`, `bias_initializer`.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights: `kernel` `[features, 2 · units]`, `recurrent_kernel` `[units, 2 · units]`, `bias`
    /// `[2 · units]`; the gate's columns stand first.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(MinimalGatedUnit(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell MinimalGatedUnit(
        units,
        activation = tanh,
        recurrent_activation = sigmoid,
        use_bias = true,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        bias_initializer = zeros,
    ) {
        param kernel: [input, 2 * units] = kernel_initializer;
        param recurrent_kernel: [units, 2 * units] = recurrent_initializer;
        state h: [units];
        let a = x @ kernel;
        if use_bias {
            param bias: [2 * units] = bias_initializer;
            let a = a + bias;
        }
        let [f, g] = split(a);
        let [gate, candidate] = split(recurrent_kernel);
        let f = recurrent_activation(f + h @ gate);
        let g = activation(g + (f * h) @ candidate);
        next h = (1 - f) * h + f * g;
        output h;
    }
}
