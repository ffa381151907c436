//! Names in single quotes are no tokens of Rust.
use recurrent::rnn_model;

fn main() {
    let _ = rnn_model!(Input(_, 8) -> LSTM(8, activation = 'relu') -> Dense(1));
}
