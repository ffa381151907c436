//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(batch_normalization_between_lstm, "batch_normalization_between_lstm", Input(4, 3) -> BatchNormalization -> LSTM(5, return_sequences) -> BatchNormalization -> LSTM(4) -> BatchNormalization -> Dense(3));
golden!(lstm_flatten_dense, "lstm_flatten_dense", Input(4, 3) -> LSTM(5, return_sequences) -> Flatten -> Dense(2));
golden!(lstm_activation, "lstm_activation", Input(4, 3) -> LSTM(5, return_sequences) -> Activation(softmax) -> GRU(3));
golden!(mixed, "mixed", Input(_, 3) -> SimpleRNN(5, return_sequences) -> GRU(4, go_backwards, return_sequences) -> LSTM(6) -> Dense(2));
golden!(dense_lstm_dense, "dense_lstm_dense", Input(6, 3) -> Dense(5, activation = gelu) -> LSTM(4, return_sequences) -> Dense(2));
golden!(dropout, "dropout", Input(6) -> Dropout(0.5) -> Dense(3));
golden!(dropout_lstm, "dropout_lstm", Input(4, 3) -> Dropout(0.25) -> LSTM(5, return_sequences) -> Dropout(0.5) -> LSTM(4));
golden!(dropout_of_nothing, "dropout_of_nothing", Input(4, 3) -> LSTM(5) -> Dropout(0.0) -> Dense(3));
golden!(guide_text, "guide_text", Embedding(40, 16) -> LSTM(24) -> Dense(10));
golden!(guide_text_gru, "guide_text_gru", Embedding(40, 8) -> GRU(16, return_sequences) -> SimpleRNN(12) -> Dense(10));
golden!(digits, "digits", Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10));
golden!(digits_gru, "digits_gru", Input(8, 8) -> GRU(24) -> BatchNormalization -> Dense(10));
golden!(digits_simple, "digits_simple", Input(8, 8) -> SimpleRNN(24) -> BatchNormalization -> Dense(10));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
