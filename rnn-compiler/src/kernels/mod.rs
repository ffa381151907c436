//! Kernels: what a device runs.

mod target;

pub use target::Target;
