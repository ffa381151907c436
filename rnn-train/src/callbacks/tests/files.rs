//! Callbacks that write files.

use std::{fs, path::PathBuf};

use super::*;

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
    use crate::{Column, Dataset, losses::MeanSquaredError, tests::clouds};
    use rnn_runtime::{learner::Learner, weights};

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

    /// The loss of the first epoch is finite, its only step is not.
    #[test]
    fn weights_that_are_lost_are_not_saved_and_the_history_comes_back() {
        let folder = Folder::new("lost");
        for save_best_only in [false, true] {
            let path = folder.path("kept.safetensors");
            let good = Linear::new(7);
            weights::save(&path, good.specs(), good.weights()).unwrap();
            let kept = fs::read(&path).unwrap();
            let mut checkpoint = ModelCheckpoint {
                monitor: "loss".into(),
                save_best_only,
                ..ModelCheckpoint::new(&path)
            };
            let mut model = Linear::new(1);
            let mut trainer = Trainer::new(&mut model)
                .optimizer(SGD::new(1e38))
                .loss(MeanSquaredError)
                .callback(TerminateOnNaN::default())
                .callback(&mut checkpoint);
            let (x, _) = clouds(6);
            let x = Column::floats(x, &[6, 2]).unwrap();
            let y = Column::floats(vec![1e3; 18], &[6, 3]).unwrap();
            let history = trainer.fit(&Dataset::new(x, y).unwrap(), fit(3)).unwrap();
            drop(trainer);
            assert!(!history.epochs().is_empty());
            assert!(model.weights().iter().any(|w| !w.is_finite()));
            assert_eq!(checkpoint.skipped(), Some((0, 0)));
            assert_eq!(fs::read(&path).unwrap(), kept);
            assert_eq!(folder.files(), ["kept.safetensors"]);
            // The next training has nothing to tell of this one.
            scripted("loss", &[1.0], &mut checkpoint).unwrap();
            assert_eq!(checkpoint.skipped(), None);
        }
    }

    #[test]
    fn nan_is_no_best() {
        let folder = Folder::new("nan");
        let path = folder.path("best.safetensors");
        let best = ModelCheckpoint {
            save_best_only: true,
            monitor: "loss".into(),
            ..ModelCheckpoint::new(&path)
        };
        scripted("loss", &[f64::NAN, 3.0, 4.0], best).unwrap();
        assert_eq!(first_weight(&path), 1.0);
    }

    #[test]
    fn a_failed_save_ends_training() {
        let folder = Folder::new("failed");
        // A file stands where a folder would.
        std::fs::write(folder.path("none"), "x").unwrap();
        let checkpoint = ModelCheckpoint::new(folder.path("none/a.safetensors"));
        assert!(matches!(
            scripted("loss", &[1.0], checkpoint),
            Err(Error::Io { .. })
        ));
    }

    #[test]
    fn folders_are_made() {
        let folder = Folder::new("made");
        let path = folder.path("of/epoch-{epoch}/a.safetensors");
        scripted("loss", &[1.0, 2.0], ModelCheckpoint::new(&path)).unwrap();
        assert_eq!(first_weight(&path.replace("{epoch}", "1")), 0.0);
        assert_eq!(first_weight(&path.replace("{epoch}", "2")), 1.0);
    }
}

#[cfg(feature = "weights")]
mod backup {
    use super::*;
    use crate::{
        Column, Dataset,
        losses::CategoricalCrossentropy,
        optimizers::{Adam, Optimizer},
        tests::clouds,
    };
    use rnn_runtime::learner::Learner;

    /// Fails after this epoch, as a program that is killed.
    struct Killed(usize);

