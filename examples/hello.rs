use recurrent::prelude::*;
fn main() {
    let mut model = rnn_model!(Input(_, 8) -> LSTM(16) -> Dense(10));
    println!("{}", model.summary());
    let x = ndarray::Array3::<f32>::from_shape_fn((3, 5, 8), |(b, t, f)| (b + t * f) as f32 * 0.1);
    let y = model.predict(&x).unwrap();
    println!("{y:?}");
    let mut s = model.stream().unwrap();
    for t in 0..5 {
        let mut row = [0.0; 8];
        for f in 0..8 { row[f] = x[[1, t, f]]; }
        let y = s.step(&row);
        println!("{y:?}");
    }
}
