//! Which instruction set a model runs on.

use recurrent::{Isa, prelude::*};

/// The one that the environment names, if it does: CI may.
fn named() -> Option<String> {
    std::env::var("RECURRENT_ISA")
        .ok()
        .filter(|v| !v.is_empty())
}

fn expect(model: &impl Model, lanes: usize) {
    let isa = model.isa().unwrap();
    match named() {
        Some(name) => assert_eq!(isa.name(), name),
        None => {
            let widest = |isa: &&Isa| isa.lanes() <= lanes;
            let best = Isa::available().iter().rev().find(widest);
            assert_eq!(Some(&isa), best, "{}", model.summary());
        }
    }
}

#[test]
fn half_of_a_vector_is_not_left_empty() {
    expect(&rnn_model!(Input(_, 1) -> LSTM(4)), 8);
    expect(&rnn_model!(Input(_, 1) -> LSTM(8) -> Dense(1)), 8);
    expect(&rnn_model!(Input(_, 8) -> GRU(8) -> Dense(10)), 8);
    expect(&rnn_model!(Input(_, 8) -> GRU(12)), usize::MAX);
    expect(&rnn_model!(Input(_, 1) -> LSTM(16) -> Dense(1)), usize::MAX);
    expect(
        &rnn_model!(Input(_, 1) -> LSTM(64, return_sequences) -> LSTM(8)),
        usize::MAX,
    );
    // Nothing is multiplied by a matrix.
    expect(&rnn_model!(Input(_, 20) -> Activation(tanh)), usize::MAX);
}

#[test]
fn what_is_set_runs() {
    let mut model = rnn_model!(Input(_, 3) -> LSTM(8) -> Dense(2));
    let x = ndarray::Array3::from_shape_fn((5, 7, 3), |(i, t, f)| {
        ((i * 7 + t) * 3 + f) as f32 * 0.01 - 0.5
    });
    let first = model.predict(&x).unwrap();
    for &isa in Isa::available() {
        model.set_isa(isa);
        assert_eq!(model.isa().unwrap(), isa);
        let y = model.predict(&x).unwrap();
        let off = (&y - &first).iter().fold(0.0f32, |m, d| m.max(d.abs()));
        assert!(off <= 1e-6, "{isa}: {off:e}");
    }
}