    impl Callback for Killed {
        fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
            let now = training.epoch() == self.0;
            if now {
                Err(Error::Argument("killed".to_owned()))
            } else {
                Ok(())
            }
        }
    }

    fn train(
        path: &str,
        optimizer: impl Optimizer + 'static,
        killed: Option<usize>,
    ) -> (Result<Vec<usize>, Error>, Vec<u32>) {
        let mut model = Linear::new(1);
        let mut trainer = Trainer::new(&mut model)
            .optimizer(optimizer)
            .loss(SparseCategoricalCrossentropy::from_logits());
        if let Some(epoch) = killed {
            trainer = trainer.callback(Killed(epoch));
        }
        trainer = trainer.callback(BackupAndRestore::new(path));
        let history = trainer.fit(&dataset(50), fit(6));
        let bits = model.weights().iter().map(|w| w.to_bits()).collect();
        (history.map(|history| history.epochs().to_vec()), bits)
    }

    #[test]
    fn a_killed_training_ends_with_the_same_weights() {
        let folder = Folder::new("backup");
        let path = folder.path("backup");
        for amsgrad in [false, true] {
            let adam = || Adam::new(0.03).amsgrad(amsgrad);
            let (whole, expected) = train(&path, adam(), None);
            assert_eq!(whole.unwrap(), [0, 1, 2, 3, 4, 5]);
            assert!(folder.files().is_empty(), "removed at the end");
            // Killed in epoch 2, before its backup; then in epoch 4; then not.
            assert!(train(&path, adam(), Some(2)).0.is_err());
            assert_eq!(folder.files(), ["backup"]);
            assert!(train(&path, adam(), Some(4)).0.is_err());
            let (rest, found) = train(&path, adam(), None);
            assert_eq!(rest.unwrap(), [4, 5]);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_foreign_or_damaged_backup_is_refused_and_changes_nothing() {
        let folder = Folder::new("foreign");
        let path = folder.path("backup");
        let fresh: Vec<u32> = Linear::new(1)
            .weights()
            .iter()
            .map(|w| w.to_bits())
            .collect();
        assert!(train(&path, Adam::default(), Some(1)).0.is_err());
        let (result, weights) = train(&path, SGD::default(), None);
        assert!(matches!(result, Err(Error::Argument(_))), "{result:?}");
        assert_eq!(weights, fresh);
        let good = fs::read(&path).unwrap();
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            let (result, weights) = train(&path, Adam::default(), None);
            assert!(
                matches!(result, Err(Error::Weights { .. })),
                "{length}: {result:?}"
            );
            assert_eq!(weights, fresh);
        }
        for bit in 0..8 * 64 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            // Whatever it says, it must not panic.
            let _ = train(&path, Adam::default(), Some(1));
        }
    }

    /// Trains with a rate that is halved after each epoch, by a callback after the backup.
    fn halving(path: &str, killed: bool) -> (Result<History, Error>, Vec<u32>) {
        struct Halve(bool);
        impl Callback for Halve {
            fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
                match self.0 && training.epoch() == 2 {
                    true => Err(Error::Argument("killed".to_owned())),
                    false => Ok(()),
                }
            }
            fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
                training.set_learning_rate(training.learning_rate() / 2.0)
            }
        }
        let mut model = Linear::new(1);
        let history = Trainer::new(&mut model)
            .optimizer(SGD::new(0.5))
            .loss(SparseCategoricalCrossentropy::from_logits())
            .callback(BackupAndRestore::new(path))
            .callback(Halve(killed))
            .fit(&dataset(50), fit(4));
        let bits = model.weights().iter().map(|w| w.to_bits()).collect();
        (history, bits)
    }

    #[test]
    fn what_callbacks_after_it_change_is_in_the_backup() {
        let folder = Folder::new("after");
        let path = folder.path("backup");
        let (_, expected) = halving(&path, false);
        assert!(halving(&path, true).0.is_err());
        let (rest, found) = halving(&path, false);
        assert_eq!(rest.unwrap().epochs(), [2, 3]);
        assert_eq!(found, expected);
    }

    #[test]
    fn another_training_refuses_the_backup_and_says_what_differs() {
        let folder = Folder::new("setup");
        let path = folder.path("backup");
        assert!(train(&path, Adam::default(), Some(2)).0.is_err());
        let mut model = Linear::new(1);
        let fresh = model.weights().to_vec();
        let (points, labels) = clouds(50);
        let one_hot = labels
            .iter()
            .flat_map(|&l| [0, 1, 2].map(|c| f32::from(c == l)));
        let targets = Column::floats(one_hot.collect(), &[50, 3]).unwrap();
        let points = Column::floats(points, &[50, 2]).unwrap();
        let error = Trainer::new(&mut model)
            .optimizer(Adam::default())
            .loss(CategoricalCrossentropy::from_logits())
            .callback(BackupAndRestore::new(&path))
            .fit(
                &Dataset::new(points, targets).unwrap(),
                Fit {
                    seed: 3,
                    batch_size: 10,
                    shuffle: false,
                    reset_states: false,
                    class_weight: Some([(0, 1.0), (2, 5.0)].into()),
                    ..fit(9)
                },
            )
            .unwrap_err()
            .to_string();
        let differs = |what: &str, found: &str, wanted: &str| {
            format!(
                "\n  it was written with {what} {found}, this training has {what} {wanted}; go on \
                 with the same, or remove the file to train from the start"
            )
        };
        let expected = [
            format!("{path} does not fit the model:"),
            differs(
                "loss",
                "output: sparse_categorical_crossentropy",
                "output: categorical_crossentropy",
            ),
            differs("seed", "0", "3"),
            differs("batch_size", "32", "10"),
            differs("shuffle", "true", "false"),
            differs("reset_states", "true", "false"),
            differs("class_weight", "none", "0: 1, 2: 5"),
        ];
        assert_eq!(error, expected.concat());
        assert_eq!(model.weights(), fresh);
    }

    /// The file as versions wrote it that did not know of states.
    fn forget_states(path: &str) {
        let bytes = fs::read(path).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut metadata = header.metadata().clone().unwrap();
        assert_eq!(metadata.remove("states").as_deref(), Some("0"));
        let old = safetensors::serialize(file.tensors(), Some(metadata)).unwrap();
        fs::write(path, old).unwrap();
    }

    #[test]
    fn a_backup_from_before_states_is_read_unless_there_are_some() {
        let folder = Folder::new("old");
        let path = folder.path("backup");
        let adam = || Adam::new(0.03);
        let (_, expected) = train(&path, adam(), None);
        assert!(train(&path, adam(), Some(2)).0.is_err());
        forget_states(&path);
        let (rest, found) = train(&path, adam(), None);
        assert_eq!((rest.unwrap(), found), (vec![2, 3, 4, 5], expected));

        assert!(train(&path, adam(), Some(2)).0.is_err());
        forget_states(&path);
        let mut model = Linear::new(1).stateful();
        let options = Fit {
            shuffle: false,
            batch_size: 50,
            ..fit(6)
        };
        let error = Trainer::new(&mut model)
            .optimizer(adam())
            .loss(SparseCategoricalCrossentropy::from_logits())
            .callback(BackupAndRestore::new(&path))
            .fit(&dataset(50), options)
            .unwrap_err();
        assert!(
            error.to_string().contains("the model is stateful"),
            "{error}"
        );
        assert_eq!(model.weights(), Linear::new(1).weights());
    }

    #[test]
    fn a_file_of_weights_is_no_backup() {
        let folder = Folder::new("no-backup");
        let path = folder.path("backup");
        let model = Linear::new(1);
        rnn_runtime::weights::save(&path, model.specs(), model.weights()).unwrap();
        let error = train(&path, Adam::default(), None)
            .0
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("not a backup: no model"), "{error}");
    }
}

#[cfg(feature = "weights")]
#[test]
fn a_checkpoint_says_what_there_is_and_what_it_writes() {
    let words = |path: &str| {
        let checkpoint = ModelCheckpoint::new(path);
        scripted("loss", &[0.5], checkpoint)
            .unwrap_err()
            .to_string()
    };
    let missing = words("{val_loss:.2f}.safetensors");
    let expected =
        "cannot fill in {val_loss:.2f}: val_loss is not logged; there are epoch, batch, loss";
    assert!(missing.contains(expected), "{missing}");
    assert!(missing.contains("give `Fit` validation data"), "{missing}");
    assert_eq!(
        words("w.H5"),
        "ModelCheckpoint: w.H5: weights are written as safetensors, not as .h5; write \
         ModelCheckpoint::new(\"w.safetensors\")"
    );
}
