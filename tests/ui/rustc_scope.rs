//! Names that a program has not imported, in graded cases as in `rustc_habits.rs`.
use recurrent::rnn_model;

fn main() {
    let model = rnn_model!(Input(_, 8) -> GRU(2));
    //~ 3: a method without its trait
    //~ no method named `summary` found
    //~ use recurrent::model::Model;
    let _ = model.summary();
    //~ 3: one of the library's own without its import
    //~ [RNN0180]: the cell `Sru` is not imported
    //~ help: write `use recurrent::cells::Sru;` at the start of the file
    let _ = rnn_model!(Input(_, 8) -> RNN(Sru(8)));
}
