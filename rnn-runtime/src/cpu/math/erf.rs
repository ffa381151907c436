//! The error function, for `gelu`.

use super::exp::{EXP_5, polynomial};
use crate::cpu::simd::{ROUND_BIASED, Simd};

/// erf x / x - 1 in x² for |x| <= 1, error 0.03 · 2⁻²⁴ relative to erf x / x; highest power
/// first. A fit of this project (see `exp.rs`), as are the others.
const SMALL: [f32; 7] = [
    7.806_904e-5,
    -7.997_853e-4,
    5.187_162e-3,
    -2.685_334_7e-2,
    1.128_357_9e-1,
    -3.761_262_6e-1,
    1.283_791_7e-1,
];
/// log(1 - erf x) for x in [0.95, 4], error 0.4 · 2⁻²⁴ in erf; highest power first.
const LARGE: [f32; 6] = [
    -1.208_613_2e-3,
    1.524_221_3e-2,
    -9.007_923e-2,
    -6.522_912e-1,
    -1.119_072_8,
    -2.195_790_6e-3,
];

/// [`super::erf`]
#[inline(always)]
pub(super) fn erf<S: Simd>(s: S, x: S::V) -> S::V {
    let square = s.mul(x, x);
    let small = s.mul_add(polynomial(s, square, &SMALL), x, x);

    // 1 - e^z. From 3.92 on erf is 1; an error of e^z is an error of at most a fifth in erf.
    let magnitude = s.min(s.splat(4.0), s.abs(x));
    let z = polynomial(s, magnitude, &LARGE);
    let t = s.mul_add(z, s.splat(core::f32::consts::LOG2_E), s.splat(ROUND_BIASED));
    let n = s.sub(t, s.splat(ROUND_BIASED));
    let r = s.neg_mul_add(n, s.splat(core::f32::consts::LN_2), z);
    let large = s.neg_mul_add(polynomial(s, r, &EXP_5), s.exp2_biased(t), s.splat(1.0));
    s.select(s.le(s.abs(x), s.splat(1.0)), small, s.copysign(large, x))
}
