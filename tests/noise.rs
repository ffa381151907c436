//! What training draws: means, variances, and what of it Keras fixes.

use recurrent::{
    learner::{InputView, Learner, StepSeed, Values},
    prelude::*,
};

const ROWS: usize = 50;
const STEPS: usize = 10;
const WIDTH: usize = 100;
const ALL: usize = ROWS * STEPS * WIDTH;

fn view(x: &[f32], batch: usize, time: usize) -> InputView<'_> {
    InputView {
        batch,
        time,
        values: Values::Floats(x),
    }
}

/// What a model makes of `x` in inference and in training.
fn both(model: &mut impl Learner, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let inputs = [view(x, ROWS, STEPS)];
    model.infer(&inputs).unwrap();
    let inference = model.output(0).to_vec();
    model
        .forward(&inputs, StepSeed { seed: 3, step: 0 })
        .unwrap();
    (inference, model.output(0).to_vec())
}

/// The mean and the variance.
fn moments(x: &[f32]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let square = x
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, square)
}

/// `mean` and `variance` within five standard errors of what they should be. For a normal
/// distribution that of the variance is `variance * sqrt(2 / n)`.
fn near(found: (f64, f64), mean: f64, variance: f64) {
    let n = ALL as f64;
    assert!(
        (found.0 - mean).abs() < 5.0 * (variance / n).sqrt(),
        "mean {}",
        found.0
    );
    assert!(
        (found.1 - variance).abs() < 5.0 * variance * (2.0 / n).sqrt(),
        "variance {}",
        found.1
    );
}

#[test]
fn gaussian_dropout_multiplies_by_the_mean_and_deviation_of_dropout() {
    let mut model = rnn_model!(Input(_, WIDTH) -> GaussianDropout(0.2));
    let x = vec![1.0; ALL];
    let (inference, factors) = both(&mut model, &x);
    assert_eq!(inference, x);
    near(moments(&factors), 1.0, 0.2 / 0.8);
    let (_, twice) = both(&mut model, &vec![2.0; ALL]);
    assert!(twice.iter().zip(&factors).all(|(t, f)| *t == 2.0 * f));
    // The gradient is multiplied by the same numbers.
    model.want_input_gradient(true);
    let inputs = [view(&x, ROWS, STEPS)];
    model
        .forward(&inputs, StepSeed { seed: 3, step: 0 })
        .unwrap();
    model.backward(&[&x], &mut []).unwrap();
    assert_eq!(model.input_gradient(0).unwrap(), factors);

    let mut nothing = rnn_model!(Input(_, WIDTH) -> GaussianDropout(0));
    assert_eq!(both(&mut nothing, &x).1, x);
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    // What Keras's layer makes of zeros and ones.
    const ZERO: f32 = 0.454_092_07;
    const ONE: f32 = 1.315_044_7;
    const DROPPED: f32 = -1.059_548_2;
    let mut model = rnn_model!(Input(_, WIDTH) -> AlphaDropout(0.3));
    for (x, kept) in [(0.0, ZERO), (1.0, ONE)] {
        let (inference, y) = both(&mut model, &vec![x; ALL]);
        assert!(inference.iter().all(|&y| y == x));
        let near = |y: f32, to: f32| (y - to).abs() < 1e-6;
        assert!(y.iter().all(|&y| near(y, kept) || near(y, DROPPED)));
        let dropped = y.iter().filter(|&&y| near(y, DROPPED)).count() as f64 / ALL as f64;
        let error = (0.3 * 0.7 / ALL as f64).sqrt();
        assert!((dropped - 0.3).abs() < 5.0 * error, "{dropped}");
    }
    // Numbers of mean 0 and variance 1: both stay. Ten standard errors, as these are not normal.
    let x: Vec<f32> = (0..ALL)
        .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    let (mean, variance) = moments(&both(&mut model, &x).1);
    let error = (1.0 / ALL as f64).sqrt();
    assert!(mean.abs() < 10.0 * error, "mean {mean}");
    assert!((variance - 1.0).abs() < 10.0 * error, "variance {variance}");
}
