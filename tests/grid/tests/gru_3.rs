//! Made by tests/keras/grid.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(gru_045, "gru", { input x: ids; input s0: [8]; input s1: [8]; let (out0, out1) = x -> Embedding(7, 3, mask_zero) -> Bidirectional(GRU(8, activation = linear, recurrent_activation = relu6), merge_mode = none, initial_state = [s0, s1]); output y0 = out0; output y1 = out1; });
grid!(gru_046, "gru", { input x: [_, 2]; output y0 = x -> Masking(0.5) -> RNN(GRUCell(5), zero_output_for_mask, return_sequences); });
grid!(gru_047, "gru", { input x: [7, 1]; input m: mask[7]; let (out0, state0, state1, state2, state3) = x -> RNN([GRUCell(7, activation = mish, recurrent_activation = hard_tanh, use_bias = false), SimpleRNNCell(4), LSTMCell(2)], return_state, unroll, go_backwards, mask = m); output y0 = out0; output h0 = state0; output h1 = state1; output h2 = state2; output h3 = state3; });
grid!(gru_048, "gru", { input x: [3, 6]; input m: mask[3]; let (out0, state0) = x -> GRU(4, recurrent_activation = sigmoid, use_bias = false, return_sequences, return_state, mask = m); output y0 = out0; output h0 = state0; });
grid!(gru_049, "gru", { input x: [_, 5]; output y0 = x -> Bidirectional(GRU(3, activation = sigmoid), merge_mode = mul, backward_layer = GRU(3, activation = leaky_relu, recurrent_activation = gelu, go_backwards)); });
grid!(gru_050, "gru", { input x: [_, 6]; input s0: [2]; input s1: [3]; let (out0, state0, state1) = x -> Masking(-1.0) -> RNN([GRUCell(2, activation = relu6), GRUCell(3)], return_state, go_backwards, initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_051, "gru", { input x: ids[3]; input s0: [2]; input s1: [2]; output y0 = x -> Embedding(7, 3, mask_zero) -> Bidirectional(GRU(2, activation = log_sigmoid, return_sequences), merge_mode = concat, initial_state = [s0, s1]); });
grid!(gru_052, "gru", { input x: [3, 1]; input m: mask[3]; output y0 = x -> GRU(7, recurrent_activation = hard_sigmoid, return_sequences, mask = m); });
grid!(gru_053, "gru", { input x: [_, 5]; let (out0, state0) = x -> Masking(0.5) -> RNN(GRUCell(3, use_bias = false), zero_output_for_mask, return_state, go_backwards); output y0 = out0; output h0 = state0; });
grid!(gru_054, "gru", { input x: ids; input s0: [5]; input s1: [5]; let (out0, state0, state1) = x -> Embedding(7, 2, mask_zero) -> Bidirectional(GRU(5, activation = elu, recurrent_activation = exponential, return_sequences, return_state), merge_mode = ave, initial_state = [s0, s1]); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(gru_055, "gru", { input x: [_, 2]; output y0 = x -> Bidirectional(RNN(GRUCell(1, activation = softplus, recurrent_activation = selu, use_bias = false)), merge_mode = mul, backward_layer = RNN(GRUCell(1, activation = hard_tanh), go_backwards)); });
grid!(gru_056, "gru", { input x: [_, 3]; let (out0, state0) = x -> Masking(0.0) -> GRU(8, recurrent_activation = mish, return_sequences, return_state); output y0 = out0; output h0 = state0; });
grid!(gru_057, "gru", { input x: ids[2]; input s0: [9]; output y0 = x -> Embedding(7, 1, mask_zero) -> GRU(9, activation = hard_sigmoid, go_backwards, initial_state = [s0]); });
grid!(gru_058, "gru", { input x: [7, 6]; let (out0, out1) = x -> Bidirectional(GRU(3, recurrent_activation = softsign, return_sequences), merge_mode = none); output y0 = out0; output y1 = out1; });
grid!(gru_059, "gru", { input x: [3, 5]; input m: mask[3]; let (out0, state0, state1, state2, state3, state4, state5, state6) = x -> Bidirectional(RNN([GRUCell(5, activation = tanh), LSTMCell(4), GRUCell(2)], zero_output_for_mask, return_state, unroll), merge_mode = sum, backward_layer = RNN([GRUCell(5, activation = hard_silu, recurrent_activation = softmax, use_bias = false), SimpleRNNCell(3), GRUCell(2)], zero_output_for_mask, return_state, unroll, go_backwards), mask = m); output y0 = out0; output h0 = state0; output h1 = state1; output h2 = state2; output h3 = state3; output h4 = state4; output h5 = state5; output h6 = state6; });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
