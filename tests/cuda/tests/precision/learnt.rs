//! Trainings.

use ndarray::{Array2, Array3};
use recurrent::{prelude::*, rnn_model};
use recurrent_test_cuda::{device, numbers};

use crate::PRECISIONS;

/// Sequences, of which each step is to be told whether the sum so far is above 0.
fn data() -> Dataset {
    let x = numbers(48 * 6 * 2, 1);
    let x = Array3::from_shape_vec((48, 6, 2), x).unwrap();
    let y = Array2::from_shape_fn((48, 6), |(row, t)| {
        let sum: f32 = (0..=t).map(|t| x[[row, t, 0]]).sum();
        u32::from(sum > 0.0)
    });
    Dataset::new(x, y).unwrap()
}

/// The loss of every epoch.
fn losses(device: &Device) -> Vec<f64> {
    let mut model = rnn_model!(Input(_, 2) -> GRU(12, return_sequences) -> Dense(2))
        .to(device)
        .unwrap();
    let history = Trainer::new(&mut model)
        .optimizer(Adam::new(0.02))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .fit(
            &data(),
            Fit {
                epochs: 8,
                batch_size: 16,
                verbose: Verbose::Silent,
                ..Fit::default()
            },
        )
        .unwrap();
    history.get("loss").to_vec()
}

#[test]
fn every_precision_learns() {
    let Some(device) = device() else { return };
    let exact = losses(&device);
    assert!(exact[7] < 0.6 * exact[0], "{exact:?}");
    for precision in PRECISIONS {
        let found = losses(&device.clone().with_precision(precision).unwrap());
        println!("{precision}: {found:?} for {exact:?}");
        for (found, exact) in found.iter().zip(&exact) {
            assert!(
                (found - exact).abs() <= 0.02 * exact,
                "{precision}: {found} for {exact}"
            );
        }
        assert_ne!(found, exact, "{precision}");
    }
}
