//! The one copy of every function that each instruction set has, for builds that call them.

use super::functions::Function;
#[cfg(target_arch = "x86_64")]
use crate::cpu::simd::{Avx2, Avx512, Avx512Half};
use crate::cpu::simd::{LaneFunction, Scalar};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{__m256, __m512};

impl LaneFunction for Function {
    #[inline(always)]
    fn scalar(self, s: Scalar, x: [f32; 8], y: [f32; 8]) -> [f32; 8] {
        scalar(self, s, x, y)
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
fn scalar(f: Function, s: Scalar, x: [f32; 8], y: [f32; 8]) -> [f32; 8] {
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
