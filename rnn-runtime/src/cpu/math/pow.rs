//! pow, through log and exp.

use super::{exp::exp, log::log};
use crate::cpu::simd::Simd;

/// [`super::pow`]
#[inline(always)]
pub(super) fn pow<S: Simd>(s: S, x: S::V, y: S::V) -> S::V {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let magnitude = s.abs(x);
    let z = s.mul(y, log(s, magnitude));
    // (-1)^±∞ = 1, not 0 · ∞.
    let z = s.select(s.eq(magnitude, one), zero, z);
    let power = exp(s, z);

    // A negative base, -0 included, wants an integer and takes the sign from its lowest bit.
    let half = s.mul(y, s.splat(0.5));
    // Every float of 2²⁴ and more is even, infinities too.
    let large = s.ge(s.abs(y), s.splat(16_777_216.0));
    let odd = s.select(large, zero, s.sub(half, s.floor(half))); // ½ for odd integers
    let negated = s.select(s.eq(odd, s.splat(0.5)), s.neg(power), power);
    let of_negative = s.select(s.eq(y, s.floor(y)), negated, {
        // -0 and -∞ have a power for every y.
        let finite = s.lt(magnitude, s.splat(f32::INFINITY));
        let no_power = s.select(finite, s.splat(f32::NAN), power);
        s.select(s.eq(x, zero), power, no_power)
    });
    let result = s.select(s.lt(s.copysign(one, x), zero), of_negative, power);

    let result = s.select(s.eq(y, zero), one, result);
    s.select(s.eq(x, one), one, result)
}
