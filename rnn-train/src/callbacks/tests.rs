use std::sync::Mutex;

use super::*;
use crate::{
    Fit, History, Trainer, Verbose,
    losses::SparseCategoricalCrossentropy,
    metrics::Accuracy,
    optimizers::{ExponentialDecay, SGD},
    tests::{Linear, dataset},
};
use rnn_runtime::learner::Learner;

mod files;

/// Sets a number of the logs, epoch by epoch, and the first weight to the epoch's number.
struct Script(&'static str, Vec<f64>);

impl Callback for Script {
    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let epoch = training.epoch();
        training.logs_mut().set(self.0, self.1[epoch]);
        training.weights_mut()[0] = epoch as f32;
        Ok(())
    }
}

fn fit(epochs: usize) -> Fit<'static> {
    Fit {
        epochs,
        verbose: Verbose::Silent,
        ..Fit::default()
    }
}

/// Trains with these losses made up, and `callback` after them; gives the first weight, too.
fn scripted(
    name: &'static str,
    values: &[f64],
    callback: impl Callback,
) -> Result<(History, f32), Error> {
    let mut model = Linear::new(1);
    let history = Trainer::new(&mut model)
        .optimizer(SGD::new(1.0))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .metric(Accuracy)
        .callback(Script(name, values.to_vec()))
        .callback(callback)
        .fit(&dataset(6), fit(values.len()))?;
    Ok((history, model.weights()[0]))
}

fn stopping(patience: usize) -> EarlyStopping {
    EarlyStopping {
        patience,
        ..EarlyStopping::new("loss")
    }
}

#[test]
fn early_stopping_waits_for_its_patience() {
    let values = [5.0, 4.0, 4.5, 4.2, 3.0, 3.5, 3.5, 3.5, 1.0];
    let epochs = |callback| {
        scripted("loss", &values, callback)
            .unwrap()
            .0
            .epochs()
            .len()
    };
    assert_eq!(epochs(stopping(0)), 3);
    assert_eq!(epochs(stopping(1)), 3);
    assert_eq!(epochs(stopping(2)), 4);
    assert_eq!(epochs(stopping(3)), 8);
    assert_eq!(epochs(stopping(4)), 9);
    assert_eq!(
        epochs(EarlyStopping {
            start_from_epoch: 3,
            ..stopping(1)
        }),
        6
    );
    // 4.0 after 5.0 is not enough, 3.0 is.
    assert_eq!(
        epochs(EarlyStopping {
            min_delta: 1.5,
            ..stopping(2)
        }),
        3
    );
    assert_eq!(
        epochs(EarlyStopping {
            min_delta: -1.5,
            ..stopping(4)
        }),
        9
    );
    // Better than before, but not than the baseline.
    assert_eq!(
        epochs(EarlyStopping {
            baseline: Some(2.0),
            ..stopping(3)
        }),
        3
    );
    assert_eq!(
        epochs(EarlyStopping {
            mode: Mode::Max,
            ..stopping(2)
        }),
        3
    );
}

#[test]
fn early_stopping_gives_the_best_weights_back() {
    let values = [5.0, 4.0, 4.5, 4.2];
    let mut stopping = EarlyStopping {
        restore_best_weights: true,
        ..stopping(2)
    };
    assert_eq!(scripted("loss", &values, &mut stopping).unwrap().1, 1.0);
    assert_eq!(stopping.best(), Some((4.0, 1)));
    assert_eq!(stopping.stopped_epoch(), Some(3));
    // As in Keras also when training was not stopped, and it starts anew.
    assert_eq!(
        scripted("loss", &[3.0, 2.0, 2.5], &mut stopping).unwrap().1,
        1.0
    );
    assert_eq!(stopping.stopped_epoch(), None);
    assert_eq!(
        scripted("loss", &[f64::NAN, f64::NAN], &mut stopping)
            .unwrap()
            .1,
        0.0
    );
    stopping.restore_best_weights = false;
    assert_eq!(scripted("loss", &values, &mut stopping).unwrap().1, 3.0);
}

#[test]
fn the_direction_comes_from_the_metric() {
    let accuracy = EarlyStopping::new("accuracy");
    assert_eq!(
        scripted("accuracy", &[0.1, 0.2, 0.3, 0.2], accuracy)
            .unwrap()
            .0
            .epochs()
            .len(),
        4
    );
    let accuracy = EarlyStopping::new("accuracy");
    assert_eq!(
        scripted("accuracy", &[0.3, 0.2, 0.3], accuracy)
            .unwrap()
            .0
            .epochs()
            .len(),
        2
    );
}

#[test]
fn a_number_that_is_not_logged_is_an_error_at_once() {
    let error = scripted("loss", &[1.0], EarlyStopping::default())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "EarlyStopping watches val_loss, which is not logged; there are loss, accuracy; for val_ ones \
         give `Fit` validation data"
    );
    // Another callback may log it; then the direction must be given.
    assert!(scripted("mine", &[1.0], EarlyStopping::new("mine")).is_err());
    let mine = EarlyStopping {
        mode: Mode::Max,
        ..EarlyStopping::new("mine")
    };
    assert_eq!(
        scripted("mine", &[1.0, 0.5, 0.6], mine)
            .unwrap()
            .0
            .epochs()
            .len(),
        2
    );
    let other = EarlyStopping {
        mode: Mode::Max,
        ..EarlyStopping::new("other")
    };
    assert!(scripted("mine", &[1.0], other).is_err());
}

#[test]
fn a_scheduler_sets_the_rate_of_every_epoch() {
    let seen = Mutex::new(Vec::new());
    let schedule = LearningRateScheduler::new(|epoch, rate| {
        seen.lock().unwrap().push((epoch, rate));
        rate / 2.0
    });
    let (history, _) = scripted("loss", &[1.0; 3], schedule).unwrap();
    assert_eq!(*seen.lock().unwrap(), [(0, 1.0), (1, 0.5), (2, 0.25)]);
    assert_eq!(history.get("learning_rate"), [0.5, 0.25, 0.125]);
    assert!(scripted("loss", &[1.0], LearningRateScheduler::new(|_, _| f64::NAN)).is_err());
}

#[test]
fn a_plateau_lowers_the_rate() {
    let reduce = ReduceLROnPlateau {
        patience: 2,
        factor: 0.5,
        ..ReduceLROnPlateau::new("loss")
    };
    let rates = |reduce: ReduceLROnPlateau| {
        let (history, _) = scripted("loss", &[1.0; 8], reduce).unwrap();
        history.get("learning_rate")
    };
    // The figure is the rate with which the epoch was trained.
    assert_eq!(
        rates(reduce.clone()),
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    );
    let slow = ReduceLROnPlateau {
        cooldown: 2,
        ..reduce.clone()
    };
    assert_eq!(rates(slow), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
    let low = ReduceLROnPlateau {
        min_lr: 0.4,
        ..reduce.clone()
    };
    assert_eq!(rates(low), [1.0, 1.0, 1.0, 0.5, 0.5, 0.4, 0.4, 0.4]);
    assert!(
        scripted(
            "loss",
            &[1.0],
            ReduceLROnPlateau {
                factor: 1.0,
                ..reduce.clone()
            }
        )
        .is_err()
    );
    // A schedule cannot be overruled, and that is found at once.
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .optimizer(SGD::new(ExponentialDecay::new(0.1, 10, 0.5)))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .callback(reduce);
    assert!(
        trainer
            .fit(&dataset(6), fit(1))
            .unwrap_err()
            .to_string()
            .contains("ExponentialDecay")
    );
}
