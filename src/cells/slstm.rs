//! [`SLstm`].

crate::rnn_cell! {
    /// The sLSTM of xLSTM, with exponential gates and a normaliser: M. Beck, K. Pöppel, M. Spanring,
    /// A. Auer, O. Prudnikova, M. Kopp, G. Klambauer, J. Brandstetter and S. Hochreiter, "xLSTM:
    /// Extended Long Short-Term Memory", 2024 (section 2.2, with the stabiliser of equations 15 to 17).
    ///
    /// ```text
    /// ĩ, f̃, z̃, õ = x W + h U + b
    /// log f = log σ(f̃)            or f̃ with exponential_forget
    /// m' = max(log f + m, ĩ)      ĩ at the first step
    /// i  = exp(ĩ − m'),  f = exp(log f + m − m')
    /// c' = f ⊙ c + i ⊙ tanh(z̃)
    /// n' = f ⊙ n + i
    /// h' = σ(õ) ⊙ c' / n'
    /// ```
    ///
    /// The input gate is an exponential, so one step can outweigh all of the past: use it where stored
    /// values have to be revised. h is a weighted mean and so always between −1 and 1.
    ///
    /// # Numbers
    /// The exponentials would overflow; m takes their largest exponent out of c and n, and out of the
    /// ratio it cancels. One of i and f is 1 at every step, so that n is at least 1 from the first step
    /// on and no step divides by 0, however small all gates are. As m cancels it carries no gradient:
    /// gradients are exact for everything that is computed from outputs, and from c, n and m together.
    ///
    /// # Arguments
    /// - `units`: size of the states and of the output.
    /// - `activation` of the candidate, `recurrent_activation` of the output gate.
    /// - `exponential_forget`: the forget gate is an exponential, too, in place of a sigmoid.
    /// - `kernel_initializer`, `recurrent_initializer`, `bias_initializer`.
    /// - `unit_forget_bias`: the bias of the forget gates starts as 1.
    ///
    /// The recurrence is one head: every unit sees all of them. The paper's blocks with several heads,
    /// projections and a convolution are made of layers around the cell.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; states `h`, `c`, `n`, `m` `[batch, units]`; output `h`.
    /// n = 0 says that nothing is stored yet. Weights: `kernel` `[features, 4 · units]`,
    /// `recurrent_kernel` `[units, 4 · units]`, `bias` `[4 · units]`; gates in the order i, f, z, o.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(Input(_, 3) -> RNN(SLstm(8)) -> Dense(2));
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell SLstm(
        units,
        activation = tanh,
        recurrent_activation = sigmoid,
        exponential_forget = false,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        bias_initializer = zeros,
        unit_forget_bias = true,
    ) {
        param kernel: [input, 4 * units] = kernel_initializer;
        param recurrent_kernel: [units, 4 * units] = recurrent_initializer;
        if unit_forget_bias {
            param bias: [4 * units] = ones_in(units, 2 * units, bias_initializer);
        } else {
            param bias: [4 * units] = bias_initializer;
        }
        state h: [units];
        state c: [units];
        state n: [units];
        state m: [units];
        let [i, f, z, o] = split(x @ kernel + h @ recurrent_kernel + bias);
        let f = if exponential_forget { f } else { log_sigmoid(f) };
        let top = stop_gradient(select(n == 0, i, max(f + m, i)));
        let i = exp(i - top);
        // Where nothing is stored there is nothing to forget, and the exponent could be large.
        let f = exp(select(n == 0, 0, f + m - top));
        next c = f * c + i * activation(z);
        next n = f * n + i;
        next m = top;
        next h = recurrent_activation(o) * c / n;
        output h;
    }
}
