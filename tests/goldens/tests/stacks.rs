//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(embedding, "embedding", Embedding(12, 3));
golden!(embedding_dense, "embedding_dense", Embedding(12, 3) -> Dense(4, activation = tanh));
golden!(embedding_simple_rnn_dense, "embedding_simple_rnn_dense", Embedding(20, 4) -> SimpleRNN(5) -> Dense(3));
golden!(two_simple_rnn, "two_simple_rnn", Input(5, 3) -> SimpleRNN(4, return_sequences) -> SimpleRNN(6));
golden!(three_simple_rnn, "three_simple_rnn", Input(5, 3) -> SimpleRNN(4, return_sequences) -> SimpleRNN(3, return_sequences) -> SimpleRNN(5, return_sequences));
golden!(simple_rnn_batch_normalization_dense, "simple_rnn_batch_normalization_dense", Input(4, 4) -> SimpleRNN(6) -> BatchNormalization -> Dense(3));
golden!(simple_rnn_dense_softmax, "simple_rnn_dense_softmax", Input(4, 3) -> SimpleRNN(5, return_sequences) -> Dense(4, activation = softmax));
golden!(embedding_gru_dense, "embedding_gru_dense", Embedding(20, 4) -> GRU(5) -> Dense(3));
golden!(two_gru, "two_gru", Input(5, 3) -> GRU(4, return_sequences) -> GRU(6));
golden!(three_gru, "three_gru", Input(5, 3) -> GRU(4, return_sequences) -> GRU(3, return_sequences) -> GRU(5, return_sequences));
golden!(gru_batch_normalization_dense, "gru_batch_normalization_dense", Input(4, 4) -> GRU(6) -> BatchNormalization -> Dense(3));
golden!(gru_dense_softmax, "gru_dense_softmax", Input(4, 3) -> GRU(5, return_sequences) -> Dense(4, activation = softmax));
golden!(embedding_gru_plain_dense, "embedding_gru_plain_dense", Embedding(20, 4) -> GRU(5, reset_after = false) -> Dense(3));
golden!(two_gru_plain, "two_gru_plain", Input(5, 3) -> GRU(4, reset_after = false, return_sequences) -> GRU(6, reset_after = false));
golden!(three_gru_plain, "three_gru_plain", Input(5, 3) -> GRU(4, reset_after = false, return_sequences) -> GRU(3, reset_after = false, return_sequences) -> GRU(5, reset_after = false, return_sequences));
golden!(gru_plain_batch_normalization_dense, "gru_plain_batch_normalization_dense", Input(4, 4) -> GRU(6, reset_after = false) -> BatchNormalization -> Dense(3));
golden!(gru_plain_dense_softmax, "gru_plain_dense_softmax", Input(4, 3) -> GRU(5, reset_after = false, return_sequences) -> Dense(4, activation = softmax));
golden!(embedding_lstm_dense, "embedding_lstm_dense", Embedding(20, 4) -> LSTM(5) -> Dense(3));
golden!(two_lstm, "two_lstm", Input(5, 3) -> LSTM(4, return_sequences) -> LSTM(6));
golden!(three_lstm, "three_lstm", Input(5, 3) -> LSTM(4, return_sequences) -> LSTM(3, return_sequences) -> LSTM(5, return_sequences));
golden!(lstm_batch_normalization_dense, "lstm_batch_normalization_dense", Input(4, 4) -> LSTM(6) -> BatchNormalization -> Dense(3));
golden!(lstm_dense_softmax, "lstm_dense_softmax", Input(4, 3) -> LSTM(5, return_sequences) -> Dense(4, activation = softmax));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
