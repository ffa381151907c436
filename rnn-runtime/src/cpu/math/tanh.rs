//! tanh, as t / (t + 2) with t = e²ˣ - 1.
//!
//! The formula has no cancellation for either sign: near 0 because t is computed without the 1,
//! towards ±1 because t + 2 is far from 0. So there is no table, and one path but for the ends.

use super::exp::EXPM1_4;
use crate::cpu::simd::{ROUND_BIASED, Simd};

/// [`super::tanh`]
///
/// In a recurrent step nothing else can run while the state waits for it. So with [`Simd::SHORT_CHAINS`] numerator and
/// denominator are computed side by side, and the ends are selected after the division, not clamped before it: nine dependent
/// operations, not twelve, for four operations more. The denominator is never below the numerator, as both are rounded in the
/// same way.
#[inline(always)]
pub(super) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    let one = s.splat(1.0);
    let argument = x;
    // From 9.02 on tanh rounds to 1, and t / (t + 2) does so at 9.1. NaN is the second operand and stays.
    let x = match S::SHORT_CHAINS {
        true => x,
        false => s.max(s.splat(-9.1), s.min(s.splat(9.1), x)),
    };
    // 2x = n ln 2 + 2r
    let t = s.mul_add(
        x,
        s.splat(2.0 * core::f32::consts::LOG2_E),
        s.splat(ROUND_BIASED),
    );
    let n = s.sub(t, s.splat(ROUND_BIASED));
    // One part of ln 2 is enough: n is small, and t / (t + 2) is flat where it is not.
    let r = s.neg_mul_add(n, s.splat(0.5 * core::f32::consts::LN_2), x);
    // t = 2ⁿ (2r + q r²) + 2ⁿ - 1
    let r2 = s.mul(r, r);
    let [c6, c5, c4, c3, c2] = EXPM1_4;
    let pair = |scale: f32, odd: f32, even: f32| {
        s.mul_add(s.splat(2.0 * scale * odd), r, s.splat(scale * even))
    };
    let high = s.mul_add(s.splat(64.0 * c6), r2, pair(16.0, c5, c4));
    let q = s.mul_add(high, r2, pair(4.0, c3, c2));
    let power = s.exp2_biased(t);
    if !S::SHORT_CHAINS {
        let p = s.mul_add(q, r2, s.mul(r, s.splat(2.0)));
        let t = s.mul_add(power, p, s.sub(power, one));
        return s.div(t, s.add(t, s.splat(2.0)));
    }
    let (twice, square) = (s.add(power, power), s.mul(power, r2));
    let numerator = s.mul_add(q, square, s.mul_add(twice, r, s.sub(power, one)));
    let denominator = s.mul_add(q, square, s.mul_add(twice, r, s.add(power, one)));
    let y = s.div(numerator, denominator);
    // NaN is not beyond it and stays.
    let end = s.copysign(one, argument);
    s.select(s.gt(s.abs(argument), s.splat(9.1)), end, y)
}
