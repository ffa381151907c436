//! Masks: given, of `Masking`, of ids; holes, padding on either side, rows without a real step.
//! A stream leaves out the maths of a masked step and keeps states and outputs.

use crate::cells::*;

check! {
    masking: stream { Input(_, 3) -> Masking -> LSTM(5, return_sequences) -> GRU(4) -> Dense(2) }
    masking_all_steps: stream { Input(_, 3) -> Masking -> SimpleRNN(5, return_sequences) -> Dense(2) }
    ids: stream { Embedding(7, 4, mask_zero) -> GRU(5, return_sequences) -> LSTM(4) }
    ids_all_steps: stream { Embedding(7, 4, mask_zero) -> LSTM(5, return_sequences) -> GRU(3, return_sequences) -> Dense(2, softmax) }
    given: stream { input x: [time, 3]; input m: mask[time]; output y = x -> LSTM(5, return_sequences, mask = m); output end = x -> GRU(4, mask = m); }
    given_reset_before: stream { input x: [time, 3]; input m: mask[time]; output y = x -> GRU(5, return_sequences, reset_after = false, mask = m) -> Dense(2); }
    two_given: stream { input x: [time, 3]; input m: mask[time]; input n: mask[time]; let a = x -> LSTM(4, return_sequences, mask = m); let b = x -> GRU(4, return_sequences, mask = n); output y = (a, b) -> Add -> SimpleRNN(3); output z = (b, a) -> Concatenate; }
    stack: stream { input x: [time, 3]; input m: mask[time]; output y = x -> RNN([LSTMCell(4), GRUCell(5), SimpleRNNCell(3)], return_sequences, mask = m); }
    stack_last: stream { input x: [time, 3]; input m: mask[time]; let (y, h, c, g) = x -> RNN([LSTMCell(4), GRUCell(5)], return_state, mask = m); output y = y; output h = h; output c = c; output g = g -> Dense(2); }
    zero_output: stream { input x: [time, 3]; input m: mask[time]; output y = x -> RNN(LSTMCell(5), return_sequences, zero_output_for_mask, mask = m); }
    zero_output_last: stream { Input(_, 3) -> Masking -> RNN(GRUCell(5), zero_output_for_mask) -> Dense(2) }
    zero_output_of_a_stack: stream { Input(_, 3) -> Masking -> RNN([GRUCell(5), LSTMCell(4)], zero_output_for_mask, return_sequences) -> LSTM(3, return_sequences) }
    states: stream { input x: [time, 3]; input m: mask[time]; let (y, h, c) = x -> LSTM(5, return_sequences, return_state, mask = m); output all = y; output h = h; output c = c -> Dense(2); }
    merged: stream { input a: [time, 4]; input b: ids[time]; let p = a -> Masking -> GRU(4, return_sequences); let q = b -> Embedding(5, 4, mask_zero); output y = (p, q) -> Add -> LSTM(4); output z = (q, p) -> Concatenate -> GRU(3, return_sequences); }
    shared: stream { input a: [time, 4]; input m: mask[time]; layer cell = LSTM(4, return_sequences); let p = a -> Masking -> cell; output y = p -> cell; output z = a -> GRU(3, mask = m); }
    statistics: stream { Input(_, 3) -> Masking -> LSTM(4, return_sequences) -> BatchNormalization -> GRU(3, return_sequences) -> LayerNormalization }
    stateful: stream { Input(_, 3) -> Masking -> LSTM(4, stateful, return_sequences) -> GRU(3, stateful) }
    products_behind: stream { Input(_, 3) -> Masking -> RNN(Late(5), return_sequences) -> RNN(Projected(7, 4), return_sequences) -> RNN(Read(5, 3)) }
    sums_over_units: stream { Input(_, 3) -> Masking -> RNN(Normalised(17), return_sequences) -> RNN(Attentive(5), return_sequences) -> RNN(Rows(19)) }
    old_states: stream { Input(_, 8) -> Masking -> RNN(Forgetful(4), return_sequences) -> RNN(Delay(5), return_sequences) -> RNN(Decay(4)) }

    backwards: whole { Input(_, 3) -> Masking -> LSTM(4, go_backwards, return_sequences) }
    backwards_last: whole { input x: [time, 3]; input m: mask[time]; let (y, h) = x -> GRU(4, go_backwards, return_state, mask = m); output y = y; output h = h; }
    both_directions: whole { Embedding(7, 4, mask_zero) -> Bidirectional(LSTM(5, return_sequences)) -> Bidirectional(GRU(4), merge_mode = ave) -> Dense(2) }
    both_directions_given: whole { input x: [time, 3]; input m: mask[time]; let (f, b, h, g) = x -> Bidirectional(GRU(4, return_sequences, return_state), merge_mode = none, mask = m); output f = f; output b = b; output ends = (h, g) -> Multiply; }
    both_directions_of_stacks: whole { Input(_, 3) -> Masking -> Bidirectional(RNN([LSTMCell(4), GRUCell(3)], return_sequences, zero_output_for_mask), merge_mode = mul) }
    unrolled: whole { Input(5, 3) -> Masking -> LSTM(4, unroll, return_sequences) -> GRU(3, unroll) }
    encoder_and_decoder: whole { input source: ids; input target: ids; let (_, state) = source -> Embedding(9, 4, mask_zero) -> LSTM(6, return_state); output y = target -> Embedding(7, 4, mask_zero) -> LSTM(6, return_sequences, initial_state = state) -> Dense(3); }

    long_masking: long_stream { Input(_, 20) -> Masking -> LSTM(40, return_sequences) -> GRU(36, return_sequences) -> Dense(3) }
    long_ids: long_stream { Embedding(9, 17, mask_zero) -> RNN([LSTMCell(40), GRUCell(36)], return_sequences, zero_output_for_mask) -> LSTM(33) }
    long_two_given: long_stream { input x: [time, 20]; input m: mask[time]; input n: mask[time]; let a = x -> LSTM(40, return_sequences, mask = m); let b = x -> GRU(40, return_sequences, reset_after = false, mask = n); output y = (a, b) -> Add -> SimpleRNN(33); output z = (b, a) -> Concatenate -> Dense(3); }
    long_cells: long_stream { Input(_, 20) -> Masking -> RNN(Late(40), return_sequences) -> RNN(Normalised(36)) }
    long_directions: long { Embedding(9, 17, mask_zero) -> Bidirectional(LSTM(40, return_sequences)) -> Bidirectional(GRU(36, return_sequences), merge_mode = sum) -> LSTM(20) }
    long_decoder: long { input source: ids; input target: ids; let (_, state) = source -> Embedding(9, 17, mask_zero) -> GRU(40, return_state); output y = target -> Embedding(9, 12, mask_zero) -> GRU(40, return_sequences, initial_state = state) -> Dense(5); }
}
