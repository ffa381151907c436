//! Vector maths, generic over the instruction set.
//!
//! Every function takes the token and a vector and must be called from code that is inlined
//! into [`Isa::dispatch`](super::simd::Isa::dispatch). NaN gives NaN, infinities and zeros give
//! what IEEE 754 recommends, subnormal numbers are ordinary ones.
//! `sqrt`, `abs`, `min`, `max` and `copysign` are operations of [`Simd`] itself.
//!
//! The largest error over all 2³² bit patterns, in units in the last place of the exact result,
//! measured against f64 (`every_float` in `tests.rs` repeats it):
//!
//! | function | scalar | AVX2 | AVX-512 | holds |
//! |---|---|---|---|---|
//! | [`exp`] | 1.96 | 1.66 | 0.91 | everywhere, subnormal results included |
//! | [`expm1`] | 1.73 | 1.61 | 1.61 | everywhere |
//! | [`sigmoid`] | 3.52 | 3.51 | 3.51 | for x > -87.33; below, within 2⁻¹²⁶ of the exact result |
//! | [`tanh`] | 2.61 | 3.39 | 3.39 | everywhere |
//! | [`log`] | 0.85 | 0.86 | 0.86 | everywhere |
//! | [`log1p`] | 1.43 | 1.43 | 1.43 | everywhere |
//! | [`erf`] | 1.56 | 1.40 | 1.40 | everywhere |
//! | [`sin`] | 2.42 | 2.42 | 2.42 | for abs x <= 8192; beyond, a number in [-1, 1] |
//! | [`cos`] | 2.36 | 2.36 | 2.36 | for abs x <= 8192; beyond, a number in [-1, 1] |
//! | [`rsqrt`] | 1.50 | 1.50 | 1.50 | everywhere |
//!
//! [`pow`] has a bound of its own that grows with the logarithm of the result.
//! Scalar figures are those of a plain x86-64, where a product and a sum are rounded apart.
//!
//! ```
//! use rnn_runtime::cpu::{math, simd::{Isa, Op, Simd}};
//!
//! struct TanhOf(f32);
//! impl Op for TanhOf {
//!     type Output = f32;
//!     #[inline(always)]
//!     fn run<S: Simd>(self, s: S) -> f32 {
//!         s.reduce_max(math::tanh(s, s.splat(self.0)))
//!     }
//! }
//!
//! let y = Isa::best()?.dispatch(TanhOf(0.5));
//! assert!((y - 0.5_f32.tanh()).abs() < 1e-6);
//! # Ok::<(), rnn_runtime::Error>(())
//! ```

mod called;
mod erf;
mod exp;
mod float64;
mod functions;
mod log;
mod pow;
mod tanh;
mod trig;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod widths;

pub use float64::{exp64, log1p64};
pub use functions::{cos, erf, exp, expm1, log, log1p, pow, sigmoid, sin, softplus, tanh};

use super::simd::Simd;

/// The bound that the functions hold, in units in the last place of the exact result.
pub const MAX_ULP: f64 = 4.0;

/// 1 / √x, by a division: two roundings.
#[inline(always)]
pub fn rsqrt<S: Simd>(s: S, x: S::V) -> S::V {
    s.div(s.splat(1.0), s.sqrt(x))
}

/// 1, -1, or `x` itself where that is ±0 or NaN.
#[inline(always)]
pub fn sign<S: Simd>(s: S, x: S::V) -> S::V {
    let zero = s.splat(0.0);
    let y = s.select(s.lt(x, zero), s.splat(-1.0), x);
    s.select(s.gt(x, zero), s.splat(1.0), y)
}
