//! `cargo +nightly fuzz run cell`: whatever the tokens of a cell are, alone and in a model, no panic, and the same output twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;
use rnn_compiler::{expand_cell, expand_model};

fuzz_target!(|text: &str| {
    twice(text, expand_cell);
    // A cell is checked and differentiated where a model names it.
    for layers in [
        "Input(_, 8) -> RNN(C(4)) -> Dense(2)",
        "Input(_, 2) -> RNN(C())",
    ] {
        twice(
            &format!("@krate(k) @cell(C) {{ {text} }} {layers}"),
            expand_model,
        );
    }
});

fn twice(text: &str, expand: fn(TokenStream) -> TokenStream) {
    if let Ok(tokens) = text.parse::<TokenStream>() {
        let first = expand(tokens.clone()).to_string();
        // No tokens make the compiler contradict itself.
        assert!(!first.contains("RNN0199"), "{text}");
        assert_eq!(first, expand(tokens).to_string());
    }
}
