//! What only rustc can find: its words are not ours and change with its version.
use recurrent::rnn_model;

const ZERO: usize = 0;

mod cells {}

fn main() {
    let _ = rnn_model!(Input(_, 8) -> LSTM(ZERO));
    let _ = rnn_model!(Input(ZERO, 8) -> RNN(GRUCell(4)));
    let _ = rnn_model!(Input(_, 8) -> RNN(Undefined(7)));
    let _ = rnn_model!(Input(_, 8) -> RNN(cells::Undefined(7)));
}
