use std::collections::BTreeMap;

use super::*;
use crate::{
    callbacks::{TerminateOnNaN, Training},
    data::Column,
    losses::{CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy},
    metrics::{Accuracy, MeanAbsoluteError, SparseCategoricalAccuracy},
    optimizers::{Adam, ExponentialDecay, SGD},
    tests::{Event, Linear, clouds, dataset},
};
use rnn_runtime::learner::Learner;

mod elsewhere;
mod masks;
mod outputs;
mod refusals;
mod stateful;

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::from_logits()
}

fn quiet(epochs: usize) -> Fit<'static> {
    Fit {
        epochs,
        verbose: Verbose::Silent,
        ..Fit::default()
    }
}

fn trained(fit: Fit<'_>) -> (Vec<f32>, History) {
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .optimizer(Adam::new(0.05))
        .loss(sparse())
        .metric(Accuracy);
    let history = trainer.fit(&dataset(100), fit).unwrap();
    (model.weights().to_vec(), history)
}

#[test]
fn training_learns_and_logs() {
    let (train, test) = dataset(300).shuffle(3).split(0.2).unwrap();
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model)
        .optimizer(Adam::new(0.05))
        .loss(sparse())
        .metric(Accuracy);
    let history = trainer
        .fit(
            &train,
            Fit {
                validation: Some(&test),
                ..quiet(20)
            },
        )
        .unwrap();
    assert_eq!(history.epochs(), (0..20).collect::<Vec<_>>());
    assert_eq!(
        history.names(),
        ["loss", "accuracy", "val_loss", "val_accuracy"]
    );
    let losses = history.get("loss");
    assert!(losses[19] < 0.5 * losses[0], "{losses:?}");
    assert!(
        history.last("val_accuracy").unwrap() > 0.9,
        "{:?}",
        history.last("val_accuracy")
    );
    let logs = trainer.evaluate(&test).unwrap();
    assert_eq!(logs.get("accuracy"), history.last("val_accuracy"));
    assert!((logs.get("loss").unwrap() - history.last("val_loss").unwrap()).abs() < 1e-12);
    let (best, epoch) = history.best("accuracy").unwrap();
    assert!(history.get("accuracy").iter().all(|&a| a <= best));
    assert_eq!(history.logs()[epoch].get("accuracy"), Some(best));
}

