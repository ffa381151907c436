//! Made by tests/keras/layers.py. Do not edit.
use recurrent_test_grid::grid;
grid!(masking_alone, "layers", { input x: [_, 3]; output y = x -> Masking(0.0); });
grid!(masking_alone_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(3); });
grid!(mask_zero_alone_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> GRU(3, return_sequences); });
grid!(masking_dense, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dense(4, activation = tanh); });
grid!(masking_dense_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dense(4, activation = tanh) -> LSTM(3); });
grid!(mask_zero_dense_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> Dense(4, activation = tanh) -> GRU(3, return_sequences); });
grid!(masking_activation, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Activation(sigmoid); });
grid!(masking_activation_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Activation(sigmoid) -> LSTM(3); });
grid!(mask_zero_activation_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> Activation(sigmoid) -> GRU(3, return_sequences); });
grid!(masking_time_distributed, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> TimeDistributed(Dense(4)); });
grid!(masking_time_distributed_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> TimeDistributed(Dense(4)) -> LSTM(3); });
grid!(mask_zero_time_distributed_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> TimeDistributed(Dense(4)) -> GRU(3, return_sequences); });
grid!(masking_dropout_of_nothing, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dropout(0.0); });
grid!(masking_dropout_of_nothing_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dropout(0.0) -> LSTM(3); });
grid!(mask_zero_dropout_of_nothing_gru, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> Dropout(0.0) -> GRU(3, return_sequences); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
