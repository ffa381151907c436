//! `cargo +nightly fuzz run onnx`: an ONNX graph, whatever its bytes are: a model or an error, and no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{after, alone};
use rnn_formats::onnx;

fuzz_target!(|data: &[u8]| after(data.len(), onnx::read(data, &mut alone)));
