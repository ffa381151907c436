//! Eight lanes on a CPU with AVX-512.

use super::{Avx2, LaneFunction, Simd};
use core::arch::x86_64::*;

/// Half a vector of [`super::Avx512`]: AVX2, with AVX-512's own way to scale by powers of 2, so
/// that a function gives the same bits for the last few units of a row, whatever vector holds them.
#[derive(Clone, Copy, Debug)]
pub struct Avx512Half(Avx2);

impl Avx512Half {
    /// The token.
    ///
    /// # Safety
    /// The CPU must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
    #[inline(always)]
    pub unsafe fn new_unchecked() -> Self {
        // SAFETY: the caller promises AVX2 and FMA, too.
        Self(unsafe { Avx2::new_unchecked() })
    }
}

/// Operations that are those of AVX2.
macro_rules! same {
    ($($name:ident($($arg:ident: $of:ty),+) -> $out:ty;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $of),+) -> $out {
            self.0.$name($($arg),+)
        }
    )*};
}

impl Simd for Avx512Half {
    type V = __m256;
    type M = __m256;
    type Half = Self;
    type One = Self;
    const LANES: usize = Avx2::LANES;
    const REGISTERS: usize = Avx2::REGISTERS;
    const FUSED: bool = true;
    const NATIVE_SCALE: bool = true;
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
    unsafe fn load(self, p: *const f32) -> __m256 {
        // SAFETY: the caller promises 8 floats.
        unsafe { self.0.load(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m256) {
        // SAFETY: the caller promises 8 floats.
        unsafe { self.0.store(p, v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> __m256 {
        // SAFETY: the caller promises n floats, n <= 8.
        unsafe { self.0.load_partial(p, n) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: __m256, n: usize) {
        // SAFETY: the caller promises n floats, n <= 8.
        unsafe { self.0.store_partial(p, v, n) }
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
        f.avx512_half(self, x, y)
    }
    #[inline(always)]
    fn scale_exp2(self, a: __m256, n: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX-512 F and VL.
        unsafe { _mm256_scalef_ps(a, n) }
    }
    #[inline(always)]
    fn exponent(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX-512 F and VL.
        unsafe { _mm256_getexp_ps(a) }
    }
    #[inline(always)]
    fn mantissa(self, a: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX-512 F and VL.
        unsafe { _mm256_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a) }
    }

    same! {
        splat(x: f32) -> __m256;
        add(a: __m256, b: __m256) -> __m256;
        sub(a: __m256, b: __m256) -> __m256;
        mul(a: __m256, b: __m256) -> __m256;
        div(a: __m256, b: __m256) -> __m256;
        min(a: __m256, b: __m256) -> __m256;
        max(a: __m256, b: __m256) -> __m256;
        neg(a: __m256) -> __m256;
        abs(a: __m256) -> __m256;
        sqrt(a: __m256) -> __m256;
        mul_add(a: __m256, b: __m256, c: __m256) -> __m256;
        neg_mul_add(a: __m256, b: __m256, c: __m256) -> __m256;
        lt(a: __m256, b: __m256) -> __m256;
        le(a: __m256, b: __m256) -> __m256;
        gt(a: __m256, b: __m256) -> __m256;
        ge(a: __m256, b: __m256) -> __m256;
        eq(a: __m256, b: __m256) -> __m256;
        select(m: __m256, if_true: __m256, if_false: __m256) -> __m256;
        first_lanes(n: usize) -> __m256;
        round(a: __m256) -> __m256;
        floor(a: __m256) -> __m256;
        exp2_biased(t: __m256) -> __m256;
        flush(a: __m256) -> __m256;
        copysign(magnitude: __m256, sign: __m256) -> __m256;
        reduce_add(v: __m256) -> f32;
        reduce_max(v: __m256) -> f32;
        reduce_min(v: __m256) -> f32;
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn call_store(s: Avx512Half, p: *mut f32, v: __m256, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { s.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn call_dot(
    s: Avx512Half,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: __m256,
) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
