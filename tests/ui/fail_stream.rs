//! Models that need the whole sequence at once cannot stream.
use recurrent::prelude::*;

rnn_model! { pub struct Both = Input(_, 8) -> Bidirectional(LSTM(4)) -> Dense(2); }

fn main() {
    let model = Both::new();
    let _ = model.stream();
}
