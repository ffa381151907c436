//! `cargo +nightly fuzz run json`: JSON of RTNeural, AIDA-X, GuitarML and NAM, whatever its bytes are: a model or an error, and no panic.
//! Seeds: tests/formats/amps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnn_formats::read;

fuzz_target!(|data: &[u8]| {
    let _ = read(data, &mut |_| Err(std::io::ErrorKind::NotFound.into()));
});
