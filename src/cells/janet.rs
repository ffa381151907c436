//! [`Janet`].

crate::rnn_cell! {
    /// An LSTM with only the forget gate left: J. van der Westhuizen and J. Lasenby, "The
    /// unreasonable effectiveness of the forget gate", 2018.
    ///
    /// ```text
    /// s  = x W_f + h U_f + b_f
    /// h' = σ(s) ⊙ h + (1 − σ(s − β)) ⊙ tanh(x W_g + h U_g + b_g)
    /// ```
    ///
    /// Use it for long memory at half of an LSTM's weights. With β above 0 a unit takes in a bit more
    /// than it lets go.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation` of the candidate, `recurrent_activation` of the gate.
    /// - `beta`: β, 1 in the paper.
    /// - `forget_bias_initializer` of b_f: how long units remember at the start. The paper's
    ///   experiments start it as log u with u uniform between 1 and the longest delay T − 1;
    ///   `random_uniform(0.0, 6.6)` is near to that for T = 784, `ones` (as in Keras's LSTM) the
    ///   default.
    /// - `kernel_initializer`, `recurrent_initializer`, `bias_initializer` (of b_g).
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights: `kernel` `[features, 2 · units]`, `recurrent_kernel` `[units, 2 · units]`, the gate's
    /// columns first; `forget_bias`, `bias` `[units]`.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(Janet(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell Janet(
        units,
        activation = tanh,
        recurrent_activation = sigmoid,
        beta = 1.0,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        forget_bias_initializer = ones,
        bias_initializer = zeros,
    ) {
        param kernel: [input, 2 * units] = kernel_initializer;
        param recurrent_kernel: [units, 2 * units] = recurrent_initializer;
        param forget_bias: [units] = forget_bias_initializer;
        param bias: [units] = bias_initializer;
        state h: [units];
        let [s, g] = split(x @ kernel + h @ recurrent_kernel);
        let s = s + forget_bias;
        let g = activation(g + bias);
        next h = recurrent_activation(s) * h + (1 - recurrent_activation(s - beta)) * g;
        output h;
    }
}
