//! The models of the example: four cells, for small images and for those of MNIST.

use recurrent::prelude::*;

rnn_cell! {
    /// A GRU with one gate for all (Zhou et al., 2016, "Minimal gated unit"), written here and as
    /// fast as a built-in one.
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

/// Models that read an image of 8 × 8 row by row.
pub mod small {
    use super::*;

    rnn_model! {
        /// With Keras's default cell.
        pub struct Lstm = Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With two gates instead of three.
        pub struct Gru = Input(8, 8) -> GRU(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With none.
        pub struct Simple = Input(8, 8) -> SimpleRNN(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With the cell above.
        pub struct Custom = Input(8, 8) -> RNN(MinimalGru(64)) -> BatchNormalization -> Dense(10);
    }
}

/// Models that read an image of 28 × 28 row by row: those of Keras's guide "Working with RNNs".
pub mod mnist {
    use super::*;

    rnn_model! {
        /// With Keras's default cell.
        pub struct Lstm = Input(28, 28) -> LSTM(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With two gates instead of three.
        pub struct Gru = Input(28, 28) -> GRU(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With none.
        pub struct Simple = Input(28, 28) -> SimpleRNN(64) -> BatchNormalization -> Dense(10);
    }
    rnn_model! {
        /// With the cell above.
        pub struct Custom = Input(28, 28) -> RNN(MinimalGru(64)) -> BatchNormalization -> Dense(10);
    }
}
