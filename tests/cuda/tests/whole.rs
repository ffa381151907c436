//! Whole models on a device: a cell that knows nothing of CUDA, and digits read by the model of the example.

use std::{fs, path::Path, thread};

use ndarray::Array3;
use recurrent::{
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_cell, rnn_model,
};
use recurrent_test_cuda::{device, numbers, reorder};

rnn_cell! {
    /// Two recurrent products, of which one reads what the other gave, and sums over units.
    cell Whitened(units) {
        param kernel: [input, units] = glorot_uniform;
        param first: [units, units] = orthogonal;
        param second: [units, units] = orthogonal;
        param bias: [units] = zeros;
        state h: [units];
        let a = tanh(x @ kernel + h @ first + bias);
        let white = a / sqrt(mean(a * a) + 0.01);
        let gate = sigmoid(white @ second);
        next h = gate * h + (1 - gate) * white;
        output h;
    }
}

fn close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let bound = tolerance * e.abs().max(1.0);
        assert!((f - e).abs() <= bound, "{what}: {f} for {e} at {i}");
    }
}

/// Outputs, gradients of weights and of the input, of a batch on the CPU and on a device.
fn compare<M: Model + Learner>(
    make: impl Fn() -> M,
    device: &Device,
    shape: [usize; 3],
    outputs: usize,
) {
    let [batch, time, features] = shape;
    let x = numbers(batch * time * features, 5);
    let inputs = [InputView {
        batch,
        time,
        values: Values::Floats(&x),
    }];
    let run = |mut model: M| {
        model.want_input_gradient(true);
        model.infer(&inputs).unwrap();
        let inference = model.output(0).to_vec();
        model
            .forward(&inputs, StepSeed { seed: 3, step: 1 })
            .unwrap();
        let d = numbers(batch * outputs, 9);
        let mut gradients = vec![f32::NAN; Learner::weights(&model).len()];
        model.backward(&[&d], &mut gradients).unwrap();
        let input = model.input_gradient(0).unwrap().to_vec();
        (inference, model.output(0).to_vec(), gradients, input)
    };
    let near = run(make());
    for seed in 0..3 {
        reorder(seed);
        let far = run(make().to(device).unwrap());
        close(&far.0, &near.0, 1e-5, "inference");
        close(&far.1, &near.1, 1e-5, "training");
        close(&far.2, &near.2, 1e-4, "gradients");
        close(&far.3, &near.3, 1e-4, "the gradient of the input");
    }
    reorder(0);
}

/// Sizes that fill no warp, one, and several; more rows than a block of a persistent kernel has.
#[test]
fn a_cell_needs_no_cuda() {
    let Some(device) = device() else { return };
    let small = || rnn_model!(Input(_, 3) -> RNN(Whitened(5)) -> Dense(2));
    compare(small, &device, [1, 1, 3], 2);
    compare(small, &device, [6, 4, 3], 2);
    // More than there are multiprocessors: blocks of several rows.
    compare(small, &device, [139, 2, 3], 2);
    let several = || rnn_model!(Input(_, 7) -> RNN(Whitened(40)) -> Dense(2));
    compare(several, &device, [5, 3, 7], 2);
}

/// Several threads infer on one model, with batches of several sizes, from its first batch on: the bits of one thread that has a
/// model of its own.
#[test]
fn threads_infer_on_one_model() {
    let Some(device) = device() else { return };
    let make = || {
        let model = rnn_model!(Input(_, 3) -> GRU(5) -> Dense(2));
        model.to(&device).unwrap()
    };
    // One more than there are multiprocessors, so that other kernels are compiled while threads infer.
    let batches: Vec<Array3<f32>> = [1, 133, 4, 9]
        .into_iter()
        .map(|rows| {
            let x = numbers(rows * 4 * 3, rows as u64);
            Array3::from_shape_vec((rows, 4, 3), x).unwrap()
        })
        .collect();
    let alone = make();
    let expected: Vec<_> = batches.iter().map(|x| alone.predict(x).unwrap()).collect();
    let shared = make();
    thread::scope(|scope| {
        for first in 0..batches.len() {
            let (shared, batches, expected) = (&shared, &batches, &expected);
            scope.spawn(move || {
                // Often enough for a batch's kernels to be recorded.
                for i in 0..5 * batches.len() {
                    let one = (first + i) % batches.len();
                    let found = shared.predict(&batches[one]).unwrap();
                    assert!(found == expected[one], "batch {one}, thread {first}");
                }
            });
        }
    });
}

