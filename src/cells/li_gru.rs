//! [`LiGru`].

crate::rnn_cell! {
    /// The light GRU of speech recognition, without reset gate and with ReLU: M. Ravanelli, P. Brakel,
    /// M. Omologo and Y. Bengio, "Light Gated Recurrent Units for Speech Recognition", 2018.
    ///
    /// ```text
    /// z  = σ(N(x W_z) + h U_z)
    /// g  = relu(N(x W_g) + h U_g)
    /// h' = z ⊙ h + (1 − z) ⊙ g
    /// ```
    /// N normalises the input's part; without it a ReLU in a loop may grow without bounds.
    /// In the paper it is batch normalisation. A cell sees one row at a step, so a layer before it has to
    /// normalise by the statistics of the batch; with `use_kernel = false` the cell reads that layer's
    /// products:
    /// ```
    /// # use recurrent::cells::*;
    /// let model = recurrent::rnn_model!(
    ///     Input(_, 40) -> Dense(128, use_bias = false) -> BatchNormalization -> RNN(LiGru(64, use_kernel = false))
    /// );
    /// # let _ = model;
    /// ```
    /// By itself the cell uses layer normalisation, over both parts together, with a gain γ and a
    /// shift β, and needs no layer before it.
    ///
    /// Use it in place of a GRU on long, noisy sequences such as the frames of speech.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation` of the candidate, `recurrent_activation` of the gate.
    /// - `use_kernel`: without it the input has `2 · units` features, x W ready made.
    /// - `layer_normalization` of x W (if there is a kernel), with `epsilon` added to the variance;
    ///   without it there is only the shift, `beta`.
    /// - `kernel_initializer`, `recurrent_initializer`.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights: `kernel` `[features, 2 · units]`, `gamma`, `beta` `[2 · units]`, `recurrent_kernel`
    /// `[units, 2 · units]`; the gate's columns stand first.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(LiGru(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell LiGru(
        units,
        activation = relu,
        recurrent_activation = sigmoid,
        use_kernel = true,
        layer_normalization = true,
        epsilon = 0.001,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
    ) {
        if use_kernel {
            param kernel: [input, 2 * units] = kernel_initializer;
            let a = x @ kernel;
            if layer_normalization {
                param gamma: [2 * units] = ones;
                let a = a - mean(a);
                let a = a * rsqrt(mean(a * a) + epsilon) * gamma;
            }
            param beta: [2 * units] = zeros;
            let a = a + beta;
        } else {
            let a = x;
        }
        param recurrent_kernel: [units, 2 * units] = recurrent_initializer;
        state h: [units];
        let [z, g] = split(a + h @ recurrent_kernel);
        let z = recurrent_activation(z);
        next h = z * h + (1 - z) * activation(g);
        output h;
    }
}
