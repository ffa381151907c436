//! Training with dropout and noise: the interpreter is given what the runtime draws in the same
//! step, so that outputs and gradients agree as without. Inference leaves it out.

check! {
    dropout: stream { Input(_, 5) -> LSTM(6, return_sequences) -> Dropout(0.4, seed = 1) -> GRU(4) -> Dropout(0.3, seed = 2) -> Dense(2) }
    spatial: stream { Input(_, 5) -> SpatialDropout1D(0.4, seed = 3) -> LSTM(6, return_sequences) -> SpatialDropout1D(0.3, seed = 4) -> Dense(2) }
    gaussian: stream { Input(_, 5) -> GaussianNoise(0.3, seed = 5) -> GRU(6, return_sequences) -> GaussianNoise(0.2, seed = 6) -> LSTM(3) }
    simple_rnn: stream { Input(_, 5) -> SimpleRNN(6, dropout = 0.3, recurrent_dropout = 0.4, seed = 7, return_sequences) -> SimpleRNN(4, recurrent_dropout = 0.3, seed = 8) }
    lstm_inputs: stream { Input(_, 5) -> LSTM(6, dropout = 0.3, seed = 9, return_sequences) -> Dense(2) }
    lstm_states: stream { Input(_, 5) -> LSTM(6, recurrent_dropout = 0.3, seed = 10, return_sequences) -> Dense(2) }
    lstm: stream { Input(_, 5) -> LSTM(6, dropout = 0.2, recurrent_dropout = 0.4, seed = 11, return_sequences) -> LSTM(4, dropout = 0.4, recurrent_dropout = 0.2, seed = 12) }
    gru_inputs: stream { Input(_, 5) -> GRU(6, dropout = 0.3, seed = 13, return_sequences) -> Dense(2) }
    gru_states: stream { Input(_, 5) -> GRU(6, recurrent_dropout = 0.3, seed = 14, return_sequences) -> Dense(2) }
    gru_reset_before: stream { Input(_, 5) -> GRU(6, dropout = 0.3, recurrent_dropout = 0.4, reset_after = false, seed = 15, return_sequences) -> GRU(4, dropout = 0.2, recurrent_dropout = 0.2, seed = 16) }
    stack: stream { Input(_, 5) -> RNN([LSTMCell(6, dropout = 0.2, recurrent_dropout = 0.3, seed = 17), GRUCell(4, recurrent_dropout = 0.3, seed = 18), SimpleRNNCell(3, dropout = 0.3, seed = 19)], return_sequences) }
    ids: stream { Embedding(9, 6) -> SpatialDropout1D(0.3, seed = 20) -> LSTM(5, recurrent_dropout = 0.3, seed = 21) -> BatchNormalization -> Dense(2) }
    masked: stream { input x: [time, 5]; input m: mask[time]; let a = x -> LSTM(6, dropout = 0.3, recurrent_dropout = 0.4, seed = 22, return_sequences, mask = m); output y = a -> GRU(4, recurrent_dropout = 0.3, seed = 23); output z = a -> Dropout(0.3, seed = 24) -> Dense(2); }
    two_readers: stream { input x: [_, 5]; let n = x -> Dense(4) -> GaussianNoise(0.2, seed = 25) -> Dropout(0.3, seed = 26); let a = n -> LSTM(4, return_sequences); output y = (n, a) -> Add -> GRU(3); output z = n -> LSTM(2, dropout = 0.5, seed = 27); }
    shared: stream { input x: [_, 4]; layer cell = GRU(4, dropout = 0.3, recurrent_dropout = 0.3, seed = 28, return_sequences); let once = x -> cell; output y = once -> cell; }
    both_directions: whole { Input(_, 5) -> Bidirectional(LSTM(4, dropout = 0.2, recurrent_dropout = 0.3, seed = 29, return_sequences)) -> Bidirectional(GRU(3, dropout = 0.3, seed = 30), merge_mode = sum) }
    backwards: whole { Embedding(9, 6, mask_zero) -> GRU(5, dropout = 0.3, recurrent_dropout = 0.3, seed = 31, go_backwards, return_sequences) -> LSTM(4, recurrent_dropout = 0.3, seed = 32, go_backwards) }
    decoder: whole { input source: [_, 3]; input target: ids; let (_, state) = source -> LSTM(6, recurrent_dropout = 0.3, seed = 33, return_state); output y = target -> Embedding(9, 4) -> LSTM(6, dropout = 0.3, seed = 34, return_sequences, initial_state = state) -> Dense(3); }

    long_dropout: long_stream { Input(_, 20) -> SpatialDropout1D(0.3, seed = 35) -> LSTM(40, dropout = 0.2, recurrent_dropout = 0.3, seed = 36, return_sequences) -> Dropout(0.3, seed = 37) -> GRU(36, recurrent_dropout = 0.3, seed = 38) -> GaussianNoise(0.1, seed = 39) -> Dense(3) }
    long_masked: long { Embedding(9, 17, mask_zero) -> Bidirectional(LSTM(40, recurrent_dropout = 0.3, seed = 40, return_sequences)) -> GaussianNoise(0.1, seed = 41) -> GRU(36, dropout = 0.3, seed = 42, return_sequences) -> Dense(3) }
}
