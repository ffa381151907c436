//! exp, expm1, sigmoid: x = n ln 2 + r, and a polynomial in r.
//!
//! The polynomials are minimax fits of this project (Lawson's iteration on the relative error,
//! coefficients rounded to f32 one after another, lowest first, the others fitted again). The
//! error stated with each is that of the rounded polynomial in exact arithmetic.

use crate::cpu::simd::{ROUND_BIASED, Simd};

const LOG2_E: f32 = core::f32::consts::LOG2_E;
/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; the first has 10 bits (Cody and Waite, 1980; the split of
/// Cephes), so that its product with an n of up to 13 bits is exact without a fused multiply-add.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eʳ for |r| <= ln 2 / 2, relative error 1.5 · 2⁻²⁴ (highest power first).
pub(super) const EXP_5: [f32; 6] = [
    8.289_716e-3,
    4.189_784e-2,
    1.666_764_8e-1,
    4.999_915e-1,
    9.999_997e-1,
    1.0,
];
/// eʳ for |r| <= ln 2 / 2, relative error 0.06 · 2⁻²⁴.
const EXP_6: [f32; 7] = [
    1.382_130_4e-3,
    8.368_669e-3,
    4.166_826e-2,
    1.666_652_1e-1,
    4.999_999_4e-1,
    1.0,
    1.0,
];
/// eʳ for |r| <= ln 2, relative error 0.25 · 2⁻²⁴.
const EXP_7: [f32; 8] = [
    1.962_920_5e-4,
    1.410_467_6e-3,
    8.335_937e-3,
    4.166_123_3e-2,
    1.666_661_8e-1,
    5.000_003_6e-1,
    1.0,
    1.0,
];
/// (eʳ - 1 - r) / r² for |r| <= ln 2 / 2, error 0.23 · 2⁻²⁴ relative to eʳ - 1.
pub(super) const EXPM1_4: [f32; 5] = [
    1.386_994_8e-3,
    8.366_253e-3,
    4.166_744_3e-2,
    1.666_654_6e-1,
    4.999_999_7e-1,
];

/// Horner's rule, the coefficient of the highest power first.
#[inline(always)]
pub(super) fn polynomial<S: Simd, const N: usize>(s: S, x: S::V, c: &[f32; N]) -> S::V {
    let mut y = s.splat(c[0]);
    for &c in &c[1..] {
        y = s.mul_add(y, x, s.splat(c));
    }
    y
}

/// eʳ - 1 for |r| <= ln 2 / 2. As many operations as Horner's rule, but a chain of four, not six (Estrin's scheme).
#[inline(always)]
fn expm1_reduced<S: Simd>(s: S, r: S::V) -> S::V {
    let [c6, c5, c4, c3, c2] = EXPM1_4;
    let r2 = s.mul(r, r);
    let pair = |odd, even| s.mul_add(s.splat(odd), r, s.splat(even));
    let high = s.mul_add(s.splat(c6), r2, pair(c5, c4));
    let q = s.mul_add(high, r2, pair(c3, c2));
    s.mul_add(q, r2, r)
}

/// [`super::exp`]
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    // NaN is the second operand and stays.
    let x = s.max(s.splat(-104.0), s.min(s.splat(89.0), x));
    if S::NATIVE_SCALE {
        let t = s.mul_add(x, s.splat(LOG2_E), s.splat(ROUND_BIASED));
        let n = s.sub(t, s.splat(ROUND_BIASED));
        let r = s.neg_mul_add(n, s.splat(LN_2_HIGH), x);
        let r = s.neg_mul_add(n, s.splat(LN_2_LOW), r);
        return s.scale_exp2(polynomial(s, r, &EXP_6), n);
    }
    // n must reach from -150 to 128, more than an exponent holds. With n = 2h the power is the
    // square of one that fits; the price is an r up to ln 2 and one more term.
    let t = s.mul_add(x, s.splat(0.5 * LOG2_E), s.splat(ROUND_BIASED));
    let h = s.sub(t, s.splat(ROUND_BIASED));
    let r = s.neg_mul_add(h, s.splat(2.0 * LN_2_HIGH), x);
    let r = s.neg_mul_add(h, s.splat(2.0 * LN_2_LOW), r);
    let root = s.exp2_biased(t);
    s.mul(s.mul(polynomial(s, r, &EXP_7), root), root)
}

/// [`super::expm1`]
#[inline(always)]
pub(super) fn expm1<S: Simd>(s: S, x: S::V) -> S::V {
    let clamped = s.max(s.splat(-30.0), s.min(s.splat(89.0), x));
    let t = s.mul_add(clamped, s.splat(LOG2_E), s.splat(ROUND_BIASED));
    let n = s.sub(t, s.splat(ROUND_BIASED));
    let r = s.neg_mul_add(n, s.splat(LN_2_HIGH), clamped);
    let r = s.neg_mul_add(n, s.splat(LN_2_LOW), r);
    let p = expm1_reduced(s, r);
    // 2ⁿ p + 2ⁿ - 1, through half of it, because n = 128 is too much for one power of 2.
    let half = s.exp2i(s.sub(n, s.splat(1.0)));
    let y = s.mul_add(half, p, s.sub(half, s.splat(0.5)));
    // Keeps the sign of -0; doubling a subnormal half would have lost bits.
    let y = s.copysign(s.add(y, y), x);
    s.select(s.lt(s.abs(x), s.splat(1e-30)), x, y)
}

/// [`super::sigmoid`]
///
/// As in [`tanh`](super::tanh), two ways.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let argument = x;
    // Beyond the bounds it is 0 (n = 128 makes the power of 2 infinite) and 1. NaN is the second operand and stays.
    let x = match S::SHORT_CHAINS {
        true => x,
        false => s.max(s.splat(-88.7), s.min(s.splat(30.0), x)),
    };
    // For -x: the signs are in the constants. `r` is that of x, hence the alternating signs.
    let t = s.mul_add(x, s.splat(-LOG2_E), s.splat(ROUND_BIASED));
    let n = s.sub(t, s.splat(ROUND_BIASED));
    let r = s.mul_add(n, s.splat(LN_2_HIGH), x);
    let r = s.mul_add(n, s.splat(LN_2_LOW), r);
    // e⁻ˣ = 2ⁿ (low + high r²), even and odd powers apart, in pairs (Estrin's scheme): one product more than Horner's
    // rule, but a chain of three instead of five.
    let [c5, c4, c3, c2, c1, c0] = EXP_5;
    let pair = |odd: f32, even: f32| s.mul_add(s.splat(-odd), r, s.splat(even));
    let r2 = s.mul(r, r);
    let (high, low) = (s.mul_add(pair(c5, c4), r2, pair(c3, c2)), pair(c1, c0));
    let power = s.exp2_biased(t);
    if !S::SHORT_CHAINS {
        return s.div(one, s.mul_add(s.mul_add(high, r2, low), power, one));
    }
    let y = s.div(
        one,
        s.mul_add(high, s.mul(power, r2), s.mul_add(power, low, one)),
    );
    // Above 87.33 a power of 2 has no exponent, and below -87.33 the result would be subnormal. NaN is neither, and stays.
    let ends = s.select(s.lt(argument, zero), zero, one);
    s.select(s.gt(s.abs(argument), s.splat(87.33)), ends, y)
}
