//! Cells that the tests of `recurrent` use from another crate.

/// A module between the crate and the cell.
pub mod inner {
    recurrent::rnn_cell! {
        /// A gated recurrent unit with one gate.
        pub cell MinimalGru(units) {
            param kernel: [input, 2 * units] = glorot_uniform;
            param recurrent_kernel: [units, 2 * units] = orthogonal;
            state h: [units];
            let [f, g] = split(x @ kernel);
            let [uf, ug] = split(h @ recurrent_kernel);
            let f = sigmoid(f + uf);
            next h = f * h + (1 - f) * tanh(g + f * ug);
            output h;
        }
    }
}
