//! States that a layer keeps from batch to batch: through a training that is killed, and through
//! masked parts.

use std::{fs, path::PathBuf};

use ndarray::{Array2, Array3, s};
use recurrent::{
    prelude::*,
    train::{
        Column, Dataset, Fit, Trainer, Verbose,
        callbacks::{BackupAndRestore, Callback, Training},
        losses::MeanSquaredError,
        optimizers::Adam,
    },
};

rnn_model! {
    /// `[batch, time, 2]` to `[batch, time, 1]`.
    struct Keeps = Input(_, 2) -> LSTM(3, return_sequences, stateful) -> Dense(1);
}

/// Numbers in -1..1 that look like nothing.
fn number(i: usize) -> f32 {
    let x = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// Fails in this epoch, as a program that is killed.
struct Killed(Option<usize>);

impl Callback for Killed {
    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        match self.0 == Some(training.epoch()) {
            true => Err(Error::Argument("killed".to_owned())),
            false => Ok(()),
        }
    }
}

/// A file of its own, removed at the end.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Weights and states, as bits.
type Bits = (Vec<u32>, Vec<u32>);

fn train(file: &File, reset_states: bool, killed: Option<usize>) -> (Result<(), Error>, Bits) {
    let mut model = Keeps::with_seed(3);
    let x: Vec<f32> = (0..8 * 5 * 2).map(number).collect();
    let y: Vec<f32> = (0..8 * 5).map(|i| number(i + 1000)).collect();
    let x = Column::floats(x, &[8, 5, 2]).unwrap();
    let y = Column::floats(y, &[8, 5, 1]).unwrap();
    let fit = Fit {
        epochs: 5,
        batch_size: 4,
        shuffle: false,
        reset_states,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = Trainer::new(&mut model)
        .optimizer(Adam::new(0.02))
        .loss(MeanSquaredError)
        .callback(Killed(killed))
        .callback(BackupAndRestore::new(&file.0))
        .fit(&Dataset::new(x, y).unwrap(), fit);
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let states = model.states();
    let states = states.iter().flat_map(|s| s.value.iter().copied());
    let weights = bits(recurrent::learner::Learner::weights(&model));
    (
        history.map(|_| ()),
        (weights, bits(&states.collect::<Vec<_>>())),
    )
}

#[test]
fn a_killed_training_goes_on_with_the_states_it_had() {
    for reset_states in [false, true] {
        let name = format!("recurrent-states-{}-{reset_states}", std::process::id());
        let file = File(std::env::temp_dir().join(name));
        let (whole, expected) = train(&file, reset_states, None);
        whole.unwrap();
        assert_eq!(expected.1.is_empty(), reset_states);
        assert!(train(&file, reset_states, Some(2)).0.is_err());
        assert!(file.0.exists());
        let (rest, found) = train(&file, reset_states, None);
        rest.unwrap();
        assert_eq!(found, expected, "reset_states: {reset_states}");
    }
}

/// A part whose steps are all masked has the output zero, as in Keras. The state is carried over.
#[test]
fn a_part_that_is_all_masked_keeps_the_state_and_gives_zeros() {
    let model = rnn_model! {
        input x: [time, 2];
        input real: mask[time];
        output y = x -> LSTM(3, mask = real, stateful);
    };
    let x = Array3::from_shape_fn((2, 6, 2), |(b, t, i)| number((b * 6 + t) * 2 + i));
    // Row 0 ends after two steps: its second part is padding.
    let real = Array2::from_shape_fn((2, 6), |(b, t)| b == 1 || t < 2);
    let part = |from, to| {
        let (x, real) = (x.slice(s![.., from..to, ..]), real.slice(s![.., from..to]));
        model.predict((x, real)).unwrap()
    };
    let whole = part(0, 6);
    let states = model.states();
    model.reset_states();
    let first = part(0, 3);
    let second = part(3, 6);
    assert!(whole.row(0).iter().all(|y| *y != 0.0));
    assert_eq!(first.row(0), whole.row(0));
    assert_eq!(second.row(0).to_vec(), [0.0; 3]);
    assert_eq!(second.row(1), whole.row(1));
    assert_eq!(model.states(), states);
    // The state `h` is the last output, which users may want instead.
    let h = states.iter().find(|s| s.name == "h").unwrap();
    assert_eq!(h.value.slice(s![0, ..]), whole.row(0));
}

/// A target of another length than the output is found before a step moves states or statistics.
#[test]
fn what_is_refused_leaves_states_and_statistics_as_they_were() {
    let mut model = rnn_model!(
        Input(_, 2) -> BatchNormalization -> LSTM(3, return_sequences, stateful) -> Dense(1)
    );
    let data = |steps: usize| {
        let x = Column::floats((0..4 * 5 * 2).map(number).collect(), &[4, 5, 2]).unwrap();
        let y = Column::floats((0..4 * steps).map(number).collect(), &[4, steps, 1]).unwrap();
        Dataset::new(x, y).unwrap()
    };
    let mut fit = |data: &Dataset| {
        let options = Fit {
            batch_size: 4,
            shuffle: false,
            reset_states: false,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let result = Trainer::new(&mut model)
            .loss(MeanSquaredError)
            .fit(data, options);
        (
            result.map(|_| ()).map_err(|e| e.to_string()),
            model.weights().to_vec(),
            model.states(),
        )
    };
    let (good, weights, states) = fit(&data(5));
    assert_eq!(good, Ok(()));
    assert!(states.iter().all(|s| s.value.iter().any(|v| *v != 0.0)));
    let (wrong, weights_after, states_after) = fit(&data(4));
    assert_eq!(
        wrong.unwrap_err(),
        "training data, target of output: expected shape [n, 5, …], a target for every step of the \
         output, found [n, 4, …]"
    );
    assert_eq!(weights_after, weights);
    assert_eq!(states_after, states);
}
