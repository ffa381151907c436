//! States from elsewhere: of any rank, from any layer, for calls of one layer.

use recurrent_test_modes::{
    cells::{Cube, Grid, Learned},
    check,
};

check! {
    // The first axis of the state is time before.
    matrix_of_steps: whole { input x: [4, 3]; let s = x -> LSTM(5, return_sequences); output y = x -> RNN(Grid(4, 5), initial_state = s); }
    three_axes: whole { input x: [_, 3]; let h = x -> Dense(3) -> GRU(3); let s = x -> GRU(5) -> Dense(24) -> Reshape(2, 3, 4); output y = x -> RNN(Cube(2, 3, 4), initial_state = [h, s]); }
    stack: whole { input x: [_, 3]; let h = x -> GRU(4); let c = x -> GRU(4); let s = x -> GRU(6) -> Reshape(3, 2); output y = x -> RNN([LSTMCell(4), Grid(3, 2)], initial_state = [[h, c], [s]]); }
    // States that start with parameters.
    learned_lstm: stream { Input(_, 3) -> LSTM(5, learn_initial_state) -> Dense(2) }
    learned_stack: stream { Input(_, 3) -> GRU(4, learn_initial_state, return_sequences) -> SimpleRNN(3, learn_initial_state) }
    learned_cells: stream { Input(_, 3) -> RNN([LSTMCell(4, learn_initial_state = true), Learned(5), GRUCell(3)], return_sequences) }
    learned_masked: stream { Embedding(9, 4, mask_zero) -> LSTM(5, learn_initial_state, return_sequences) -> RNN(Learned(4)) }
    learned_both: whole { Input(_, 3) -> Bidirectional(LSTM(3, learn_initial_state)) -> Dense(2) }
    learned_encoder: whole { input x: [_, 3]; let (_, h, c) = x -> LSTM(4, learn_initial_state, return_state); output y = x -> LSTM(4, initial_state = [h, c]); }
    // One layer, called with other states each time.
    calls_in_both_directions: whole { input x: [_, 3]; layer l = Bidirectional(GRU(2)); let f = x -> GRU(2); let b = x -> SimpleRNN(2); let one = x -> l(initial_state = [f, b]); let other = x -> l(initial_state = [b, f]); let none = x -> l; output y = (one, other, none) -> Concatenate; }
}
