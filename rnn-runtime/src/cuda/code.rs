//! The kernels of a model for a CUDA device: the tables of the CPU's kernels, and their maths as text. Generated.

use rnn_tables::{Form, Kernel};

/// A fused kernel. [`Kernel`] says what it reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct CudaKernel {
    /// The tables.
    pub table: &'static Kernel,
    /// What happens for every unit of a row, in C++.
    pub body: &'static str,
    /// What happens for a row when its reductions are complete.
    pub epilogue: &'static str,
    /// Sizes that the text names.
    pub sizes: &'static [usize],
    /// Which of the reductions are sums.
    pub sums: &'static [usize],
    /// Which of the reductions are maxima.
    pub maxima: &'static [usize],
    /// Whether it adds to what it stores, over the steps of a row: then steps come one after the other.
    pub adds: bool,
    /// It writes nothing but the gradient of the input.
    pub only_input_gradient: bool,
    /// It writes nothing but gradients of states before the step.
    pub only_state_gradients: bool,
}

/// The kernels of one form of a cell.
#[derive(Clone, Copy, Debug)]
pub struct CudaScan {
    /// Before the loop, for all steps at once.
    pub prologue: &'static [CudaKernel],
    /// At every step.
    pub step: &'static [CudaKernel],
    /// After the loop, for all steps at once.
    pub post_loop: &'static [CudaKernel],
}

/// One form of a cell.
#[derive(Clone, Copy, Debug)]
pub struct CudaForm {
    /// Which of the model's cells.
    pub cell: usize,
    /// The layer, by its name and as it was written: `lstm, LSTM(64)`.
    pub layer: &'static str,
    /// In which form.
    pub form: Form,
    /// Backwards: the gradients of the states before the first step are needed.
    pub first: bool,
    /// Its kernels.
    pub scan: CudaScan,
}

/// The kernels of a model.
#[derive(Clone, Copy, Debug)]
pub struct CudaCode {
    /// Those that compute vectors from parameters when weights are packed, for one row.
    pub computed: &'static [CudaKernel],
    /// Those of the cells.
    pub forms: &'static [CudaForm],
}

/// A model with kernels for CUDA devices.
pub trait CudaProgram {
    /// Its kernels.
    const CUDA: CudaCode;
}
