//! A scan over a short sequence as straight-line code against the loop.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::prelude::*;

/// Features of the input: few, so that the scan and not the input's product is what is timed.
const FEATURES: usize = 8;

macro_rules! scans {
    ($criterion:ident, $layer:ident, $units:literal: $($steps:literal),*) => {{
        let mut group =
            $criterion.benchmark_group(concat!("unroll/", stringify!($layer), "(", $units, ")"));
        // One model for every length: the loop is the same code, and models cost time to build.
        let looped = rnn_model!(Input(_, FEATURES) -> $layer($units, unroll = false));
        $(
            let unrolled = rnn_model!(Input($steps, FEATURES) -> $layer($units, unroll = true));
            for batch in [1, 32] {
                let x = common::sequence(batch, $steps, FEATURES);
                let case = format!("T={}, B={batch}", $steps);
                group.throughput(Throughput::Elements((batch * $steps) as u64));
                group.bench_function(BenchmarkId::new("looped", &case), |b| {
                    b.iter(|| black_box(looped.predict(black_box(&x))));
                });
                group.bench_function(BenchmarkId::new("unrolled", &case), |b| {
                    b.iter(|| black_box(unrolled.predict(black_box(&x))));
                });
            }
        )*
        group.finish();
    }};
}

fn lstm(c: &mut Criterion) {
    scans!(c, LSTM, 8: 4, 8, 16, 32);
    scans!(c, LSTM, 32: 4, 8, 16, 32);
    scans!(c, LSTM, 64: 4, 8, 16, 32);
}

fn gru(c: &mut Criterion) {
    scans!(c, GRU, 8: 4, 8, 16, 32);
    scans!(c, GRU, 32: 4, 8, 16, 32);
    scans!(c, GRU, 64: 4, 8, 16, 32);
}

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru }
criterion_main!(benches);
