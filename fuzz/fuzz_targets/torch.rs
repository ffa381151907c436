//! `cargo +nightly fuzz run torch`: pickles of PyTorch, whatever their bytes are: a model or an error, and no panic. The input is
//! a file before PyTorch 1.6, and also `data.pkl` in an archive of today's with sixteen storages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{after, packed, whole};
use rnn_formats::torch;

fuzz_target!(|data: &[u8]| {
    after(data.len(), torch::read(data));
    let numbers: Vec<u8> = (0..64_u16)
        .flat_map(|n| (f32::from(n) / 64.0).to_le_bytes())
        .collect();
    let storages = (0..16).map(|n| (format!("a/data/{n}"), numbers.clone()));
    let pickle = ("a/data.pkl".to_owned(), data.to_vec());
    let files: Vec<_> = std::iter::once(pickle).chain(storages).collect();
    if let Some(bytes) = packed(&files) {
        whole(&bytes);
    }
});
