//! `cargo +nightly fuzz run safetensors`: a file of safetensors, whatever its bytes are: a model or an error, and no panic.
//! Seeds: tests/formats/torch/*.safetensors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnn_formats::safetensors;

fuzz_target!(|data: &[u8]| {
    let _ = safetensors::read(data);
    let _ = safetensors::state_dict(data);
});
