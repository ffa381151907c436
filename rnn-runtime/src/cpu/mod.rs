//! Kernels for the CPU.

pub mod arena;
pub mod kernel;
pub mod layout;
pub mod math;
#[cfg(feature = "std")]
pub mod ops;
#[cfg(feature = "std")]
pub mod run;
pub mod simd;
