//! The device that this emitter writes for.

use crate::kernels::Target;

/// A CPU with vectors, from SSE2 and NEON to AVX-512.
pub const CPU: Target = Target {
    // A gate takes a register for each row of a tile: more gates would not leave any for rows.
    gates: 4,
};
