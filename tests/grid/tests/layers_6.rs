//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(masking_bidirectional, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Bidirectional(LSTM(3, return_sequences)); });
grid!(masking_bidirectional_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Bidirectional(LSTM(3, return_sequences)) -> LSTM(3); });
grid!(mask_zero_bidirectional_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> Bidirectional(LSTM(3, return_sequences)) -> GRU(3, return_sequences); });
grid!(masking_stack, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dense(4) -> LSTM(4, return_sequences) -> BatchNormalization -> Dense(3); });
grid!(masking_stack_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dense(4) -> LSTM(4, return_sequences) -> BatchNormalization -> Dense(3) -> LSTM(3); });
grid!(mask_zero_stack_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> Dense(4) -> LSTM(4, return_sequences) -> BatchNormalization -> Dense(3) -> GRU(3, return_sequences); });
grid!(masking_backwards, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, go_backwards, return_sequences); });
grid!(masking_backwards_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, go_backwards, return_sequences) -> LSTM(3); });
grid!(mask_zero_backwards_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> LSTM(4, go_backwards, return_sequences) -> GRU(3, return_sequences); });
grid!(masking_other_value, "layers", { input x: [_, 3]; output y = x -> Masking(-1.0) -> GRU(4); });
grid!(masking_twice, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Masking(0.5) -> LSTM(4); });
grid!(masking_reshape, "layers", { input x: [4, 3]; output y = x -> Masking(0.0) -> Reshape(4, 3) -> LSTM(4); });
grid!(masking_permute, "layers", { input x: [4, 3]; output y = x -> Masking(0.0) -> Permute(2, 1) -> LSTM(4); });
grid!(masking_repeat_vector, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4) -> RepeatVector(3) -> GRU(2, return_sequences); });
grid!(mask_zero_alone, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
