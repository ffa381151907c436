//! Training on a device: losses, metrics and steps of optimizers are those of the host on the same numbers, and whole
//! trainings are those of the CPU.

mod fit;
mod losses;
mod seen;
mod steps;

use recurrent::{
    learner::{InputView, Values},
    trainable::Figure,
};

/// Steps and rows of a batch.
const STEPS: usize = 5;
const ROWS: usize = 7;

fn view(x: &[f32]) -> [InputView<'_>; 1] {
    [InputView {
        batch: ROWS,
        time: STEPS,
        values: Values::Floats(x),
    }]
}

/// All of them are equal, or NaN.
fn same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            f == e || (f.is_nan() && e.is_nan()),
            "{what}: {f} for {e} at {i}"
        );
    }
}

/// They differ by no more than this share.
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1e-30);
    let both_nan = found.is_nan() && expected.is_nan();
    assert!(
        both_nan || found == expected || error <= tolerance,
        "{what}: {found} for {expected}"
    );
}

/// A figure, if these are those that waited on the device.
fn value(figure: Figure, figures: &[f64]) -> f64 {
    match figure {
        Figure::Known(value) => value,
        Figure::Kept(index) => figures[index],
    }
}
