use std::{cell::RefCell, fs, path::PathBuf};

use super::*;
use crate::train::{
    Fit, History, Trainer, Verbose,
    losses::SparseCategoricalCrossentropy,
    metrics::Accuracy,
    optimizers::{ExponentialDecay, SGD},
    testing::{Linear, dataset},
};

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

/// Trains with these losses made up, and `callback` behind them; gives the first weight, too.
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
    let seen = RefCell::new(Vec::new());
    let schedule = LearningRateScheduler::new(|epoch, rate| {
        seen.borrow_mut().push((epoch, rate));
        rate / 2.0
    });
    let (history, _) = scripted("loss", &[1.0; 3], schedule).unwrap();
    assert_eq!(*seen.borrow(), [(0, 1.0), (1, 0.5), (2, 0.25)]);
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

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("rnn-callbacks-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    #[cfg(feature = "weights")]
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn csv_has_a_line_for_every_epoch() {
    let folder = Folder::new("csv");
    let path = folder.path("log.csv");
    let read = || fs::read_to_string(&path).unwrap();
    let table = || {
        read()
            .lines()
            .map(|l| l.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    scripted("loss", &[0.5, 0.25], CSVLogger::new(&path)).unwrap();
    assert_eq!(table()[0], ["epoch", "accuracy", "loss"]);
    assert_eq!(
        (table()[1][0].as_str(), table()[1][2].as_str()),
        ("0", "0.5")
    );
    assert_eq!(
        (table()[2][0].as_str(), table()[2][2].as_str()),
        ("1", "0.25")
    );
    let append = || CSVLogger {
        append: true,
        ..CSVLogger::new(&path)
    };
    scripted("loss", &[0.125], append()).unwrap();
    scripted("mine", &[9.0], append()).unwrap();
    assert_eq!(table().len(), 5);
    assert_eq!(table()[3][2], "0.125");
    assert_eq!(table()[4].len(), 3, "the columns are those of the header");
    scripted(
        "loss",
        &[1.0],
        CSVLogger {
            separator: ';',
            ..CSVLogger::new(&path)
        },
    )
    .unwrap();
    assert!(read().starts_with("epoch;accuracy;loss\n0;"), "{}", read());
    let fresh = folder.path("fresh.csv");
    scripted(
        "loss",
        &[1.0],
        CSVLogger {
            append: true,
            ..CSVLogger::new(&fresh)
        },
    )
    .unwrap();
    assert_eq!(fs::read_to_string(&fresh).unwrap().lines().count(), 2);
    let nowhere = CSVLogger::new(folder.path("none/log.csv"));
    assert!(matches!(
        scripted("loss", &[1.0], nowhere),
        Err(Error::Io { .. })
    ));
}

#[cfg(feature = "weights")]
mod checkpoint {
    use super::*;
    use crate::{learner::Learner, weights};

    fn first_weight(path: &str) -> f32 {
        let model = Linear::new(1);
        let mut loaded = vec![0.0; model.weights().len()];
        weights::load(path, model.specs(), &mut loaded).unwrap();
        loaded[0]
    }

    #[test]
    fn saves_every_epoch_or_the_best() {
        let folder = Folder::new("best");
        let path = folder.path("best.safetensors");
        let values = [3.0, 1.0, 2.0];
        scripted("loss", &values, ModelCheckpoint::new(&path)).unwrap();
        assert_eq!(first_weight(&path), 2.0);
        let best = || ModelCheckpoint {
            save_best_only: true,
            monitor: "loss".into(),
            ..ModelCheckpoint::new(&path)
        };
        scripted("loss", &values, best()).unwrap();
        assert_eq!(first_weight(&path), 1.0);
        assert_eq!(folder.files(), ["best.safetensors"]);
        // Not better than what there was before.
        let threshold = ModelCheckpoint {
            initial_value_threshold: Some(0.5),
            ..best()
        };
        scripted("loss", &[9.0, 0.6], threshold).unwrap();
        assert_eq!(first_weight(&path), 1.0);
        let threshold = ModelCheckpoint {
            initial_value_threshold: Some(5.0),
            ..best()
        };
        scripted("loss", &[4.0, 6.0], threshold).unwrap();
        assert_eq!(first_weight(&path), 0.0);
    }

    #[test]
    fn names_are_filled_in() {
        let folder = Folder::new("names");
        let path = folder.path("{epoch:02d}-{loss:.1f}-{epoch}.safetensors");
        scripted("loss", &[3.0, 1.25], ModelCheckpoint::new(path)).unwrap();
        assert_eq!(
            folder.files(),
            ["01-3.0-1.safetensors", "02-1.2-2.safetensors"]
        );
        for wrong in [
            "{nothing}",
            "{epoch",
            "{epoch:x}",
            "{loss:5}",
            "{epoch:999d}",
            "{loss:.999f}",
        ] {
            let checkpoint = ModelCheckpoint::new(folder.path(wrong));
            let error = scripted("loss", &[1.0], checkpoint).unwrap_err();
            assert!(matches!(error, Error::Argument(_)), "{wrong}: {error}");
        }
    }

    #[test]
    fn saves_every_so_many_batches() {
        let folder = Folder::new("batches");
        let mut model = Linear::new(1);
        let checkpoint = ModelCheckpoint {
            save_freq: SaveFreq::Batches(3),
            ..ModelCheckpoint::new(folder.path("{epoch}-{batch}.safetensors"))
        };
        let loss = SparseCategoricalCrossentropy::from_logits();
        let mut trainer = Trainer::new(&mut model)
            .loss(loss)
            .callback(checkpoint.clone());
        trainer
            .fit(
                &dataset(4),
                Fit {
                    batch_size: 1,
                    ..fit(2)
                },
            )
            .unwrap();
        assert_eq!(folder.files(), ["1-3.safetensors", "2-2.safetensors"]);
        let never = ModelCheckpoint {
            save_freq: SaveFreq::Batches(0),
            ..checkpoint
        };
        assert!(scripted("loss", &[1.0], never).is_err());
    }

    #[test]
    fn a_failed_save_ends_training() {
        let folder = Folder::new("failed");
        let checkpoint = ModelCheckpoint::new(folder.path("none/a.safetensors"));
        assert!(matches!(
            scripted("loss", &[1.0], checkpoint),
            Err(Error::Io { .. })
        ));
    }
}
