//! Kernels and variables.

use std::{collections::HashMap, sync::Arc};

use super::instruction::{Instruction, Slot};

/// A parameter of a kernel: where it lies among the parameters, and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub offset: usize,
    pub size: usize,
}

/// One kernel, decoded.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub code: Vec<Instruction>,
    /// The text of each instruction, for messages.
    pub texts: Vec<String>,
    /// Lines of the register file.
    pub lines: usize,
    pub predicates: usize,
    pub constants: Vec<(Slot, u64)>,
    pub specials: Vec<(Slot, String)>,
    /// Bytes of shared memory that the kernel declares.
    pub static_shared: usize,
    /// Bytes of local memory of a thread.
    pub local: usize,
    /// `__cluster_dims__`.
    pub cluster: Option<[u32; 3]>,
    /// `__launch_bounds__`, or the most that any block may have.
    pub most_threads: u32,
}

impl Kernel {
    /// Bytes of all parameters.
    pub fn parameter_bytes(&self) -> usize {
        self.parameters
            .last()
            .map_or(0, |last| last.offset + last.size)
    }
}

/// A variable of a module in global or constant memory.
#[derive(Clone, Debug, Default)]
pub struct GlobalVariable {
    pub name: String,
    pub size: usize,
    pub initial: Vec<u8>,
    pub address: u64,
}

/// A PTX text, decoded.
#[derive(Clone, Debug, Default)]
pub struct Module {
    pub kernels: HashMap<String, Arc<Kernel>>,
    pub globals: Vec<GlobalVariable>,
    /// 90 for `sm_90`.
    pub target: u32,
    /// 805 for PTX 8.5.
    pub version: u32,
}
