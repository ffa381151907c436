//! eˣ and log(1 + x) in float64, for sums that a loss takes a difference of.
//!
//! Plain operations on numbers, which the compiler turns into vectors where this is inlined into
//! [`Isa::dispatch`](crate::cpu::simd::Isa::dispatch): no fused product is asked for, so all
//! instruction sets give the same bits.

const LOG2_E: f64 = core::f64::consts::LOG2_E;
/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; the first ends in 21 zeros, so that its product with an n of 11
/// bits is exact (the split of fdlibm).
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// As [`ROUND_BIASED`](crate::cpu::simd::ROUND_BIASED), for float64: 1.5 · 2⁵² + 1023.
const ROUND_BIASED: f64 = 6_755_399_441_055_744.0 + 1023.0;

/// 1 / k!, the highest first: what Taylor's series leaves out is below 7 · 10⁻¹⁵ of eʳ for
/// |r| <= ln 2 / 2, far below what a float32 can tell.
const TAYLOR: [f64; 12] = [
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// eˣ for x of at most 709, within 10⁻¹⁴ of it; about 10⁻³⁰⁸ below -708. NaN gives NaN.
#[inline(always)]
pub fn exp64(x: f64) -> f64 {
    // A comparison that is false for NaN.
    let x = if x < -708.0 { -708.0 } else { x };
    let t = x * LOG2_E + ROUND_BIASED;
    let n = t - ROUND_BIASED;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut y = TAYLOR[0];
    for c in &TAYLOR[1..] {
        y = y * r + c;
    }
    y * f64::from_bits(t.to_bits() << 52)
}

/// 1 / (2k + 1), the highest first: what this series of atanh(w) / w leaves out is below 10⁻¹⁵ for
/// w <= 1/3.
const ATANH: [f64; 15] = [
    1.0 / 29.0,
    1.0 / 27.0,
    1.0 / 25.0,
    1.0 / 23.0,
    1.0 / 21.0,
    1.0 / 19.0,
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
];

/// log(1 + x) for x in 0..=1, within 10⁻¹⁴ of it, however small: 2 atanh(x / (2 + x)). NaN gives NaN.
#[inline(always)]
pub fn log1p64(x: f64) -> f64 {
    let w = x / (2.0 + x);
    let w2 = w * w;
    let mut y = ATANH[0];
    for c in &ATANH[1..] {
        y = y * w2 + c;
    }
    2.0 * w * y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_logarithms_keep_their_digits() {
        let mut worst: f64 = 0.0;
        for i in 0..=100_000 {
            let x = f64::from(i) * 1e-5;
            for x in [x, x * 1e-9, x * 1e-200] {
                if x > 0.0 {
                    worst = worst.max((log1p64(x) / x.ln_1p() - 1.0).abs());
                }
            }
        }
        assert!(worst < 1e-14, "{worst:e}");
        assert_eq!(log1p64(0.0), 0.0);
        assert!(log1p64(f64::NAN).is_nan());
    }

    #[test]
    fn it_is_that_of_the_standard_library() {
        let mut worst: f64 = 0.0;
        for i in -708_000..=708_999 {
            let x = f64::from(i) * 1e-3 + 1.2345e-4;
            worst = worst.max((exp64(x) / x.exp() - 1.0).abs());
        }
        assert!(worst < 1e-14, "{worst:e}");
        assert_eq!(exp64(0.0), 1.0);
        assert_eq!(exp64(-0.0), 1.0);
        assert!(exp64(f64::NAN).is_nan());
        // Nothing beside the 1 that the largest of a row gives.
        for tiny in [-709.0, -1e300, f64::NEG_INFINITY] {
            assert!((0.0..1e-307).contains(&exp64(tiny)), "{tiny}");
        }
    }
}
