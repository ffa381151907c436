//! Losses, metrics and penalties, and their gradients.

use ndarray::Array3;
use recurrent::{
    learner::{InputView, StepSeed, Values},
    losses::Loss,
    metrics::{Metric, Tally},
    prelude::*,
    train::{Predictions, TargetKind, TargetView},
    trainable::{Figure, LossTask, MetricTask, OutputGradient, Trainable},
};
use recurrent_test_cuda::{device, numbers};

use crate::{ROWS, STEPS, close, same, value, view};

/// A model whose output is its input, and with it the gradient of the one that of the other.
fn mirror<M: Model + Learner>(mut model: M, features: usize, device: &Device) -> M {
    for (i, w) in model.weights_mut().iter_mut().enumerate() {
        let is_on_diagonal = i < features * features && i % (features + 1) == 0;
        *w = if is_on_diagonal { 1.0 } else { 0.0 };
    }
    model.want_input_gradient(true);
    model.to(device).unwrap()
}

/// Some steps are masked: all their numbers are zero.
fn input(features: usize, number: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    let random = numbers(ROWS * STEPS * features, 3);
    let each = random.chunks_exact(features).enumerate();
    each.flat_map(|(place, step)| {
        let is_masked = place % 4 == 1;
        let step = step.iter().enumerate();
        let step: Vec<f32> = step
            .map(|(i, &r)| if is_masked { 0.0 } else { number(place + i, r) })
            .collect();
        step
    })
    .collect()
}

fn logits(features: usize) -> Vec<f32> {
    input(features, |i, r| match i % 19 {
        7 => 40.0 * r,
        11 => 0.25,
        _ => 3.0 * r,
    })
}

/// Some of them are 0, 1 or beyond.
fn probabilities(features: usize) -> Vec<f32> {
    input(features, |i, r| match i % 17 {
        5 => 0.0,
        9 => 1.0,
        13 => 1.0 + 0.1 * r,
        _ => 0.5 + 0.5 * r,
    })
}

/// Labels, and a share of every class.
fn targets(features: usize) -> (Vec<u32>, Vec<f32>) {
    let rows = ROWS * STEPS;
    let labels = (0..rows).map(|i| (i * 7 % features) as u32).collect();
    let mut shares: Vec<f32> = numbers(rows * features, 9)
        .iter()
        .map(|r| (0.5 * r + 0.5).max(0.2) - 0.2)
        .collect();
    for row in shares.chunks_exact_mut(features) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|s| *s /= sum.max(0.1));
    }
    (labels, shares)
}

fn all_losses() -> Vec<(Box<dyn Loss>, bool)> {
    vec![
        (Box::new(MeanSquaredError), true),
        (Box::new(MeanAbsoluteError), true),
        (Box::new(Huber { delta: 0.75 }), true),
        (Box::new(BinaryCrossentropy::from_logits()), true),
        (
            Box::new(BinaryCrossentropy {
                label_smoothing: 0.1,
                ..BinaryCrossentropy::default()
            }),
            false,
        ),
        (
            Box::new(CategoricalCrossentropy {
                label_smoothing: 0.1,
                ..CategoricalCrossentropy::from_logits()
            }),
            true,
        ),
        (Box::new(CategoricalCrossentropy::default()), false),
        (Box::new(SparseCategoricalCrossentropy::from_logits()), true),
        (Box::new(SparseCategoricalCrossentropy::default()), false),
    ]
}

