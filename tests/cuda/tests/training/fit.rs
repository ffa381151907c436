//! Whole trainings, against those of the CPU.

use ndarray::{Array2, Array3};
use recurrent::{prelude::*, train::optimizers::OptimizerState};
use recurrent_test_cuda::{device, numbers};

use crate::close;

fn sequences() -> Dataset {
    // Padded at the end.
    let x = numbers(40 * 6 * 3, 1);
    let x = Array3::from_shape_fn((40, 6, 3), |(b, t, i)| match t < 3 + b % 4 {
        true => x[(b * 6 + t) * 3 + i],
        false => 0.0,
    });
    let y = Array2::from_shape_fn((40, 6), |(b, t)| {
        u32::from(x[[b, t, 0]] > 0.0) + u32::from(x[[b, t, 1]] > 0.3)
    });
    let weights: Vec<f32> = (0..40).map(|b| 0.5 + (b % 3) as f32).collect();
    Dataset::new(x, y).unwrap().sample_weight(weights).unwrap()
}

fn tagger() -> impl Model<Input = Sequence, Output = Array3<f32>> + Learner {
    rnn_model!(Input(_, 3) -> Masking -> GRU(6, return_sequences, dropout = 0.1, kernel_regularizer = l2(0.01))
        -> Dense(3))
}

fn fit(epochs: usize, from: usize) -> Fit<'static> {
    Fit {
        epochs,
        initial_epoch: from,
        batch_size: 16,
        validation_split: 0.25,
        class_weight: Some([(0, 1.0), (1, 2.0), (2, 1.5)].into()),
        verbose: Verbose::Silent,
        ..Fit::default()
    }
}

/// What a part of a training gives: figures, and the optimizer's state.
fn train(
    model: &mut (impl Model + Learner),
    part: Fit<'_>,
    before: Option<&OptimizerState>,
) -> (History, OptimizerState) {
    let mut trainer = Trainer::new(model)
        .optimizer(Adam::new(0.02).global_clipnorm(1.0).amsgrad(true))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .metric(Accuracy)
        .weighted_metric(SparseTopKCategoricalAccuracy { k: 2 })
        .metric(SparseCategoricalCrossentropy::from_logits());
    if let Some(state) = before {
        trainer.restore_optimizer(state).unwrap();
    }
    let history = trainer.fit(&sequences(), part).unwrap();
    let state = trainer.optimizer_state().unwrap();
    (history, state)
}

pub fn histories_agree(a: &History, b: &History) {
    let mut count = 0;
    for (a, b) in a.logs().iter().zip(b.logs()) {
        for ((name, a), (other, b)) in a.iter().zip(b.iter()) {
            assert_eq!(name, other);
            close(a, b, 1e-4, name);
            count += 1;
        }
    }
    assert!(count >= 8);
}

pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|n| n.to_bits()).collect()
}

#[test]
fn a_training_is_that_of_the_cpu() {
    let Some(device) = device() else { return };
    let mut near = tagger();
    let (expected, _) = train(&mut near, fit(3, 0), None);
    let run = || {
        let mut far = tagger().to(&device).unwrap();
        let (history, state) = train(&mut far, fit(3, 0), None);
        (history, bits(Learner::weights(&far)), state)
    };
    let (first, second) = (run(), run());
    histories_agree(&first.0, &expected);
    assert_eq!(first.1, second.1, "weights of two runs");
    assert!(first.2 == second.2, "slots of two runs");
    // CPU, device, CPU.
    let mut model = tagger();
    let (a, state) = train(&mut model, fit(1, 0), None);
    let mut model = model.to(&device).unwrap();
    let (b, state) = train(&mut model, fit(2, 1), Some(&state));
    let mut model = model.to(&Device::cpu()).unwrap();
    let (c, _) = train(&mut model, fit(3, 2), Some(&state));
    let last = |h: &History| h.last("val_loss").unwrap();
    for (part, found) in [&a, &b, &c].into_iter().enumerate() {
        let expected = expected.get("val_loss")[part];
        close(last(found), expected, 1e-4, "val_loss");
    }
}

/// Ids, a mask, moving statistics, weights that decay.
#[test]
fn a_training_on_ids_is_that_of_the_cpu() {
    let Some(device) = device() else { return };
    let make = || {
        rnn_model!(Embedding(9, 4, mask_zero) -> Bidirectional(LSTM(5)) -> BatchNormalization
            -> Dense(1))
    };
    let x = Array2::from_shape_fn((24, 6), |(b, t)| match t < 2 + b % 5 {
        true => 1 + (b * 5 + t * 3) as u32 % 8,
        false => 0,
    });
    let y = Array2::from_shape_fn((24, 1), |(b, _)| f32::from(u8::from(x[[b, 0]] > 4)));
    let data = Dataset::new(x, y).unwrap();
    let train = |data: &Dataset, device: &Device| {
        let mut model = make().to(device).unwrap();
        let history = Trainer::new(&mut model)
            .optimizer(
                SGD::new(0.1)
                    .momentum(0.9)
                    .nesterov(true)
                    .weight_decay(0.01)
                    .clipvalue(0.1),
            )
            .loss(BinaryCrossentropy {
                label_smoothing: 0.1,
                ..BinaryCrossentropy::from_logits()
            })
            .metric(BinaryAccuracy { threshold: 0.0 })
            .fit(
                data,
                Fit {
                    epochs: 3,
                    batch_size: 8,
                    validation_split: 0.25,
                    verbose: Verbose::Silent,
                    ..Fit::default()
                },
            );
        (history.unwrap(), Learner::weights(&model).to_vec())
    };
    let ((near, near_weights), (far, far_weights)) =
        (train(&data, &Device::cpu()), train(&data, &device));
    histories_agree(&far, &near);
    for (a, b) in near_weights.iter().zip(&far_weights) {
        assert!((a - b).abs() < 1e-4, "{a}, {b}");
    }
}
