//! `cargo +nightly fuzz run zip`: an archive, and `.keras` and `.pt` in it, whatever its bytes are: a model or an error, and no
//! panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurrent_fuzz::whole;
use rnn_formats::zip::Archive;

fuzz_target!(|data: &[u8]| {
    if let Ok(archive) = Archive::open(data) {
        for name in archive.names().map(str::to_owned).collect::<Vec<_>>() {
            let _ = archive.read(&name);
        }
    }
    whole(data);
});
