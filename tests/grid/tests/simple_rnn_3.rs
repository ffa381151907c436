//! Made by tests/keras/grid.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(simple_rnn_045, "simple_rnn", { input x: [1, 6]; output y0 = x -> Bidirectional(RNN([SimpleRNNCell(1, activation = hard_silu), LSTMCell(3), GRUCell(2)], unroll), backward_layer = RNN([SimpleRNNCell(7, activation = mish), SimpleRNNCell(4), LSTMCell(3)], unroll, go_backwards)); });
grid!(simple_rnn_046, "simple_rnn", { input x: ids[5]; input s0: [4]; input s1: [4]; output y0 = x -> Embedding(7, 5, mask_zero) -> Bidirectional(RNN(SimpleRNNCell(4, use_bias = false), zero_output_for_mask), merge_mode = ave, initial_state = [s0, s1]); });
grid!(simple_rnn_047, "simple_rnn", { input x: [_, 2]; let (out0, state0) = x -> Masking(0.5) -> SimpleRNN(2, activation = relu6, return_sequences, return_state); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_048, "simple_rnn", { input x: ids; let (out0, state0) = x -> Embedding(7, 1, mask_zero) -> SimpleRNN(9, activation = hard_tanh, return_state); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_049, "simple_rnn", { input x: [4, 3]; output y0 = x -> Bidirectional(SimpleRNN(5, activation = softplus, use_bias = false, return_sequences), merge_mode = mul, backward_layer = SimpleRNN(5, return_sequences, go_backwards)); });
grid!(simple_rnn_050, "simple_rnn", { input x: [time, 3]; input m: mask[time]; input s0: [3]; input s1: [3]; let (out0, out1) = x -> Bidirectional(SimpleRNN(3), merge_mode = none, mask = m, initial_state = [s0, s1]); output y0 = out0; output y1 = out1; });
grid!(simple_rnn_051, "simple_rnn", { input x: [_, 2]; input s0: [7]; input s1: [2]; input s2: [4]; input s3: [4]; let (out0, state0, state1, state2, state3) = x -> Masking(0.0) -> RNN([SimpleRNNCell(7, activation = elu), GRUCell(2), LSTMCell(4)], zero_output_for_mask, return_sequences, return_state, go_backwards, initial_state = [s0, s1, s2, s3]); output y0 = out0; output h0 = state0; output h1 = state1; output h2 = state2; output h3 = state3; });
grid!(simple_rnn_052, "simple_rnn", { input x: ids; output y0 = x -> Embedding(7, 5, mask_zero) -> Bidirectional(SimpleRNN(5, activation = softsign, use_bias = false), merge_mode = concat); });
grid!(simple_rnn_053, "simple_rnn", { input x: [7, 1]; let (out0, state0) = x -> RNN(SimpleRNNCell(1), return_sequences, return_state); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_054, "simple_rnn", { input x: [time, 6]; input m: mask[time]; output y0 = x -> Bidirectional(SimpleRNN(2, activation = softmax, return_sequences), merge_mode = sum, backward_layer = SimpleRNN(2, activation = gelu, use_bias = false, return_sequences, go_backwards), mask = m); });
grid!(simple_rnn_055, "simple_rnn", { input x: [_, 1]; input s0: [3]; let (out0, state0) = x -> Masking(0.5) -> RNN(SimpleRNNCell(3), zero_output_for_mask, return_state, go_backwards, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_056, "simple_rnn", { input x: [7, 6]; input m: mask[7]; let (out0, state0, state1) = x -> RNN([SimpleRNNCell(9, activation = relu), GRUCell(2)], return_state, mask = m); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(simple_rnn_057, "simple_rnn", { input x: [_, 5]; output y0 = x -> Masking(-1.0) -> Bidirectional(SimpleRNN(4, activation = hard_silu, return_sequences), merge_mode = mul); });
grid!(simple_rnn_058, "simple_rnn", { input x: ids; input s0: [5]; let (out0, state0) = x -> Embedding(7, 3, mask_zero) -> SimpleRNN(5, activation = linear, return_sequences, return_state, go_backwards, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_059, "simple_rnn", { input x: [1, 2]; output y0 = x -> Bidirectional(SimpleRNN(8), merge_mode = ave, backward_layer = SimpleRNN(8, activation = sigmoid, use_bias = false, go_backwards)); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
