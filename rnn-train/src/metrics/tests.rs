use super::*;
use crate::predictions::{Predictions, TargetKind, TargetView};

fn result(metric: &dyn Metric, scored: &Predictions<'_>) -> f64 {
    let kind = match scored.targets() {
        TargetView::Labels(_) => TargetKind::Labels,
        TargetView::Floats(_) => TargetKind::Floats,
    };
    let mut tally = metric.start(scored.features(), kind).unwrap();
    tally.add(scored);
    tally.result()
}

#[test]
fn the_first_of_equals_is_the_guess_and_nan_is_none() {
    let labels = TargetView::Labels(&[0, 1, 0]);
    let scored = Predictions::new(&[0.5, 0.5, 0.5, 0.5, f32::NAN, 0.1], 2, labels, None).unwrap();
    assert_eq!(result(&SparseCategoricalAccuracy, &scored), 1.0 / 3.0);
    let top = |k| result(&SparseTopKCategoricalAccuracy { k }, &scored);
    assert_eq!(top(1), 2.0 / 3.0, "equals are all among the best");
    assert_eq!(top(2), 1.0);
}

#[test]
fn a_tally_adds_batches_and_forgets_them() {
    let mut tally = Accuracy.start(1, TargetKind::Floats).unwrap();
    assert_eq!(tally.result(), 0.0);
    let batch = |p: &'static [f32], w| {
        Predictions::new(p, 1, TargetView::Floats(&[1.0, 1.0][..p.len()]), w).unwrap()
    };
    tally.add(&batch(&[0.9, 0.2], Some(&[3.0, 1.0])));
    tally.add(&batch(&[0.9], None));
    assert_eq!(tally.result(), 0.8);
    tally.reset();
    tally.add(&batch(&[0.2], None));
    assert_eq!(tally.result(), 0.0);
    tally.add(&batch(&[0.9], Some(&[0.0])));
    assert_eq!(tally.result(), 0.0);
}

#[test]
fn accuracy_takes_the_kind_that_fits() {
    // One number a row: on the right side of one half.
    let binary = Predictions::new(&[0.6, 0.4], 1, TargetView::Floats(&[1.0, 0.0]), None).unwrap();
    assert_eq!(result(&Accuracy, &binary), 1.0);
    // One-hot: places compared, where single numbers would mostly be wrong.
    let one_hot = Predictions::new(
        &[0.1, 0.2, 0.3],
        3,
        TargetView::Floats(&[0.0, 0.0, 1.0]),
        None,
    )
    .unwrap();
    assert_eq!(result(&Accuracy, &one_hot), 1.0);
    assert_eq!(result(&BinaryAccuracy::default(), &one_hot), 2.0 / 3.0);
    let labels = Predictions::new(&[0.1, 0.2, 0.3], 3, TargetView::Labels(&[1]), None).unwrap();
    assert_eq!(result(&Accuracy, &labels), 0.0);
}

#[test]
fn targets_of_the_wrong_kind_are_refused() {
    let floats: [&dyn Metric; 5] = [
        &CategoricalAccuracy,
        &BinaryAccuracy::default(),
        &TopKCategoricalAccuracy::default(),
        &MeanAbsoluteError,
        &MeanSquaredError,
    ];
    for metric in floats {
        assert!(
            metric.start(3, TargetKind::Labels).is_err(),
            "{}",
            metric.name()
        );
        assert!(
            metric.start(3, TargetKind::Floats).is_ok(),
            "{}",
            metric.name()
        );
    }
    let labels: [&dyn Metric; 2] = [
        &SparseCategoricalAccuracy,
        &SparseTopKCategoricalAccuracy::default(),
    ];
    for metric in labels {
        assert!(
            metric.start(3, TargetKind::Floats).is_err(),
            "{}",
            metric.name()
        );
        assert!(
            metric.start(3, TargetKind::Labels).is_ok(),
            "{}",
            metric.name()
        );
    }
    assert!(
        TopKCategoricalAccuracy { k: 0 }
            .start(3, TargetKind::Floats)
            .is_err()
    );
    assert!(
        SparseTopKCategoricalAccuracy { k: 0 }
            .start(3, TargetKind::Labels)
            .is_err()
    );
}
