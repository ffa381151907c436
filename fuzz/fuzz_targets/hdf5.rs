//! `cargo +nightly fuzz run hdf5`: `.h5` of Keras, models and weights, whatever its bytes are: a model or an error, and no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{after, whole};
use rnn_formats::{hdf5::File, keras};

fuzz_target!(|data: &[u8]| {
    match rnn_formats::hdf5::is_hdf5(data) {
        true => whole(data),
        false => after(data.len(), keras::read(data)),
    }
    // Also what no model of Keras names.
    let Ok(file) = File::open(data) else {
        return;
    };
    let nodes = file.root().and_then(|root| root.walk());
    for node in nodes.unwrap_or_default() {
        let _ = node.attributes();
        let _ = node.tensor();
    }
});
