//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(masking_batch_normalization, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> BatchNormalization; });
grid!(masking_batch_normalization_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> BatchNormalization -> LSTM(3); });
grid!(mask_zero_batch_normalization_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> BatchNormalization -> GRU(3, return_sequences); });
grid!(masking_layer_normalization, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LayerNormalization; });
grid!(masking_layer_normalization_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LayerNormalization -> LSTM(3); });
grid!(mask_zero_layer_normalization_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> LayerNormalization -> GRU(3, return_sequences); });
grid!(masking_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, return_sequences); });
grid!(masking_lstm_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, return_sequences) -> LSTM(3); });
grid!(mask_zero_lstm_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> LSTM(4, return_sequences) -> GRU(3, return_sequences); });
grid!(masking_gru, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, return_sequences); });
grid!(masking_gru_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, return_sequences) -> LSTM(3); });
grid!(mask_zero_gru_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> GRU(4, return_sequences) -> GRU(3, return_sequences); });
grid!(masking_simple_rnn, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> SimpleRNN(4, return_sequences); });
grid!(masking_simple_rnn_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> SimpleRNN(4, return_sequences) -> LSTM(3); });
grid!(mask_zero_simple_rnn_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> SimpleRNN(4, return_sequences) -> GRU(3, return_sequences); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
