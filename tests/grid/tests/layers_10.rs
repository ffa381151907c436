//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(activity_bidirectional, "layers", { input x: [_, 3]; output y = x -> Bidirectional(LSTM(3, return_sequences, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5))); });
grid!(activity_bidirectional_states, "layers", { input x: [_, 3]; let (a, _, _) = x -> Bidirectional(GRU(3, return_sequences, return_state, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)), merge_mode = sum); output y = a -> Dense(2); });
grid!(activity_backward_layer, "layers", { input x: [_, 3]; output y = x -> Bidirectional(GRU(3, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)), backward_layer = GRU(3, go_backwards), merge_mode = mul); });
grid!(activity_embedding, "layers", { input x: ids; output y = x -> Embedding(9, 3, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)) -> GRU(2); });
grid!(activity_time_distributed, "layers", { input x: [_, 3]; output y = x -> TimeDistributed(Dense(3)); });
grid!(activity_states, "layers", { input x: [_, 3]; let (a, _, _) = x -> LSTM(3, return_state, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)); output y = a -> Dense(2); });
grid!(activity_shared, "layers", { input x: [3]; input z: [3]; layer shared = Dense(2, activity_regularizer = l1_l2(l1 = 0.25, l2 = 0.5)); output y = x -> shared; output w = z -> shared; });
grid!(inference_spatial_dropout, "layers", { input x: [_, 3]; output y = x -> SpatialDropout1D(0.5) -> GRU(3); });
grid!(inference_gaussian_noise, "layers", { input x: [_, 3]; output y = x -> GaussianNoise(0.5) -> Dense(3); });
grid!(inference_dropout_masked, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> Dropout(0.5) -> LSTM(3); });
grid!(inference_lstm_dropout, "layers", { input x: [_, 3]; output y = x -> LSTM(4, dropout = 0.5, recurrent_dropout = 0.25); });
grid!(inference_gru_dropout, "layers", { input x: [_, 3]; output y = x -> GRU(4, dropout = 0.5, recurrent_dropout = 0.25, return_sequences); });
grid!(inference_simple_rnn_dropout, "layers", { input x: [_, 3]; output y = x -> SimpleRNN(4, dropout = 0.5, recurrent_dropout = 0.25); });
grid!(inference_bidirectional_dropout, "layers", { input x: [_, 3]; output y = x -> Bidirectional(LSTM(3, recurrent_dropout = 0.5)); });
grid!(inference_stack_dropout, "layers", { input x: [_, 3]; output y = x -> RNN([LSTMCell(3, dropout = 0.5), GRUCell(2, recurrent_dropout = 0.5)]); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
