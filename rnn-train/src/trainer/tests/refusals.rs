//! What is refused, and what ends training.

use super::*;

#[test]
fn what_is_wrong_is_said_before_anything_changes() {
    let (points, labels) = clouds(6);
    let x = || Column::floats(points.clone(), &[6, 2]).unwrap();
    let data = dataset(6);
    let with = |targets: Column| Dataset::new(x(), targets).unwrap();
    let nan = || {
        let mut points = points.clone();
        points[5] = f32::NAN;
        Dataset::new(Column::floats(points, &[6, 2]).unwrap(), labels.clone()).unwrap()
    };
    let words = |result: Result<History, Error>| result.unwrap_err().to_string();
    let mut model = Linear::new(1);
    let before = model.weights().to_vec();
    let mut fit = |data: &Dataset, fit: Fit<'_>| {
        words(Trainer::new(&mut model).loss(sparse()).fit(data, fit))
    };
    let cases = [
        (
            fit(
                &data,
                Fit {
                    batch_size: 0,
                    ..quiet(1)
                },
            ),
            "Fit: batch_size must be at least 1, found 0",
        ),
        (
            fit(
                &data,
                Fit {
                    validation_batch_size: Some(0),
                    ..quiet(1)
                },
            ),
            "Fit: validation_batch_size must be at least 1, found 0; with None it is batch_size",
        ),
        (
            fit(
                &data,
                Fit {
                    validation_data: Some(&data),
                    validation: Some(&data),
                    ..quiet(1)
                },
            ),
            "Fit: validation_data is given twice; `validation` is its old name",
        ),
        (
            fit(
                &data,
                Fit {
                    validation_freq: 0,
                    ..quiet(1)
                },
            ),
            "Fit: validation_freq must be at least 1, found 0",
        ),
        (
            fit(
                &data,
                Fit {
                    validation_split: 1.0,
                    ..quiet(1)
                },
            ),
            "Fit: validation_split must be in 0..1, found 1",
        ),
        (
            fit(
                &data,
                Fit {
                    class_weight: Some(BTreeMap::from([(1, -1.0)])),
                    ..quiet(1)
                },
            ),
            "Fit: class_weight of class 1 must not be negative, found -1",
        ),
        (
            fit(&data.take(0), quiet(1)),
            "training data: there is no sample",
        ),
        (
            fit(
                &with(Column::integers(vec![0, 1, 2, 3, 0, 1], &[6]).unwrap()),
                quiet(1),
            ),
            "training data, target of output: label 3 of sample 3 is not a class in 0..3",
        ),
        (
            fit(
                &with(Column::floats(vec![0.0, 1.0, 0.5, 0.0, 0.0, 1.0], &[6]).unwrap()),
                quiet(1),
            ),
            "training data, target of output: label 0.5 of sample 2 is not a class in 0..3; \
             sparse_categorical_crossentropy takes class numbers: use MeanSquaredError for \
             numbers of any kind",
        ),
        (
            fit(
                &with(Column::floats(vec![0.0; 18], &[6, 3]).unwrap()),
                quiet(1),
            ),
            "training data, target of output: expected shape [n], found [6, 3]; \
             sparse_categorical_crossentropy takes class numbers: use CategoricalCrossentropy for \
             one-hot targets",
        ),
        (
            fit(
                &data,
                Fit {
                    validation: Some(&Dataset::new([0.5f32; 4], [0; 4]).unwrap()),
                    ..quiet(1)
                },
            ),
            "validation data, input: expected shape [n, 2], found [4]",
        ),
        (
            fit(&nan(), quiet(1)),
            "training data, input: NaN in sample 2",
        ),
        (
            fit(
                &Dataset::with_columns(vec![x(), x()], vec![x()]).unwrap(),
                quiet(1),
            ),
            "training data: the model takes 1 input (input), the data set has 2 inputs",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let no_loss = words(Trainer::new(&mut model).fit(&data, quiet(1)));
    assert_eq!(
        no_loss,
        "there is no loss; give the trainer one with `loss`"
    );
    let other = words(
        Trainer::new(&mut model)
            .loss(sparse())
            .loss_for("out", sparse())
            .fit(&data, quiet(1)),
    );
    assert_eq!(other, "the model has no output out, but output");
    let metric = words(
        Trainer::new(&mut model)
            .loss(sparse())
            .metric(MeanAbsoluteError)
            .fit(&data, quiet(1)),
    );
    let expected = "metric mean_absolute_error needs a float for every feature as targets, but the loss takes class numbers";
    assert_eq!(metric, expected);
    let clip = SGD::default().clipnorm(1.0).clipvalue(1.0);
    let clip = words(
        Trainer::new(&mut model)
            .loss(sparse())
            .optimizer(clip)
            .fit(&data, quiet(1)),
    );
    assert_eq!(
        clip,
        "only one of clipnorm, clipvalue and global_clipnorm can be set, found clipnorm and clipvalue"
    );
    let steps = SGD::new(ExponentialDecay::new(0.1, 0, 0.5));
    let steps = words(
        Trainer::new(&mut model)
            .loss(sparse())
            .optimizer(steps)
            .fit(&data, quiet(1)),
    );
    assert_eq!(steps, "decay_steps must be positive, found 0");
    assert_eq!(model.weights(), before);
}

#[test]
fn a_wrong_optimizer_is_not_forgotten() {
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .loss(sparse())
        .optimizer(SGD::new(-1.0));
    for _ in 0..2 {
        let error = trainer.fit(&dataset(6), quiet(1)).unwrap_err().to_string();
        assert_eq!(error, "learning_rate must not be negative, found -1");
    }
}

#[test]
fn nan_goes_on_unless_a_callback_stops_it() {
    let data = dataset(100);
    let wild = || SGD::new(f64::from(f32::MAX));
    let (points, _) = clouds(100);
    let targets = Column::floats(vec![1.0; 300], &[100, 3]).unwrap();
    let squares = Dataset::new(Column::floats(points, &[100, 2]).unwrap(), targets).unwrap();
    let mut model = Linear::new(1);
    let history = Trainer::new(&mut model)
        .optimizer(wild())
        .loss(MeanSquaredError)
        .fit(&squares, quiet(3))
        .unwrap();
    assert_eq!(history.epochs().len(), 3);
    assert!(!history.last("loss").unwrap().is_finite());

    let mut terminate = TerminateOnNaN::default();
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .optimizer(wild())
        .loss(MeanSquaredError)
        .callback(&mut terminate);
    let history = trainer.fit(&squares, quiet(3)).unwrap();
    assert_eq!(history.epochs().len(), 1);
    drop(trainer);
    assert!(
        matches!(terminate.terminated(), Some((0, 1..=2))),
        "{terminate:?}"
    );
    // It does not stop what is well.
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .loss(sparse())
        .callback(TerminateOnNaN::default());
    assert_eq!(trainer.fit(&data, quiet(3)).unwrap().epochs().len(), 3);
}

#[test]
fn nothing_to_train_is_an_error() {
    let mut model = Linear::new(1);
    let before = model.weights().to_vec();
    let mut trainer = Trainer::new(&mut model).loss(sparse());
    let mut words = |fit| trainer.fit(&dataset(6), fit).unwrap_err().to_string();
    assert_eq!(words(quiet(0)), "Fit: epochs must be at least 1, found 0");
    assert_eq!(
        words(Fit {
            initial_epoch: 3,
            ..quiet(3)
        }),
        "Fit: nothing is left to train: training starts with initial_epoch 3 and ends before \
         epochs 3; `epochs` is where to end, not how many to add"
    );
    assert_eq!(model.weights(), before);
}

#[test]
fn classes_have_weights_and_numbers_have_none() {
    let (points, _) = clouds(6);
    let targets = Column::floats(vec![1.0; 18], &[6, 3]).unwrap();
    let data = Dataset::new(Column::floats(points, &[6, 2]).unwrap(), targets).unwrap();
    let weighted = || Fit {
        class_weight: Some(BTreeMap::from([(1, 2.0)])),
        ..quiet(1)
    };
    let mut model = Linear::new(1);
    let error = Trainer::new(&mut model)
        .loss(MeanSquaredError)
        .fit(&data, weighted())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "Fit: class_weight is for classes, and mean_squared_error compares numbers; give the data \
         set sample weights"
    );
    let fit = Trainer::new(&mut model)
        .loss(CategoricalCrossentropy::from_logits())
        .fit(&data, weighted());
    assert!(fit.is_ok());
}

