//! A training step: forward, loss, backward, optimizer. Throughput is in samples.

mod common;

use std::hint::black_box;

use common::step::Step;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::{
    learner::{InputView, Values},
    prelude::*,
};

fn training(c: &mut Criterion) {
    let mut group = c.benchmark_group("training");
    macro_rules! steps {
        ($name:literal, $batch:literal, $x:expr, $model:expr) => {{
            let x = $x;
            group.throughput(Throughput::Elements($batch));
            for threads in [1, 2] {
                let mut step = Step::new($model, $batch, 10).expect("the options make sense");
                let pool = common::threads(threads);
                group.bench_function(BenchmarkId::new($name, threads), |b| {
                    b.iter_custom(|n| {
                        let mut run = || step.run(black_box(x)).expect("the shapes fit");
                        common::timed(&pool, n, &mut run)
                    });
                });
            }
        }};
    }

    let images = common::sequence(64, 28, 28);
    let images = InputView {
        batch: 64,
        time: 28,
        values: Values::Floats(images.as_slice().expect("in one piece")),
    };
    steps!(
        "mnist-LSTM64",
        64,
        images,
        rnn_model!(Input(28, 28) -> LSTM(64) -> Dense(10))
    );
    steps!(
        "mnist-GRU64",
        64,
        images,
        rnn_model!(Input(28, 28) -> GRU(64) -> Dense(10))
    );

    let words = common::ids(32, 50, 1000);
    let words = InputView {
        batch: 32,
        time: 50,
        values: Values::Ids(words.as_slice().expect("in one piece")),
    };
    steps!(
        "emb-LSTM128",
        32,
        words,
        rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10))
    );

    let digits = common::sequence(32, 8, 8);
    let digits = InputView {
        batch: 32,
        time: 8,
        values: Values::Floats(digits.as_slice().expect("in one piece")),
    };
    steps!(
        "digits",
        32,
        digits,
        rnn_model!(Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10))
    );
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = training }
criterion_main!(benches);
