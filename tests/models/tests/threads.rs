//! The copies, sums and draws between the cells are divided among threads: the same bits on any
//! number of them.

use ndarray::{Array2, Array3};
use recurrent::{
    learner::{InputView, Learner, StepSeed, Values},
    model::Model,
    prelude::*,
};

/// Rows, steps and features: so many numbers that every copy of them is worth several threads.
const SHAPE: (usize, usize, usize) = (301, 16, 24);

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// All that a step of training computes: outputs, penalty, gradients, moving statistics.
fn step<M: Model>(mut model: M, threads: usize) -> Vec<Vec<u32>> {
    let x = Array3::from_shape_fn(SHAPE, |(b, t, i)| {
        let hash = ((b * 16 + t) * 24 + i + 1).wrapping_mul(0x9E37_79B9) >> 7 & 0xFFFF;
        hash as f32 / 32768.0 - 1.0
    });
    let view = InputView {
        batch: SHAPE.0,
        time: SHAPE.1,
        values: Values::Floats(x.as_slice().unwrap()),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(|| {
        model.want_input_gradient(true);
        let mut gradients = vec![0.0; model.weights().len()];
        model
            .forward(&[view], StepSeed { seed: 5, step: 6 })
            .unwrap();
        let y = model.output(0).to_vec();
        let d: Vec<f32> = y.iter().map(|y| 0.5 - y).collect();
        model.backward(&[&d], &mut gradients).unwrap();
        let dx = model.input_gradient(0).unwrap();
        let penalty = [model.penalty()];
        [&y[..], &penalty, &gradients, dx, model.weights()]
            .map(bits)
            .to_vec()
    })
}

fn same_on_any_number_of_threads<M: Model>(model: impl Fn() -> M) {
    let one = step(model(), 1);
    assert!(one[3].iter().any(|&dx| dx != 0));
    for threads in [2, 3, 8] {
        assert!(step(model(), threads) == one, "{threads} threads");
    }
}

#[test]
fn noise_and_statistics() {
    same_on_any_number_of_threads(|| {
        rnn_model!(Input(_, 24) -> GaussianNoise(0.1) -> SpatialDropout1D(0.2) -> BatchNormalization
            -> Dropout(0.3) -> LSTM(4, recurrent_dropout = 0.2))
    });
}

#[test]
fn turned_added_and_reshaped() {
    same_on_any_number_of_threads(|| {
        rnn_model! {
            input x: [16, 24];
            let turned = x -> GRU(24, return_sequences, go_backwards, activity_regularizer = l1_l2(0.01, 0.02));
            let sum = (x, turned) -> Add;
            let both = sum -> Bidirectional(SimpleRNN(12, return_sequences));
            output y = both -> Permute(2, 1) -> Reshape(12, 32) -> SimpleRNN(3);
        }
    });
}

/// What is known of a model's masks before it runs: rows are divided by it.
fn masks<M: Model>(_: &M) -> String {
    format!("{:?}", M::INFO.input_masks)
}

/// Rows of other lengths, by a mask that is given, by ids and by a value: divided by steps.
#[test]
fn masked_rows_in_inference() {
    const ROWS: usize = 61;
    let given = rnn_model! {
        input x: [time, 8];
        input real: mask[time];
        output y = x -> LSTM(40, mask = real) -> Dense(3);
    };
    let by_ids = rnn_model!(Embedding(20, 8, mask_zero) -> LSTM(40) -> Dense(3));
    let by_value = rnn_model!(Input(_, 8) -> Masking(-1) -> LSTM(40) -> Dense(3));
    assert_eq!(masks(&given), "[InputMask { input: 1, rule: Given }]");
    assert_eq!(masks(&by_ids), "[InputMask { input: 0, rule: NonZeroId }]");
    assert_eq!(
        masks(&by_value),
        "[InputMask { input: 0, rule: DiffersFrom(-1.0) }]"
    );
    let x = Array3::from_shape_fn((ROWS, 50, 8), |(b, t, i)| ((b + t * i) % 7) as f32 / 7.0);
    let real = Array2::from_shape_fn((ROWS, 50), |(b, t)| t < 50 - b / 2);
    let ids = real.mapv(u32::from) * 3;
    let padded = Array3::from_shape_fn((ROWS, 50, 8), |(b, t, i)| match real[[b, t]] {
        true => x[[b, t, i]],
        false => -1.0,
    });
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let batches = [
                given.predict((&x, &real)).unwrap(),
                by_ids.predict(&ids).unwrap(),
                by_value.predict(&padded).unwrap(),
            ];
            batches.map(|y| bits(y.as_slice().unwrap()))
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

/// No mask of an input: what another layer gives is not known before.
#[test]
fn masks_of_what_layers_give_are_not_known_before() {
    let model = rnn_model!(Input(_, 8) -> Dense(4) -> Masking -> LSTM(3));
    assert_eq!(masks(&model), "[]");
    let model = rnn_model! {
        input a: [time, 2];
        input b: [time, 2];
        layer real = Masking(0.5);
        let ra = a -> real;
        let rb = b -> real;
        output y = (ra, rb) -> Concatenate -> GRU(3);
    };
    assert_eq!(
        masks(&model),
        "[InputMask { input: 0, rule: DiffersFrom(0.5) }, InputMask { input: 1, rule: DiffersFrom(0.5) }]"
    );
    // One mask of an input counts once.
    let model = rnn_model! {
        input a: [time, 2];
        let left = a -> Masking -> GRU(3);
        let right = a -> Masking -> LSTM(3);
        output y = (left, right) -> Add;
    };
    assert_eq!(
        masks(&model),
        "[InputMask { input: 0, rule: DiffersFrom(0.0) }]"
    );
}
