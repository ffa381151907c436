//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(stateful_states, "layers", { input x: [_, 3]; let (a, b, d) = x -> LSTM(3, stateful, return_state); output y = a; output h = b; output c = d; });
grid!(regularizers_dense, "layers", { input x: [3]; output y = x -> Dense(4, kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25)); });
grid!(regularizers_simplernn, "layers", { input x: [_, 3]; output y = x -> SimpleRNN(4, recurrent_regularizer = l1(0.125), kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25)); });
grid!(regularizers_gru, "layers", { input x: [_, 3]; output y = x -> GRU(4, recurrent_regularizer = l1(0.125), kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25)); });
grid!(regularizers_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(4, recurrent_regularizer = l1(0.125), kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25)); });
grid!(regularizers_cell, "layers", { input x: [_, 3]; output y = x -> RNN(LSTMCell(4, recurrent_regularizer = l2(0.5), kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25))); });
grid!(regularizers_bidirectional, "layers", { input x: [_, 3]; output y = x -> Bidirectional(GRU(3, kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25))); });
grid!(regularizers_time_distributed, "layers", { input x: [_, 3]; output y = x -> TimeDistributed(Dense(3, kernel_regularizer = l2(0.25), bias_regularizer = l1_l2(l1 = 0.5, l2 = 0.25))); });
grid!(regularizers_batch_normalization, "layers", { input x: [_, 3]; output y = x -> BatchNormalization(gamma_regularizer = l2(0.5), beta_regularizer = l1(0.5)); });
grid!(regularizers_embedding, "layers", { input x: ids; output y = x -> Embedding(9, 3, embeddings_regularizer = l2(0.5)) -> GRU(2); });
grid!(activity_dense, "layers", { input x: [3]; output y = x -> Dense(4, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)) -> Dense(2); });
grid!(activity_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(4, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)); });
grid!(activity_gru_sequences, "layers", { input x: [_, 3]; output y = x -> GRU(4, return_sequences, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)) -> Dense(2); });
grid!(activity_rnn, "layers", { input x: [_, 3]; output y = x -> RNN(LSTMCell(3), activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)); });
grid!(activity_masked, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, return_sequences, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)) -> Dense(2); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
