//! What the device that runs the kernels means for how they are cut.

/// The properties of a device that decide how its kernels are cut. Its emitter has them as a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelTarget {
    /// Most gates that one product accumulates at once, at least 1. They share one pass over the
    /// operand.
    pub gates: usize,
}
