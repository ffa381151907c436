//! A step of a stream, from a state that moves: the next step waits for this one, as it does in use.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::{Isa, prelude::*};

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

/// Every instruction set, at sizes about that of a vector: which one such a model runs on by itself
/// (`Model::isa`) is chosen by these figures.
fn instruction_sets(c: &mut Criterion) {
    macro_rules! sets {
        ($($units:literal),*) => {{
            let mut group = c.benchmark_group("stream/instruction_sets");
            group.throughput(Throughput::Elements(1));
            let rows: [[f32; 8]; ROWS] = std::array::from_fn(common::row);
            $(for &isa in Isa::available() {
                let mut model = rnn_model!(Input(_, 8) -> LSTM($units));
                model.set_isa(isa);
                let mut stream = model.stream().expect("it is set");
                let mut t = 0;
                group.bench_function(BenchmarkId::new(concat!("lstm", $units), isa), |b| {
                    b.iter(|| {
                        t = (t + 1) % ROWS;
                        black_box(stream.step(black_box(&rows[t])));
                    });
                });
            })*
            group.finish();
        }};
    }
    sets!(4, 8, 12, 16, 24);
}

/// A state that has decayed beside one that moves: gates that keep `c` for ever, which starts at 1e-40.
fn decayed(c: &mut Criterion) {
    let mut group = c.benchmark_group("stream/decayed");
    group.throughput(Throughput::Elements(1));
    for &isa in Isa::available() {
        for (name, start, x) in [("moving", 0.0, 0.1), ("decayed", 1e-40, 0.0)] {
            let mut model = rnn_model!(Input(_, 1) -> LSTM(16) -> Dense(1));
            model.set_isa(isa);
            let bias = model.param_mut("lstm/bias").expect("an LSTM has one").1;
            if start != 0.0 {
                // Gates i, f.
                bias[..16].fill(-1000.0);
                bias[16..32].fill(1000.0);
            }
            let mut stream = model.stream().expect("the instruction set exists");
            stream
                .state_mut("lstm", "c")
                .expect("an LSTM has one")
                .fill(start);
            group.bench_function(BenchmarkId::new(name, isa), |b| {
                b.iter(|| {
                    black_box(stream.step(black_box(&[x])));
                });
            });
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = lstm, gru, instruction_sets, decayed }
criterion_main!(benches);
