//! Cells that a user wrote, and Keras's cells in `RNN`, against the built-in layers: all go through the
//! same compiler.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurrent::prelude::*;

rnn_cell! {
    /// Keras's GRU with `reset_after`, written by hand.
    pub cell HandwrittenGru(units) {
        param kernel: [input, 3 * units] = glorot_uniform;
        param recurrent_kernel: [units, 3 * units] = orthogonal;
        param bias: [2, 3 * units] = zeros;
        state h: [units];
        let [xz, xr, xh] = split(x @ kernel + bias[0]);
        let [hz, hr, hh] = split(h @ recurrent_kernel + bias[1]);
        let z = sigmoid(xz + hz);
        let r = sigmoid(xr + hr);
        let candidate = tanh(xh + r * hh);
        next h = z * h + (1 - z) * candidate;
        output h;
    }
}

rnn_cell! {
    /// A gated recurrent unit with one gate.
    pub cell MinimalGru(units) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        state h: [units];
        let [f, g] = split(x @ kernel);
        let [uf, ug] = split(h @ recurrent_kernel);
        let f = sigmoid(f + uf);
        next h = f * h + (1 - f) * tanh(g + f * ug);
        output h;
    }
}

const STEPS: usize = 16;
const BATCH: usize = 64;

macro_rules! streams {
    ($criterion:ident, $units:literal: $($name:literal = [$($layer:tt)+]),*) => {{
        let mut group = $criterion.benchmark_group(concat!("cells/stream/", $units));
        group.throughput(Throughput::Elements(1));
        $({
            let model = rnn_model!(Input(_, $units) -> $($layer)+);
            let mut stream = model.stream().expect("the instruction set exists");
            let x: [f32; $units] = common::row(1);
            group.bench_function(BenchmarkId::from_parameter($name), |b| {
                b.iter(|| {
                    black_box(stream.step(black_box(&x)));
                });
            });
        })*
        group.finish();
    }};
}

fn stream(c: &mut Criterion) {
    streams!(c, 32: "GRU" = [GRU(32)], "GRUCell" = [RNN(GRUCell(32))], "HandwrittenGru" = [RNN(HandwrittenGru(32))], "MinimalGru" = [RNN(MinimalGru(32))], "LSTM" = [LSTM(32)], "LSTMCell" = [RNN(LSTMCell(32))]);
    streams!(c, 128: "GRU" = [GRU(128)], "GRUCell" = [RNN(GRUCell(128))], "HandwrittenGru" = [RNN(HandwrittenGru(128))], "MinimalGru" = [RNN(MinimalGru(128))], "LSTM" = [LSTM(128)], "LSTMCell" = [RNN(LSTMCell(128))]);
}

macro_rules! batches {
    ($criterion:ident, $units:literal: $($name:literal = [$($layer:tt)+]),*) => {{
        let mut group = $criterion.benchmark_group(concat!("cells/batch/", $units));
        group.throughput(Throughput::Elements((BATCH * STEPS) as u64));
        let x = common::sequence(BATCH, STEPS, $units);
        $({
            let model = rnn_model!(Input(_, $units) -> $($layer)+);
            group.bench_function(BenchmarkId::from_parameter($name), |b| {
                b.iter(|| black_box(model.predict(black_box(&x))));
            });
        })*
        group.finish();
    }};
}

fn batch(c: &mut Criterion) {
    batches!(c, 128: "GRU" = [GRU(128)], "GRUCell" = [RNN(GRUCell(128))], "HandwrittenGru" = [RNN(HandwrittenGru(128))], "MinimalGru" = [RNN(MinimalGru(128))], "LSTM" = [LSTM(128)], "LSTMCell" = [RNN(LSTMCell(128))]);
}

criterion_group! { name = benches; config = common::criterion(); targets = stream, batch }
criterion_main!(benches);
