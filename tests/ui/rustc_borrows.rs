//! Borrows, moves and threads, in graded cases as in `rustc_habits.rs`: every word is rustc's.
use std::thread;

use ndarray::{Array2, Array3};
use recurrent::prelude::*;

rnn_model!(struct Rows = Input(_, 8) -> LSTM(4) -> Dense(1););

fn data() -> (Array3<f32>, Dataset) {
    let x = Array3::zeros((4, 2, 8));
    let data = Dataset::new(&x, &Array2::<f32>::zeros((4, 1))).unwrap();
    (x, data)
}

fn mutable() {
    let model = Rows::new();
    //~ 3: load of a model without mut
    //~ consider changing this to be mutable
    let _ = model.load("w.safetensors");
}

fn mutable_trainer() {
    let (_, data) = data();
    let model = Rows::new();
    //~ 3: a trainer of a model without mut
    //~ consider changing this to be mutable
    let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
    let _ = trainer.fit(&data, Fit::default());
}

fn fit_without_mut() {
    let (_, data) = data();
    let mut model = Rows::new();
    let trainer = Trainer::new(&mut model).loss(MeanSquaredError);
    //~ 3: fit of a trainer without mut
    //~ consider changing this to be mutable
    let _ = trainer.fit(&data, Fit::default());
}

fn step_without_mut() {
    let model = Rows::new();
    let stream = model.stream().unwrap();
    //~ 3: a step of a stream without mut
    //~ consider changing this to be mutable
    let _ = stream.step(&[0.0; 8]);
}

fn predict_while_training() {
    let (x, data) = data();
    let mut model = Rows::new();
    let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
    //~ 2: predict between two calls of fit
    //~ cannot borrow `model` as immutable because it is also borrowed as mutable
    //~ mutable borrow later used here
    let _ = trainer.fit(&data, Fit::default());
    let _ = model.predict(&x);
    let _ = trainer.fit(&data, Fit::default());
}

fn load_while_streaming() {
    let mut model = Rows::new();
    let mut stream = model.stream().unwrap();
    //~ 2: load while a stream goes on
    //~ cannot borrow `model` as mutable because it is also borrowed as immutable
    //~ immutable borrow later used here
    let _ = model.load("w.safetensors");
    let _ = stream.step(&[0.0; 8]);
}

fn two_outputs() {
    let model = Rows::new();
    let mut stream = model.stream().unwrap();
    let first = stream.step(&[0.0; 8]);
    //~ 2: outputs of two steps at once
    //~ cannot borrow `stream` as mutable more than once at a time
    //~ first borrow later used here
    let second = stream.step(&[1.0; 8]);
    let _ = first[0] + second[0];
}

fn stream_of_a_local() -> impl FnMut(&[f32; 8]) -> f32 {
    let model = Rows::new();
    //~ 2: a stream that leaves its model
    //~ `model` does not live long enough
    let mut stream = model.stream().unwrap();
    move |x| stream.step(x)[0]
}

struct Plugin<'a> {
    stream: Stream<'a, Rows>,
}

fn plugin<'a>() -> Plugin<'a> {
    let model = Rows::new();
    //~ 2: a struct with the stream of a model
    //~ referencing local variable `model`
    Plugin { stream: model.stream().unwrap() }
}

fn stream_on_a_thread() {
    let model = Rows::new();
    //~ 2: a stream on a thread
    //~ `model` does not live long enough
    let mut stream = model.stream().unwrap();
    let _ = thread::spawn(move || stream.step(&[0.0; 8])[0]);
}

fn model_on_a_thread() {
    let model = Rows::new();
    //~ 3: a model on a thread, borrowed
    //~ use the `move` keyword
    let _ = thread::spawn(|| model.summary());
}

fn model_moved() {
    let (x, _) = data();
    let model = Rows::new();
    let other = x.clone();
    let _ = thread::spawn(move || model.predict(&other).unwrap());
    //~ 2: a model after it has moved to a thread
    //~ borrow of moved value: `model`
    //~ value moved into closure here
    let _ = model.predict(&x);
}

fn to_a_device() {
    let (x, _) = data();
    let model = Rows::new();
    let _ = model.to(&Device::auto());
    //~ 2: a model after it has moved to a device
    //~ borrow of moved value: `model`
    //~ value moved here
    let _ = model.predict(&x);
}

fn builder() {
    let (_, data) = data();
    let mut model = Rows::new();
    let mut trainer = Trainer::new(&mut model);
    trainer.loss(MeanSquaredError);
    //~ 2: a trainer that is not assigned again
    //~ borrow of moved value: `trainer`
    //~ takes ownership of the receiver `self`
    let _ = trainer.fit(&data, Fit::default());
}

fn one_optimizer() {
    let (mut a, mut b) = (Rows::new(), Rows::new());
    let adam = Adam::new(0.01);
    let _ = Trainer::new(&mut a).optimizer(adam);
    //~ 3: one optimizer of two trainers
    //~ use of moved value: `adam`
    //~ consider cloning the value
    let _ = Trainer::new(&mut b).optimizer(adam);
}

fn two_trainers() {
    let (_, data) = data();
    let mut model = Rows::new();
    let mut first = Trainer::new(&mut model).loss(MeanSquaredError);
    //~ 2: two trainers of one model
    //~ cannot borrow `model` as mutable more than once at a time
    let mut second = Trainer::new(&mut model).loss(MeanSquaredError);
    let _ = first.fit(&data, Fit::default());
    let _ = second.fit(&data, Fit::default());
}

fn weights_while_training() {
    let (_, data) = data();
    let mut model = Rows::new();
    let kernel = model.param("lstm/kernel").unwrap();
    //~ 2: weights from before a training, afterwards
    //~ cannot borrow `model` as mutable because it is also borrowed as immutable
    let _ = Trainer::new(&mut model).loss(MeanSquaredError).fit(&data, Fit::default());
    let _ = kernel.1[0];
}

fn train_shared() {
    let mut model = std::sync::Arc::new(Rows::new());
    //~ 3: a trainer of an Arc
    //~ `Arc<Rows>` cannot be trained
    //~ `Arc::make_mut(&mut model)`
    let _ = Trainer::new(&mut model);
}

fn train_borrowed(mut model: &Rows) {
    //~ 3: a trainer of a reference
    //~ `&Rows` cannot be trained
    //~ train a copy
    let _ = Trainer::new(&mut model);
}

fn main() {}
