//! Graphs: several inputs and outputs, shared layers, states between layers, merges, directions.

use recurrent_test_modes::check;

check! {
    two_inputs: stream { input x: [time, 3]; input z: [time, 2]; let a = x -> LSTM(5, return_sequences); let b = z -> GRU(5, return_sequences); output y = (a, b) -> Add -> Dense(2); output end = (a, b) -> Concatenate -> SimpleRNN(3); }
    shared_by_two_inputs: stream { input a: [time, 3]; input b: [time, 3]; layer cell = GRU(5, return_sequences); let p = a -> cell; let q = b -> cell; output product = (p, q) -> Multiply; output mean = (p, q) -> Average -> LSTM(4); }
    states_are_outputs: stream { input x: [_, 3]; let (y, h, c) = x -> LSTM(5, return_sequences, return_state); output all = y; output h = h; output c = c -> Dense(2); }
    encoder_and_decoder: whole { input source: [_, 3]; input target: ids; let (_, state) = source -> LSTM(6, return_state); output y = target -> Embedding(9, 4) -> LSTM(6, return_sequences, initial_state = state) -> Dense(3); }
    other_directions: whole { input x: [_, 3]; let (f, b) = x -> Bidirectional(GRU(4, return_sequences), backward_layer = SimpleRNN(4, return_sequences, go_backwards), merge_mode = none); output y = (f, b) -> Multiply -> GRU(3); output b = b; }

    long_decoder: long { input source: ids; input target: ids; let (_, state) = source -> Embedding(9, 17) -> LSTM(40, return_state); output y = target -> Embedding(9, 12) -> LSTM(40, return_sequences, initial_state = state) -> Dense(5); }
}
