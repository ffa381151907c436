//! Graphs: several inputs and outputs, shared layers, states between layers, merges, directions.

check! {
    two_inputs: stream { input x: [time, 3]; input z: [time, 2]; let a = x -> LSTM(5, return_sequences); let b = z -> GRU(5, return_sequences); output y = (a, b) -> Add -> Dense(2); output end = (a, b) -> Concatenate -> SimpleRNN(3); }
    shared_in_a_row: stream { input x: [_, 4]; layer cell = LSTM(4, return_sequences); let once = x -> cell; output y = once -> cell; }
    shared_by_two_inputs: stream { input a: [time, 3]; input b: [time, 3]; layer cell = GRU(5, return_sequences); let p = a -> cell; let q = b -> cell; output product = (p, q) -> Multiply; output mean = (p, q) -> Average -> LSTM(4); }
    shared_dense: stream { input x: [_, 4]; layer wide = Dense(4, tanh); let a = x -> wide -> GRU(4, return_sequences); output y = a -> wide; output end = a -> LSTM(3); }
    states_are_outputs: stream { input x: [_, 3]; let (y, h, c) = x -> LSTM(5, return_sequences, return_state); output all = y; output h = h; output c = c -> Dense(2); }
    states_of_a_stack: stream { input x: [_, 3]; let (y, h, c, g) = x -> RNN([LSTMCell(4), GRUCell(5)], return_sequences, return_state); output all = y -> Dense(2); output ends = (h, c) -> Multiply; output g = g; }
    residual: stream { input x: [_, 4]; let a = x -> LSTM(4, return_sequences); let b = (x, a) -> Add; let c = b -> GRU(4, return_sequences); output y = (b, c) -> Add -> LayerNormalization; output last = c -> LSTM(3); }
    merges: stream { input x: [_, 4]; let a = x -> GRU(4, return_sequences); let b = x -> Dense(4); let c = (a, b) -> Subtract; let d = (a, b, x) -> Maximum; let e = (c, d) -> Minimum; output y = (c, d, e, x) -> Concatenate -> LSTM(3); }
    statistics_with_two_readers: stream { input x: [_, 3]; let n = x -> LSTM(4, return_sequences) -> BatchNormalization; let a = n -> GRU(3, return_sequences); let b = n -> Dense(3); output y = (a, b) -> Multiply; output end = n -> SimpleRNN(2); }
    stateful: stream { Input(_, 3) -> LSTM(4, stateful, return_sequences) -> GRU(3, stateful) }
    what_numbers_cost: stream { input x: [_, 3]; let (y, h) = x -> GRU(4, return_sequences, return_state, activity_regularizer = l2(0.1)); output all = y -> Dense(2, activity_regularizer = l2(0.2)); output h = h; }
    frozen: stream { input x: [_, 3]; let a = x -> LSTM(4, return_sequences, trainable = false); output y = a -> Dense(2); output z = a -> GRU(3, trainable = false); }
    a_vector_and_a_sequence: whole { input x: [_, 3]; input v: [2]; let a = x -> GRU(4); let b = v -> Dense(4, tanh); output y = (a, b) -> Add -> Dense(2); output z = b -> Dense(1); }
    encoder_and_decoder: whole { input source: [_, 3]; input target: ids; let (_, state) = source -> LSTM(6, return_state); output y = target -> Embedding(9, 4) -> LSTM(6, return_sequences, initial_state = state) -> Dense(3); }
    states_from_inputs: whole { input x: [_, 3]; input h: [5]; input c: [5]; let (y, _, d) = x -> LSTM(5, return_sequences, return_state, initial_state = [h, c]); output all = y; output c = d; }
    states_go_round: whole { input x: [_, 4]; let (a, h) = x -> GRU(4, return_sequences, return_state); let (b, g) = a -> GRU(4, return_sequences, return_state, initial_state = h, go_backwards); output y = (x, b) -> Add -> SimpleRNN(4, initial_state = g); }
    repeated: whole { input x: [_, 3]; let v = x -> GRU(4); output y = v -> RepeatVector(3) -> LSTM(4, return_sequences) -> TimeDistributed(Dense(2)); output v = v; }
    axes_change: whole { input x: [4, 6]; let p = x -> Permute(2, 1) -> GRU(4, return_sequences); output y = p -> Reshape(3, 8) -> LSTM(3); output flat = p -> Flatten -> Dense(2); }
    both_directions: whole { input x: [_, 3]; let (y, fh, fc, bh, bc) = x -> Bidirectional(LSTM(4, return_sequences, return_state)); let h = (fh, bh) -> Add; let c = (fc, bc) -> Multiply; output all = y -> Dense(2); output end = x -> LSTM(4, initial_state = [h, c]); }
    other_directions: whole { input x: [_, 3]; let (f, b) = x -> Bidirectional(GRU(4, return_sequences), backward_layer = SimpleRNN(4, return_sequences, go_backwards), merge_mode = none); output y = (f, b) -> Multiply -> GRU(3); output b = b; }
    merged_directions: whole { input x: [_, 3]; let a = x -> Bidirectional(GRU(4, return_sequences), merge_mode = mul); let b = a -> Bidirectional(LSTM(4, return_sequences), merge_mode = ave); output y = (a, b) -> Add -> Bidirectional(SimpleRNN(3), merge_mode = sum); }

    long_graph: long_stream { input x: [time, 20]; input z: [time, 24]; let (a, h) = x -> GRU(40, return_sequences, return_state); let b = z -> LSTM(40, return_sequences); let c = (a, b) -> Add; output y = (a, c) -> Concatenate -> LSTM(33, return_sequences) -> Dense(3); output h = h; }
    long_directions: long { input x: [_, 20]; let (y, h, g) = x -> Bidirectional(GRU(40, return_sequences, return_state)); output all = y -> Bidirectional(LSTM(36, return_sequences), merge_mode = sum) -> Dense(3); output ends = (h, g) -> Multiply; }
    long_decoder: long { input source: ids; input target: ids; let (_, state) = source -> Embedding(9, 17) -> LSTM(40, return_state); output y = target -> Embedding(9, 12) -> LSTM(40, return_sequences, initial_state = state) -> Dense(5); }
}
