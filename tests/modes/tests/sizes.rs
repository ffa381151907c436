//! Units of many sizes: with and without tails, one vector and several.

use recurrent_test_modes::check;

check! {
    units_1: stream { Input(_, 1) -> SimpleRNN(1, return_sequences) -> GRU(1, return_sequences) -> LSTM(1) }
    units_2: stream { Input(_, 17) -> SimpleRNN(2, return_sequences) -> GRU(2, return_sequences) -> LSTM(2) }
    units_7: stream { Input(_, 2) -> SimpleRNN(7, return_sequences) -> GRU(7, return_sequences) -> LSTM(7) }
    units_8: stream { Input(_, 8) -> SimpleRNN(8, return_sequences) -> GRU(8, return_sequences) -> LSTM(8) }
    units_15: stream { Input(_, 3) -> SimpleRNN(15, return_sequences) -> GRU(15, return_sequences) -> LSTM(15) }
    units_16: stream { Input(_, 5) -> SimpleRNN(16, return_sequences) -> GRU(16, return_sequences) -> LSTM(16) }
    units_17: stream { Input(_, 4) -> SimpleRNN(17, return_sequences) -> GRU(17, return_sequences) -> LSTM(17) }
    units_33: stream { Input(_, 31) -> SimpleRNN(33, return_sequences) -> GRU(33, return_sequences) -> LSTM(33) }
    units_40: stream { Input(_, 3) -> SimpleRNN(40, return_sequences) -> GRU(39, return_sequences) -> LSTM(40) }
}
