//! Made by tests/keras/layers.py. Do not edit.
use recurrent_test_grid::grid;
grid!(add_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Add; });
grid!(add_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Add; });
grid!(add_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Add -> Dense(2); });
grid!(add_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Add -> LSTM(4); output m = (b, a) -> Add; });
grid!(add_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Add -> GRU(4, return_sequences); });
grid!(multiply_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Multiply; });
grid!(multiply_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Multiply; });
grid!(multiply_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Multiply -> Dense(2); });
grid!(multiply_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Multiply -> LSTM(4); output m = (b, a) -> Multiply; });
grid!(multiply_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Multiply -> GRU(4, return_sequences); });
grid!(average_sequences, "layers", { input x: [time, 3]; input z: [time, 3]; output y = (x, z) -> Average; });
grid!(average_vectors, "layers", { input x: [3]; input z: [3]; output y = (x, z) -> Average; });
grid!(average_three, "layers", { input x: [3]; input z: [3]; input w: [3]; output y = (x, z, w) -> Average -> Dense(2); });
grid!(average_of_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); let b = z -> Masking(0.0); output y = (a, b) -> Average -> LSTM(4); output m = (b, a) -> Average; });
grid!(average_half_masked, "layers", { input x: [time, 3]; input z: [time, 3]; let a = x -> Masking(0.0); output y = (a, z) -> Average -> GRU(4, return_sequences); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
