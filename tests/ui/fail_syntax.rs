//! How a model is written.
use recurrent::rnn_model;

rnn_model! { pub struct NoEquals Input(8) -> Dense(1); }
rnn_model! { pub struct NoSemicolon = Input(8) -> Dense(1) }
rnn_model! { pub struct Generic<T> = Input(8) -> Dense(1); }
rnn_model! { pub struct = Input(8) -> Dense(1); }
rnn_model! { pub enum Kind = Input(8) -> Dense(1); }
rnn_model! { pub struct NoOutput { input a: ids; let b = a -> Embedding(10, 4); } }
rnn_model! { pub struct NoInput { output b = a -> Embedding(10, 4); } }
rnn_model! { struct Two = Input(8) -> Dense(1); struct Three = Input(8) -> Dense(1); }

fn main() {
    rnn_model!();
    rnn_model!(Input(8) -> -> Dense(1));
    rnn_model!(Input(8) -> Dense(1) ->);
    rnn_model!(-> Dense(1));
    rnn_model!(Input(8), Dense(1));
    rnn_model!(Input(8) => Dense(1));
    rnn_model!(Input(8) Dense(1));
    rnn_model!(Input[8] -> Dense{1});
    rnn_model!(Input(8) -> Dense 10);
    rnn_model!(Input(8) -> Dense(10)(20));
    rnn_model!(Input(8) -> layers::Dense(10));
    rnn_model!(Input(8) -> Dense(10););
    rnn_model!(< Input(8) -> Dense(10));
    rnn_model!(Input(8) -> Dense(10) >);
    rnn_model!("LSTM" -> Dense(10));
    rnn_model!(input a: ids; output b = Embedding(10, 4););
    rnn_model!(input a: ids; b = a -> Embedding(10, 4); output c = b;);
}
