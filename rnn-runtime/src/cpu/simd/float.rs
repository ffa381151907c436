//! Functions of single floats that `core` does not have. Both are correctly rounded, so it makes no
//! difference to the bits who computes them.

/// `a * b + c`, rounded once.
#[inline(always)]
pub(super) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    #[cfg(feature = "std")]
    return a.mul_add(b, c);
    #[cfg(not(feature = "std"))]
    libm::fmaf(a, b, c)
}

/// The square root.
#[inline(always)]
pub(super) fn sqrt(a: f32) -> f32 {
    #[cfg(feature = "std")]
    return a.sqrt();
    #[cfg(not(feature = "std"))]
    libm::sqrtf(a)
}
