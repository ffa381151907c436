//! A step of a stream, from a state that moves: the next step waits for this one, as it does in use.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::prelude::*;

/// Input rows that are taken in turn.
const ROWS: usize = 16;

macro_rules! steps {
    ($criterion:ident, $layer:ident: $($inputs:literal -> $units:literal),*) => {{
        let mut group = $criterion.benchmark_group(concat!("stream/", stringify!($layer)));
        group.throughput(Throughput::Elements(1));
        $({
            let model = rnn_model!(Input(_, $inputs) -> $layer($units));
            let rows: [[f32; $inputs]; ROWS] = std::array::from_fn(common::row);
            let mut stream = model.stream().expect("the instruction set exists");
            let mut t = 0;
            group.bench_function(BenchmarkId::from_parameter(concat!($inputs, "->", $units)), |b| {
                b.iter(|| {
                    t = (t + 1) % ROWS;
                    black_box(stream.step(black_box(&rows[t])));
                });
            });
        })*
        group.finish();
    }};
}

fn lstm(c: &mut Criterion) {
    steps!(c, LSTM: 1 -> 8, 1 -> 16, 1 -> 32, 1 -> 64, 8 -> 8, 16 -> 16, 32 -> 32, 64 -> 64, 64 -> 128, 128 -> 128);
}

fn gru(c: &mut Criterion) {
    steps!(c, GRU: 1 -> 8, 1 -> 16, 1 -> 32, 1 -> 64, 8 -> 8, 16 -> 16, 32 -> 32, 64 -> 64, 64 -> 128, 128 -> 128);
}

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru }
criterion_main!(benches);
