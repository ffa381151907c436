//! One long sequence: a single row of 100 steps, which no second thread can help with.

mod common;

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

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru }
criterion_main!(benches);
