//! Long sequences, which are cut into blocks of time: what a block leaves to the next one.

use recurrent_test_modes::check;

check! {
    long_last: blocks { Input(_, 3) -> LSTM(9, return_sequences) -> GRU(12) -> Dense(2) }
    long_all: blocks { Input(_, 3) -> SimpleRNN(9, return_sequences) -> Dense(3) -> BatchNormalization -> GRU(12, reset_after = false, return_sequences) }
    long_ids: blocks { Embedding(20, 8) -> GRU(9, return_sequences) -> LSTM(17) -> Dense(2, softmax) }
    long_graph: blocks { input x: [time, 3]; input z: [time, 2]; let a = x -> LSTM(5, return_sequences); let b = z -> GRU(5, return_sequences); output y = (a, b) -> Add -> Dense(2); output end = (a, b) -> Concatenate -> SimpleRNN(3); }

    // A masked step's states and output are those of the step before, which may lie in another block.
    masked_ids: blocks { Embedding(20, 8, mask_zero) -> GRU(9, return_sequences) -> LSTM(17, return_sequences) }
    masked_last: blocks { Embedding(20, 8, mask_zero) -> SimpleRNN(9) -> Dense(2) }
    masked_zeros: blocks { Input(_, 3) -> Masking -> RNN([GRUCell(5), LSTMCell(4)], zero_output_for_mask, return_sequences) -> RNN([SimpleRNNCell(6), GRUCell(5)], return_sequences) }
    masked_zero_last: blocks { Input(_, 3) -> Masking -> GRU(7, return_sequences) -> RNN([LSTMCell(4), GRUCell(3)], zero_output_for_mask) }
    two_masks: blocks { input x: [time, 3]; input m: mask[time]; input ids: ids[time]; let a = x -> LSTM(9, return_sequences, mask = m); let b = ids -> Embedding(7, 3, mask_zero) -> GRU(9, return_sequences); output y = (a, b) -> Add -> SimpleRNN(5, return_sequences); output end = b -> LSTM(4); }
}
