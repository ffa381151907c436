//! `cargo +nightly fuzz run json`: JSON of RTNeural, AIDA-X, GuitarML and NAM, whatever its bytes are: a model or an error, and
//! no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{after, whole};
use rnn_formats::{guitarml, nam, rtneural};

fuzz_target!(|data: &[u8]| {
    whole(data);
    // Each reader has files of the others to refuse.
    after(data.len(), rtneural::read(data));
    after(data.len(), guitarml::read(data));
    after(data.len(), nam::read(data));
    let _ = guitarml::state_dict(data);
});
