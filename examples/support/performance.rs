//! The sections of the guide on speed.

use std::time::Instant;

use ndarray::{Array2, Array3, ArrayView1, array, s};
use recurrent::{learner::Learner, model::Sequence, prelude::*};

use super::{
    Done,
    keras::{Keras, Start, ranges, seed},
};

/// What takes Keras's LSTM off its fast kernel. Here there is no other path: a cell is compiled
/// with what its options say.
pub fn options(keras: &mut Keras) -> Done {
    fn variant<M>(keras: &mut Keras, name: &str, model: M) -> Done
    where
        M: Model<Input = Sequence, Output = Array2<f32>> + Learner,
    {
        let mut model = model.to(keras.device())?;
        keras.weights(&format!("{name}/"), 0, &mut model);
        let x = keras.floats(&format!("{name}/check/in.0/x"), seed(0, 0), (4, 10, 28));
        keras.compare(&format!("{name}/out.0/y"), &model.predict(&x)?);
        let batch = Array3::<f32>::from_elem((64, 10, 28), 0.5);
        println!(
            "  {name:<21} {:>7.1} µs",
            microseconds(|| model.predict(&batch))?
        );
        Ok(())
    }
    println!("  LSTM(64), 64 sequences of 10 steps with 28 features:");
    variant(keras, "default", rnn_model!(Input(_, 28) -> LSTM(64)))?;
    variant(
        keras,
        "activation",
        rnn_model!(Input(_, 28) -> LSTM(64, activation = relu)),
    )?;
    variant(
        keras,
        "recurrent_activation",
        rnn_model!(Input(_, 28) -> LSTM(64, recurrent_activation = hard_sigmoid)),
    )?;
    variant(
        keras,
        "recurrent_dropout",
        rnn_model!(Input(_, 28) -> LSTM(64, recurrent_dropout = 0.2)),
    )?;
    variant(
        keras,
        "unroll",
        rnn_model!(Input(10, 28) -> LSTM(64, unroll)),
    )?;
    variant(
        keras,
        "use_bias",
        rnn_model!(Input(_, 28) -> LSTM(64, use_bias = false)),
    )?;

    // A mask that is not padded on the right.
    let mut model = rnn_model! {
        input x: [time, 28];
        input m: mask[time];
        output y = x -> LSTM(64, mask = m);
    }
    .to(keras.device())?;
    keras.weights("mask/", 0, &mut model);
    let x = keras.floats("mask/check/in.0/x", seed(0, 0), (4, 10, 28));
    let mask = array![
        [1, 1, 1, 0, 0, 1, 1, 0, 1, 1],
        [0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
        [1, 0, 1, 0, 1, 0, 1, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ];
    let mask = mask.mapv(|real| real == 1);
    keras.compare("mask/out.0/y", &model.predict((&x, &mask))?);
    let batch = Array3::<f32>::from_elem((64, 10, 28), 0.5);
    let holes = Array2::from_shape_fn((64, 10), |(row, step)| mask[[row % 4, step]]);
    println!(
        "  {:<21} {:>7.1} µs",
        "mask",
        microseconds(|| model.predict((&batch, &holes)))?
    );
    Ok(())
}

/// Trains the guide's classifier of handwritten digits, here of 8 × 8 pixels; with the layer and
/// with the cell, which are equally fast.
pub fn digits(keras: &mut Keras) -> Done {
    let (images, labels) = super::keras::digits()?;
    let data = Dataset::new(&images, &labels)?;
    let (train, test) = (data.take(1437), data.skip(1437));

    let model = rnn_model!(Input(_, 8) -> LSTM(64) -> BatchNormalization -> Dense(10));
    let mut model = model.to(keras.device())?;
    keras.weights_as(Start::Layer, "", 0, &mut model);
    let (history, layer_time) = seconds(|| train_digits(&mut model, &train, &test))?;
    for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        keras.compare_all(name, &history.get(name));
    }
    if let Some(logs) = history.logs().last() {
        println!("  after 40 epochs: {logs}");
    }
    for (index, (spec, range)) in ranges(model.specs()).enumerate() {
        let (layer, kind) = spec.name.split_once('/').unwrap_or(("", spec.name));
        let cell = if layer == "lstm" { "lstm_cell/" } else { "" };
        let key = format!("trained/{index:02}/{layer}/{cell}{kind}");
        keras.compare(&key, &model.weights()[range]);
    }
    let logits = model.predict(&images.slice(s![..8, .., ..]))?;
    keras.compare("logits", &logits);
    let largest = |row: ArrayView1<'_, f32>| {
        (0..10).fold(0, |best, i| if row[i] > row[best] { i } else { best })
    };
    let guesses: Vec<f64> = logits.outer_iter().map(|row| largest(row) as f64).collect();
    println!(
        "  predicted result is {}, target result is {}",
        guesses[0], labels[0]
    );
    keras.compare_all("digit", &guesses);

    let with_cell = rnn_model!(Input(_, 8) -> RNN(LSTMCell(64)) -> BatchNormalization -> Dense(10));
    let mut with_cell = with_cell.to(keras.device())?;
    keras.weights_as(Start::Layer, "", 0, &mut with_cell);
    let (_, cell_time) = seconds(|| train_digits(&mut with_cell, &train, &test))?;
    println!(
        "  trained in {layer_time:.2} s with LSTM(64), in {cell_time:.2} s with RNN(LSTMCell(64))"
    );
    let same = model.weights() == with_cell.weights();
    keras.expect("layer and cell have the same weights, bit by bit", same);
    Ok(())
}

/// 40 epochs of stochastic gradient descent, about as many steps as the guide's one epoch.
fn train_digits(
    model: &mut impl Learner,
    train: &Dataset,
    test: &Dataset,
) -> Result<History, recurrent::Error> {
    Trainer::new(model)
        .optimizer(SGD::default())
        .loss(SparseCategoricalCrossentropy::from_logits())
        .metric(Accuracy)
        .fit(
            train,
            Fit {
                epochs: 40,
                batch_size: 64,
                shuffle: false,
                validation: Some(test),
                ..Fit::default()
            },
        )
}

/// The best of some runs, in microseconds, after one to warm up.
///
/// # Errors
/// Those of `run`.
fn microseconds<T, E>(mut run: impl FnMut() -> Result<T, E>) -> Result<f64, E> {
    run()?;
    let mut best = f64::INFINITY;
    for _ in 0..50 {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best * 1e6)
}

/// What `run` gives, and the seconds that it took.
///
/// # Errors
/// Those of `run`.
fn seconds<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<(T, f64), E> {
    let start = Instant::now();
    let found = run()?;
    Ok((found, start.elapsed().as_secs_f64()))
}