#[test]
fn a_bound_of_zero_is_refused() {
    let mut model = Linear::new(1);
    let mut words = |optimizer: SGD| {
        Trainer::new(&mut model)
            .loss(sparse())
            .optimizer(optimizer)
            .fit(&dataset(6), quiet(1))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        words(SGD::default().global_clipnorm(0.0)),
        "global_clipnorm must be above 0, found 0; leave it out to clip nothing"
    );
    assert!(words(SGD::default().clipnorm(0.0)).starts_with("clipnorm must be above 0"));
    assert!(words(SGD::default().clipvalue(0.0)).starts_with("clipvalue must be above 0"));
    assert_eq!(
        words(SGD::new(f64::NAN)),
        "learning_rate must be a finite number, found NaN"
    );
}

/// Callbacks come in order, and an error ends training.
#[test]
fn callbacks_see_everything_in_order() {
    struct Recorder<'a>(&'a std::sync::Mutex<Vec<String>>);
    impl Callback for Recorder<'_> {
        fn on_train_begin(&mut self, t: &mut Training<'_>) -> Result<(), Error> {
            self.0
                .lock()
                .unwrap()
                .push(format!("begin {}", t.directions().len()));
            Ok(())
        }
        fn on_epoch_begin(&mut self, t: &mut Training<'_>) -> Result<(), Error> {
            assert!(t.logs().is_empty());
            self.0.lock().unwrap().push(format!("epoch {}", t.epoch()));
            Ok(())
        }
        fn on_batch_end(&mut self, t: &mut Training<'_>) -> Result<(), Error> {
            assert!(t.logs().get("loss").is_some());
            self.0
                .lock()
                .unwrap()
                .push(format!("batch {} {}", t.batch(), t.iterations()));
            Ok(())
        }
        fn on_epoch_end(&mut self, t: &mut Training<'_>) -> Result<(), Error> {
            t.logs_mut().set("mine", 5.0);
            self.0.lock().unwrap().push("end".to_owned());
            if t.epoch() == 1 {
                Err(Error::Argument("enough".to_owned()))
            } else {
                Ok(())
            }
        }
        fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
            unreachable!("training ended with an error")
        }
    }
    let events = std::sync::Mutex::new(Vec::new());
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .loss(sparse())
        .callback(Recorder(&events));
    let error = trainer.fit(&dataset(40), quiet(9)).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    let expected = [
        "begin 1",
        "epoch 0",
        "batch 0 1",
        "batch 1 2",
        "end",
        "epoch 1",
        "batch 0 3",
        "batch 1 4",
        "end",
    ];
    assert_eq!(*events.lock().unwrap(), expected);
}

/// For a look at it, on a terminal: `cargo test -p rnn-runtime a_look_at_the_bar -- --ignored --nocapture`.
#[test]
#[ignore = "takes seconds, to look at"]
fn a_look_at_the_bar() {
    struct Slow;
    impl Callback for Slow {
        fn on_batch_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
            std::thread::sleep(std::time::Duration::from_millis(20));
            Ok(())
        }
    }
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .loss(sparse())
        .metric(Accuracy)
        .callback(Slow);
    let fit = Fit {
        verbose: Verbose::Progress,
        validation_split: 0.2,
        ..quiet(3)
    };
    trainer.fit(&dataset(2000), fit).unwrap();
}
