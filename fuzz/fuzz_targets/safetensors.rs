//! `cargo +nightly fuzz run safetensors`: a file of safetensors, whatever its bytes are: a model or an error, and no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{after, whole};
use rnn_formats::safetensors;

fuzz_target!(|data: &[u8]| {
    let _ = safetensors::state_dict(data);
    after(data.len(), safetensors::read(data));
    whole(data);
});
