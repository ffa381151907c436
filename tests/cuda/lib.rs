//! What tests of a device have in common.

use std::{env, ops::Deref, sync::OnceLock};

use recurrent::prelude::Device;

#[cfg(feature = "cuda")]
#[path = "../support/device.rs"]
pub mod named;
#[cfg(not(feature = "cuda"))]
#[path = "../support/skip.rs"]
mod skip;

#[cfg(feature = "cuda")]
use named::skip;

/// The device of a test. What the stand-in finds fails the test.
pub struct Tested(&'static Device);

impl Deref for Tested {
    type Target = Device;
    fn deref(&self) -> &Device {
        self.0
    }
}

#[cfg(feature = "cuda")]
impl Drop for Tested {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            named::check_device();
        }
    }
}

/// The device that RECURRENT_TEST_DEVICE names, or the first GPU; `None`, with the reason printed, where there is none.
pub fn device() -> Option<Tested> {
    #[cfg(feature = "cuda")]
    if env::var_os("RECURRENT_TEST_DEVICE").is_some() {
        return named::device().map(Tested);
    }
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    let found = DEVICE.get_or_init(|| match Device::cuda(0) {
        Ok(device) => Some(device),
        Err(e) => {
            let program = env::current_exe().unwrap_or_default();
            let program = program.file_stem().unwrap_or_default().to_string_lossy();
            skip::skipped(&program, &e.to_string());
            None
        }
    });
    found.as_ref().map(Tested)
}

/// Numbers in -1..1 that are always the same.
pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
