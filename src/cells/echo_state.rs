//! [`EchoState`].

crate::rnn_cell! {
    /// A reservoir: random weights that are never trained, for a trained layer after it to read.
    /// H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks",
    /// 2001; leaky units from H. Jaeger, M. Lukoševičius, D. Popovici and U. Siewert, "Optimization and
    /// applications of echo state networks with leaky-integrator neurons", 2007.
    ///
    /// ```text
    /// h' = (1 − a) h + a tanh(x W + h U + b)
    /// ```
    ///
    /// U is orthogonal times `spectral_radius`: all of its eigenvalues have that size, and so has its
    /// norm. Below 1 the echo state property then holds for the default activation: states forget their
    /// distant past.
    ///
    /// Use it where data or time for training is scarce: only the layer after it learns, and the
    /// reservoir can be hundreds of units wide.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation`.
    /// - `spectral_radius`: how long echoes last.
    /// - `leak_rate`: a, above 0 and at most 1; smaller for slow signals.
    /// - `input_scaling`: W and b are uniform between −`input_scaling` and `input_scaling`; larger is
    ///   less linear.
    /// - `use_bias`.
    ///
    /// The reservoir is dense. The reservoir of 2001 is sparse, but no initialiser makes sparse matrices.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights, all frozen: `kernel` `[features, units]`, `recurrent_kernel` `[units, units]`, `bias`
    /// `[units]`.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(
    ///     Input(_, 3) -> RNN(EchoState(100, spectral_radius = 0.95, leak_rate = 0.3)) -> Dense(2)
    /// );
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell EchoState(
        units,
        activation = tanh,
        spectral_radius = 0.9,
        leak_rate = 1.0,
        input_scaling = 1.0,
        use_bias = true,
    ) {
        frozen param kernel: [input, units] = random_uniform(-input_scaling, input_scaling);
        frozen param recurrent_kernel: [units, units] = orthogonal(spectral_radius);
        state h: [units];
        let a = x @ kernel + h @ recurrent_kernel;
        if use_bias {
            frozen param bias: [units] = random_uniform(-input_scaling, input_scaling);
            let a = a + bias;
        }
        next h = (1 - leak_rate) * h + leak_rate * activation(a);
        output h;
    }
}
