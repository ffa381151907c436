//! Kernels for the CPU.

pub mod math;
pub mod phase;
pub mod simd;
