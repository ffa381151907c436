//! Made by tests/keras/paths.py. Do not edit.
//!
//! Files of real Keras, with the names that its variables have, are loaded, and the models predict what Keras does.

#[path = "../paths.rs"]
mod paths;

macro_rules! paths {
    ($name:ident, $($model:tt)+) => {
        #[test]
        fn $name() {
            paths::check(recurrent::rnn_model!($($model)+), stringify!($name));
        }
    };
}

recurrent::rnn_cell! {
    cell Own(units) {
        param kernel: [input, units] = glorot_uniform;
        param decay: [units] = glorot_uniform;
        state h: [units];
        next h = decay * h + tanh(x @ kernel);
        output h;
    }
}

paths!(simple_rnn_cell, Input(5, 3) -> RNN(SimpleRNNCell(4), return_sequences) -> RNN([SimpleRNNCell(4), SimpleRNNCell(4), SimpleRNNCell(2)]));
paths!(gru_cell, Input(5, 3) -> RNN(GRUCell(4), return_sequences) -> RNN([GRUCell(4), GRUCell(4), GRUCell(2)]));
paths!(lstm_cell, Input(5, 3) -> RNN(LSTMCell(4), return_sequences) -> RNN([LSTMCell(4), LSTMCell(4), LSTMCell(2)]));
paths!(simple_rnn, Input(5, 3) -> SimpleRNN(4));
paths!(simple_rnn_stack, Input(5, 3) -> SimpleRNN(4, return_sequences) -> SimpleRNN(4, return_sequences) -> SimpleRNN(3) -> Dense(2));
paths!(simple_rnn_both, Input(5, 3) -> Bidirectional(SimpleRNN(4, return_sequences)) -> Bidirectional(SimpleRNN(3)));
paths!(simple_rnn_named, Input(5, 3) -> SimpleRNN(4, return_sequences, name = "reader") -> SimpleRNN(4));
paths!(gru, Input(5, 3) -> GRU(4));
paths!(gru_stack, Input(5, 3) -> GRU(4, return_sequences) -> GRU(4, return_sequences) -> GRU(3) -> Dense(2));
paths!(gru_both, Input(5, 3) -> Bidirectional(GRU(4, return_sequences)) -> Bidirectional(GRU(3)));
paths!(gru_named, Input(5, 3) -> GRU(4, return_sequences, name = "reader") -> GRU(4));
paths!(gru_plain, Input(5, 3) -> GRU(4, reset_after = false));
paths!(gru_plain_stack, Input(5, 3) -> GRU(4, reset_after = false, return_sequences) -> GRU(4, reset_after = false, return_sequences) -> GRU(3, reset_after = false) -> Dense(2));
paths!(gru_plain_both, Input(5, 3) -> Bidirectional(GRU(4, reset_after = false, return_sequences)) -> Bidirectional(GRU(3, reset_after = false)));
paths!(gru_plain_named, Input(5, 3) -> GRU(4, reset_after = false, return_sequences, name = "reader") -> GRU(4, reset_after = false));
paths!(lstm, Input(5, 3) -> LSTM(4));
paths!(lstm_stack, Input(5, 3) -> LSTM(4, return_sequences) -> LSTM(4, return_sequences) -> LSTM(3) -> Dense(2));
paths!(lstm_both, Input(5, 3) -> Bidirectional(LSTM(4, return_sequences)) -> Bidirectional(LSTM(3)));
paths!(lstm_named, Input(5, 3) -> LSTM(4, return_sequences, name = "reader") -> LSTM(4));
paths!(stacked_cells, Input(5, 3) -> RNN([LSTMCell(4), GRUCell(3), LSTMCell(4)], return_sequences) -> Bidirectional(RNN([GRUCell(3), SimpleRNNCell(2)], return_sequences)) -> RNN([GRUCell(2), GRUCell(2)]));
paths!(time_distributed, Input(5, 3) -> TimeDistributed(Dense(4)) -> GRU(3, return_sequences) -> TimeDistributed(Dense(4)) -> Dense(2) -> TimeDistributed(Dense(2)));
paths!(normalized, Input(5, 3) -> BatchNormalization -> LSTM(4, return_sequences) -> LayerNormalization -> Dropout(0.5) -> SimpleRNN(3, recurrent_dropout = 0.3) -> BatchNormalization -> Dense(2));
paths!(lazy, Embedding(9, 3, mask_zero) -> Bidirectional(LSTM(4)) -> Dense(2));
paths!(functional, Input(5, 3) -> LSTM(4, return_sequences, name = "reader") -> Bidirectional(GRU(3, return_sequences), backward_layer = LSTM(3, go_backwards, return_sequences)) -> GRU(4) -> Dense(2));
paths!(nested, Input(5, 3) -> GRU(4, return_sequences) -> Dense(3) -> GRU(4) -> Dense(2));
paths!(subclass, Input(5, 3) -> GRU(4) -> Dense(2));
paths!(fitted, Input(5, 3) -> LSTM(4, dropout = 0.2) -> BatchNormalization -> Dense(2));
paths!(with_optimizer, Input(5, 3) -> LSTM(4, dropout = 0.2) -> BatchNormalization -> Dense(2));
paths!(stateful, Input(5, 3) -> LSTM(4, return_sequences, stateful) -> RNN([GRUCell(3), LSTMCell(2)], stateful));
paths!(own_cells, Input(5, 3) -> RNN(Own(4), return_sequences) -> RNN([Own(4), Own(3)]));
