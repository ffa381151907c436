//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(concatenate_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Concatenate; });
grid!(concatenate_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Concatenate -> Dense(2); });
grid!(concatenate_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Concatenate -> LSTM(4); output m = (b, a) -> Concatenate; });
grid!(concatenate_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Concatenate -> GRU(4, return_sequences); });
grid!(concatenate_widths, "layers", { input x: [time, 2]; input z: [time, 5]; output y = (x, z, x) -> Concatenate; });
grid!(add_to_itself, "layers", { input x: [_, 3]; output y = (x, x) -> Add -> GRU(3); });
grid!(repeat_vector, "layers", { input x: [3]; output y = x -> RepeatVector(4); });
grid!(repeat_vector_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(3) -> RepeatVector(4) -> GRU(4, return_sequences) -> Dense(2); });
grid!(time_distributed, "layers", { input x: [_, 3]; output y = x -> TimeDistributed(Dense(4, activation = tanh)); });
grid!(time_distributed_between, "layers", { input x: [_, 3]; output y = x -> LSTM(4, return_sequences) -> TimeDistributed(Dense(3)) -> GRU(2); });
grid!(time_distributed_activation, "layers", { input x: [_, 3]; output y = x -> TimeDistributed(Activation(softmax)); });
grid!(reshape_vector, "layers", { input x: [6]; output y = x -> Reshape(2, 3) -> LSTM(4); });
grid!(reshape_sequence, "layers", { input x: [4, 3]; output y = x -> Reshape(6, 2) -> GRU(4); });
grid!(reshape_flat, "layers", { input x: [4, 3]; output y = x -> Reshape(12) -> Dense(2); });
grid!(permute, "layers", { input x: [4, 3]; output y = x -> Permute(2, 1); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
