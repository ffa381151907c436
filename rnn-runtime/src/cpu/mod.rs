//! Kernels for the CPU.

pub mod arena;
pub mod layout;
pub mod math;
pub mod ops;
pub mod phase;
pub mod run;
pub mod simd;
