//! [`LiquidTimeConstant`].

crate::rnn_cell! {
    /// Neurons whose time constants depend on what they see: R. Hasani, M. Lechner, A. Amini, D. Rus
    /// and R. Grosu, "Liquid Time-constant Networks", 2021.
    ///
    /// The state follows a differential equation, solved by the paper's fused steps (algorithm 1):
    /// ```text
    /// dh/dt = −(1/τ + f) ⊙ h + f ⊙ A,     f = σ(x W + h U + b)
    ///
    /// h ← (h + δ f ⊙ A) / (1 + δ (1/τ + f))       ode_unfolds times, δ = time_step / ode_unfolds
    /// ```
    /// τ = softplus(`time_constant`) is positive whatever training does, and so is f as long as
    /// `activation` is: then no step divides by 0, and states stay between the smallest and the largest
    /// of 0 and A.
    ///
    /// Use it for measurements of continuous processes, and where few units have to do.
    ///
    /// # Arguments
    /// - `units`: size of the state and of the output.
    /// - `activation`: f; it must not be negative (`sigmoid`, `hard_sigmoid`, `softplus`).
    /// - `ode_unfolds`: fused steps in one step of the sequence, 1 to 6 (the paper's). Each is a product
    ///   with U.
    /// - `time_step`: the time between two steps of the sequence, in the units of τ.
    /// - `kernel_initializer`, `recurrent_initializer`, `bias_initializer`, `reversal_initializer` of A,
    ///   `time_constant_initializer`: softplus(0.5413) = 1.
    ///
    /// # Shapes
    /// `x` `[batch, features]` at a step; state `h` `[batch, units]`, which is the output.
    /// Weights: `kernel` `[features, units]`, `recurrent_kernel` `[units, units]`, `bias`,
    /// `time_constant`, `reversal` `[units]`.
    ///
    /// # Errors
    /// Other numbers of `ode_unfolds` are compile errors that name the limit.
    ///
    /// ```
    /// use recurrent::{cells::*, prelude::*};
    /// let model = recurrent::rnn_model!(
    ///     Input(_, 3) -> RNN(LiquidTimeConstant(8, ode_unfolds = 3, time_step = 0.5)) -> Dense(2)
    /// );
    /// let y = model.predict(&ndarray::Array3::ones((4, 20, 3)))?; // [batch, time, features]
    /// assert_eq!(y.shape(), [4, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    pub cell LiquidTimeConstant(
        units,
        activation = sigmoid,
        ode_unfolds = 6.0,
        time_step = 1.0,
        kernel_initializer = glorot_uniform,
        recurrent_initializer = orthogonal,
        bias_initializer = zeros,
        reversal_initializer = random_uniform(-1.0, 1.0),
        time_constant_initializer = constant(0.541324854612918),
    ) {
        param kernel: [input, units] = kernel_initializer;
        param recurrent_kernel: [units, units] = recurrent_initializer;
        param bias: [units] = bias_initializer;
        param time_constant: [units] = time_constant_initializer;
        param reversal: [units] = reversal_initializer;
        state h: [units];
        let delta = time_step / ode_unfolds;
        let leak = 1 + delta / softplus(time_constant);
        let drive = x @ kernel + bias;
        let f = delta * activation(drive + h @ recurrent_kernel);
        let v = (h + f * reversal) / (leak + f);
        if ode_unfolds >= 2 {
            let f = delta * activation(drive + v @ recurrent_kernel);
            let v = (v + f * reversal) / (leak + f);
        }
        if ode_unfolds >= 3 {
            let f = delta * activation(drive + v @ recurrent_kernel);
            let v = (v + f * reversal) / (leak + f);
        }
        if ode_unfolds >= 4 {
            let f = delta * activation(drive + v @ recurrent_kernel);
            let v = (v + f * reversal) / (leak + f);
        }
        if ode_unfolds >= 5 {
            let f = delta * activation(drive + v @ recurrent_kernel);
            let v = (v + f * reversal) / (leak + f);
        }
        if ode_unfolds >= 6 {
            let f = delta * activation(drive + v @ recurrent_kernel);
            let v = (v + f * reversal) / (leak + f);
        }
        if ode_unfolds != 1 && ode_unfolds != 2 && ode_unfolds != 3 && ode_unfolds != 4 && ode_unfolds != 5 && ode_unfolds != 6 {
            // The language has no statement for this: the name is the message.
            let v = ode_unfolds_is_a_whole_number_from_1_to_6;
        }
        next h = v;
        output h;
    }
}
