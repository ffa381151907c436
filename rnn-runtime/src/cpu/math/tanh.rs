//! tanh, as t / (t + 2) with t = e²ˣ - 1.
//!
//! The formula has no cancellation for either sign: near 0 because t is computed without the 1,
//! towards ±1 because t + 2 is far from 0. So there is one path, no table and no selection.

use super::exp::expm1_reduced;
use crate::cpu::simd::{ROUND_BIASED, Simd};

/// [`super::tanh`]
#[inline(always)]
pub(super) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    // From 9.02 on tanh rounds to 1, and t / (t + 2) does so at 9.1. NaN is the second operand
    // and stays.
    let x = s.max(s.splat(-9.1), s.min(s.splat(9.1), x));
    // 2x = n ln 2 + 2r
    let t = s.mul_add(
        x,
        s.splat(2.0 * core::f32::consts::LOG2_E),
        s.splat(ROUND_BIASED),
    );
    let n = s.sub(t, s.splat(ROUND_BIASED));
    // One part of ln 2 is enough: n is small, and t / (t + 2) is flat where it is not.
    let r = s.neg_mul_add(n, s.splat(0.5 * core::f32::consts::LN_2), x);
    let p = expm1_reduced(s, 2.0, r);
    let power = s.exp2_biased(t);
    let t = s.mul_add(power, p, s.sub(power, s.splat(1.0)));
    s.div(t, s.add(t, s.splat(2.0)))
}
