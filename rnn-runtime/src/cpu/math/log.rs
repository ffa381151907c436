//! log, log1p: x = 2ᵉ (1 + f), and a polynomial in f.

use super::exp::{exp, polynomial};
use crate::cpu::simd::Simd;

/// The split of ln 2 (see `exp.rs`).
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
const SQRT_2: f32 = core::f32::consts::SQRT_2;

/// (log(1 + f) - f + f²/2) / f³ for 1 + f between √½ and √2, error 0.1 · 2⁻²⁴ relative to
/// log(1 + f); highest power first. A fit of this project (see `exp.rs`).
const LOG_7: [f32; 8] = [
    -7.638_185e-2,
    1.276_476_2e-1,
    -1.316_019e-1,
    1.420_127_3e-1,
    -1.662_331_5e-1,
    2.000_125e-1,
    -2.500_082_3e-1,
    3.333_333e-1,
];

/// e and m of a positive, normal a = 2ᵉ m, m between √½ and √2.
#[inline(always)]
fn split<S: Simd>(s: S, a: S::V) -> (S::V, S::V) {
    let (e, m) = (s.exponent(a), s.mantissa(a));
    let high = s.gt(m, s.splat(SQRT_2));
    let e = s.select(high, s.add(e, s.splat(1.0)), e);
    (e, s.select(high, s.mul(m, s.splat(0.5)), m))
}

/// e ln 2 + log(1 + f)
#[inline(always)]
fn join<S: Simd>(s: S, e: S::V, f: S::V) -> S::V {
    let f2 = s.mul(f, f);
    let y = s.mul(s.mul(polynomial(s, f, &LOG_7), f), f2);
    let y = s.mul_add(e, s.splat(LN_2_LOW), y);
    let y = s.neg_mul_add(s.splat(0.5), f2, y);
    s.mul_add(e, s.splat(LN_2_HIGH), s.add(f, y))
}

/// [`super::log`]
#[inline(always)]
pub(super) fn log<S: Simd>(s: S, x: S::V) -> S::V {
    let subnormal = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let normal = s.select(subnormal, s.mul(x, s.splat(8_388_608.0)), x);
    let (e, m) = split(s, normal);
    let e = s.select(subnormal, s.sub(e, s.splat(23.0)), e);
    let y = join(s, e, s.sub(m, s.splat(1.0)));
    edges(s, x, x, y)
}

/// [`super::log1p`]
#[inline(always)]
pub(super) fn log1p<S: Simd>(s: S, x: S::V) -> S::V {
    let one = s.splat(1.0);
    let u = s.add(one, x);
    // What the addition lost, exactly (Knuth's two-sum: no order of sizes is known).
    let v = s.sub(u, one);
    let lost = s.add(s.sub(one, s.sub(u, v)), s.sub(x, v));
    let (e, m) = split(s, u);
    // u above 2²⁵ lost nothing that counts, and 2⁻ᵉ there might be subnormal.
    let lost = s.select(s.lt(u, s.splat(33_554_432.0)), lost, s.splat(0.0));
    let e_in_range = s.min(e, s.splat(126.0));
    let f = s.mul_add(lost, s.exp2i(s.neg(e_in_range)), s.sub(m, one));
    let y = edges(s, u, x, join(s, e, f));
    // Also keeps the sign of -0.
    s.select(s.lt(s.abs(x), s.splat(1e-30)), x, y)
}

/// [`super::softplus`]
#[inline(always)]
pub(super) fn softplus<S: Simd>(s: S, x: S::V) -> S::V {
    let tail = log1p(s, exp(s, s.neg(s.abs(x))));
    s.add(s.max(s.splat(0.0), x), tail)
}

/// The logarithm of `u` where the formula does not hold: +∞ and NaN as `x`, 0, negative numbers.
#[inline(always)]
fn edges<S: Simd>(s: S, u: S::V, x: S::V, y: S::V) -> S::V {
    let zero = s.splat(0.0);
    let y = s.select(s.lt(u, s.splat(f32::INFINITY)), y, x);
    let y = s.select(s.eq(u, zero), s.splat(f32::NEG_INFINITY), y);
    s.select(s.lt(u, zero), s.splat(f32::NAN), y)
}
