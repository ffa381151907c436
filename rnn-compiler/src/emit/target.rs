//! The device that this emitter writes for.

use crate::kernels::KernelTarget;

/// A CPU with vectors, from SSE2 and NEON to AVX-512.
pub const CPU: KernelTarget = KernelTarget {
    // A gate takes one register for each row of a tile; with more gates, tiles would have too few rows.
    gates: 4,
};
