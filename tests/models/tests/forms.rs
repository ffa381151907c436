//! Every form, place and path that must work. Nothing here may warn: the crate is a program of its own.
#![deny(warnings)]
#![allow(unused_must_use, clippy::no_effect)]

use recurrent::{rnn_cell, rnn_model};

mod sizes {
    pub const UNITS: usize = 32;
}
const FEATURES: usize = 8;

// Used before it is defined, in another module, under a path.
rnn_model! {
    /// Documented.
    #[derive(Clone, Debug)]
    pub struct Rows = Input(28, 28) -> LSTM(64) -> BatchNormalization -> Dense(10);
}
rnn_model! { struct Private = Input(_, FEATURES) -> RNN(cells::MyCell(sizes::UNITS)) -> Dense(1); }
rnn_model! { pub(crate) struct Two = Input(_, 8) -> RNN(cells::MyCell(32), return_sequences) -> RNN(crate::cells::deep::Other(16), return_sequences) -> RNN(Local(4)); }

mod cells {
    recurrent::rnn_cell! {
        /// A cell.
        pub cell MyCell(units, activation = tanh, use_bias = true) {
            param kernel: [input, units] = glorot_uniform;
            param recurrent_kernel: [units, units] = orthogonal;
            state h: [units];
            let z = x @ kernel + h @ recurrent_kernel;
            if use_bias {
                param bias: [units] = zeros;
                let z = z + bias;
            }
            next h = activation(z);
            output h;
        }
    }
    pub mod deep {
        use recurrent::rnn_cell;
        rnn_cell! { pub(crate) cell Other(units) { param k: [input, units] = zeros; state h: [units]; next h = h + x @ k; output h; } }
        // The same name as a private cell elsewhere, with other tokens.
        rnn_cell! { cell Local(units) { param k: [input, units] = ones; state h: [units]; next h = h + x @ k; output h; } }
        pub fn local() {
            let _ = recurrent::rnn_model!(Input(_, 8) -> RNN(Local(2)) -> Dense(1));
        }
    }
}

// Two modules with the same name and the same tokens, exported.
mod twins {
    pub mod one {
        recurrent::rnn_cell! { pub cell Twin(units) { param k: [input, units] = ones; state h: [units]; next h = h + x @ k; output h; } }
    }
    pub mod two {
        recurrent::rnn_cell! { pub cell Twin(units) { param k: [input, units] = ones; state h: [units]; next h = h + x @ k; output h; } }
    }
}

rnn_cell! { cell Local(units) { param k: [input, units] = zeros; state h: [units]; next h = h + x @ k; output h; } }

#[test]
fn models_are_made() {
    let _ = rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10));
    let _ = rnn_model!(< Embedding(1000, 64) -> LSTM(128) -> Dense(10) >);
    let _ = recurrent::rnn_model![Input(_, 8) -> RNN(cells::MyCell(32, relu, use_bias = false)) -> Dense(1)];
    let _ = rnn_model!(Input(_, 8) -> RNN(Local(3), go_backwards) -> Dense(1));
    let _ = rnn_model!(Input(_, 8) -> RNN(LSTMCell(3), return_sequences) -> RNN(cell = GRUCell(3)) -> Dense(1));
    rnn_cell! { cell Inner(units) { param k: [input, units] = zeros; state h: [units]; next h = h + x @ k; output h; } }
    rnn_cell! { pub cell InnerPub(units) { param k: [input, units] = zeros; state h: [units]; next h = h + x @ k; output h; } }
    let _ =
        rnn_model!(Input(_, 8) -> RNN(Inner(3), return_sequences) -> RNN(InnerPub(3)) -> Dense(1));
    let _ = cells::MyCell;
    let _ = rnn_model!(Input(_, 8) -> RNN(recurrent_test_cells::inner::MinimalGru(3)) -> Dense(1));
    cells::deep::local();
    let _ = rnn_model!(Input(_, 8) -> RNN(twins::one::Twin(3), return_sequences) -> RNN(twins::two::Twin(3)) -> Dense(1));
    macro_rules! model {
        ($units:expr, $name:literal, $path:path, $n:ident) => {
            rnn_model!(Input($units, $units) -> LSTM($path, name = $name, return_sequences) -> RNN($n(2), unroll = false) -> Dense($units))
        };
    }
    let _ = model!(28, "encoder", sizes::UNITS, Local);
}
