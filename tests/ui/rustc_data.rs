//! Arrays of other types than a model reads: the words around ours are rustc's.
use ndarray::{Array2, Array3};
use recurrent::prelude::*;

rnn_model! {
    struct Masked {
        input x: [time, 8];
        input m: mask[time];
        output y = x -> GRU(2, mask = m);
    }
}

fn main() {
    let model = rnn_model!(Input(_, 8) -> GRU(2));
    let _ = model.predict(&Array3::<f64>::zeros((1, 2, 8)));
    let _ = model.predict(&Array2::<f32>::zeros((1, 2)));
    let words = rnn_model!(Embedding(9, 4) -> GRU(2));
    let _ = words.predict(&Array2::<f32>::zeros((1, 2)));
    let (x, mask) = (Array3::<f32>::zeros((1, 2, 8)), Array2::<f32>::ones((1, 2)));
    let _ = Masked::new().predict((&x, &mask));
    let _ = rnn_model!(Input(_, 8) -> Bidirectional(GRU(2))).stream();
}
