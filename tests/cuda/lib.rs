//! What tests of a device have in common.

#[path = "../support/device.rs"]
mod support;

#[cfg(feature = "cuda")]
pub use support::{check_device, device};

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
