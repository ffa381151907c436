//! Layers that do not fit one another.
use recurrent::rnn_model;

fn main() {
    rnn_model!(Embedding(1000, 64) -> LSTM(128) -> LSTM(64) -> Dense(10));
    rnn_model!(Input(28, 28) -> LSTM(128, activation = relu) -> Dropout(0.5) -> GRU(64));
    rnn_model!(Input(28, 28) -> RNN(LSTMCell(128)) -> SimpleRNN(64));
    rnn_model!(Input(28) -> LSTM(64));
    rnn_model!(Input(28) -> Dense(32) -> LSTM(64));
    rnn_model!(Input(28, 28) -> Flatten -> LSTM(64));
    rnn_model!(Input(_, 28) -> Flatten -> Dense(10));
    rnn_model!(Input(_, 28) -> LSTM(64, unroll));
    rnn_model!(Input(_) -> LSTM(64));
    rnn_model!(Input(_) -> Dense(64));
    rnn_model!(LSTM(64) -> Dense(10));
    rnn_model!(Dense(10));
    rnn_model!(Flatten -> Dense(10));
    rnn_model!(Input(20, 8) -> Embedding(1000, 64) -> LSTM(8));
    rnn_model!(Input(_, 8) -> Embedding(1000, 64) -> LSTM(8));
    rnn_model!(Input(_, 8) -> LSTM(8) -> Embedding(1000, 64));
    rnn_model!(Input(8) -> Dense(8) -> Input(8));
    rnn_model!(Input(8));
    rnn_model!(Input(8) -> Dens(10));
    rnn_model!(Input(8) -> LTSM(10));
    rnn_model!(Input(8) -> Conv1D(10, 3));
    rnn_model!(Input(8) -> Bidirectional(LSTM(8)));
    rnn_model!(Input(_, 8) -> MinimalGru(10));
    rnn_model!(Input(_, 8) -> LSTMCell(10));
    rnn_model!(Input(_, 8) -> x(10));
    rnn_model!(Input(_, 8) -> RNN(LSTM(10)));
    rnn_model!(Input(_, 8) -> RNN(Dense(10)));
    rnn_model!(Input(_, 8) -> RNN(10));
    rnn_model!(Input(_, 8) -> RNN(lstm));
    rnn_model!(Input(_, 8) -> Bidirectional(LSTM(8), backward_layer = LSTM(8)));
    rnn_model!(Input(20, 8) -> TimeDistributed(LSTM(8)));
    rnn_model!(Input(20, 8) -> Reshape(3, 50));
    rnn_model!(Input(_, 8) -> RNN(LSTMCell(10, return_sequences)));

    // All mistakes of one model, in one build.
    rnn_model!(Embeding(1000, 64) -> LSTM(0) -> Dense(10, relux) -> Dropout(2));
}
