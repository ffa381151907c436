//! Stands in for the CUDA driver library in tests, on machines without a GPU.
//!
//! As a `cdylib` this is `libcuda.so`: the functions of the driver that cudarc calls, with kernels run by interpreting the
//! PTX that the real NVRTC has made. As an `rlib` it is the interpreter, and [`mod@bench`], which loads the library into a
//! test program. `tests/cuda-standin/README.md` tells how to use it.

// What is public here is for the tests of this workspace.
#![allow(missing_docs)]

pub mod bench;
pub mod bits;
pub mod compiler;
pub mod driver;
pub mod machine;
pub mod memory;
pub mod numbers;
pub mod program;
pub mod ptx;
pub mod races;
mod simd;
