//! The kernels of `cpu::kernel` and `cpu::ops` on every instruction set of this machine, against
//! plain loops.

mod gradients;
mod masked;
mod normalize;
mod ops;
mod product;
mod rows;
mod step;
mod support;
