//! [`IndRnn`].

crate::rnn_cell! {
    /// A recurrent layer whose units do not see one another's past: S. Li, W. Li, C. Cook, C. Zhu and
    /// Y. Gao, "Independently Recurrent Neural Network (IndRNN): Building A Longer and Deeper RNN",
    /// 2018.
    ///
    /// ```text
    /// h' = relu(x W + u ⊙ h + b)
    /// ```
    ///
    /// Stack several of them for very long sequences: the layer above mixes the units,
    /// and the gradient of a unit over T steps is a plain power of its u. Keep |u| at most
    /// 2^(1/T), or states grow.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation`; `use_bias`; `kernel_initializer`, `bias_initializer`.
    /// - `recurrent_initializer` of the vector u: between 0 and 1. For the last layer of a stack
    ///   whose last step alone is read, the paper starts near 1, `random_uniform(0.9, 1.0)`, since a unit
    ///   that forgets is of no use there.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights: `kernel` `[features, units]`, `recurrent_kernel` `[units]`, `bias` `[units]`.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(
    ///     Input(_, 3) -> RNN(IndRnn(8), return_sequences) -> RNN(IndRnn(8)) -> Dense(2)
    /// );
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell IndRnn(
        units,
        activation = relu,
        use_bias = true,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = random_uniform(0.0, 1.0),
        bias_initializer = zeros,
    ) {
        param kernel: [input, units] = kernel_initializer;
        param recurrent_kernel: [units] = recurrent_initializer;
        state h: [units];
        let a = x @ kernel + recurrent_kernel * h;
        if use_bias {
            param bias: [units] = bias_initializer;
            let a = a + bias;
        }
        next h = activation(a);
        output h;
    }
}
