//! `cargo +nightly fuzz run keras`: `config.json` of a `.keras`, whatever it is, beside the weights of a real model: a model or
//! an error, and no panic. The first byte of the input chooses the model, the rest is the configuration.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::{packed, unpacked, whole};

type Files = Vec<(String, Vec<u8>)>;

static MODELS: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let packs: [&[u8]; 2] = [
        include_bytes!("../../tests/formats/keras/keras.zip"),
        include_bytes!("../../tests/formats/keras/tf_keras.zip"),
    ];
    let models = packs.iter().flat_map(|pack| unpacked(pack, ".keras"));
    models.map(|(_, bytes)| unpacked(&bytes, "")).collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((model, config)) = data.split_first() else {
        return;
    };
    let Some(mut files) = MODELS.get(usize::from(*model)).cloned() else {
        return;
    };
    for (name, contents) in &mut files {
        if name == "config.json" {
            *contents = config.to_vec();
        }
    }
    if let Some(bytes) = packed(&files) {
        whole(&bytes);
    }
});
