//! Made by tests/keras/grid.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(gru_015, "gru", { input x: [time, 6]; input m: mask[time]; input s0: [4]; input s1: [4]; let (out0, state0, state1) = x -> Bidirectional(GRU(4, recurrent_activation = relu6, use_bias = false, return_state), merge_mode = sum, backward_layer = GRU(4, activation = sigmoid, return_state, go_backwards), mask = m, initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_016, "gru", { input x: [3, 2]; input m: mask[3]; let (out0, state0) = x -> GRU(8, activation = silu, recurrent_activation = gelu, return_sequences, return_state, go_backwards, mask = m); output y0 = out0; output h0 = state0; });
grid!(gru_017, "gru", { input x: [_, 5]; output y0 = x -> Masking(0.5) -> RNN(GRUCell(9, activation = hard_silu), zero_output_for_mask); });
grid!(gru_018, "gru", { input x: [2, 1]; input s0: [2]; input s1: [2]; input s2: [4]; input s3: [2]; input s4: [2]; input s5: [4]; output y0 = x -> Bidirectional(RNN([GRUCell(2, activation = tanh, use_bias = false), SimpleRNNCell(2), GRUCell(4)], return_sequences, unroll), merge_mode = mul, initial_state = [s0, s1, s2, s3, s4, s5]); });
grid!(gru_019, "gru", { input x: ids; let (out0, out1, state0, state1) = x -> Embedding(7, 3, mask_zero) -> Bidirectional(GRU(7, recurrent_activation = exponential, return_state), merge_mode = none, backward_layer = GRU(7, return_state, go_backwards)); output y0 = out0; output y1 = out1; output h0 = state0; output h1 = state1; });
grid!(gru_020, "gru", { input x: ids; let (out0, out1, state0, state1) = x -> Embedding(7, 2, mask_zero) -> Bidirectional(RNN(GRUCell(4, activation = hard_tanh, recurrent_activation = mish, use_bias = false), zero_output_for_mask, return_state), merge_mode = none); output y0 = out0; output y1 = out1; output h0 = state0; output h1 = state1; });
grid!(gru_021, "gru", { input x: [7, 5]; input m: mask[7]; output y0 = x -> GRU(2, activation = selu, recurrent_activation = linear, return_sequences, unroll, go_backwards, mask = m); });
grid!(gru_022, "gru", { input x: [4, 1]; input s0: [8]; input s1: [8]; let (out0, state0, state1) = x -> Bidirectional(GRU(8, return_state), merge_mode = ave, backward_layer = GRU(8, activation = exponential, recurrent_activation = hard_sigmoid, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_023, "gru", { input x: [3, 3]; output y0 = x -> Masking(0.0) -> GRU(9, activation = sigmoid, return_sequences); });
grid!(gru_024, "gru", { input x: [5, 6]; input s0: [3]; input s1: [4]; input s2: [4]; input s3: [2]; input s4: [3]; input s5: [4]; input s6: [4]; input s7: [2]; output y0 = x -> Masking(-1.0) -> Bidirectional(RNN([GRUCell(3, activation = exponential), LSTMCell(4), GRUCell(2)], unroll), merge_mode = mul, initial_state = [s0, s1, s2, s3, s4, s5, s6, s7]); });
grid!(gru_025, "gru", { input x: [_, 3]; let (out0, state0) = x -> GRU(1, recurrent_activation = relu, use_bias = false, return_sequences, return_state); output y0 = out0; output h0 = state0; });
grid!(gru_026, "gru", { input x: [time, 6]; input m: mask[time]; output y0 = x -> GRU(4, activation = elu, return_sequences, go_backwards, mask = m); });
grid!(gru_027, "gru", { input x: ids; input s0: [3]; input s1: [2]; let (out0, state0, state1) = x -> Embedding(7, 1, mask_zero) -> Bidirectional(GRU(3, recurrent_activation = leaky_relu, return_state), backward_layer = GRU(2, activation = hard_tanh, use_bias = false, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_028, "gru", { input x: [1, 2]; let (out0, state0, state1) = x -> Bidirectional(RNN(GRUCell(8, activation = relu6, recurrent_activation = softsign), zero_output_for_mask, return_state), merge_mode = sum, backward_layer = RNN(GRUCell(8, activation = relu, recurrent_activation = selu, use_bias = false), zero_output_for_mask, return_state, go_backwards)); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_029, "gru", { input x: ids[2]; output y0 = x -> Embedding(7, 5, mask_zero) -> RNN([GRUCell(5), SimpleRNNCell(3), SimpleRNNCell(4)], return_sequences, unroll); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
