//! Vector maths, generic over the instruction set.
//!
//! Every function takes the token and a vector and must be called from code that is inlined
//! into [`Isa::dispatch`](super::simd::Isa::dispatch). NaN gives NaN, infinities and zeros give
//! what IEEE 754 recommends, subnormal numbers are ordinary ones.
//! `sqrt`, `abs`, `min`, `max` and `copysign` are operations of [`Simd`] itself.
//!
//! @TABLE@
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

mod erf;
mod exp;
mod log;
mod pow;
mod tanh;
mod trig;

#[cfg(test)]
mod tests;

pub use erf::erf;
pub use exp::{exp, expm1, sigmoid};
pub use log::{log, log1p};
pub use pow::pow;
pub use tanh::tanh;
pub use trig::{cos, sin};

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

/// `log(1 + exp(x))`, without overflow: `max(x, 0) + log1p(exp(-|x|))`.
#[inline(always)]
pub fn softplus<S: Simd>(s: S, x: S::V) -> S::V {
    let tail = log1p(s, exp(s, s.neg(s.abs(x))));
    s.add(s.max(s.splat(0.0), x), tail)
}
