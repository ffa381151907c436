//! Steps and calls of other types than the model's: the words around ours are rustc's.
use ndarray::Array1;
use recurrent::prelude::*;

rnn_model! { struct Rows = Input(10, 3) -> GRU(2); }
rnn_model! { struct Words = Embedding(9, 4) -> GRU(2); }
rnn_model! { struct Both = Input(_, 8) -> Bidirectional(LSTM(4)); }
rnn_model! { struct Flatten = Input(5, 8) -> Flatten -> Dense(1); }

fn anonymous() -> impl Model {
    Rows::new()
}

fn main() {
    let mut stream = Rows::new().into_stream().unwrap();
    stream.step(&vec![0.5f32; 3]);
    stream.step(&Array1::<f32>::zeros(3));
    let mut words = Words::new().into_stream().unwrap();
    words.step(&7);
    let _ = anonymous().stream();
    let _ = anonymous().call(&[[0.5; 3]; 10]);
    let _ = Rows::new().call(&[[0.5; 2]; 10]);
    let _ = Rows::new().call(&[[0.5; 3]; 9]);
    let _ = Rows::new().call(&vec![[0.5; 3]; 10]);
    let _ = Both::new().into_stream();
    let _: [f32; 8] = Both::new().call(&[[0.5; 8]; 9]);
    let _ = Flatten::new().stream();
}
