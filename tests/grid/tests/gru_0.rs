//! Made by tests/keras/grid.py. Do not edit.
use recurrent_test_grid::grid;
grid!(gru_000, "gru", { input x: ids[4]; output y0 = x -> Embedding(7, 2, mask_zero) -> RNN([GRUCell(5, activation = softmax), SimpleRNNCell(3), LSTMCell(4)], zero_output_for_mask); });
grid!(gru_001, "gru", { input x: [_, 6]; input s0: [2]; input s1: [2]; let (out0, state0, state1) = x -> Bidirectional(RNN(GRUCell(2, activation = softplus, recurrent_activation = log_sigmoid), return_sequences, return_state), merge_mode = mul, backward_layer = RNN(GRUCell(2, recurrent_activation = softplus, use_bias = false), return_sequences, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_002, "gru", { input x: [6, 5]; let (out0, state0) = x -> Masking(-1.0) -> GRU(9, activation = gelu, return_sequences, return_state, unroll, go_backwards); output y0 = out0; output h0 = state0; });
grid!(gru_003, "gru", { input x: [time, 3]; input m: mask[time]; let (out0, out1) = x -> Bidirectional(GRU(8), merge_mode = none, mask = m); output y0 = out0; output y1 = out1; });
grid!(gru_004, "gru", { input x: [3, 1]; output y0 = x -> Masking(0.5) -> GRU(7, activation = log_sigmoid, recurrent_activation = silu, use_bias = false); });
grid!(gru_005, "gru", { input x: [_, 5]; input s0: [4]; input s1: [4]; let (out0, state0, state1) = x -> Bidirectional(RNN(GRUCell(4, activation = linear, recurrent_activation = elu), zero_output_for_mask, return_sequences, return_state), merge_mode = sum, backward_layer = RNN(GRUCell(4, activation = softsign), zero_output_for_mask, return_sequences, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_006, "gru", { input x: ids[1]; output y0 = x -> Embedding(7, 1, mask_zero) -> Bidirectional(RNN([GRUCell(9, recurrent_activation = hard_tanh), GRUCell(2)], unroll), merge_mode = concat); });
grid!(gru_007, "gru", { input x: [time, 6]; input m: mask[time]; let (out0, state0) = x -> GRU(5, return_sequences, return_state, go_backwards, mask = m); output y0 = out0; output h0 = state0; });
grid!(gru_008, "gru", { input x: [3, 3]; input s0: [2]; input s1: [2]; let (out0, state0, state1) = x -> Masking(0.0) -> Bidirectional(GRU(2, activation = relu6, recurrent_activation = hard_silu, return_state), merge_mode = ave, backward_layer = GRU(2, activation = hard_sigmoid, use_bias = false, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_009, "gru", { input x: [time, 2]; input m: mask[time]; output y0 = x -> GRU(1, activation = mish, recurrent_activation = softmax, use_bias = false, return_sequences, go_backwards, mask = m); });
grid!(gru_010, "gru", { input x: [7, 1]; input s0: [4]; let (out0, state0) = x -> GRU(4, activation = elu, return_sequences, return_state, unroll, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(gru_011, "gru", { input x: ids; output y0 = x -> Embedding(7, 5, mask_zero) -> Bidirectional(GRU(8, recurrent_activation = tanh)); });
grid!(gru_012, "gru", { input x: [5, 3]; input s0: [3]; input s1: [3]; output y0 = x -> Bidirectional(GRU(3, activation = relu, return_sequences), merge_mode = ave, initial_state = [s0, s1]); });
grid!(gru_013, "gru", { input x: [_, 6]; let (out0, state0) = x -> Masking(-1.0) -> RNN(GRUCell(3, activation = leaky_relu, recurrent_activation = sigmoid), return_state); output y0 = out0; output h0 = state0; });
grid!(gru_014, "gru", { input x: ids; output y0 = x -> Embedding(7, 2, mask_zero) -> RNN([GRUCell(5), LSTMCell(3)], zero_output_for_mask, return_sequences, go_backwards); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
