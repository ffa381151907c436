//! Masks: given, of `Masking`, of ids; holes, padding on either side, rows without a valid step.
//! A stream leaves out the maths of a masked step and keeps states and outputs.

use recurrent_test_modes::{
    cells::{Late, Projected, Read},
    check,
};

check! {
    ids: stream { Embedding(7, 4, mask_zero) -> GRU(5, return_sequences) -> LSTM(4) }
    two_given: stream { input x: [time, 3]; input m: mask[time]; input n: mask[time]; let a = x -> LSTM(4, return_sequences, mask = m); let b = x -> GRU(4, return_sequences, mask = n); output y = (a, b) -> Add -> SimpleRNN(3); output z = (b, a) -> Concatenate; }
    zero_output_of_a_stack: stream { Input(_, 3) -> Masking -> RNN([GRUCell(5), LSTMCell(4)], zero_output_for_mask, return_sequences) -> LSTM(3, return_sequences) }
    statistics: stream { Input(_, 3) -> Masking -> LSTM(4, return_sequences) -> BatchNormalization -> GRU(3, return_sequences) -> LayerNormalization }
    products_behind: stream { Input(_, 3) -> Masking -> RNN(Late(5), return_sequences) -> RNN(Projected(7, 4), return_sequences) -> RNN(Read(5, 3)) }
    max_pooling: stream { Embedding(7, 4, mask_zero) -> GRU(5, return_sequences) -> GlobalMaxPooling1D -> Dense(2) }
    max_pooling_of_masking: stream { Input(_, 3) -> Masking -> GlobalMaxPooling1D }
    average_pooling: stream { Embedding(7, 4, mask_zero) -> GRU(5, return_sequences) -> GlobalAveragePooling1D -> Dense(2) }
    average_pooling_of_masking: stream { Input(_, 3) -> Masking -> GlobalAveragePooling1D }

    both_directions: whole { Embedding(7, 4, mask_zero) -> Bidirectional(LSTM(5, return_sequences)) -> Bidirectional(GRU(4), merge_mode = ave) -> Dense(2) }

    max_pooling_as_a_step: whole { Input(_, 3) -> Masking -> GlobalMaxPooling1D(keepdims) -> GRU(3) }
    average_pooling_as_a_step: whole { Input(_, 3) -> Masking -> GlobalAveragePooling1D(keepdims) -> GRU(3) }

    long_max_pooling: long_stream { Input(_, 20) -> Masking -> GlobalMaxPooling1D -> Dense(3) }
    long_average_pooling: long_stream { Input(_, 20) -> Masking -> GRU(36, return_sequences) -> GlobalAveragePooling1D -> Dense(3) }
    long_masking: long_stream { Input(_, 20) -> Masking -> LSTM(40, return_sequences) -> GRU(36, return_sequences) -> Dense(3) }
}
