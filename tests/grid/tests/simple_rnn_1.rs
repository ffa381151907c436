//! Made by tests/keras/grid.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(simple_rnn_015, "simple_rnn", { input x: [_, 6]; input s0: [1]; let (out0, state0) = x -> SimpleRNN(1, return_sequences, return_state, go_backwards, initial_state = [s0]); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_016, "simple_rnn", { input x: [4, 3]; let (out0, state0) = x -> SimpleRNN(8, activation = softmax, return_state); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_017, "simple_rnn", { input x: [2, 5]; input m: mask[2]; output y0 = x -> Bidirectional(RNN(SimpleRNNCell(3, activation = silu, use_bias = false), zero_output_for_mask, return_sequences), merge_mode = ave, mask = m); });
grid!(simple_rnn_018, "simple_rnn", { input x: [3, 2]; input s0: [5]; input s1: [3]; input s2: [4]; input s3: [5]; input s4: [2]; input s5: [4]; let (out0, state0, state1, state2, state3, state4, state5) = x -> Masking(0.0) -> Bidirectional(RNN([SimpleRNNCell(5), GRUCell(3), SimpleRNNCell(4)], return_state, unroll), merge_mode = sum, backward_layer = RNN([SimpleRNNCell(5, activation = sigmoid), GRUCell(2), SimpleRNNCell(4)], return_state, unroll, go_backwards), initial_state = [s0, s1, s2, s3, s4, s5]); output y0 = out0; output h0 = state0; output h1 = state1; output h2 = state2; output h3 = state3; output h4 = state4; output h5 = state5; });
grid!(simple_rnn_019, "simple_rnn", { input x: ids; output y0 = x -> Embedding(7, 1, mask_zero) -> SimpleRNN(1, activation = hard_tanh, return_sequences, go_backwards); });
grid!(simple_rnn_020, "simple_rnn", { input x: [time, 6]; input m: mask[time]; output y0 = x -> RNN([SimpleRNNCell(5, activation = leaky_relu), SimpleRNNCell(4), GRUCell(3)], go_backwards, mask = m); });
grid!(simple_rnn_021, "simple_rnn", { input x: [3, 1]; let (out0, state0) = x -> Masking(0.5) -> RNN(SimpleRNNCell(9), zero_output_for_mask, return_sequences, return_state); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_022, "simple_rnn", { input x: ids; let (out0, out1, state0, state1) = x -> Embedding(7, 5, mask_zero) -> Bidirectional(SimpleRNN(4, use_bias = false, return_sequences, return_state), merge_mode = none, backward_layer = SimpleRNN(2, activation = relu, return_sequences, return_state, go_backwards)); output y0 = out0; output y1 = out1; output h0 = state0; output h1 = state1; });
grid!(simple_rnn_023, "simple_rnn", { input x: [7, 2]; input s0: [7]; input s1: [7]; output y0 = x -> Bidirectional(SimpleRNN(7, activation = softmax, use_bias = false, unroll), merge_mode = mul, initial_state = [s0, s1]); });
grid!(simple_rnn_024, "simple_rnn", { input x: ids; let (out0, state0, state1) = x -> Embedding(7, 3, mask_zero) -> Bidirectional(SimpleRNN(8, return_sequences, return_state), merge_mode = ave); output y0 = out0; output h0 = state0; output h1 = state1; });
grid!(simple_rnn_025, "simple_rnn", { input x: [time, 1]; input m: mask[time]; input s0: [3]; output y0 = x -> SimpleRNN(3, activation = relu, go_backwards, mask = m, initial_state = [s0]); });
grid!(simple_rnn_026, "simple_rnn", { input x: [6, 2]; let (out0, state0) = x -> SimpleRNN(7, activation = gelu, return_state, unroll); output y0 = out0; output h0 = state0; });
grid!(simple_rnn_027, "simple_rnn", { input x: [_, 6]; output y0 = x -> Masking(0.0) -> Bidirectional(SimpleRNN(9, activation = hard_tanh, return_sequences), merge_mode = concat, backward_layer = SimpleRNN(3, use_bias = false, return_sequences, go_backwards)); });
grid!(simple_rnn_028, "simple_rnn", { input x: [3, 3]; output y0 = x -> Masking(-1.0) -> RNN([SimpleRNNCell(8, activation = selu), SimpleRNNCell(2)], go_backwards); });
grid!(simple_rnn_029, "simple_rnn", { input x: [_, 5]; input s0: [1]; let (out0, state0) = x -> RNN(SimpleRNNCell(1), zero_output_for_mask, return_sequences, return_state, initial_state = [s0]); output y0 = out0; output h0 = state0; });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
