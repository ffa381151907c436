//! What leaves the fast path elsewhere: an LSTM with recurrent dropout, noise on its input, `relu`,
//! holes in its mask, layer normalisation, and a user's cell, against the plain one. One thread; a training step is
//! forward and backward.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::{
    cells::*,
    learner::{InputView, Learner, StepSeed, Values},
    prelude::*,
};

const ROWS: usize = 64;
const STEPS: usize = 28;

rnn_cell! {
    /// An LSTM whose gates are coupled, as somebody might write it.
    cell CoupledLstm(units) {
        param kernel: [input, 4 * units] = glorot_uniform;
        param recurrent_kernel: [units, 4 * units] = orthogonal;
        param bias: [4 * units] = zeros;
        state h: [units];
        state c: [units];
        let [i, f, g, o] = split(x @ kernel + h @ recurrent_kernel + bias);
        let keep = sigmoid(f) * (1 - 0.5 * sigmoid(i));
        next c = keep * c + (1 - keep) * tanh(g);
        next h = sigmoid(o) * tanh(c);
        output h;
    }
}

fn variants(c: &mut Criterion) {
    let mut group = c.benchmark_group("variants");
    group.throughput(Throughput::Elements(ROWS as u64));
    let x = common::sequence(ROWS, STEPS, 28);
    // Every fourth step is a hole, at other places in other rows.
    let mut holes = x.clone();
    for ((row, t, _), v) in holes.indexed_iter_mut() {
        if (row + t) % 4 == 0 {
            *v = 0.0;
        }
    }
    let pool = common::threads(1);
    macro_rules! variant {
        ($name:literal, $x:expr, $($model:tt)+) => {{
            let mut model = rnn_model!($($model)+);
            let x = InputView {
                batch: ROWS,
                time: STEPS,
                values: Values::Floats($x.as_slice().expect("in one piece")),
            };
            group.bench_function(BenchmarkId::new("inference", $name), |b| {
                b.iter_custom(|n| {
                    common::timed(&pool, n, &mut || {
                        model.infer(&[black_box(x)]).expect("the shapes fit");
                    })
                });
            });
            let d_output = vec![0.01; ROWS * 10];
            let mut gradients = vec![0.0; model.weights().len()];
            let mut seed = StepSeed::default();
            group.bench_function(BenchmarkId::new("training", $name), |b| {
                b.iter_custom(|n| {
                    common::timed(&pool, n, &mut || {
                        seed.step += 1;
                        model.forward(&[black_box(x)], seed).expect("the shapes fit");
                        model.backward(&[&d_output], &mut gradients).expect("the shapes fit");
                    })
                });
            });
        }};
    }
    variant!("plain", x, Input(28, 28) -> LSTM(64) -> Dense(10));
    variant!("recurrent_dropout", x, Input(28, 28) -> LSTM(64, recurrent_dropout = 0.2) -> Dense(10));
    variant!("gaussian_noise", x, Input(28, 28) -> GaussianNoise(0.1) -> LSTM(64) -> Dense(10));
    variant!("relu", x, Input(28, 28) -> LSTM(64, activation = relu) -> Dense(10));
    variant!("mask_with_holes", holes, Input(28, 28) -> Masking(0.0) -> LSTM(64) -> Dense(10));
    variant!("layer_norm", x, Input(28, 28) -> RNN(LayerNormLstm(64)) -> Dense(10));
    variant!("own_cell", x, Input(28, 28) -> RNN(CoupledLstm(64)) -> Dense(10));
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = variants }
criterion_main!(benches);