/// Loss, gradient and metrics of one output, on the device and by the host's formulas.
fn score(model: &mut (impl Model + Learner), features: usize, spoilt: bool) {
    let (mut labels, shares) = targets(features);
    if spoilt {
        labels[2] = features as u32;
    }
    let weights: Vec<f32> = numbers(ROWS * STEPS, 5).iter().map(|w| w + 1.0).collect();
    let mut state = model.start_training(&[]).unwrap();
    for (number, (loss, from_logits)) in all_losses().iter().enumerate() {
        let mut x = match from_logits {
            true => logits(features),
            false => probabilities(features),
        };
        if spoilt {
            x[0] = f32::NAN;
        }
        let takes_labels = loss.targets() == TargetKind::Labels;
        let targets = match takes_labels {
            true => TargetView::Labels(&labels),
            false => TargetView::Floats(&shares),
        };
        let weights = (number % 2 == 0).then_some(&weights[..]);
        let metrics = metrics(takes_labels, features);
        let kind = loss.targets();
        let tasks: Vec<MetricTask> = metrics
            .iter()
            .enumerate()
            .map(|(i, m)| MetricTask {
                rule: m.metric_rule(features, kind).unwrap(),
                weighted: i % 2 == 1,
            })
            .collect();
        let task = LossTask {
            rule: loss.rule().unwrap(),
            features,
            targets,
            weights,
            share: if number % 3 == 0 { 0.3 } else { 1.0 },
            metrics: &tasks,
        };
        let what = format!("{} of {features}, {number}", loss.name());
        Trainable::forward(model, &view(&x), StepSeed::default()).unwrap();
        let scored = model.loss(0, &task, true).unwrap().unwrap();
        let figures = model.figures().unwrap();
        Trainable::backward(model, &[OutputGradient::Kept], state.as_mut()).unwrap();
        // The host, with the same outputs.
        let output = Learner::output(model, 0).to_vec();
        if !spoilt {
            same(&output, &x, &what);
        }
        let mask = Learner::output_mask(model, 0).unwrap().to_vec();
        for (m, step) in mask.iter().zip(x.chunks_exact(features)) {
            assert_eq!(*m == 1.0, step.iter().any(|v| *v != 0.0), "{what}");
        }
        let rows = |weights| {
            let all = Predictions::new(&output, features, targets, weights).unwrap();
            all.masked(&mask).unwrap()
        };
        let mut gradient = vec![0.0; output.len()];
        let expected = loss.mean(&rows(weights), Some(&mut gradient)).unwrap();
        if task.share != 1.0 {
            gradient.iter_mut().for_each(|g| *g *= task.share as f32);
        }
        close(value(scored.loss, &figures), expected, 1e-14, &what);
        if !spoilt {
            same(model.input_gradient(0).unwrap(), &gradient, &what);
        }
        for ((i, metric), sums) in metrics.iter().enumerate().zip(&scored.metrics) {
            let [total, weight] = sums.unwrap().map(|f| value(f, &figures));
            let mut tally: Box<dyn Tally> = metric.start(features, kind).unwrap();
            tally.add(&rows(if i % 2 == 1 { weights } else { None }));
            close(
                total / weight,
                tally.result(),
                1e-14,
                &format!("{} ({what})", metric.name()),
            );
        }
    }
}

fn metrics(labels: bool, features: usize) -> Vec<Box<dyn Metric>> {
    let mut all: Vec<Box<dyn Metric>> = vec![Box::new(Accuracy)];
    match labels {
        true => {
            all.push(Box::new(SparseTopKCategoricalAccuracy { k: 2 }));
            all.push(Box::new(SparseCategoricalCrossentropy::from_logits()));
            all.push(Box::new(SparseCategoricalAccuracy));
        }
        false => {
            all.push(Box::new(TopKCategoricalAccuracy {
                k: features / 2 + 1,
            }));
            all.push(Box::new(BinaryAccuracy { threshold: 0.25 }));
            all.push(Box::new(MeanAbsoluteError));
            all.push(Box::new(CategoricalAccuracy));
        }
    }
    all
}

#[test]
fn losses_gradients_and_metrics_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let mut few = mirror(rnn_model!(Input(_, 5) -> Masking -> Dense(5)), 5, &device);
    score(&mut few, 5, false);
    score(&mut few, 5, true);
    let mut many = mirror(
        rnn_model!(Input(_, 37) -> Masking -> Dense(37)),
        37,
        &device,
    );
    score(&mut many, 37, false);
    let mut one = mirror(rnn_model!(Input(_, 1) -> Masking -> Dense(1)), 1, &device);
    score(&mut one, 1, false);
}

