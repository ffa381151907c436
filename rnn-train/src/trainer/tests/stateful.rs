//! Models that keep their states from batch to batch.

use super::*;
use Event::{Forward, Infer, Reset};

fn stateful() -> Linear {
    Linear::new(1).stateful()
}

fn in_order(epochs: usize, batch_size: usize) -> Fit<'static> {
    Fit {
        batch_size,
        shuffle: false,
        ..quiet(epochs)
    }
}

fn fit(model: &mut Linear, data: &Dataset, fit: Fit<'_>) -> Result<History, Error> {
    Trainer::new(model).loss(sparse()).fit(data, fit)
}

#[test]
fn states_begin_every_epoch_with_zero_and_validation_stays_apart() {
    let (train, validation) = (dataset(9), dataset(6));
    let mut model = stateful();
    let options = Fit {
        validation: Some(&validation),
        ..in_order(2, 3)
    };
    fit(&mut model, &train, options).unwrap();
    let dry = [Reset, Infer(1), Reset];
    let epoch = [Reset, Forward(3), Forward(3), Forward(3)];
    let validated = [Reset, Infer(3), Infer(3), Reset];
    let expected = [
        &dry[..],
        &dry,
        &epoch,
        &validated,
        &epoch,
        &validated,
        &[Reset],
    ]
    .concat();
    assert_eq!(model.events, expected);

    model.events.clear();
    let scores = Scores::new().loss(sparse());
    model.evaluate_in(3, &validation, &scores).unwrap();
    assert_eq!(model.events, [&dry[..], &validated].concat());
}

#[test]
fn states_are_kept_if_one_wants_so() {
    let mut model = stateful();
    let options = || Fit {
        reset_states: false,
        ..in_order(2, 3)
    };
    fit(&mut model, &dataset(3), options()).unwrap();
    // What the look at the data changes is put back: nothing, as nothing was kept yet.
    assert_eq!(
        model.events,
        [Reset, Infer(1), Reset, Forward(3), Forward(3)]
    );
    let with_validation = Fit {
        validation: Some(&dataset(3)),
        ..options()
    };
    let error = fit(&mut model, &dataset(3), with_validation).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model is stateful: validation would end the states that `reset_states: false` keeps; \
         leave out one of the two in Fit"
    );
}

#[test]
fn what_does_not_go_on_is_refused() {
    let mut model = stateful();
    let before = model.weights().to_vec();
    let mut words = |data: &Dataset, options: Fit<'_>| {
        let error = fit(&mut model, data, options).unwrap_err().to_string();
        assert!(model.events.is_empty());
        error
    };
    assert_eq!(
        words(&dataset(9), quiet(1)),
        "the model is stateful: its batches go on where the ones before them ended, so their order \
         must stay; write `shuffle: false` in Fit"
    );
    assert_eq!(
        words(&dataset(100), in_order(1, 32)),
        "training data: the model is stateful, so all batches must be of one size, but 100 samples \
         in batches of 32 leave a last one of 4; without a rest are batches of 1, 2, 4, 5, 10, 20, \
         25, 50 (or leave out the rest: `data.take(96)`)"
    );
    assert_eq!(
        words(&dataset(5), in_order(1, 8)),
        "training data: the model is stateful, so all batches must be of one size, but 5 samples in \
         batches of 8 leave a last one of 5; without a rest are batches of 1, 5"
    );
    let (points, labels) = clouds(30);
    let points = Column::floats(points, &[30, 2]).unwrap();
    let cut = Dataset::continuing(points, labels, 5, 2).unwrap();
    assert_eq!(
        words(&cut, in_order(1, 3)),
        "training data: it was cut for batches of 5, not 3; write `batch_size: 5`"
    );
    let validation = dataset(4);
    let options = Fit {
        validation: Some(&validation),
        ..in_order(1, 3)
    };
    assert!(words(&dataset(9), options).starts_with("validation data: the model is stateful"));
    assert_eq!(model.weights(), before);
}

/// Data that was cut for a stateful model says in which batches it is to be evaluated.
#[test]
fn evaluation_takes_the_batches_that_were_cut() {
    let (points, labels) = clouds(30);
    let points = Column::floats(points, &[30, 2]).unwrap();
    let cut = Dataset::continuing(points, labels, 5, 2).unwrap();
    let mut model = Linear::sequence(1).stateful();
    let scores = Scores::new().loss(sparse()).metric(Accuracy);
    let logs = model.evaluate(&cut, &scores).unwrap();
    let expected = [
        Reset,
        Infer(1),
        Reset,
        Reset,
        Infer(5),
        Infer(5),
        Infer(5),
        Reset,
    ];
    assert_eq!(model.events, expected);
    // All 30 points were looked at.
    let plain = Linear::new(1).evaluate(&dataset(30), &scores).unwrap();
    assert!((logs.get("loss").unwrap() - plain.get("loss").unwrap()).abs() < 1e-6);
    assert_eq!(logs.get("accuracy"), plain.get("accuracy"));
    let error = model.evaluate_in(0, &cut, &scores).unwrap_err();
    assert_eq!(error.to_string(), "batch_size must be at least 1, found 0");
}
