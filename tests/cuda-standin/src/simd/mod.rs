//! Operations on all lanes at once, for the instructions that kernels consist of. Each is compiled twice, for any
//! machine and for AVX2 with FMA.

pub mod functions;
mod product;

pub use product::{Operands, multiply};

/// A word of each lane.
pub type Line = [u32; 32];
/// A double word of each lane.
pub type WideLine = [u64; 32];

type Narrow = unsafe fn(&Line, &Line, &Line, &mut Line);
type Wide = unsafe fn(&WideLine, &WideLine, &WideLine, &mut WideLine);
type Compare = unsafe fn(&Line, &Line) -> u32;

/// A function for all lanes.
#[derive(Clone, Copy, Debug)]
pub enum Vector {
    /// Of words to words.
    Narrow(Narrow),
    /// Of words or double words to either.
    Wide(Wide),
    /// Of words to a predicate.
    Compare(Compare),
}

/// Whether the second copies of the functions may run.
pub fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Calls a function for all lanes.
#[inline(always)]
pub fn narrow(function: Narrow, a: &Line, b: &Line, c: &Line) -> Line {
    let mut result = [0; 32];
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b, c, &mut result) };
    result
}

/// Calls a function for all lanes.
#[inline(always)]
pub fn wide(function: Wide, a: &WideLine, b: &WideLine, c: &WideLine) -> WideLine {
    let mut result = [0; 32];
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b, c, &mut result) };
    result
}

/// Calls a comparison of all lanes.
#[inline(always)]
pub fn compare(function: Compare, a: &Line, b: &Line) -> u32 {
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b) }
}
