//! Cells of one's own, with everything that the language has.

use recurrent_test_modes::{cells::*, check, same};

check! {
    minimal_gru: stream { Input(_, 3) -> RNN(MinimalGru(5)) -> Dense(2) }
    two_stages: stream { Input(_, 3) -> RNN(TwoStages(4, 7), return_sequences) }
    normalised: stream { Input(_, 3) -> RNN(Normalised(5), return_sequences) -> RNN(Normalised(17)) }
    attentive: stream { Input(_, 3) -> RNN(Attentive(5), return_sequences) -> Dense(2) }
    attentive_wide: stream { Input(_, 3) -> RNN(Attentive(35), return_sequences) -> Dense(31) -> RNN(Attentive(19)) }
    forgetful: stream { Input(_, 8) -> RNN(Forgetful(4), return_sequences) -> Dense(3) }
    forgetful_input: stream { Input(_, 10) -> RNN(Forgetful(5), return_sequences) }
    late: stream { Input(_, 3) -> RNN(Late(5), return_sequences) -> RNN(Late(19), return_sequences) -> Dense(2) }
    joined: stream { Input(_, 3) -> RNN(Joined(4), return_sequences) -> RNN(Joined(3)) }
    chosen: stream { Input(_, 3) -> RNN(Chosen(4, relu, gate = hard_sigmoid, use_bias = false), return_sequences) -> RNN(Chosen(5, softmax)) }
    projected: stream { Input(_, 3) -> RNN(Projected(7, 4), return_sequences) -> RNN(Projected(3, 5)) }
    read: stream { Input(_, 3) -> RNN(Read(5, 4), return_sequences) -> RNN(Read(3, 2)) }
    decay: stream { Input(_, 3) -> RNN(Decay(5), return_sequences) -> Dense(2) }
    functions: stream { Input(_, 3) -> RNN(Functions(5), return_sequences) }
    rows: stream { Input(_, 3) -> RNN(Rows(5), return_sequences) -> RNN(Rows(19)) }
    counter: stream { Input(_, 3) -> RNN(Counter(1), return_sequences) -> Dense(2) }
    delay: stream { Input(_, 3) -> RNN(Delay(4), return_sequences) -> Dense(2) }
    halves: stream { Input(_, 9) -> RNN(TwoStages(8, 10), return_sequences) -> RNN(MinimalGru(13), return_sequences) -> RNN(Projected(16, 8)) }
    halves_joined: stream { Input(_, 9) -> RNN(Joined(6), return_sequences) -> RNN(Joined(10)) }
    halves_normalised: stream { Input(_, 11) -> RNN(Normalised(8), return_sequences) -> RNN(Attentive(16)) }
    consts: stream { Input(_, HALF) -> RNN(MinimalGru(UNITS), return_sequences) -> LSTM(HALF) -> Dense(UNITS) }
}

same! {
    gru_by_hand: same_program { Input(_, 3) -> GRU(7, return_sequences) -> Dense(2) } { Input(_, 3) -> RNN(HandGru(7), return_sequences) -> Dense(2) }
    simple_rnn_of_its_cell: same_program { Input(_, 3) -> SimpleRNN(7, return_sequences) -> Dense(2) } { Input(_, 3) -> RNN(SimpleRNNCell(7), return_sequences) -> Dense(2) }
    gru_of_its_cell: same_program { Input(_, 3) -> GRU(7, return_sequences) -> Dense(2) } { Input(_, 3) -> RNN(GRUCell(7), return_sequences) -> Dense(2) }
    gru_of_its_cell_wide: same_program { Input(_, 9) -> GRU(40, reset_after = false) } { Input(_, 9) -> RNN(GRUCell(40, reset_after = false)) }
    lstm_of_its_cell: same_program { Input(_, 3) -> LSTM(10, return_sequences) -> Dense(2) } { Input(_, 3) -> RNN(LSTMCell(10), return_sequences) -> Dense(2) }
    lstm_of_its_cell_with_dropout: same_program { Input(_, 3) -> LSTM(10, recurrent_dropout = 0.2, seed = 1) } { Input(_, 3) -> RNN(LSTMCell(10, recurrent_dropout = 0.2, seed = 1)) }
    gru_by_hand_wide: same_program { Input(_, 9) -> GRU(40) } { Input(_, 9) -> RNN(HandGru(40)) }
}
