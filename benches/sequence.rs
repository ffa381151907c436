//! One long sequence: a single row, which a second thread can help with only where two things do not
//! depend on each other: the directions of `Bidirectional`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::prelude::*;

const STEPS: usize = 100;

macro_rules! sequences {
    ($criterion:ident, $layer:ident: $($units:literal),*) => {{
        let mut group = $criterion.benchmark_group(concat!("sequence/", stringify!($layer)));
        group.throughput(Throughput::Elements(STEPS as u64));
        $({
            let model = rnn_model!(Input(_, $units) -> $layer($units, return_sequences));
            let x = common::sequence(1, STEPS, $units);
            group.bench_function(BenchmarkId::from_parameter($units), |b| {
                b.iter(|| black_box(model.predict(black_box(&x))));
            });
        })*
        group.finish();
    }};
}

fn lstm(c: &mut Criterion) {
    sequences!(c, LSTM: 64, 128, 256);
}

fn gru(c: &mut Criterion) {
    sequences!(c, GRU: 64, 128, 256);
}

/// One direction and two, by threads.
fn directions(c: &mut Criterion) {
    const STEPS: usize = 200;
    let mut group = c.benchmark_group("sequence/directions");
    group.throughput(Throughput::Elements(STEPS as u64));
    let x = common::sequence(1, STEPS, 128);
    let one = rnn_model!(Input(_, 128) -> LSTM(128, return_sequences));
    let two = rnn_model!(Input(_, 128) -> Bidirectional(LSTM(128, return_sequences)));
    for threads in [1, 2] {
        let pool = common::threads(threads);
        group.bench_function(BenchmarkId::new("LSTM", threads), |b| {
            b.iter_custom(|n| common::timed(&pool, n, &mut || one.predict(black_box(&x))));
        });
        group.bench_function(BenchmarkId::new("Bidirectional", threads), |b| {
            b.iter_custom(|n| common::timed(&pool, n, &mut || two.predict(black_box(&x))));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru, directions }
criterion_main!(benches);
