//! Names in single quotes are no tokens of Rust; a graded case as in `rustc_habits.rs`.
use recurrent::rnn_model;

fn main() {
    //~ 3: quotes of Python's
    //~ if you meant to write a string literal, use double quotes
    let _ = rnn_model!(Input(_, 8) -> LSTM(8, activation = 'relu') -> Dense(1));
}