/// One step of gradient descent over everything, computed by hand in float64.
#[test]
fn a_step_is_the_gradient_of_the_mean_loss() {
    let (points, labels) = clouds(7);
    let weights = [1.0, 0.5, 2.0, 1.0, 0.0, 3.0, 1.5];
    let mut model = Linear::new(2);
    let before = model.weights().to_vec();
    let data = Dataset::new(
        Column::floats(points.clone(), &[7, 2]).unwrap(),
        labels.clone(),
    )
    .unwrap();
    let data = data.sample_weight(weights).unwrap();
    let class_weight = Some(BTreeMap::from([(1, 3.0)]));
    let fit = Fit {
        class_weight,
        shuffle: false,
        ..quiet(1)
    };
    let mut trainer = Trainer::new(&mut model)
        .optimizer(SGD::new(0.5))
        .loss(sparse());
    let history = trainer.fit(&data, fit).unwrap();

    let (mut loss, mut gradient) = (0.0, [0f64; 10]);
    for (row, (x, &label)) in points.chunks_exact(2).zip(&labels).enumerate() {
        let x = [f64::from(x[0]), f64::from(x[1])];
        let w = |i: usize| f64::from(before[i]);
        let z: Vec<f64> = (0..3)
            .map(|c| x[0] * w(c) + x[1] * w(3 + c) + w(7 + c))
            .collect();
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        let weight = weights[row] * if label == 1 { 3.0 } else { 1.0 } / 7.0;
        loss += weight * (sum.ln() - z[label as usize]);
        for c in 0..3 {
            let d = weight * (z[c].exp() / sum - if c == label as usize { 1.0 } else { 0.0 });
            gradient[c] += d * x[0];
            gradient[3 + c] += d * x[1];
            gradient[7 + c] += d;
        }
    }
    assert!((history.last("loss").unwrap() / loss - 1.0).abs() < 1e-6);
    gradient[6] = -2.0; // counts its one forward
    for (i, &found) in model.weights().iter().enumerate() {
        let expected = f64::from(before[i]) - 0.5 * gradient[i];
        assert!(
            (f64::from(found) - expected).abs() < 1e-6,
            "weight {i}: {found}, {expected}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let fit = |seed| Fit { seed, ..quiet(3) };
    let (a, a_history) = trained(fit(5));
    let (b, b_history) = trained(fit(5));
    assert_eq!(
        a.iter().map(|w| w.to_bits()).collect::<Vec<_>>(),
        b.iter().map(|w| w.to_bits()).collect::<Vec<_>>()
    );
    assert_eq!(a_history, b_history);
    assert_ne!(a, trained(fit(6)).0);
    assert_ne!(
        a,
        trained(Fit {
            shuffle: false,
            ..fit(5)
        })
        .0
    );
}

#[test]
fn an_interrupted_training_ends_with_the_same_weights() {
    let (whole, _) = trained(quiet(6));
    let data = dataset(100);
    let new = || Adam::new(0.05);
    let mut model = Linear::new(1);
    let mut first = Trainer::new(&mut model).optimizer(new()).loss(sparse());
    first.fit(&data, quiet(4)).unwrap();
    let state = first.optimizer_state().unwrap();
    assert_eq!(state.iterations, 16);
    let weights = model.weights().to_vec();

    let mut model = Linear::new(99);
    model.weights_mut().copy_from_slice(&weights);
    let mut second = Trainer::new(&mut model).optimizer(new()).loss(sparse());
    second.restore_optimizer(&state).unwrap();
    second
        .fit(
            &data,
            Fit {
                initial_epoch: 4,
                ..quiet(6)
            },
        )
        .unwrap();
    assert_eq!(model.weights(), whole);
}

#[test]
fn all_samples_are_seen_once_an_epoch_and_steps_are_counted() {
    // 100 samples in batches of 32: 3 full ones and one of 4.
    let mut model = Linear::new(1);
    let mut trainer = Trainer::new(&mut model).loss(sparse());
    trainer
        .fit(
            &dataset(100),
            Fit {
                seed: 8,
                ..quiet(2)
            },
        )
        .unwrap();
    assert_eq!(model.weights()[6], 8.0);
    let steps: Vec<_> = model.seeds.iter().map(|s| (s.seed, s.step)).collect();
    assert_eq!(steps, (0..8).map(|step| (8, step)).collect::<Vec<_>>());
}

/// The loss of an epoch is the mean over samples, so the batch size does not matter to it while
/// nothing moves.
#[test]
fn the_last_batch_counts_by_its_size() {
    let run = |batch_size| {
        let mut model = Linear::new(1);
        let mut trainer = Trainer::new(&mut model)
            .optimizer(SGD::new(0.0))
            .loss(sparse())
            .metric(Accuracy);
        trainer
            .fit(
                &dataset(100),
                Fit {
                    batch_size,
                    ..quiet(1)
                },
            )
            .unwrap()
            .logs()[0]
            .clone()
    };
    let (a, b) = (run(100), run(33));
    assert!((a.get("loss").unwrap() - b.get("loss").unwrap()).abs() < 1e-12);
    assert_eq!(a.get("accuracy"), b.get("accuracy"));
}

#[test]
fn validation_split_takes_the_end_and_does_not_train_on_it() {
    let data = dataset(100);
    let fit = |train: &Dataset, fit: Fit<'_>| {
        let mut model = Linear::new(1);
        Trainer::new(&mut model)
            .loss(sparse())
            .fit(train, fit)
            .unwrap();
        model.weights().to_vec()
    };
    let split = fit(
        &data,
        Fit {
            validation_split: 0.25,
            ..quiet(2)
        },
    );
    assert_eq!(split, fit(&data.take(75), quiet(2)));
}

#[test]
fn validation_freq_leaves_epochs_out() {
    let data = dataset(30);
    let mut model = Linear::new(1);
    let fit = Fit {
        validation_data: Some(&data),
        validation_freq: 2,
        ..quiet(5)
    };
    let history = Trainer::new(&mut model)
        .loss(sparse())
        .fit(&data, fit)
        .unwrap();
    let found: Vec<_> = history
        .logs()
        .iter()
        .map(|l| l.get("val_loss").is_some())
        .collect();
    assert_eq!(found, [false, true, false, true, false]);
}

#[test]
fn sequences_train_by_steps() {
    let (points, labels) = clouds(60);
    let input = || Column::floats(points.clone(), &[20, 3, 2]).unwrap();
    let targets = Column::integers(labels.clone(), &[20, 3]).unwrap();
    let data = Dataset::new(input(), targets).unwrap();
    let loss_with = |data: &Dataset| {
        let mut model = Linear::sequence(1);
        let mut trainer = Trainer::new(&mut model)
            .loss(sparse())
            .metric(Accuracy)
            .weighted_metric(SparseCategoricalAccuracy);
        trainer.evaluate(data).unwrap()
    };
    // The same as 60 rows.
    let mut rows = Linear::new(1);
    let by_rows = Trainer::new(&mut rows)
        .loss(sparse())
        .metric(Accuracy)
        .evaluate(&dataset(60))
        .unwrap();
    let plain = loss_with(&data);
    assert!((plain.get("loss").unwrap() - by_rows.get("loss").unwrap()).abs() < 1e-12);
    assert_eq!(plain.get("accuracy"), by_rows.get("accuracy"));
    // Weights of samples are those of all their steps.
    let per_sample: Vec<f32> = (0..20).map(|i| i as f32 * 0.25).collect();
    let per_step: Vec<f32> = per_sample.iter().flat_map(|&w| [w; 3]).collect();
    let a = loss_with(&data.clone().sample_weight(per_sample).unwrap());
    let b = loss_with(
        &data
            .clone()
            .sample_weight(Column::floats(per_step, &[20, 3]).unwrap())
            .unwrap(),
    );
    assert_eq!(a, b);
    assert_ne!(a.get("loss"), plain.get("loss"));
    assert_eq!(
        a.get("accuracy"),
        plain.get("accuracy"),
        "metrics are not weighted"
    );
    assert_ne!(
        a.get("sparse_categorical_accuracy"),
        plain.get("accuracy"),
        "weighted ones are"
    );
    // A target of another length is found before anything has changed.
    let short = Dataset::new(input(), Column::integers(vec![0; 40], &[20, 2]).unwrap()).unwrap();
    let mut model = Linear::sequence(1);
    let before = model.weights().to_vec();
    let result = Trainer::new(&mut model)
        .loss(sparse())
        .fit(&short, quiet(1));
    assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    assert_eq!(model.weights(), before);
}

#[test]
fn one_hot_targets_are_the_same_as_labels() {
    let (points, labels) = clouds(30);
    let one_hot = labels
        .iter()
        .flat_map(|&l| [0, 1, 2].map(|c| f32::from(c == l)));
    let targets = Column::floats(one_hot.collect(), &[30, 3]).unwrap();
    let data = Dataset::new(Column::floats(points, &[30, 2]).unwrap(), targets).unwrap();
    let fit = || Fit {
        class_weight: Some(BTreeMap::from([(0, 2.0)])),
        ..quiet(2)
    };
    let (mut a, mut b) = (Linear::new(1), Linear::new(1));
    let loss = CategoricalCrossentropy::from_logits();
    let a_history = Trainer::new(&mut a)
        .loss(loss)
        .metric(Accuracy)
        .fit(&data, fit())
        .unwrap();
    let b_history = Trainer::new(&mut b)
        .loss(sparse())
        .metric(Accuracy)
        .fit(&dataset(30), fit())
        .unwrap();
    assert_eq!(a.weights(), b.weights());
    assert_eq!(a_history, b_history);
}
