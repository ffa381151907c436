//! A model with a mistake gives one message: rustc adds nothing about what is done with the model.
use recurrent::{rnn_cell, rnn_model};

rnn_model! {
    /// Documented.
    #[derive(Clone)]
    pub struct Rows = Input(28) -> LSTM(64) -> Dense(10);
}

fn train(model: &mut Rows) -> Rows {
    model.fit(3);
    model.clone()
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows")
    }
}

struct Holder {
    rows: Rows,
}

fn main() {
    let mut model = rnn_model!(Embedding(1000, 64) -> LSTM(0) -> Dense(0));
    let logits = model.predict([1, 2, 3]).unwrap();
    println!("{logits:?} {}", model.summary());
    for step in model.stream().steps() {
        println!("{step}");
    }
    let mut rows = Rows::new(7);
    train(&mut rows);
    let holder = Holder { rows };
    println!("{}", Rows::plan() + &holder.rows.summary());
    rnn_cell! { cell Typo(units) { state h: [units]; next h = ; output h; } }
    let _ = rnn_model!(Input(_, 8) -> RNN(Typo(32)) -> Dense(1)).predict([1.0]);
}
