//! Habits of Keras and PyTorch outside of the macros: the words around ours are rustc's.
use ndarray::{Array2, Array3};
use recurrent::prelude::*;

rnn_model!(struct Rows = Input(_, 8) -> LSTM(4) -> Dense(1););

fn sized<const UNITS: usize>() {
    let _ = rnn_model!(Input(_, 8) -> GRU(UNITS));
}

fn main() {
    let mut model = Rows::new();
    let (x, y) = (Array3::<f32>::zeros((4, 2, 8)), Array2::<f32>::zeros((4, 1)));
    model.fit(&x, &y);
    model.compile("adam", "mse");
    model.train();
    model.eval();
    model.add(1);
    model.zero_grad();
    model.state_dict();
    model.load_state_dict(1);
    model.load_weights("w.safetensors");
    model.save_weights("w.safetensors");
    model.get_weights();
    model.count_params();
    model.cuda();
    let _ = model.predict(x.clone());
    let _ = model.predict(vec![0.0f32; 8]);
    let _ = model.predict(&vec![0.0f32; 8]);
    let _ = Trainer::new(&mut model).optimizer(Adam);
    let _ = Trainer::new(&mut model).optimizer(Adam(0.01));
    let _ = Trainer::new(&mut model).optimizer(Adam());
    let _ = Trainer::new(&mut model).optimizer("adam");
    let _ = Trainer::new(&mut model).loss(BinaryCrossentropy);
    let _ = Trainer::new(&mut model).loss(SparseCategoricalCrossentropy(true));
    let _ = Trainer::new(&mut model).loss("mse");
    let _ = Trainer::new(&mut model).metric("accuracy");
    let _ = Trainer::new(&model);
    let _ = Trainer::new(model);
    let _ = Rows::new().predict(&x).dim();
    let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
    let _ = trainer.fit(&x, &y);
    let _ = trainer.fit(&Dataset::new(&x, &y).unwrap(), 10);
    let _ = rnn_model!(Input(_, 8) -> RNN(Sru(8)));
}
