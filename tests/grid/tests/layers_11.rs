//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(inference_gaussian_dropout, "layers", { input x: [_, 3]; output y = x -> GaussianDropout(0.5) -> Dense(3); });
grid!(inference_alpha_dropout, "layers", { input x: [_, 3]; output y = x -> AlphaDropout(0.5) -> GRU(3); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
