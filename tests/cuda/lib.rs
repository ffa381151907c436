//! What tests of a device have in common.

#[path = "../support/device.rs"]
pub mod support;

#[cfg(feature = "cuda")]
use recurrent::prelude::Device;
#[cfg(feature = "cuda")]
pub use support::{executed, reorder};

/// The device of a test. What the stand-in finds fails the test.
#[cfg(feature = "cuda")]
pub struct Tested(&'static Device);

#[cfg(feature = "cuda")]
impl std::ops::Deref for Tested {
    type Target = Device;
    fn deref(&self) -> &Device {
        self.0
    }
}

#[cfg(feature = "cuda")]
impl Drop for Tested {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            support::check_device();
        }
    }
}

/// The device that RECURRENT_TEST_DEVICE names, or the stand-in; `None`, with the reason printed, where there is none.
#[cfg(feature = "cuda")]
pub fn device() -> Option<Tested> {
    support::device().map(Tested)
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
