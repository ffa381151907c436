//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(maximum_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Maximum; });
grid!(maximum_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Maximum; });
grid!(maximum_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Maximum -> Dense(2); });
grid!(maximum_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Maximum -> LSTM(4); output m = (b, a) -> Maximum; });
grid!(maximum_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Maximum -> GRU(4, return_sequences); });
grid!(minimum_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Minimum; });
grid!(minimum_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Minimum; });
grid!(minimum_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Minimum -> Dense(2); });
grid!(minimum_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Minimum -> LSTM(4); output m = (b, a) -> Minimum; });
grid!(minimum_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Minimum -> GRU(4, return_sequences); });
grid!(subtract_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Subtract; });
grid!(subtract_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Subtract; });
grid!(subtract_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Subtract -> LSTM(4); output m = (b, a) -> Subtract; });
grid!(subtract_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Subtract -> GRU(4, return_sequences); });
grid!(concatenate_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Concatenate; });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
