//! [`Sru`].

crate::rnn_cell! {
    /// The simple recurrent unit, whose products all read the input alone: T. Lei, Y. Zhang,
    /// S. I. Wang, H. Dai and Y. Artzi, "Simple Recurrent Units for Highly Parallelizable Recurrence",
    /// 2018.
    ///
    /// ```text
    /// f  = σ(x W_f + v_f ⊙ c + b_f)
    /// r  = σ(x Wᵣ + vᵣ ⊙ c + bᵣ)
    /// c' = f ⊙ c + (1 − f) ⊙ (x W)
    /// h' = r ⊙ c' + (1 − r) ⊙ α s,     s = x Wₛ,  α = √(1 + 2 exp(highway_bias))
    /// ```
    /// The highway s goes past the recurrence. In the paper it is x itself, which needs as many features
    /// as units; `highway_projection = false` is that. α keeps the variance of s at the start.
    ///
    /// Use it for speed: all products of a sequence are one, and only pointwise maths is left in the
    /// loop. Stack several, as one mixes little of the past.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `highway_projection`: the highway has weights of its own (the authors' code does this where
    ///   sizes differ).
    /// - `highway_bias`: what bᵣ starts as. Below 0, such as −3, a deep stack starts as its highways.
    /// - `rescale`: α; without it α is 1.
    /// - `recurrent_activation` of the gates.
    /// - `kernel_initializer`, `recurrent_initializer` of v, `bias_initializer` of b_f.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `c` `[batch, units]`; output h `[batch, units]`.
    /// Weights: `kernel` `[features, 4 · units]` with the columns of W, W_f, Wᵣ, Wₛ (3 · units without
    /// Wₛ); `recurrent_kernel` `[2, units]`: v_f, vᵣ; `forget_bias`, `reset_bias` `[units]`.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(
    ///     Input(_, 3) -> RNN(Sru(8), return_sequences) -> RNN(Sru(8, highway_projection = false)) -> Dense(2)
    /// );
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell Sru(
        units,
        highway_projection = true,
        highway_bias = 0.0,
        rescale = true,
        recurrent_activation = sigmoid,
        kernel_initializer = lecun_uniform,
        recurrent_initializer = random_uniform(-1.224744871391589, 1.224744871391589),
        bias_initializer = zeros,
    ) {
        if highway_projection {
            param kernel: [input, 4 * units] = kernel_initializer;
            let [z, f, r, s] = split(x @ kernel);
        } else {
            param kernel: [input, 3 * units] = kernel_initializer;
            let [z, f, r] = split(x @ kernel);
            let s = x;
        }
        param recurrent_kernel: [2, units] = recurrent_initializer;
        param forget_bias: [units] = bias_initializer;
        param reset_bias: [units] = constant(highway_bias);
        state c: [units];
        let f = recurrent_activation(f + recurrent_kernel[0] * c + forget_bias);
        let r = recurrent_activation(r + recurrent_kernel[1] * c + reset_bias);
        next c = f * c + (1 - f) * z;
        let s = if rescale { s * sqrt(1 + 2 * exp(highway_bias)) } else { s };
        output r * c + (1 - r) * s;
    }
}
