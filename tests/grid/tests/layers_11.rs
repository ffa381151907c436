//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(inference_gaussian_dropout, "layers", { input x: [_, 3]; output y = x -> GaussianDropout(0.5) -> Dense(3); });
grid!(inference_alpha_dropout, "layers", { input x: [_, 3]; output y = x -> AlphaDropout(0.5) -> GRU(3); });
grid!(activity_regularization, "layers", { input x: [3]; output y = x -> Dense(4) -> ActivityRegularization(0.25, 0.5) -> Dense(2); });
grid!(activity_regularization_masked, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, return_sequences) -> ActivityRegularization(l2 = 0.5) -> LSTM(3); });
grid!(activity_regularization_between, "layers", { input x: [_, 3]; let a = x -> ActivityRegularization(l1 = 0.25) -> Dense(4); let b = a -> ActivityRegularization(l1 = 0.5); output y = (a, b) -> Add -> LSTM(3); });
grid!(max_pooling, "layers", { input x: [_, 3]; output y = x -> GlobalMaxPooling1D; });
grid!(max_pooling_below_zero, "layers", { input x: [_, 3]; output y = x -> Dense(5) -> Activation(log_sigmoid) -> GlobalMaxPooling1D -> Dense(2); });
grid!(max_pooling_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(4, return_sequences) -> GlobalMaxPooling1D -> Dense(2); });
grid!(max_pooling_keepdims, "layers", { input x: [_, 3]; output y = x -> GRU(4, return_sequences) -> GlobalMaxPooling1D(keepdims) -> LSTM(3, return_sequences); });
grid!(average_pooling, "layers", { input x: [_, 3]; output y = x -> GlobalAveragePooling1D; });
grid!(average_pooling_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(4, return_sequences) -> GlobalAveragePooling1D -> Dense(2); });
grid!(average_pooling_keepdims, "layers", { input x: [_, 3]; output y = x -> Dense(4) -> GlobalAveragePooling1D(keepdims) -> GRU(3); });
grid!(average_pooling_masked, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, return_sequences) -> GlobalAveragePooling1D -> Dense(2); });
grid!(average_pooling_mask_zero, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> GlobalAveragePooling1D -> Dense(2); });
grid!(average_pooling_masked_keepdims, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GlobalAveragePooling1D(keepdims) -> LSTM(3); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
