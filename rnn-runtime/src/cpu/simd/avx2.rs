//! AVX2 with FMA: eight lanes.

use super::{FLUSH_BITS, LaneFunction, Simd};
use core::arch::x86_64::*;

/// The CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token.
    ///
    /// # Safety
    /// The CPU must have AVX2 and FMA.
    #[inline(always)]
    pub unsafe fn new_unchecked() -> Self {
        Self(())
    }
}

/// Operations that are one intrinsic on vectors.
macro_rules! intrinsics {
    ($($name:ident($($arg:ident),+) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m256),+) -> __m256 {
            // SAFETY: the token is the proof of AVX2 and FMA.
            unsafe { $intrinsic($($arg),+) }
        }
    )*};
}

/// Comparisons, by the predicate of the intrinsic.
macro_rules! comparisons {
    ($($name:ident = $predicate:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: the token is the proof of AVX2.
            unsafe { _mm256_cmp_ps::<$predicate>(a, b) }
        }
    )*};
}

/// Reductions: the upper half onto the lower until one lane is left.
macro_rules! reductions {
    ($($name:ident = $four:ident, $one:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, v: __m256) -> f32 {
            // SAFETY: the token is the proof of AVX2.
            unsafe {
                let v = $four(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
                let v = $four(v, _mm_movehl_ps(v, v));
                _mm_cvtss_f32($one(v, _mm_shuffle_ps::<0b01>(v, v)))
            }
        }
    )*};
}

impl Simd for Avx2 {
    type V = __m256;
    /// All bits of a lane set, or none.
    type M = __m256;
    type Half = Self;
    type One = Self;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const FUSED: bool = true;
    const NATIVE_SCALE: bool = false;
    const SHORT_CHAINS: bool = true;

    #[inline(always)]
    fn one(self) -> Self {
        self
    }
    #[inline(always)]
    fn fold_add(self, old: __m256, v: __m256) -> __m256 {
        self.add(old, v)
    }
    #[inline(always)]
    fn fold_max(self, old: __m256, v: __m256) -> __m256 {
        self.max(v, old)
    }
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m256 {
        // SAFETY: the token is the proof of AVX2; the caller promises 8 floats.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m256) {
        // SAFETY: the token is the proof of AVX2; the caller promises 8 floats.
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> __m256 {
        // SAFETY: the token is the proof of AVX2; lanes from n on are masked off and not
        // accessed; the caller promises the others.
        unsafe { _mm256_maskload_ps(p, _mm256_castps_si256(self.first_lanes(n))) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: __m256, n: usize) {
        // SAFETY: the token is the proof of AVX2; lanes from n on are masked off and not
        // accessed; the caller promises the others.
        unsafe { _mm256_maskstore_ps(p, _mm256_castps_si256(self.first_lanes(n)), v) }
    }

    intrinsics! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        min(a, b) = _mm256_min_ps;
        max(a, b) = _mm256_max_ps;
        sqrt(a) = _mm256_sqrt_ps;
        mul_add(a, b, c) = _mm256_fmadd_ps;
        neg_mul_add(a, b, c) = _mm256_fnmadd_ps;
    }
    comparisons! {
        lt = _CMP_LT_OQ;
        le = _CMP_LE_OQ;
        gt = _CMP_GT_OQ;
        ge = _CMP_GE_OQ;
        eq = _CMP_EQ_OQ;
    }

    #[inline(always)]
    fn neg(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_xor_ps(a, _mm256_set1_ps(-0.0)) }
    }
    #[inline(always)]
    fn abs(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    fn select(self, m: __m256, if_true: __m256, if_false: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_blendv_ps(if_false, if_true, m) }
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> __m256 {
        let n = n.min(Self::LANES) as i32;
        // SAFETY: the token is the proof of AVX2.
        unsafe {
            let index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), index))
        }
    }

    #[inline(always)]
    fn round(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    fn floor(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_floor_ps(a) }
    }
    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: __m256, n: usize) {
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
        sum: __m256,
    ) -> __m256 {
        // SAFETY: the token is the proof of the features; the caller promises the floats.
        unsafe { call_dot(self, w, apart.0, x, k, sum) }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: __m256, y: __m256) -> __m256 {
        f.avx2(self, x, y)
    }
    #[inline(always)]
    fn exp2_biased(self, t: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(t))) }
    }
    #[inline(always)]
    fn exponent(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(a));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))
        }
    }
    #[inline(always)]
    fn flush(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe {
            let bits = _mm256_castps_si256(a);
            let large = _mm256_and_si256(bits, _mm256_set1_epi32(FLUSH_BITS as i32));
            let small = _mm256_cmpeq_epi32(large, _mm256_setzero_si256());
            _mm256_castsi256_ps(_mm256_andnot_si256(small, bits))
        }
    }
    #[inline(always)]
    fn mantissa(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe {
            let fraction = _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x007f_ffff)));
            _mm256_or_ps(fraction, _mm256_set1_ps(1.0))
        }
    }
    #[inline(always)]
    fn copysign(self, magnitude: __m256, sign: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2.
        unsafe {
            let bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign))
        }
    }

    reductions! {
        reduce_add = _mm_add_ps, _mm_add_ss;
        reduce_max = _mm_max_ps, _mm_max_ss;
        reduce_min = _mm_min_ps, _mm_min_ss;
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn call_store(s: Avx2, p: *mut f32, v: __m256, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { s.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn call_dot(
    s: Avx2,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: __m256,
) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
