//! The one copy of every function that each instruction set has, for builds that call them.

use super::functions::Function;
#[cfg(target_arch = "aarch64")]
use crate::cpu::simd::Neon;
#[cfg(simd128)]
use crate::cpu::simd::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::cpu::simd::{Avx2, Avx512, Avx512Half};
use crate::cpu::simd::{LaneFunction, Plain};
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::float32x4_t;
#[cfg(simd128)]
use core::arch::wasm32::v128;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{__m256, __m512};

impl LaneFunction for Function {
    #[inline(always)]
    fn plain<const N: usize>(self, s: Plain<N>, x: [f32; N], y: [f32; N]) -> [f32; N] {
        plain(self, s, x, y)
    }
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn neon(self, s: Neon, x: float32x4_t, y: float32x4_t) -> float32x4_t {
        neon(self, s, x, y)
    }
    #[cfg(simd128)]
    #[inline(always)]
    fn simd128(self, s: Simd128, x: v128, y: v128) -> v128 {
        simd128(self, s, x, y)
    }
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx2(self, s: Avx2, x: __m256, y: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX2 and FMA.
        unsafe { avx2(self, s, x, y) }
    }
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx512(self, s: Avx512, x: __m512, y: __m512) -> __m512 {
        // SAFETY: the token is the proof of AVX-512, AVX2 and FMA.
        unsafe { avx512(self, s, x, y) }
    }
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx512_half(self, s: Avx512Half, x: __m256, y: __m256) -> __m256 {
        // SAFETY: the token is the proof of AVX-512, AVX2 and FMA.
        unsafe { avx512_half(self, s, x, y) }
    }
}

#[inline(never)]
fn plain<const N: usize>(f: Function, s: Plain<N>, x: [f32; N], y: [f32; N]) -> [f32; N] {
    f.of(s, x, y)
}

#[cfg(target_arch = "aarch64")]
#[inline(never)]
fn neon(f: Function, s: Neon, x: float32x4_t, y: float32x4_t) -> float32x4_t {
    f.of(s, x, y)
}

#[cfg(simd128)]
#[inline(never)]
fn simd128(f: Function, s: Simd128, x: v128, y: v128) -> v128 {
    f.of(s, x, y)
}

#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn avx2(f: Function, s: Avx2, x: __m256, y: __m256) -> __m256 {
    f.of(s, x, y)
}

#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512(f: Function, s: Avx512, x: __m512, y: __m512) -> __m512 {
    f.of(s, x, y)
}

#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512_half(f: Function, s: Avx512Half, x: __m256, y: __m256) -> __m256 {
    f.of(s, x, y)
}
