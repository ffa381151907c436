//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(permute_lstm, "layers", { input x: [4, 3]; output y = x -> Permute(2, 1) -> LSTM(2, return_sequences) -> Permute(2, 1); });
grid!(permute_nothing, "layers", { input x: [4, 3]; output y = x -> Permute(1, 2) -> LSTM(2); });
grid!(layer_normalization_default, "layers", { input x: [7]; output y = x -> LayerNormalization; });
grid!(layer_normalization_default_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization; });
grid!(layer_normalization_no_center, "layers", { input x: [7]; output y = x -> LayerNormalization(center = false); });
grid!(layer_normalization_no_center_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization(center = false); });
grid!(layer_normalization_no_scale, "layers", { input x: [7]; output y = x -> LayerNormalization(scale = false); });
grid!(layer_normalization_no_scale_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization(scale = false); });
grid!(layer_normalization_neither, "layers", { input x: [7]; output y = x -> LayerNormalization(center = false, scale = false); });
grid!(layer_normalization_neither_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization(center = false, scale = false); });
grid!(layer_normalization_epsilon, "layers", { input x: [7]; output y = x -> LayerNormalization(epsilon = 0.1); });
grid!(layer_normalization_epsilon_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization(epsilon = 0.1); });
grid!(layer_normalization_rms, "layers", { input x: [7]; output y = x -> LayerNormalization(rms_scaling); });
grid!(layer_normalization_rms_sequence, "layers", { input x: [_, 5]; output y = x -> LayerNormalization(rms_scaling); });
grid!(layer_normalization_between, "layers", { input x: [_, 3]; output y = x -> LSTM(5, return_sequences) -> LayerNormalization -> LSTM(4) -> Dense(2); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
