//! Global poolings: what a stream gives from its first step on, ties, numbers that are none, and rows
//! without a valid step. What Keras gives is in `tests/grid`.

use ndarray::{Array2, Array3, array};
use recurrent::{
    Isa,
    learner::{InputView, Learner, StepSeed, Values},
    prelude::*,
};

fn view(x: &[f32], batch: usize, time: usize) -> InputView<'_> {
    InputView {
        batch,
        time,
        values: Values::Floats(x),
    }
}

/// One row of three steps of two features, and the gradient of the sum of what the model gives by them.
fn gradient(model: &mut (impl Model + Learner), x: &[f32; 6]) -> Vec<f32> {
    model.want_input_gradient(true);
    let inputs = [view(x, 1, 3)];
    model.forward(&inputs, StepSeed::default()).unwrap();
    let ones = vec![1.0; model.output(0).len()];
    model.backward(&[&ones], &mut []).unwrap();
    model.input_gradient(0).unwrap().to_vec()
}

#[test]
fn the_largest_so_far() -> Result<(), Error> {
    let model = rnn_model!(Input(_, 2) -> GlobalMaxPooling1D);
    // Below zero from the first step on.
    let x = array![[[-3.0, -1.0], [-2.0, -5.0], [-4.0, -0.5]]];
    let mut stream = model.stream()?;
    let mut steps = Vec::new();
    for step in x.rows() {
        steps.push(*stream.step(&[step[0], step[1]]));
    }
    assert_eq!(steps, [[-3.0, -1.0], [-2.0, -1.0], [-2.0, -0.5]]);
    assert_eq!(model.predict(&x)?, array![[-2.0, -0.5]]);
    // The next sequence knows nothing of this one.
    stream.reset();
    assert_eq!(
        *stream.step(&[-9.0, f32::NEG_INFINITY]),
        [-9.0, f32::NEG_INFINITY]
    );
    Ok(())
}

/// As in Keras.
#[test]
fn what_is_no_number_stays_in_the_maximum() -> Result<(), Error> {
    let mut model = rnn_model!(Input(_, 2) -> GlobalMaxPooling1D);
    for &isa in Isa::available() {
        model.set_isa(isa);
        let y = model.predict(&array![[[1.0, f32::NAN], [f32::NAN, 2.0], [3.0, 1.0]]])?;
        assert!(y.iter().all(|y| y.is_nan()), "{y}");
        let y = model.predict(&array![[[1.0, f32::INFINITY], [4.0, 2.0], [3.0, 1.0]]])?;
        assert_eq!(y, array![[4.0, f32::INFINITY]]);
    }
    Ok(())
}

#[test]
fn the_gradient_of_the_maximum_goes_to_the_first_step_that_has_it() {
    let mut model = rnn_model!(Input(_, 2) -> GlobalMaxPooling1D);
    let found = gradient(&mut model, &[-1.0, 2.0, -1.0, 3.0, -2.0, 1.0]);
    assert_eq!(found, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn the_maximum_of_valid_steps() -> Result<(), Error> {
    let mut model = rnn_model! {
        input x: [time, 2];
        input valid: mask[time];
        output y = x -> GlobalMaxPooling1D(mask = valid);
    };
    let x = [9.0, 9.0, -1.0, -2.0, -3.0, -1.0];
    let twice = Array3::from_shape_fn((2, 3, 2), |(_, t, i)| x[2 * t + i]);
    // The second row has no valid step.
    let valid = array![[false, true, true], [false, false, false]];
    assert_eq!(
        model.predict((&twice, &valid))?,
        array![[-1.0, -1.0], [0.0, 0.0]]
    );
    model.want_input_gradient(true);
    let x = twice.as_slice().unwrap();
    let valid = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0];
    let inputs = [view(x, 2, 3), view(&valid, 2, 3)];
    model.forward(&inputs, StepSeed::default())?;
    model.backward(&[&[1.0; 4]], &mut [])?;
    let found = model.input_gradient(0).unwrap();
    assert_eq!(
        found,
        [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    Ok(())
}

#[test]
fn the_mean_so_far() -> Result<(), Error> {
    let model = rnn_model!(Input(_, 2) -> GlobalAveragePooling1D);
    let mut stream = model.stream()?;
    let steps = [[1.0, -4.0], [3.0, 0.0], [-4.0, 1.0]].map(|x| *stream.step(&x));
    assert_eq!(steps, [[1.0, -4.0], [2.0, -2.0], [0.0, -1.0]]);
    // A sum would have lost a hundredth of it.
    stream.reset();
    for _ in 0..1_000_000 {
        assert_eq!(*stream.step(&[0.1, -0.1]), [0.1, -0.1]);
    }
    Ok(())
}

#[test]
fn every_step_has_its_part_of_the_mean() {
    let mut model = rnn_model!(Input(_, 2) -> GlobalAveragePooling1D);
    for found in gradient(&mut model, &[1.0, 5.0, -2.0, 0.5, 3.0, 7.0]) {
        assert!((found - 1.0 / 3.0).abs() < 1e-6, "{found}");
    }
}

#[test]
fn the_mean_of_valid_steps() -> Result<(), Error> {
    let model = rnn_model! {
        input x: [time, 1];
        input valid: mask[time];
        output y = x -> GlobalAveragePooling1D(mask = valid);
    };
    let x = Array3::from_shape_fn((2, 4, 1), |(_, t, _)| [100.0, 1.0, 4.0, f32::NAN][t]);
    // The second row has no valid step: Keras divides by 0 there.
    let valid = Array2::from_shape_fn((2, 4), |(row, t)| row == 0 && (1..3).contains(&t));
    assert_eq!(model.predict((&x, &valid))?, array![[2.5], [0.0]]);
    Ok(())
}

#[test]
fn keepdims_makes_one_step() -> Result<(), Error> {
    let model = rnn_model! {
        input x: [_, 2];
        output most = x -> GlobalMaxPooling1D(keepdims = true);
        output mean = x -> GlobalAveragePooling1D(keepdims = true);
    };
    let x = array![[[1.0, -1.0], [3.0, -2.0]], [[0.0, 4.0], [0.0, 2.0]]];
    let (most, mean) = model.predict(&x)?;
    assert_eq!(most, array![[[3.0, -1.0]], [[0.0, 4.0]]]);
    assert_eq!(mean, array![[[2.0, -1.5]], [[0.0, 3.0]]]);
    Ok(())
}
