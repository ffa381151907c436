//! Kernels for the CPU.

pub mod math;
pub mod simd;
