//! sin and cos: x = q π + r, and an odd polynomial in r.

use super::exp::polynomial;
use crate::cpu::simd::Simd;

/// π in four parts of which the first three are short, so that their products with a q of 12
/// bits are exact without a fused multiply-add (Cody and Waite, 1980). The sum is π to 5e-18.
const PI: [f32; 4] = [3.140_625, 0.000_967_025_76, 6.277_114e-7, 1.215_420_1e-10];

/// (sin r - r) / r³ in r² for |r| <= 1.572, error 0.01 · 2⁻²⁴ relative to sin r; highest power
/// first. A fit of this project (see `exp.rs`).
const SIN_4: [f32; 5] = [
    -2.550_291_2e-8,
    2.762_705_7e-6,
    -1.984_309_3e-4,
    8.333_350_5e-3,
    -1.666_666_7e-1,
];

/// sin of `x - q π`, negated for odd `parity`.
#[inline(always)]
fn sine<S: Simd>(s: S, x: S::V, q: S::V, parity: S::V) -> S::V {
    let mut r = x;
    for part in PI {
        r = s.neg_mul_add(q, s.splat(part), r);
    }
    // A little past π/2 = 1.5708, because q was rounded to the nearest of an inexact quotient.
    // Far outside of the range that is exact r is noise; it must not become more than that.
    let bound = s.splat(1.572);
    let r = s.max(s.neg(bound), s.min(bound, r));
    let half = s.mul(parity, s.splat(0.5));
    let odd = s.sub(half, s.floor(half)); // 0 or 0.5
    let r = s.mul(r, s.neg_mul_add(s.splat(4.0), odd, s.splat(1.0)));
    let r2 = s.mul(r, r);
    let y = s.mul_add(s.mul(polynomial(s, r2, &SIN_4), r2), r, r);
    // Near ±π/2 the rounding of r can reach the float after 1.
    let one = s.splat(1.0);
    s.max(s.neg(one), s.min(one, y))
}

/// [`super::sin`]
#[inline(always)]
pub(super) fn sin<S: Simd>(s: S, x: S::V) -> S::V {
    let q = s.round(s.mul(x, s.splat(core::f32::consts::FRAC_1_PI)));
    let y = sine(s, x, q, q);
    // Keeps the sign of -0.
    s.select(s.lt(s.abs(x), s.splat(1e-30)), x, finite(s, x, y))
}

/// [`super::cos`]
#[inline(always)]
pub(super) fn cos<S: Simd>(s: S, x: S::V) -> S::V {
    // cos x = sin(x + π/2): x = (k - ½) π + r makes it (-1)ᵏ sin r.
    let half = s.splat(0.5);
    let k = s.round(s.mul_add(x, s.splat(core::f32::consts::FRAC_1_PI), half));
    finite(s, x, sine(s, x, s.sub(k, half), k))
}

/// `y`, or NaN where `x` is infinite.
#[inline(always)]
fn finite<S: Simd>(s: S, x: S::V, y: S::V) -> S::V {
    s.add(y, s.sub(x, x))
}
