//! What the host sees of a training on a device: callbacks, losses of one's own, NaN, and how often it waits.

use ndarray::{Array2, Array3};
use recurrent::{
    losses::Loss,
    prelude::*,
    train::{Target, TargetKind},
};
use recurrent_test_cuda::{device, numbers};

use crate::fit::{bits, histories_agree};

/// Sees the weights after every batch, and changes them once.
struct Meddle(Vec<Vec<f32>>);

impl Callback for Meddle {
    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.0.push(training.weights().to_vec());
        if self.0.len() == 2 {
            training.weights_mut()[0] = 0.5;
        }
        Ok(())
    }
}

/// A loss of the user's own.
struct Cubic;

impl Loss for Cubic {
    fn name(&self) -> &str {
        "cubic"
    }
    fn targets(&self) -> TargetKind {
        TargetKind::Floats
    }
    fn row(&self, prediction: &[f32], target: Target<'_>, gradient: Option<&mut [f32]>) -> f64 {
        let Target::Floats(target) = target else {
            return f64::NAN;
        };
        let error = |i: usize| f64::from(prediction[i]) - f64::from(target[i]);
        if let Some(gradient) = gradient {
            for (i, g) in gradient.iter_mut().enumerate() {
                *g = (3.0 * error(i) * error(i).abs()) as f32;
            }
        }
        (0..target.len()).map(|i| error(i).abs().powi(3)).sum()
    }
}

/// Two outputs, one of them with a loss of the user's own, and states that go on.
#[test]
fn callbacks_own_losses_and_states() {
    let Some(device) = device() else { return };
    let make = || {
        rnn_model! {
            struct Two {
                input x: [_, 3];
                let h = x -> LSTM(5, stateful);
                output a = h -> Dense(2);
                output b = h -> Dense(1);
                output c = h -> Dense(4);
            }
        }
        Two::new()
    };
    let x = numbers(12 * 4 * 3, 8);
    let x = Array3::from_shape_vec((12, 4, 3), x).unwrap();
    let y = Array2::from_shape_vec((12, 2), numbers(24, 2)).unwrap();
    let z = Array2::from_shape_vec((12, 1), numbers(12, 6)).unwrap();
    let data = Dataset::new(x, (y, z)).unwrap();
    fn run(model: &mut impl Learner, data: &Dataset) -> (History, Vec<Vec<f32>>) {
        let mut seen = Meddle(Vec::new());
        let fit = Fit {
            epochs: 2,
            batch_size: 4,
            shuffle: false,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let mut trainer = Trainer::new(model)
            .optimizer(
                RMSprop::new(0.01)
                    .momentum(0.5)
                    .centered(true)
                    .weight_decay(0.1),
            )
            .loss_for("a", Huber::default())
            .loss_for("b", Cubic)
            .no_loss_for("c")
            .loss_weight_for("a", 0.5)
            .metric_for("b", MeanAbsoluteError)
            .callback(&mut seen)
            .callback(TerminateOnNaN::default());
        let history = trainer.fit(data, fit).unwrap();
        drop(trainer);
        (history, seen.0)
    }
    let (mut near, mut far) = (make(), make().to(&device).unwrap());
    let (expected, seen) = run(&mut near, &data);
    let (found, far_seen) = run(&mut far, &data);
    histories_agree(&found, &expected);
    assert_eq!((seen.len(), far_seen.len()), (6, 6));
    for (a, b) in seen.iter().flatten().zip(far_seen.iter().flatten()) {
        assert!((a - b).abs() < 1e-4, "{a}, {b}");
    }
    assert_eq!(bits(&far_seen[5]), bits(Learner::weights(&far)));
}

/// How often the host waits for the device in a training.
fn waits(stateful: bool, batch_size: usize, epochs: usize) -> u64 {
    // One that no other test uses.
    let device = Device::cuda(0).unwrap();
    let x = Array3::from_shape_vec((16, 4, 2), numbers(16 * 4 * 2, 8)).unwrap();
    let y = Array2::from_shape_fn((16, 1), |(b, _)| x[[b, 0, 0]]);
    let data = Dataset::new(x, y).unwrap();
    let fit = Fit {
        epochs,
        batch_size,
        shuffle: false,
        validation: Some(&data),
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let early = EarlyStopping::new("loss");
    fn run(mut model: impl Learner, data: &Dataset, fit: Fit<'_>, early: EarlyStopping) {
        let mut trainer = Trainer::new(&mut model)
            .optimizer(Adam::new(0.01).clipnorm(1.0))
            .loss(MeanSquaredError)
            .metric(MeanAbsoluteError)
            .callback(early);
        trainer.fit(data, fit).unwrap();
    }
    let before = device.waits();
    match stateful {
        true => {
            let model = rnn_model!(Input(_, 2) -> LSTM(3, stateful, activity_regularizer = l2(0.1)) -> Dense(1));
            run(model.to(&device).unwrap(), &data, fit, early);
        }
        false => {
            let model =
                rnn_model!(Input(_, 2) -> LSTM(3, kernel_regularizer = l2(0.1)) -> Dense(1));
            run(model.to(&device).unwrap(), &data, fit, early);
        }
    }
    device.waits() - before
}

#[test]
fn the_host_waits_once_an_epoch() {
    let Some(_device) = device() else { return };
    for stateful in [false, true] {
        let (few, many) = (waits(stateful, 8, 2), waits(stateful, 2, 2));
        assert_eq!(few, many, "whatever the number of batches");
        // For the figures of training and of validation.
        assert_eq!(waits(stateful, 8, 3), few + 2);
    }
}

#[test]
fn nan_is_seen() {
    let Some(device) = device() else { return };
    let fit = || Fit {
        epochs: 3,
        batch_size: 4,
        shuffle: false,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let mut model = rnn_model!(Input(_, 2) -> GRU(3) -> Dense(1))
        .to(&device)
        .unwrap();
    let x = Array3::from_elem((8, 3, 2), 0.25f32);
    let y = Array2::from_elem((8, 1), 0.5f32);
    // In the data: an error before anything has changed.
    let before = bits(Learner::weights(&model));
    for in_input in [true, false] {
        let (mut x, mut y) = (x.clone(), y.clone());
        match in_input {
            true => x[[5, 1, 0]] = f32::NAN,
            false => y[[5, 0]] = f32::NAN,
        }
        let data = Dataset::new(x, y).unwrap();
        let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
        let error = trainer.fit(&data, fit()).unwrap_err().to_string();
        assert!(error.contains("NaN in sample 5"), "{error}");
    }
    assert_eq!(bits(Learner::weights(&model)), before);
    // In a weight: the loss is NaN, which ends the training after a batch.
    Learner::weights_mut(&mut model)[0] = f32::NAN;
    let mut stop = TerminateOnNaN::default();
    let mut trainer = Trainer::new(&mut model)
        .loss(MeanSquaredError)
        .callback(&mut stop);
    let history = trainer.fit(&Dataset::new(x, y).unwrap(), fit()).unwrap();
    drop(trainer);
    assert!(history.last("loss").unwrap().is_nan());
    assert_eq!(history.logs().len(), 1, "it stops");
}
