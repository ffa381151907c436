//! States from elsewhere: of any rank, from any layer, for calls of one layer.

use crate::cells::{Cube, Faded, Grid, HALF, UNITS};

check! {
    matrix_of_a_vector: whole { input x: [_, 3]; let s = x -> GRU(4) -> Dense(6) -> Reshape(2, 3); output y = x -> RNN(Grid(2, 3), initial_state = s) -> Flatten -> Dense(2); }
    // The first axis of the state is time before.
    matrix_of_steps: whole { input x: [4, 3]; let s = x -> LSTM(5, return_sequences); output y = x -> RNN(Grid(4, 5), initial_state = s); }
    matrix_of_the_input: whole { input x: [4, 3]; output y = x -> RNN(Grid(4, 3), initial_state = x, return_sequences); }
    matrix_for_several: whole { input x: [4, 3]; let s = x -> Dense(5); let a = x -> RNN(Grid(4, 5), initial_state = s); let b = x -> RNN(Grid(4, 5), initial_state = s, go_backwards); let c = (a, b) -> Add -> Flatten; let d = s -> Flatten; output y = (c, d) -> Concatenate; }
    matrix_of_a_matrix: whole { input x: [_, 3]; let (_, s) = x -> RNN(Grid(2, 6), return_state); let t = s -> Reshape(4, 3); output y = x -> RNN(Grid(4, 3), initial_state = t); }
    matrix_of_permuted_steps: whole { input x: [4, 3]; let s = x -> Permute(2, 1); output y = x -> RNN(Grid(3, 4), initial_state = s); }
    matrix_of_consts: whole { input x: [_, HALF]; let s = x -> GRU(HALF) -> RepeatVector(UNITS); output y = x -> RNN(Faded(UNITS, HALF), initial_state = s); }
    matrix_behind_a_mask: whole { input x: [4, 3]; let s = x -> Masking; output y = x -> RNN(Grid(4, 3), initial_state = s, mask = s); }
    three_axes: whole { input x: [_, 3]; let h = x -> Dense(3) -> GRU(3); let s = x -> GRU(5) -> Dense(24) -> Reshape(2, 3, 4); output y = x -> RNN(Cube(2, 3, 4), initial_state = [h, s]); }
    both_directions: whole { input x: [4, 3]; let a = x -> GRU(5, return_sequences); let b = x -> Dense(5); output y = x -> Bidirectional(RNN(Grid(4, 5)), initial_state = [a, b], merge_mode = sum); }
    stack: whole { input x: [_, 3]; let h = x -> GRU(4); let c = x -> GRU(4); let s = x -> GRU(6) -> Reshape(3, 2); output y = x -> RNN([LSTMCell(4), Grid(3, 2)], initial_state = [[h, c], [s]]); }
    // One layer, called with other states and masks each time.
    calls_of_one_layer: whole { input x: [_, 3]; layer l = LSTM(3, return_sequences, return_state); let (a, h, c) = x -> l; let (b, h2, _) = a -> l(initial_state = [h, c]); let (d, _, _) = x -> l(initial_state = [h2, h]); output y = (a, b, d) -> Concatenate; }
    calls_of_one_cell: whole { input x: [4, 3]; layer l = RNN(Grid(4, 3)); let a = x -> l(initial_state = x); let b = x -> l; output y = (a, b) -> Subtract; }
    calls_in_both_directions: whole { input x: [_, 3]; layer l = Bidirectional(GRU(2)); let f = x -> GRU(2); let b = x -> SimpleRNN(2); let one = x -> l(initial_state = [f, b]); let other = x -> l(initial_state = [b, f]); let none = x -> l; output y = (one, other, none) -> Concatenate; }
}
