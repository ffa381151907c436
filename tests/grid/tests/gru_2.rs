//! Made by tests/keras/grid.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(gru_030, "gru", { input x: [_, 3]; output y0 = x -> Masking(0.0) -> GRU(7, activation = tanh, recurrent_activation = softplus, return_sequences, go_backwards); });
grid!(gru_031, "gru", { input x: [3, 2]; input m: mask[3]; input s0: [9]; input s1: [9]; let (out0, state0, state1) = x -> Bidirectional(GRU(9, activation = linear, return_state), merge_mode = mul, mask = m, initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_032, "gru", { input x: ids; let (out0, state0) = x -> Embedding(7, 5, mask_zero) -> RNN(GRUCell(3, activation = leaky_relu, recurrent_activation = hard_silu, use_bias = false), return_state, go_backwards); output y0 = out0; output h0 = state0; });
grid!(gru_033, "gru", { input x: [_, 6]; output y0 = x -> Bidirectional(RNN([GRUCell(1), LSTMCell(3)], zero_output_for_mask, return_sequences), merge_mode = sum); });
grid!(gru_034, "gru", { input x: [time, 1]; input m: mask[time]; input s0: [4]; input s1: [7]; let (out0, state0, state1) = x -> Bidirectional(GRU(4, return_sequences, return_state), merge_mode = concat, backward_layer = GRU(7, activation = hard_silu, recurrent_activation = leaky_relu, return_sequences, return_state, go_backwards), mask = m, initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_035, "gru", { input x: [6, 1]; output y0 = x -> Masking(0.5) -> RNN(GRUCell(9, activation = mish), zero_output_for_mask, unroll); });
grid!(gru_036, "gru", { input x: [5, 6]; input m: mask[5]; input s0: [5]; let (out0, state0) = x -> GRU(5, activation = silu, recurrent_activation = elu, use_bias = false, return_sequences, return_state, mask = m, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(gru_037, "gru", { input x: [_, 3]; let (out0, out1) = x -> Bidirectional(GRU(8), merge_mode = none, backward_layer = GRU(2, activation = softmax, recurrent_activation = relu, go_backwards)); output y0 = out0; output y1 = out1; });
grid!(gru_038, "gru", { input x: ids; output y0 = x -> Embedding(7, 5, mask_zero) -> Bidirectional(GRU(8, activation = gelu, recurrent_activation = silu, return_sequences), merge_mode = ave); });
grid!(gru_039, "gru", { input x: [_, 2]; let (out0, state0, state1, state2) = x -> Masking(0.0) -> RNN([GRUCell(5), GRUCell(2), SimpleRNNCell(2)], return_state, go_backwards); output y0 = out0; output h0 = state0; output h1 = state1; output h2 = state2; });
grid!(gru_040, "gru", { input x: ids[3]; input s0: [1]; input s1: [1]; let (out0, state0, state1) = x -> Embedding(7, 3, mask_zero) -> Bidirectional(GRU(1, activation = softsign, return_sequences, return_state), merge_mode = ave, backward_layer = GRU(1, recurrent_activation = tanh, use_bias = false, return_sequences, return_state, go_backwards), initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_041, "gru", { input x: [7, 5]; output y0 = x -> RNN([GRUCell(9, activation = softplus, recurrent_activation = log_sigmoid), LSTMCell(4), GRUCell(3)], zero_output_for_mask, unroll, go_backwards); });
grid!(gru_042, "gru", { input x: [5, 2]; input s0: [7]; let (out0, state0) = x -> Masking(-1.0) -> GRU(7, activation = log_sigmoid, return_sequences, return_state, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(gru_043, "gru", { input x: [time, 1]; input m: mask[time]; output y0 = x -> Bidirectional(GRU(4, activation = hard_sigmoid, recurrent_activation = linear, use_bias = false), merge_mode = sum, mask = m); });
grid!(gru_044, "gru", { input x: [_, 6]; let (out0, state0, state1) = x -> Bidirectional(RNN(GRUCell(2), return_sequences, return_state), backward_layer = RNN(GRUCell(9, activation = selu), return_sequences, return_state, go_backwards)); output y0 = out0; output h0 = state0; output h1 = state1; });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
