//! `cargo +nightly fuzz run onnx`: an ONNX graph, whatever its bytes are: a model or an error, and no panic.
//! Seeds: the models in tests/formats/onnx/*.safetensors.z.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnn_formats::onnx;

fuzz_target!(|data: &[u8]| {
    let _ = onnx::read(data, &mut |_| Err(std::io::ErrorKind::NotFound.into()));
});
