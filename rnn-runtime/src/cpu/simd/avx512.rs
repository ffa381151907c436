//! AVX-512 (F, VL, DQ, BW): sixteen lanes.

use super::{Avx512Half, FLUSH_BITS, LaneFunction, Simd};
use core::arch::x86_64::*;

/// The CPU has AVX-512 F, VL, DQ and BW, AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token.
    ///
    /// # Safety
    /// The CPU must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
    #[inline(always)]
    pub unsafe fn new_unchecked() -> Self {
        Self(())
    }
}

/// Operations that are one intrinsic on vectors.
macro_rules! intrinsics {
    ($($name:ident($($arg:ident),+) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m512),+) -> __m512 {
            // SAFETY: the token is the proof of AVX-512.
            unsafe { $intrinsic($($arg),+) }
        }
    )*};
}

/// Comparisons, by the predicate of the intrinsic.
macro_rules! comparisons {
    ($($name:ident = $predicate:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, a: __m512, b: __m512) -> __mmask16 {
            // SAFETY: the token is the proof of AVX-512.
            unsafe { _mm512_cmp_ps_mask::<$predicate>(a, b) }
        }
    )*};
}

/// Reductions: the upper half onto the lower, and the rest as AVX2 does it.
macro_rules! reductions {
    ($($name:ident = $eight:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, v: __m512) -> f32 {
            // SAFETY: the token is the proof of AVX-512.
            let v = unsafe {
                $eight(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v))
            };
            self.half().$name(v)
        }
    )*};
}

impl Simd for Avx512 {
    type V = __m512;
    /// A bit for every lane.
    type M = __mmask16;
    type Half = Avx512Half;
    type One = Self;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;
    const NATIVE_SCALE: bool = true;
    const SHORT_CHAINS: bool = true;

    #[inline(always)]
    fn one(self) -> Self {
        self
    }
    #[inline(always)]
    fn fold_add(self, old: __m512, v: __m512) -> __m512 {
        self.add(old, v)
    }
    #[inline(always)]
    fn fold_max(self, old: __m512, v: __m512) -> __m512 {
        self.max(v, old)
    }
    #[inline(always)]
    fn half(self) -> Avx512Half {
        // SAFETY: the token is the proof of all that it asks for.
        unsafe { Avx512Half::new_unchecked() }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m512 {
        // SAFETY: the token is the proof of AVX-512; the caller promises 16 floats.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m512) {
        // SAFETY: the token is the proof of AVX-512; the caller promises 16 floats.
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> __m512 {
        // SAFETY: the token is the proof of AVX-512; lanes from n on are masked off and not
        // accessed; the caller promises the others.
        unsafe { _mm512_maskz_loadu_ps(self.first_lanes(n), p) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: __m512, n: usize) {
        // SAFETY: the token is the proof of AVX-512; lanes from n on are masked off and not
        // accessed; the caller promises the others.
        unsafe { _mm512_mask_storeu_ps(p, self.first_lanes(n), v) }
    }

    intrinsics! {
        add(a, b) = _mm512_add_ps;
        sub(a, b) = _mm512_sub_ps;
        mul(a, b) = _mm512_mul_ps;
        div(a, b) = _mm512_div_ps;
        min(a, b) = _mm512_min_ps;
        max(a, b) = _mm512_max_ps;
        abs(a) = _mm512_abs_ps;
        sqrt(a) = _mm512_sqrt_ps;
        mul_add(a, b, c) = _mm512_fmadd_ps;
        neg_mul_add(a, b, c) = _mm512_fnmadd_ps;
        exponent(a) = _mm512_getexp_ps;
        scale_exp2(a, n) = _mm512_scalef_ps;
    }
    comparisons! {
        lt = _CMP_LT_OQ;
        le = _CMP_LE_OQ;
        gt = _CMP_GT_OQ;
        ge = _CMP_GE_OQ;
        eq = _CMP_EQ_OQ;
    }

    #[inline(always)]
    fn neg(self, a: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe { _mm512_xor_ps(a, _mm512_set1_ps(-0.0)) }
    }
    #[inline(always)]
    fn select(self, m: __mmask16, if_true: __m512, if_false: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe { _mm512_mask_blend_ps(m, if_false, if_true) }
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> __mmask16 {
        ((1u32 << n.min(Self::LANES)) - 1) as __mmask16
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512. (The immediate is 0 fraction bits and the mode.)
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    fn floor(self, a: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512. (The immediate is 0 fraction bits and the mode.)
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: __m512, n: usize) {
        // SAFETY: the token is the proof of the features; the caller promises the floats.
        unsafe { call_store(self, p, v, n) }
    }
    #[inline(always)]
    unsafe fn call_dot(
        self,
        w: *const f32,
        apart: (usize, usize),
        x: *const f32,
        k: usize,
        sum: __m512,
    ) -> __m512 {
        // SAFETY: the token is the proof of the features; the caller promises the floats.
        unsafe { call_dot(self, w, apart.0, x, k, sum) }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: __m512, y: __m512) -> __m512 {
        f.avx512(self, x, y)
    }
    #[inline(always)]
    fn exp2_biased(self, t: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(t))) }
    }
    #[inline(always)]
    fn mantissa(self, a: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe { _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a) }
    }
    #[inline(always)]
    fn flush(self, a: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512.
        unsafe {
            let bits = _mm512_castps_si512(a);
            let large = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(FLUSH_BITS as i32));
            _mm512_maskz_mov_ps(large, a)
        }
    }
    #[inline(always)]
    fn copysign(self, magnitude: __m512, sign: __m512) -> __m512 {
        // 0b1100_1010: the first operand's bit selects between the second (1) and the third (0).
        // SAFETY: the token is the proof of AVX-512.
        unsafe {
            let bit = _mm512_castps_si512(_mm512_set1_ps(-0.0));
            let (sign, magnitude) = (_mm512_castps_si512(sign), _mm512_castps_si512(magnitude));
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0b1100_1010>(
                bit, sign, magnitude,
            ))
        }
    }

    reductions! {
        reduce_add = _mm256_add_ps;
        reduce_max = _mm256_max_ps;
        reduce_min = _mm256_min_ps;
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn call_store(s: Avx512, p: *mut f32, v: __m512, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { s.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn call_dot(
    s: Avx512,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: __m512,
) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
