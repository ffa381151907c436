//! Graphs whose values do not fit one another.
use recurrent::rnn_model;

rnn_model! {
    pub struct WrongState {
        input source: [_, 8];
        input target: [_, 8];
        let (_, state) = source -> LSTM(64, return_state);
        output y = target -> LSTM(32, initial_state = state);
    }
}

rnn_model! {
    pub struct TooFewStates {
        input source: [_, 8];
        let (_, state) = source -> GRU(64, return_state);
        output y = source -> LSTM(64, initial_state = state);
    }
}

fn main() {
    // A value that is not there.
    rnn_model!(input x: [_, 8]; let encoded = x -> LSTM(4); output y = encodde -> Dense(2););
    // States without names.
    rnn_model!(input x: [_, 8]; let y = x -> LSTM(4, return_state); output z = y -> Dense(2););
    // A value that nobody reads.
    rnn_model!(input x: [_, 8]; let state = x -> LSTM(4); output z = x -> GRU(4););
    // Two shapes in one sum.
    rnn_model!(input x: [8]; let a = x -> Dense(4); let b = x -> Dense(5); output y = (a, b) -> Add;);
    // Two lengths in one sum.
    rnn_model!(input a: [_, 8]; input b: [_, 8]; output y = (a, b) -> Add;);
    // A mask of another length.
    rnn_model!(input x: [_, 8]; input m: mask; output y = x -> LSTM(4, mask = m););
    // Two values into one layer.
    rnn_model!(input a: [time, 8]; input b: [time, 3]; output y = (a, b) -> LSTM(4););
    // A shared layer of two sizes.
    rnn_model!(input x: [8]; layer shared = Dense(4); output y = x -> shared -> shared;);
    // The use of a layer that is spelled otherwise.
    rnn_model!(input x: [8]; layer encoder = Dense(8); output y = x -> encoder -> encodre;);
    // A stateful layer in two places.
    rnn_model!(input x: [_, 8]; layer l = LSTM(4, stateful); output y = x -> l; output z = x -> l;);
    // What belongs to the layer around.
    rnn_model!(input x: [_, 8]; let (_, h) = x -> GRU(4, return_state); output y = x -> Bidirectional(GRU(4, initial_state = h)););
    rnn_model!(Input(_, 8) -> Bidirectional(LSTM(4), return_sequences));
    // More axes than arrays have.
    rnn_model!(input x: [_, 2, 3, 4, 5]; output y = x -> TimeDistributed(Flatten) -> LSTM(4););
    // More inputs than tuples have.
    rnn_model!(Input(_, {
        a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1, l: 1, m: 1, n: 1, o: 1, p: 1,
        q: 1
    }) -> Concatenate -> LSTM(4));
}
