use super::*;
use crate::predictions::TargetView;

fn all() -> Vec<Box<dyn Loss>> {
    vec![
        Box::new(SparseCategoricalCrossentropy::from_logits()),
        Box::new(SparseCategoricalCrossentropy::default()),
        Box::new(CategoricalCrossentropy::from_logits().label_smoothing(0.1)),
        Box::new(CategoricalCrossentropy::default().label_smoothing(0.1)),
        Box::new(BinaryCrossentropy::from_logits().label_smoothing(0.1)),
        Box::new(BinaryCrossentropy::default().label_smoothing(0.1)),
        Box::new(MeanSquaredError),
        Box::new(MeanAbsoluteError),
        Box::new(Huber::default()),
    ]
}

const LABELS: [u32; 2] = [2, 0];
const FLOATS: [f32; 6] = [0.25, 0.25, 0.5, 1.0, 0.0, 0.0];

fn scored<'a>(
    loss: &dyn Loss,
    predictions: &'a [f32],
    weights: Option<&'a [f32]>,
) -> Predictions<'a> {
    let targets = match loss.targets() {
        TargetKind::Labels => TargetView::Labels(&LABELS),
        TargetKind::Floats => TargetView::Floats(&FLOATS),
    };
    Predictions::new(predictions, 3, targets, weights).unwrap()
}

/// In float64 inside, so a coarse step of float32 is exact enough.
#[test]
fn gradients_are_those_of_the_values() {
    let predictions = [0.2f32, 0.3, 0.45, 0.7, 0.1, 0.15];
    let weights = [0.5, 2.0];
    for loss in all() {
        let value = |p: &[f32]| {
            loss.mean(&scored(loss.as_ref(), p, Some(&weights)), None)
                .unwrap()
        };
        let mut gradient = [0.0; 6];
        loss.mean(
            &scored(loss.as_ref(), &predictions, Some(&weights)),
            Some(&mut gradient),
        )
        .unwrap();
        for i in 0..6 {
            let moved = |by: f32| {
                let mut moved = predictions;
                moved[i] += by;
                moved
            };
            let (up, down) = (moved(1e-3), moved(-1e-3));
            let difference = f64::from(up[i]) - f64::from(down[i]);
            let slope = (value(&up) - value(&down)) / difference;
            let error = (f64::from(gradient[i]) - slope).abs();
            assert!(
                error < 1e-4 * (1.0 + slope.abs()),
                "{} {i}: {} {slope}",
                loss.name(),
                gradient[i]
            );
        }
    }
}

#[test]
fn extreme_logits_are_exact() {
    let logits = [1e30f32, -1e30, 0.0, 0.0, 88.0, -1e4];
    let mut gradient = [f32::NAN; 6];
    let loss = SparseCategoricalCrossentropy::from_logits();
    let value = loss
        .mean(&scored(&loss, &logits, None), Some(&mut gradient))
        .unwrap();
    assert_eq!(value, (f64::from(1e30f32) + 88.0) / 2.0);
    assert_eq!(gradient, [0.5, 0.0, -0.5, -0.5, 0.5, 0.0]);

    let loss = BinaryCrossentropy::from_logits();
    let targets = TargetView::Floats(&[0.0, 1.0]);
    let scored = Predictions::new(&[1e30, -1e30], 1, targets, None).unwrap();
    let mut gradient = [f32::NAN; 2];
    assert_eq!(
        loss.mean(&scored, Some(&mut gradient)).unwrap(),
        f64::from(1e30f32)
    );
    assert_eq!(gradient, [0.5, -0.5]);
}

/// A nearly certain right answer: `p - 1` in float32 would be 0.
#[test]
fn a_small_loss_keeps_its_digits() {
    let loss = SparseCategoricalCrossentropy::from_logits();
    let mut gradient = [0.0; 2];
    let scored = Predictions::new(&[30.0, 0.0], 2, TargetView::Labels(&[0]), None).unwrap();
    let value = loss.mean(&scored, Some(&mut gradient)).unwrap();
    let expected = (-30f64).exp().ln_1p();
    assert!((value / expected - 1.0).abs() < 1e-2, "{value} {expected}");
    assert!((f64::from(gradient[1]) / (-30f64).exp() - 1.0).abs() < 1e-6);
}

#[test]
fn nan_comes_through_and_zero_weights_count_as_rows() {
    for loss in all() {
        let predictions = [f32::NAN, 0.3, 0.5, 0.5, 0.2, 0.3];
        let value = loss
            .mean(&scored(loss.as_ref(), &predictions, None), None)
            .unwrap();
        assert!(value.is_nan(), "{}", loss.name());
        let fine = [0.2, 0.3, 0.5, 0.5, 0.2, 0.3];
        let mut gradient = [0.0; 6];
        let first = scored(loss.as_ref(), &fine, Some(&[1.0, 0.0]));
        let half = loss.mean(&first, Some(&mut gradient)).unwrap();
        let (_, target, _) = first.iter().next().unwrap();
        assert_eq!(half, loss.row(&fine[..3], target, None) / 2.0);
        assert_eq!(gradient[3..], [0.0; 3]);
    }
}

#[test]
fn what_does_not_fit_is_an_error_or_nan() {
    let wrong = |loss: &dyn Loss| loss.check(3).unwrap_err().to_string();
    assert_eq!(
        wrong(&Huber { delta: 0.0 }),
        "huber: delta must be positive, found 0"
    );
    assert_eq!(
        wrong(&CategoricalCrossentropy::default().label_smoothing(1.5)),
        "categorical_crossentropy: label_smoothing must be in 0..=1, found 1.5"
    );
    assert!(wrong(&BinaryCrossentropy::default().label_smoothing(f32::NAN)).contains("NaN"));
    for loss in all() {
        loss.check(3).unwrap();
        let other = match loss.targets() {
            TargetKind::Labels => Target::Label(3),
            TargetKind::Floats => Target::Label(0),
        };
        let mut gradient = [0.0; 3];
        assert!(
            loss.row(&[0.1, 0.2, 0.7], other, Some(&mut gradient))
                .is_nan()
        );
        assert!(gradient.iter().all(|g| g.is_nan()));
        let predictions = [0.5; 6];
        let result = loss.mean(
            &scored(loss.as_ref(), &predictions, None),
            Some(&mut [0.0; 5]),
        );
        assert!(matches!(result, Err(Error::Shape { .. })));
    }
}

#[test]
fn rows_must_fit_together() {
    let targets = TargetView::Labels(&[0, 1]);
    let fits =
        |p: &[f32], features, weights| Predictions::new(p, features, targets, weights).is_ok();
    assert!(fits(&[0.0; 6], 3, Some(&[1.0, 1.0])));
    assert!(!fits(&[0.0; 6], 3, Some(&[1.0])));
    assert!(!fits(&[0.0; 6], 2, None));
    assert!(!fits(&[0.0; 5], 3, None));
    assert!(!fits(&[0.0; 6], 0, None));
    assert!(!fits(&[], 3, None));
    assert!(Predictions::new(&[0.0; 6], 3, TargetView::Floats(&[0.0; 5]), None).is_err());
}
