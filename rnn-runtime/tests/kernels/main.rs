//! The kernels of `cpu::phase` and `cpu::ops` on every instruction set of this machine, against
//! plain loops.

mod gradients;
mod ops;
mod product;
mod support;
