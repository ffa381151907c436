//! Training with dropout and noise: the interpreter is given what the runtime draws in the same
//! step, so that outputs and gradients agree as without. Inference leaves it out.

use recurrent_test_modes::check;

check! {
    dropout: stream { Input(_, 5) -> Dropout(0.3, seed = 7) -> GRU(6, dropout = 0.2, recurrent_dropout = 0.4, reset_after = false, seed = 8, return_sequences) -> Dropout(0.4, seed = 9) -> Dense(2) }
    spatial: stream { Input(_, 5) -> SpatialDropout1D(0.4, seed = 10) -> LSTM(6, return_sequences) -> SpatialDropout1D(0.3, seed = 11) -> SimpleRNN(4, dropout = 0.3, recurrent_dropout = 0.2, seed = 12) }
    gaussian: stream { Input(_, 5) -> GaussianNoise(0.3, seed = 5) -> GRU(6, return_sequences) -> GaussianNoise(0.2, seed = 6) -> LSTM(3) }
    gaussian_dropout: stream { Input(_, 5) -> GaussianDropout(0.2, seed = 13) -> GRU(6, return_sequences) -> GaussianDropout(0.3, seed = 14) -> LSTM(3) }
    alpha_dropout: stream { Input(_, 5) -> AlphaDropout(0.3, seed = 15) -> Dense(6, selu) -> AlphaDropout(0.2, seed = 16) -> LSTM(3) }
    stack: stream { Input(_, 5) -> RNN([LSTMCell(6, dropout = 0.2, recurrent_dropout = 0.3, seed = 17), GRUCell(4, recurrent_dropout = 0.3, seed = 18), SimpleRNNCell(3, dropout = 0.3, seed = 19)], return_sequences) }
    masked: stream { input x: [time, 5]; input m: mask[time]; let a = x -> LSTM(6, dropout = 0.3, recurrent_dropout = 0.4, seed = 22, return_sequences, mask = m); output y = a -> GRU(4, recurrent_dropout = 0.3, seed = 23); output z = a -> Dropout(0.3, seed = 24) -> Dense(2); }
    shared: stream { input x: [_, 4]; layer cell = GRU(4, dropout = 0.3, recurrent_dropout = 0.3, seed = 28, return_sequences); let once = x -> cell; output y = once -> cell; }
    both_directions: whole { Input(_, 5) -> Bidirectional(LSTM(4, dropout = 0.2, recurrent_dropout = 0.3, seed = 29, return_sequences)) -> Bidirectional(GRU(3, dropout = 0.3, seed = 30), merge_mode = sum) }

    long_layers: long_stream { Input(_, 20) -> LSTM(40, dropout = 0.3, recurrent_dropout = 0.2, seed = 31, return_sequences) -> GRU(36, dropout = 0.2, recurrent_dropout = 0.3, seed = 32, return_sequences) -> Dropout(0.3, seed = 33) -> Dense(3) }
}
