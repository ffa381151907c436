//! Made by tests/keras/layers.py. Do not edit.
use recurrent_test_grid::grid;
grid!(average_pooling_mask_given, "layers", { input x: [time, 3]; input m: mask[time]; output y = x -> LSTM(4, return_sequences) -> GlobalAveragePooling1D(mask = m); });
grid!(zero_output_simple_rnn, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> SimpleRNN(4, zero_output_for_mask, return_sequences) -> SimpleRNN(3, zero_output_for_mask); });
grid!(zero_output_simple_rnn_backwards, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> SimpleRNN(4, go_backwards, zero_output_for_mask, return_sequences); });
grid!(zero_output_gru, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, zero_output_for_mask, return_sequences) -> GRU(3, zero_output_for_mask); });
grid!(zero_output_gru_backwards, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> GRU(4, go_backwards, zero_output_for_mask, return_sequences); });
grid!(zero_output_lstm, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, zero_output_for_mask, return_sequences) -> LSTM(3, zero_output_for_mask); });
grid!(zero_output_lstm_backwards, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, go_backwards, zero_output_for_mask, return_sequences); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