/// A model is dropped by a thread that has never used the device, and nobody else sees anything of it.
#[test]
fn a_model_is_dropped_by_another_thread() {
    let Some(device) = device() else { return };
    let make = || rnn_model!(Input(_, 3) -> GRU(5) -> Dense(2)).to(&device);
    let x = Array3::from_shape_vec((4, 4, 3), numbers(48, 1)).unwrap();
    let stays = make().unwrap();
    let expected = stays.predict(&x).unwrap();
    let goes = make().unwrap();
    // Often enough to be recorded.
    for _ in 0..4 {
        assert_eq!(goes.predict(&x).unwrap(), expected);
    }
    thread::spawn(move || drop(goes)).join().unwrap();
    assert_eq!(stays.predict(&x).unwrap(), expected);
    assert_eq!(make().unwrap().predict(&x).unwrap(), expected);
}

const FILE: &str = "../../examples/data/digits.csv";

/// So many of the example's digits: pixels of 0 to 16, then the label.
fn digits(count: usize) -> Dataset {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    // On a machine that this program was carried to, beside the folder of its package.
    let text = fs::read_to_string(path).or_else(|_| fs::read_to_string(FILE));
    let text = text.unwrap();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines().take(count) {
        let row: Vec<u32> = line.split(',').map(|n| n.trim().parse().unwrap()).collect();
        pixels.extend(row[..64].iter().map(|p| *p as f32 / 16.0));
        labels.push(row[64]);
    }
    let images = Array3::from_shape_vec((labels.len(), 8, 8), pixels).unwrap();
    Dataset::new(&images, &labels).unwrap()
}

/// Two epochs on the CPU and on the device: the same curve; and the same bits in every run, in whatever order blocks and
/// warps come.
#[test]
fn digits_are_learnt_as_on_the_cpu() {
    two_epochs(&digits(320));
}

/// A minute for each of five runs; `cargo xtask check slow` runs it.
#[test]
#[ignore = "minutes on the stand-in"]
fn all_digits_are_learnt_as_on_the_cpu() {
    let all = digits(usize::MAX);
    assert_eq!(all.len(), 1797);
    two_epochs(&all);
}

fn two_epochs(data: &Dataset) {
    let Some(device) = device() else { return };
    let make = || rnn_model!(Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10));
    let train = |model: &mut dyn Trains| model.train(data);
    let mut near = make();
    let expected = train(&mut near);
    let mut first: Option<Vec<u32>> = None;
    for seed in [0, 0, 1, 2] {
        reorder(seed);
        let mut far = make().to(&device).unwrap();
        let found = train(&mut far);
        for name in ["loss", "val_loss"] {
            for (f, e) in found.get(name).iter().zip(expected.get(name)) {
                assert!((f - e).abs() <= 1e-4, "{name}: {f} for {e}");
            }
            assert_eq!(found.get(name).len(), 2);
        }
        let bits: Vec<u32> = Learner::weights(&far).iter().map(|w| w.to_bits()).collect();
        match &first {
            Some(first) => assert!(*first == bits, "other weights under seed {seed}"),
            None => first = Some(bits),
        }
    }
    reorder(0);
}

/// A model that is trained.
trait Trains {
    fn train(&mut self, data: &Dataset) -> History;
}

impl<M: Model + Learner> Trains for M {
    fn train(&mut self, data: &Dataset) -> History {
        let fit = Fit {
            epochs: 2,
            batch_size: 32,
            validation_split: 0.2,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        Trainer::new(self)
            .optimizer(Adam::new(0.005))
            .loss(SparseCategoricalCrossentropy::from_logits())
            .metric(Accuracy)
            .fit(data, fit)
            .unwrap()
    }
}
