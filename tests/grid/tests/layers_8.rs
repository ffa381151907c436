//! Made by tests/keras/layers.py. Do not edit.
use recurrent_test_grid::NestedCell;
use recurrent_test_grid::grid;
grid!(two_bidirectional, "layers", { input x: [5, 3]; output y = x -> Bidirectional(LSTM(4, return_sequences)) -> Bidirectional(LSTM(3)) -> Dense(2); });
grid!(frozen_between, "layers", { input x: [_, 3]; output y = x -> Dense(4) -> LSTM(4, trainable = false, return_sequences) -> Dense(2, trainable = false); });
grid!(frozen_batch_normalization, "layers", { input x: [_, 3]; output y = x -> Dense(4) -> BatchNormalization(trainable = false) -> GRU(3); });
grid!(nested_cell_last, "layers", { input a: [time, 4]; input b: [time, 3, 2]; let (o1, o2, t1, t2) = (a, b) -> RNN(NestedCell(2, 3, 4), return_state); output y1 = o1; output y2 = o2; output s1 = t1; output s2 = t2; });
grid!(nested_cell_sequences, "layers", { input a: [time, 4]; input b: [time, 3, 2]; let (o1, o2, t1, t2) = (a, b) -> RNN(NestedCell(2, 3, 4), return_state, return_sequences); output y1 = o1; output y2 = o2; output s1 = t1; output s2 = t2; });
grid!(stateful_simple_rnn, "layers", { input x: [_, 3]; output y = x -> SimpleRNN(4, stateful); });
grid!(stateful_gru, "layers", { input x: [_, 3]; output y = x -> GRU(4, stateful, return_sequences); });
grid!(stateful_lstm, "layers", { input x: [_, 3]; output y = x -> LSTM(4, stateful); });
grid!(stateful_lstm_backwards, "layers", { input x: [_, 3]; output y = x -> LSTM(4, stateful, go_backwards); });
grid!(stateful_two, "layers", { input x: [_, 3]; output y = x -> LSTM(4, stateful, return_sequences) -> GRU(3, stateful); });
grid!(stateful_one_of_two, "layers", { input x: [_, 3]; output y = x -> LSTM(4, return_sequences) -> GRU(3, stateful); });
grid!(stateful_masked, "layers", { input x: [_, 3]; output y = x -> Masking(0.0) -> LSTM(4, stateful, return_sequences); });
grid!(stateful_bidirectional, "layers", { input x: [_, 3]; output y = x -> Bidirectional(LSTM(3, stateful)); });
grid!(stateful_stack, "layers", { input x: [_, 3]; output y = x -> RNN([LSTMCell(4), GRUCell(3)], stateful, return_sequences); });
grid!(stateful_cell, "layers", { input x: [_, 3]; output y = x -> RNN(LSTMCell(4), stateful); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
