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
        "id 7 is outside of the vocabulary 0..7",
    );
}

/// The wrong id is in the last of several batches: by then the weights would have moved.
#[test]
fn ids_outside_of_the_vocabulary_in_data() {
    let mut model = rnn_model!(Embedding(7, 3, mask_zero) -> GRU(4) -> Dense(2));
    let before = model.weights().to_vec();
    let data = |wrong: Option<u32>| {
        let mut x = Array2::<u32>::from_elem((10, 5), 6);
        if let Some(id) = wrong {
            x[[8, 3]] = id;
        }
        Dataset::new(&x, [0u32, 1, 0, 1, 0, 1, 0, 1, 0, 1]).unwrap()
    };
    let (good, bad) = (data(None), data(Some(7)));
    let fit = |validation| Fit {
        epochs: 2,
        batch_size: 2,
        shuffle: false,
        validation,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let scores = || Scores::new().loss(SparseCategoricalCrossentropy::from_logits());
    let mut trainer = Trainer::new(&mut model).scores(scores());
    says(
        trainer.fit(&bad, fit(None)),
        "training data, input: id 7 in sample 8, step 3 is outside of the vocabulary 0..7 of \
         embedding",
    );
    says(
        trainer.fit(&good, fit(Some(&bad))),
        "validation data, input: id 7 in sample 8, step 3 is outside of the vocabulary 0..7 of \
         embedding",
    );
    assert!(
        trainer.optimizer_state().is_none(),
        "no optimizer has begun"
    );
    says(
        trainer.evaluate(&bad),
        "data, input: id 7 in sample 8, step 3 is outside of the vocabulary 0..7 of embedding",
    );
    // What a data set has left out is not looked up.
    let history = trainer.fit(&bad.take(8), fit(Some(&good))).unwrap();
    assert_eq!(history.epochs().len(), 2);
    drop(trainer);
    assert_ne!(model.weights(), before);
    let mut fresh = rnn_model!(Embedding(7, 3, mask_zero) -> GRU(4) -> Dense(2));
    let before = fresh.weights().to_vec();
    assert!(
        Trainer::new(&mut fresh)
            .scores(scores())
            .fit(&bad, fit(None))
            .is_err()
    );
    assert_eq!(fresh.weights(), before);
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

#[test]
fn weights_that_are_not_numbers_stay_out_of_files() {
    let file = Temporary::new("nan");
    let mut model = rnn_model!(Input(_, 3) -> LSTM(4) -> Dense(2));
    model.save(&file.0).unwrap();
    let good = std::fs::read(&file.0).unwrap();
    model.param_mut("dense/bias").unwrap().1[1] = f32::NAN;
    let e = model.save(&file.0).unwrap_err().to_string();
    assert!(
        e.ends_with("dense/bias: 1 of 2 numbers not finite, the first at index 1"),
        "{e}"
    );
    assert_eq!(
        std::fs::read(&file.0).unwrap(),
        good,
        "the old file is whole"
    );
}

#[test]
fn states_of_other_layers_and_rows() {
    let model = rnn_model!(
        Input(_, 3) -> GRU(4, stateful, return_sequences) -> LSTM(2, stateful)
    );
    let state = |layer: &str, name: &str, rows: usize, units: usize| LayerState {
        layer: layer.into(),
        name: name.into(),
        value: Array2::zeros((rows, units)).into_dyn(),
    };
    let words = |states: &[LayerState]| model.set_states(states).unwrap_err().to_string();
    assert_eq!(
        words(&[state("gruu", "h", 2, 4)]),
        "no layer `gruu` keeps a state `h`; there are gru/h, lstm/h, lstm/c"
    );
    // Nothing is kept yet: the first says how many rows there are.
    assert_eq!(
        words(&[state("gru", "h", 2, 4), state("lstm", "c", 3, 2)]),
        "lstm/c: expected shape [2, 2], as many rows as gru/h has, found [3, 2]"
    );
    assert!(model.states().is_empty());
    model.predict(&Array3::zeros((2, 5, 3))).unwrap();
    assert_eq!(
        words(&[state("lstm", "h", 3, 2)]),
        "lstm/h: expected shape [2, 2], as many rows as the states that stay have, found [3, 2]"
    );
    assert_eq!(
        words(&[state("gru", "h", 2, 5)]),
        "gru/h: expected shape [2, 4], found [2, 5]"
    );
    // All of them may have other rows.
    let all = [
        state("gru", "h", 3, 4),
        state("lstm", "h", 3, 2),
        state("lstm", "c", 3, 2),
    ];
    model.set_states(&all).unwrap();
    assert_eq!(model.states(), all);

    let plain = rnn_model!(Input(_, 3) -> GRU(4));
    let words = |layer| {
        let states = [state(layer, "h", 1, 4)];
        plain.set_states(&states).unwrap_err().to_string()
    };
    assert_eq!(
        words("gru"),
        "no layer `gru` keeps a state `h`; write `stateful` in the model: `GRU(…, stateful)`"
    );
    assert!(words("gruu").ends_with("write `GRU(5, stateful)`"));
    let mut stream = plain.stream().unwrap();
    let e = stream.set_states(&[state("gru", "c", 1, 4)]).unwrap_err();
    assert_eq!(
        e.to_string(),
        "no layer `gru` keeps a state `c`; there are gru/h"
    );
}

#[test]
fn targets_for_another_loss() {
    let x = Array3::<f32>::zeros((8, 5, 3));
    let (one_hot, classes) = (Array2::<f32>::zeros((8, 2)), [0u32; 8]);
    let words = |trainer: Result<History, Error>| trainer.unwrap_err().to_string();
    let mut model = rnn_model!(Input(_, 3) -> GRU(4) -> Dense(2));
    let e = words(
        Trainer::new(&mut model)
            .loss(SparseCategoricalCrossentropy::from_logits())
            .fit(&Dataset::new(&x, &one_hot).unwrap(), Fit::default()),
    );
    assert_eq!(
        e,
        "training data, target of output: expected shape [n], found [8, 2]; \
         sparse_categorical_crossentropy takes class numbers: use CategoricalCrossentropy for \
         one-hot targets"
    );
    let e = words(
        Trainer::new(&mut model)
            .loss(CategoricalCrossentropy::from_logits())
            .fit(&Dataset::new(&x, classes).unwrap(), Fit::default()),
    );
    assert!(
        e.ends_with("use SparseCategoricalCrossentropy for class numbers"),
        "{e}"
    );
    let e = words(
        Trainer::new(&mut model)
            .loss(MeanSquaredError)
            .fit(&Dataset::new(&x, classes).unwrap(), Fit::default()),
    );
    assert!(
        e.contains("mean_squared_error takes a number for each of the output"),
        "{e}"
    );
    let mut steps = rnn_model!(Input(_, 3) -> GRU(4, return_sequences) -> Dense(2));
    let e = words(
        Trainer::new(&mut steps)
            .loss(SparseCategoricalCrossentropy::from_logits())
            .fit(&Dataset::new(&x, classes).unwrap(), Fit::default()),
    );
    assert!(e.contains("leave `return_sequences`"), "{e}");
    // Steps that are open until the model runs.
    let e = words(Trainer::new(&mut steps).loss(MeanSquaredError).fit(
        &Dataset::new(&x, Array3::<f32>::zeros((8, 2, 2))).unwrap(),
        Fit::default(),
    ));
    assert_eq!(
        e,
        "training data, target of output: expected shape [n, 5, …], a target for every step of the \
         output, found [n, 2, …]"
    );
    let mut one = rnn_model!(Input(_, 3) -> GRU(4) -> Dense(1));
    let e = words(
        Trainer::new(&mut one)
            .loss(SparseCategoricalCrossentropy::from_logits())
            .fit(&Dataset::new(&x, [1u32; 8]).unwrap(), Fit::default()),
    );
    assert!(e.contains("use BinaryCrossentropy for yes or no"), "{e}");
}
