//! Batches of sequences, on one thread and on two. Throughput is in rows times steps.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::prelude::*;

/// Rows and steps. (1, 100) stands here too, to be compared with the others in one run.
const CASES: [(usize, usize); 4] = [(1, 100), (16, 16), (64, 16), (64, 100)];

macro_rules! batches {
    ($criterion:ident, $layer:ident: $($units:literal),*) => {{
        let mut group = $criterion.benchmark_group(concat!("batch/", stringify!($layer)));
        $({
            let model = rnn_model!(Input(_, $units) -> $layer($units, return_sequences));
            for (batch, steps) in CASES {
                let x = common::sequence(batch, steps, $units);
                group.throughput(Throughput::Elements((batch * steps) as u64));
                for threads in [1, 2] {
                    let case = format!("B={batch}, T={steps}, {threads} thread(s)");
                    let pool = common::threads(threads);
                    group.bench_function(BenchmarkId::new(stringify!($units), case), |b| {
                        b.iter_custom(|n| {
                            common::timed(&pool, n, &mut || model.predict(black_box(&x)))
                        });
                    });
                }
            }
        })*
        group.finish();
    }};
}

fn lstm(c: &mut Criterion) {
    batches!(c, LSTM: 64, 128, 256);
}

fn gru(c: &mut Criterion) {
    batches!(c, GRU: 64, 128, 256);
}

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru }
criterion_main!(benches);