#[test]
fn targets_of_another_length_are_an_error() {
    let Some(device) = device() else { return };
    let mut model = mirror(rnn_model!(Input(_, 5) -> Masking -> Dense(5)), 5, &device);
    let x = logits(5);
    Trainable::forward(&mut model, &view(&x), StepSeed::default()).unwrap();
    let task = LossTask {
        rule: MeanSquaredError.rule().unwrap(),
        features: 5,
        targets: TargetView::Floats(&x[1..]),
        weights: None,
        share: 1.0,
        metrics: &[],
    };
    let error = model.loss(0, &task, true).unwrap_err().to_string();
    assert!(error.contains("targets"), "{error}");
    let weights = [1.0; 3];
    let task = LossTask {
        targets: TargetView::Floats(&x),
        weights: Some(&weights),
        ..task
    };
    let error = model.loss(0, &task, true).unwrap_err().to_string();
    assert!(error.contains("sample weights"), "{error}");
    // A batch in between: what the last one gave is still there, and it is no longer gone back over.
    let before = Learner::output(&model, 0).to_vec();
    let other = Array3::from_elem((2, 3, 5), 0.5f32);
    model.predict(&other).unwrap();
    same(Learner::output(&model, 0), &before, "output");
    let task = LossTask {
        weights: None,
        ..task
    };
    assert_eq!(model.loss(0, &task, true).unwrap(), None);
    let mut state = model.start_training(&[]).unwrap();
    let back = Trainable::backward(&mut model, &[OutputGradient::Zero], state.as_mut());
    assert!(back.is_err());
}

#[test]
fn penalties_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let make = || rnn_model!(Input(_, 3) -> LSTM(4, kernel_regularizer = l1_l2(0.01, 0.02), activity_regularizer = l1_l2(0.1, 0.3)) -> Dense(2));
    let (mut near, mut far) = (make(), make().to(&device).unwrap());
    let x = numbers(ROWS * STEPS * 3, 4);
    for training in [true, false] {
        let run = |model: &mut dyn Learner| match training {
            true => model.forward(&view(&x), StepSeed::default()).unwrap(),
            false => model.infer(&view(&x)).unwrap(),
        };
        run(&mut near);
        run(&mut far);
        let all = [far.activity_penalty(), far.weight_penalty()];
        let figures = far.figures().unwrap();
        assert_eq!(figures.len(), 2);
        close(
            value(all[0], &figures),
            near.penalty().into(),
            1e-5,
            "activities",
        );
        assert_eq!(value(all[0], &figures), f64::from(far.penalty()));
        close(
            value(all[1], &figures),
            value(near.weight_penalty(), &[]),
            1e-12,
            "weights",
        );
    }
}

/// More figures than the device has room for.
#[test]
fn figures_wait_in_order() {
    let Some(device) = device() else { return };
    let model = rnn_model!(Input(2) -> Dense(1, kernel_regularizer = l2(0.5)));
    let mut model = model.to(&device).unwrap();
    let mut expected = Vec::new();
    for i in 0..45 {
        let weight = i as f32;
        model.set_weights(&[weight, 0.0, 0.0]).unwrap();
        for _ in 0..100 {
            assert_eq!(model.weight_penalty(), Figure::Kept(expected.len()));
            expected.push(0.5 * f64::from(weight * weight));
        }
    }
    assert_eq!(model.figures().unwrap(), expected);
    assert!(model.figures().unwrap().is_empty());
}

/// Several rows a step, and no mask.
#[test]
fn an_output_of_several_axes() {
    let Some(device) = device() else { return };
    let model = rnn_model!(Input(24) -> Dense(24) -> Reshape(2, 3, 4));
    let mut model = mirror(model, 24, &device);
    let x = numbers(ROWS * 24, 2);
    let labels: Vec<u32> = (0..ROWS as u32 * 6).map(|i| i % 4).collect();
    let weights = numbers(ROWS * 6, 3);
    let loss = SparseCategoricalCrossentropy::from_logits();
    let task = LossTask {
        rule: Loss::rule(&loss).unwrap(),
        features: 4,
        targets: TargetView::Labels(&labels),
        weights: Some(&weights),
        share: 1.0,
        metrics: &[],
    };
    let input = InputView {
        batch: ROWS,
        time: 1,
        values: Values::Floats(&x),
    };
    let mut state = model.start_training(&[]).unwrap();
    Trainable::forward(&mut model, &[input], StepSeed::default()).unwrap();
    // Nothing has been kept yet.
    let back = Trainable::backward(&mut model, &[OutputGradient::Kept], state.as_mut());
    assert!(back.is_err());
    let found = model.loss(0, &task, true).unwrap().unwrap();
    let found = value(found.loss, &model.figures().unwrap());
    Trainable::backward(&mut model, &[OutputGradient::Kept], state.as_mut()).unwrap();
    let mut gradient = vec![0.0; x.len()];
    let rows = Predictions::new(&x, 4, task.targets, task.weights).unwrap();
    let expected = loss.mean(&rows, Some(&mut gradient)).unwrap();
    close(found, expected, 1e-14, "loss");
    same(model.input_gradient(0).unwrap(), &gradient, "gradient");
}
