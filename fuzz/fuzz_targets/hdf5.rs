//! `cargo +nightly fuzz run hdf5`: `.h5` of Keras, models and weights, whatever its bytes are: a model or an error, and no panic.
//! Seeds: the `.h5` in tests/formats/keras/keras.zip and plain.zip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnn_formats::keras;

fuzz_target!(|data: &[u8]| {
    let _ = keras::read(data);
});
