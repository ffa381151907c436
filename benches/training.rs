//! A training step: forward, loss, backward, optimizer. Throughput is in samples.

use std::hint::black_box;

use common::step::Step;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::{
    learner::{InputView, Values},
    prelude::*,
    train::{Predictions, TargetView},
};

fn training(c: &mut Criterion) {
    let mut group = c.benchmark_group("training");
    macro_rules! steps {
        ($name:literal, $batch:literal, $x:expr, $model:expr) => {
            steps!($name, $batch, 1, 10, $x, $model)
        };
        ($name:literal, $batch:literal, $steps:literal, $classes:literal, $x:expr, $model:expr) => {{
            let x = $x;
            let rows = $batch * $steps;
            group.throughput(Throughput::Elements($batch));
            for threads in [1, 2] {
                let mut step = Step::new($model, rows, $classes).expect("the options make sense");
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

    // A language model: most of the step is the choice among many words.
    let text = common::ids(32, 20, 5000);
    let text = InputView {
        batch: 32,
        time: 20,
        values: Values::Ids(text.as_slice().expect("in one piece")),
    };
    steps!(
        "5000-words",
        32,
        20,
        5000,
        text,
        rnn_model!(Embedding(5000, 64) -> GRU(64, return_sequences) -> Dense(5000))
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

/// The loss and its gradient alone, of 32 texts of 20 words out of 5000.
fn loss(c: &mut Criterion) {
    let (rows, classes) = (32 * 20, 5000);
    let logits = common::sequence(rows, 1, classes);
    let logits = logits.as_slice().expect("in one piece");
    let labels = common::labels(rows, classes as u32);
    let predictions = Predictions::new(logits, classes, TargetView::Labels(&labels), None);
    let predictions = predictions.expect("as many labels as rows");
    let mut gradient = vec![0.0; logits.len()];
    let mut group = c.benchmark_group("loss");
    group.throughput(Throughput::Elements(logits.len() as u64));
    for threads in [1, 2] {
        let pool = common::threads(threads);
        group.bench_function(BenchmarkId::new("5000-words", threads), |b| {
            let loss = SparseCategoricalCrossentropy::from_logits();
            b.iter_custom(|n| {
                let mut run = || loss.mean(&predictions, Some(&mut gradient));
                common::timed(&pool, n, &mut run)
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = training, loss }
criterion_main!(benches);
