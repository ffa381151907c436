//! What the cutting of kernels has to know of the device that runs them.

/// A device, as far as its kernels are cut for it. The emitter for the device says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Most gates that one product accumulates at once, at least 1. They share one pass over the
    /// operand.
    pub gates: usize,
}
