//! Looped and unrolled.

use recurrent_test_modes::{check, same};

same! {
    unrolled: same { Input(5, 3) -> LSTM(4, unroll = true) -> Dense(2) } { Input(5, 3) -> LSTM(4, unroll = false) -> Dense(2) }
    unrolled_all_steps: same { Input(4, 3) -> GRU(5, unroll, return_sequences) -> GRU(9, unroll, reset_after = false) } { Input(4, 3) -> GRU(5, return_sequences) -> GRU(9, reset_after = false) }
    unrolled_backwards: same { Input(3, 3) -> SimpleRNN(17, unroll, go_backwards, return_sequences) -> LSTM(3, unroll) } { Input(3, 3) -> SimpleRNN(17, go_backwards, return_sequences) -> LSTM(3) }
    unrolled_over_units: same { Input(4, 3) -> GRU(5, activation = log_softmax, unroll, return_sequences) -> LSTM(3, activation = softmax, unroll) -> Dense(4, log_softmax) } { Input(4, 3) -> GRU(5, activation = log_softmax, return_sequences) -> LSTM(3, activation = softmax) -> Dense(4, log_softmax) }
    unrolled_once: same { Input(1, 3) -> LSTM(4, unroll = true) } { Input(_, 3) -> LSTM(4) }
}

check! {
    // A stream computes the gates of these in other groups than a batch, and long sums of few units in two halves.
    two_levels: stream { Input(_, 9) -> GRU(40, reset_after = false, return_sequences) -> GRU(8, reset_after = false) }
    two_levels_over_units: stream { Input(_, 9) -> LSTM(40, activation = softmax, return_sequences) -> LSTM(16, activation = softmax, return_sequences) -> GRU(8, activation = log_softmax) -> Dense(1) }
    halves: stream { Input(5, 9) -> LSTM(8, unroll, return_sequences) -> SimpleRNN(16, return_sequences) -> GRU(11, return_sequences) -> LSTM(4) -> Dense(1) }
    unrolled_is_right: stream { Input(4, 3) -> LSTM(5, unroll, return_sequences) -> GRU(4, unroll) -> Dense(2) }
}
