//! CUDA devices: hand-written kernels that NVRTC compiles for the GPU at hand, and the executor that runs a model's
//! schedules with them.
//!
//! Nothing of CUDA has to be on the machine that builds a program. The driver and NVRTC are loaded when a program asks for
//! a device, and what is missing is an error that names it.
//!
//! - `code.rs`: what the compiler says about the kernels of a model. Their maths is written once, in the cell
//!   language, and reaches the device as text (`rnn-compiler/src/emit/cuda.rs`).
//! - `source.rs`: puts that text between the tables, which become constants, and `kernels/fused.cuh`.
//! - `compile.rs`: NVRTC, and a cache of what it made.
//! - `parameters.rs`: the parameters of each kernel, written once for Rust and CUDA.
//! - `operations.rs`: the kernels that belong to no model. `slice.rs`: numbers on the device.
//! - `device.rs`: the only place where kernels are started. `staging.rs`: copies from the host, while kernels run.
//! - `program.rs`: compiles and loads the kernels of a model, those that a batch needs when it needs them.
//! - `run/`: the executor. `engine.rs`: weights, values and inputs on the device; `engine/score.rs`: losses and metrics;
//!   `engine/optimize.rs`: the steps of optimizers.
//! - `plan.rs`: says how a model runs.

mod code;
mod compile;
mod device;
mod engine;
mod layout;
mod operations;
mod parameters;
mod plan;
mod program;
mod run;
mod slice;
mod source;
mod staging;

pub use code::{CudaCode, CudaForm, CudaKernel, CudaProgram, CudaScan};
pub use compile::OPTIONS;
pub use device::CudaDevice;
pub use engine::{DeviceModel, DeviceOutput, DeviceState, Engine};
pub use operations::operations;
