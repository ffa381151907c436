//! `cargo +nightly fuzz run model`: whatever the tokens are, no panic, and the same output twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

fuzz_target!(|text: &str| {
    if let Ok(tokens) = text.parse::<TokenStream>() {
        let first = rnn_compiler::expand_model(tokens.clone());
        // No tokens make the compiler contradict itself.
        assert!(!first.to_string().contains("RNN0199"), "{text}");
        assert_eq!(
            first.to_string(),
            rnn_compiler::expand_model(tokens).to_string()
        );
    }
});
