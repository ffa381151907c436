//! `cargo +nightly fuzz run torch`: a pickle of PyTorch, whatever its bytes are: a model or an error, and no panic.
//! Seeds: tests/formats/torch/*.legacy.pt, and data.pkl of the others.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnn_formats::torch;

fuzz_target!(|data: &[u8]| {
    let _ = torch::read(data);
});
