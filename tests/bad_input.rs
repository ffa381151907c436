//! What a user can get wrong at run time: an error with words, never a panic, nothing changed.

use ndarray::{Array2, Array3};
use recurrent::{
    learner::{InputView, Learner, StepSeed, Values},
    prelude::*,
};

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, Error>, text: &str) {
    assert_eq!(result.unwrap_err().to_string(), text);
}

#[test]
fn shapes() {
    let model = rnn_model!(Input(28, 3) -> LSTM(4) -> Dense(2));
    says(
        model.predict(&Array3::zeros((2, 28, 4))),
        "input: expected shape [batch, 28, 3], found [2, 28, 4]",
    );
    says(
        model.predict(&Array3::zeros((2, 27, 3))),
        "input: expected shape [batch, 28, 3], found [2, 27, 3]",
    );
    let open = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    says(
        open.predict(&Array3::zeros((2, 5, 0))),
        "input: expected shape [batch, time, 3], found [2, 5, 0]",
    );
    let rows = rnn_model!(Input(3) -> Dense(2));
    says(
        rows.predict(&Array2::<f32>::zeros((2, 4))),
        "input: expected shape [batch, 3], found [2, 4]",
    );
}

#[test]
fn nothing_to_compute() {
    let model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    says(
        model.predict(&Array3::zeros((0, 5, 3))),
        "input: expected shape [batch, time, 3] with at least one row, found [0, 5, 3]",
    );
    says(
        model.predict(&Array3::zeros((2, 0, 3))),
        "input: expected shape [batch, time, 3] with at least one step, found [2, 0, 3]",
    );
    let ids = rnn_model!(Embedding(7, 3) -> GRU(4));
    says(
        ids.predict(&Array2::<u32>::zeros((0, 5))),
        "input: expected shape [batch, time] with at least one row, found [0, 5]",
    );
    says(
        ids.predict(&Array2::<u32>::zeros((1, 0))),
        "input: expected shape [batch, time] with at least one step, found [1, 0]",
    );
}

#[test]
fn ids_outside_of_the_vocabulary() {
    let model = rnn_model!(Embedding(7, 3) -> GRU(4));
    let mut x = Array2::<i64>::zeros((2, 5));
    x[[1, 3]] = 7;
    says(
        model.predict(&x),
        "embedding: id 7 at batch row 1, step 3 is outside of the vocabulary 0..7",
    );
    x[[1, 3]] = -1;
    says(
        model.predict(&x),
        "embedding: id -1 at batch row 1, step 3 is outside of the vocabulary 0..7",
    );
    x[[1, 3]] = 1 << 40;
    says(
        model.predict(&x),
        "embedding: id 1099511627776 at batch row 1, step 3 is outside of the vocabulary 0..7",
    );
    says(
        recurrent::model::Id::<7>::new(7),
        "embedding: id 7 at batch row 0, step 0 is outside of the vocabulary 0..7",
    );
}

#[test]
fn arrays_that_are_not_tight() {
    let model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    let x = Array3::from_shape_fn((2, 6, 3), |(b, t, f)| (b + 2 * t + 3 * f) as f32 * 0.1);
    let y = model.predict(&x).unwrap();
    let turned = x
        .clone()
        .permuted_axes([2, 1, 0])
        .as_standard_layout()
        .into_owned();
    assert_eq!(model.predict(&turned.t()).unwrap(), y);
    let every_other = x.slice(ndarray::s![.., ..;2, ..]);
    assert_eq!(
        model.predict(&every_other).unwrap(),
        model.predict(&every_other.to_owned()).unwrap()
    );
}

#[test]
fn training_by_hand() {
    let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    let mut g = vec![0.0; model.weights().len()];
    assert!(
        model.backward(&[&[0.0; 2]], &mut g).is_err(),
        "nothing to go back over"
    );
    let x = [0.5; 12];
    let view = |batch, time, floats| InputView {
        batch,
        time,
        values: Values::Floats(floats),
    };
    assert!(model.forward(&[], StepSeed::default()).is_err());
    assert!(
        model
            .forward(&[view(2, 3, &x)], StepSeed::default())
            .is_err()
    );
    assert!(
        model
            .forward(&[view(usize::MAX, 2, &x)], StepSeed::default())
            .is_err()
    );
    let ids = InputView {
        batch: 2,
        time: 2,
        values: Values::Ids(&[0; 4]),
    };
    assert!(model.forward(&[ids], StepSeed::default()).is_err());
    model
        .forward(&[view(2, 2, &x)], StepSeed::default())
        .unwrap();
    assert!(model.backward(&[&[0.0; 3]], &mut g).is_err());
    assert!(model.backward(&[&[0.0; 4]], &mut g[1..]).is_err());
    assert!(model.backward(&[], &mut g).is_err());
    model.backward(&[&[1.0; 4]], &mut g).unwrap();
    assert!(g.iter().any(|&g| g != 0.0));
    // Inference in between leaves nothing to go back over.
    model.infer(&[view(2, 2, &x)]).unwrap();
    assert!(model.backward(&[&[0.0; 4]], &mut g).is_err());
}

/// A path of its own, removed at the end.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let file = format!("recurrent-bad-input-{name}-{}", std::process::id());
        Temporary(std::env::temp_dir().join(file))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn files_of_weights() {
    let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    let before = model.weights().to_vec();
    let file = Temporary::new("weights");
    assert!(
        matches!(model.load(&file.0), Err(Error::Io { .. })),
        "no such file"
    );

    model.save(&file.0).unwrap();
    let good = std::fs::read(&file.0).unwrap();
    for len in [0, 1, 7, 8, 9, 100, good.len() / 2, good.len() - 1] {
        std::fs::write(&file.0, &good[..len]).unwrap();
        let e = model.load(&file.0).unwrap_err().to_string();
        assert!(e.contains("recurrent-bad-input"), "{len} bytes: {e}");
    }
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&file.0, &nan).unwrap();
    let e = model.load(&file.0).unwrap_err().to_string();
    assert!(e.contains("lstm/") || e.contains("dense/"), "{e}");
    assert_eq!(model.weights(), before, "a failed load changes nothing");
    std::fs::write(&file.0, &good).unwrap();
    model.load(&file.0).unwrap();
    assert_eq!(model.weights(), before);
}

#[test]
fn weights_of_another_model() {
    let file = Temporary::new("other");
    rnn_model!(Input(_, 3) -> LSTM(5, return_sequences) -> GRU(2))
        .save(&file.0)
        .unwrap();
    let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    let before = model.weights().to_vec();
    let Err(Error::Weights { problems, .. }) = model.load(&file.0) else {
        panic!("another model's weights were taken");
    };
    for part in [
        "lstm/kernel",
        "lstm/recurrent_kernel",
        "lstm/bias",
        "dense/kernel",
        "dense/bias",
        "gru/kernel",
        "gru/bias",
    ] {
        assert!(
            problems.iter().any(|p| p.contains(part)),
            "{part}: {problems:?}"
        );
    }
    assert_eq!(model.weights(), before);
}

#[test]
fn numbers_that_are_not_finite_run_through() {
    let model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2, softmax));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let mut x = Array3::zeros((3, 4, 3));
        x[[1, 2, 0]] = bad;
        let y = model.predict(&x).unwrap();
        assert!(
            y.row(0).iter().chain(y.row(2)).all(|y| y.is_finite()),
            "other rows"
        );
        assert_eq!(y.row(1).iter().any(|y| y.is_nan()), bad.is_nan());
    }
}
