//! The compiler itself: from the tokens of a model to the tokens of its program.
//!
//! Rust's own lexer and the compilation of what comes out are not in it. The bound is 20 ms for
//! the model of three layers. Here the compiler is optimised; a program's `dev` profile builds its
//! macros without, unless `[profile.dev.build-override]` says otherwise, and then it is several
//! times slower.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proc_macro2::TokenStream;

const MODELS: [(&str, &str); 8] = [
    ("Dense", "Input(8) -> Dense(10)"),
    ("SimpleRNN", "Input(_, 8) -> SimpleRNN(64)"),
    ("GRU", "Input(_, 8) -> GRU(64)"),
    (
        "GRU without reset_after",
        "Input(_, 8) -> GRU(64, reset_after = false)",
    ),
    ("LSTM", "Input(_, 8) -> LSTM(64)"),
    ("unrolled LSTM", "Input(32, 8) -> LSTM(64, unroll = true)"),
    (
        "three layers",
        "Embedding(1000, 64) -> LSTM(128) -> Dense(10)",
    ),
    (
        "stacked",
        "Input(28, 28) -> LSTM(64, return_sequences) -> Dropout(0.2) -> GRU(64, return_sequences) \
         -> BatchNormalization -> LSTM(32) -> Dense(32, activation = relu) -> Dense(10)",
    ),
];

fn expansion(c: &mut Criterion) {
    let mut group = c.benchmark_group("expansion");
    for (name, text) in MODELS {
        let tokens: TokenStream = format!("@krate(::recurrent::__private_0_1) {text}")
            .parse()
            .expect("the model is made of tokens");
        let code = rnn_compiler::expand_model(tokens.clone()).to_string();
        assert!(!code.contains("compile_error"), "{name}: {code}");
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| black_box(rnn_compiler::expand_model(black_box(tokens.clone()))));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = expansion }
criterion_main!(benches);
