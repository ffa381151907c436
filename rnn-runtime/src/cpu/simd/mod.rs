//! One small trait between the kernels and the instruction sets.
//!
//! A kernel is written once, generic over [`Simd`], as an [`Op`]; [`Isa::dispatch`] runs it with
//! the token of an instruction set inside a function that is compiled for that set. Everything
//! between the two must be `#[inline(always)]`: a function that is not inlined is compiled for
//! the target's baseline, and every vector operation in it becomes a call.
//! (The approach is that of the crates pulp and rten-simd.)
//!
//! | token | lanes | registers | fused multiply-add | compiled for |
//! |---|---|---|---|---|
//! | [`Plain<N>`] | `N` | 16 | where the target has it at compile time | every target |
//! | `Avx2` | 8 | 16 | yes | x86-64 |
//! | `Avx512` | 16 | 32 | yes | x86-64 |
//! | `Neon` | 4 | 32 | yes | AArch64 |
//! | `Simd128` | 4 | 16 | no | WebAssembly with `simd128` |
//! | [`Wide<S>`] | twice those of `S` | half of those of `S` | as `S` | every target |
//!
//! ```
//! use rnn_runtime::cpu::simd::{Isa, Op, Simd};
//!
//! /// `x[i] *= factor` for every element.
//! struct Scale<'a> { x: &'a mut [f32], factor: f32 }
//!
//! impl Op for Scale<'_> {
//!     type Output = ();
//!     #[inline(always)]
//!     fn run<S: Simd>(self, s: S) {
//!         let factor = s.splat(self.factor);
//!         for chunk in self.x.chunks_mut(S::LANES) {
//!             // SAFETY: the chunk holds chunk.len() <= LANES floats.
//!             unsafe {
//!                 let v = s.load_partial(chunk.as_ptr(), chunk.len());
//!                 s.store_partial(chunk.as_mut_ptr(), s.mul(v, factor), chunk.len());
//!             }
//!         }
//!     }
//! }
//!
//! let mut x = [1.0, 2.0, 3.0];
//! Isa::best()?.dispatch(Scale { x: &mut x, factor: 2.0 });
//! assert_eq!(x, [2.0, 4.0, 6.0]);
//! # Ok::<(), rnn_runtime::Error>(())
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_half;
#[cfg(feature = "std")]
mod choice;
mod dispatch;
mod float;
#[cfg(target_arch = "aarch64")]
mod neon;
mod plain;
#[cfg(simd128)]
mod simd128;
mod wide;

#[cfg(test)]
mod tests;

#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::float32x4_t;
#[cfg(simd128)]
use core::arch::wasm32::v128;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{__m256, __m512};

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
#[cfg(target_arch = "x86_64")]
pub use avx512_half::Avx512Half;
pub(crate) use dispatch::NARROW;
pub use dispatch::{Isa, Op};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use plain::Plain;
#[cfg(simd128)]
pub use simd128::Simd128;
pub use wide::Wide;

/// Whether kernels call the longer parts of their code instead of having a copy of it. With optimisation they have copies:
/// a call would cost more than some parts take, and nothing else could run beside it. Without, a copy is hundreds of
/// stores and loads, once for each kernel, number of rows and instruction set: most of what rustc had to write for a
/// model. So a development build that is not optimised calls the one copy that each instruction set has. The
/// operations are the same, and so are the bits. `build.rs` decides.
pub(in crate::cpu) const CALLED: bool = cfg!(recurrent_calls);

/// Adding this to a float of magnitude below 2²² rounds it to the nearest integer (ties to even)
/// and leaves that integer, plus the bias 127 of an exponent, in the lowest bits of the sum.
/// It is 1.5 · 2²³ + 127; see [`Simd::exp2_biased`].
pub const ROUND_BIASED: f32 = 12_582_912.0 + 127.0;

/// Bits of the exponent of which a float of magnitude 2⁻⁶³ or more has at least one, and a smaller one none: its exponent
/// with the bias 127 is below 64.
const FLUSH_BITS: u32 = 0b1100_0000 << 23;

/// A function of two vectors, lane by lane, that has one copy of its code for each instruction set. One of
/// one argument reads the first.
#[doc(hidden)]
pub trait LaneFunction: Copy {
    /// On every CPU.
    fn plain<const N: usize>(self, s: Plain<N>, x: [f32; N], y: [f32; N]) -> [f32; N];
    /// With NEON.
    #[cfg(target_arch = "aarch64")]
    fn neon(self, s: Neon, x: float32x4_t, y: float32x4_t) -> float32x4_t;
    /// With `simd128`.
    #[cfg(simd128)]
    fn simd128(self, s: Simd128, x: v128, y: v128) -> v128;
    /// With AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    fn avx2(self, s: Avx2, x: __m256, y: __m256) -> __m256;
    /// With AVX-512.
    #[cfg(target_arch = "x86_64")]
    fn avx512(self, s: Avx512, x: __m512, y: __m512) -> __m512;
    /// With AVX-512, on half a vector.
    #[cfg(target_arch = "x86_64")]
    fn avx512_half(self, s: Avx512Half, x: __m256, y: __m256) -> __m256;
}

/// What [`Simd::call_dot`] calls, for vectors of one register. It is inlined into a function for the instruction set.
///
/// # Safety
/// As [`Simd::call_dot`].
#[inline(always)]
unsafe fn dot<S: Simd>(
    s: S,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: S::V,
) -> S::V {
    let mut sum = sum;
    for i in 0..k {
        // SAFETY: the caller's promise.
        unsafe {
            let (w, x) = (s.load(w.add(i * row)), s.splat(*x.add(i)));
            sum = s.mul_add(w, x, sum);
        }
    }
    sum
}

mod sealed {
    /// Kernels rely on what an implementation promises, so there are only those of this module.
    pub trait Sealed {}
    impl<const N: usize> Sealed for super::Plain<N> {}
    #[cfg(target_arch = "aarch64")]
    impl Sealed for super::Neon {}
    #[cfg(simd128)]
    impl Sealed for super::Simd128 {}
    #[cfg(target_arch = "x86_64")]
    impl Sealed for super::Avx2 {}
    #[cfg(target_arch = "x86_64")]
    impl Sealed for super::Avx512 {}
    #[cfg(target_arch = "x86_64")]
    impl Sealed for super::avx512_half::Avx512Half {}
    impl<S: super::Simd> Sealed for super::Wide<S> {}
}

/// A value of this type is the proof that the CPU has the instruction set.
///
/// Every operation works lane by lane unless it says otherwise, and follows IEEE 754 in the
/// default rounding mode, subnormal numbers included.
pub trait Simd: sealed::Sealed + Copy + Send + Sync + 'static {
    /// One vector of `LANES` floats.
    type V: Copy;
    /// One truth value for every lane.
    type M: Copy;
    /// The same instruction set with vectors of half the width, or `Self` where there is none. Its
    /// functions give the same bits.
    type Half: Simd;
    /// The instruction set with vectors of one register.
    type One: Simd;
    /// Floats in a vector.
    const LANES: usize;
    /// Vectors that fit in the registers at once.
    const REGISTERS: usize;
    /// Whether [`Simd::mul_add`] rounds once.
    const FUSED: bool;
    /// Whether [`Simd::scale_exp2`] is a single instruction.
    const NATIVE_SCALE: bool;
    /// Whether functions do more operations for a shorter chain of them: where a selection is one instruction, and several
    /// operations run at once.
    const SHORT_CHAINS: bool;

    /// The token for vectors of half the width.
    fn half(self) -> Self::Half;

    /// The token for vectors of one register.
    fn one(self) -> Self::One;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::V;

    /// `LANES` floats from `p`, which need not be aligned to more than a float.
    ///
    /// # Safety
    /// `p` must be valid for reading `LANES` floats.
    unsafe fn load(self, p: *const f32) -> Self::V;

    /// The same for a vector whose registers are not side by side: register `i` of it is the floats
    /// from `p + i * distance` on.
    ///
    /// # Safety
    /// Every register's floats must be valid for reading.
    #[inline(always)]
    unsafe fn load_apart(self, p: *const f32, _distance: usize) -> Self::V {
        // SAFETY: the caller's promise, for the one register that there is.
        unsafe { self.load(p) }
    }

    /// Writes `LANES` floats to `p`, which need not be aligned to more than a float.
    ///
    /// # Safety
    /// `p` must be valid for writing `LANES` floats.
    unsafe fn store(self, p: *mut f32, v: Self::V);

    /// `n` floats from `p` in the first lanes, 0 in the others. Reads nothing past them.
    ///
    /// # Safety
    /// `n <= LANES`, and `p` must be valid for reading `n` floats.
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V;

    /// Writes the first `n` lanes to `p` and nothing past them.
    ///
    /// # Safety
    /// `n <= LANES`, and `p` must be valid for writing `n` floats.
    unsafe fn store_partial(self, p: *mut f32, v: Self::V, n: usize);

    /// Writes the first `n` lanes to `p`, or all of them where `n` is more.
    ///
    /// # Safety
    /// `p` must be valid for writing so many floats.
    #[inline(always)]
    unsafe fn store_up_to(self, p: *mut f32, v: Self::V, n: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if n < Self::LANES {
                self.store_partial(p, v, n);
            } else {
                self.store(p, v);
            }
        }
    }

    /// The same, by a call: see [`CALLED`].
    ///
    /// # Safety
    /// As [`Simd::store_up_to`].
    #[doc(hidden)]
    unsafe fn call_store(self, p: *mut f32, v: Self::V, n: usize);

    /// `sum` plus the products of `k` numbers from `x` on and as many vectors, in order, by a call. The vectors are
    /// [apart](Simd::load_apart): the first starts at `w`, and `apart` is how far it is from one to the next, and from one
    /// register of a vector to the next. See [`CALLED`].
    ///
    /// # Safety
    /// The numbers and every register's floats must be valid for reading.
    #[doc(hidden)]
    unsafe fn call_dot(
        self,
        w: *const f32,
        apart: (usize, usize),
        x: *const f32,
        k: usize,
        sum: Self::V,
    ) -> Self::V;

    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `if a < b { a } else { b }`: `b` if either is NaN, so write `min(constant, x)` to keep a NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `if a > b { a } else { b }`: `b` if either is NaN, so write `max(constant, x)` to keep a NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `-a`, the sign of zeros and NaNs included.
    fn neg(self, a: Self::V) -> Self::V;
    /// `|a|`
    fn abs(self, a: Self::V) -> Self::V;
    /// The square root, correctly rounded.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `a * b + c`, with a single rounding where the instruction set has that.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`, with a single rounding where the instruction set has that.
    fn neg_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `a < b`, false for NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a <= b`, false for NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a > b`, false for NaN.
    fn gt(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a >= b`, false for NaN.
    fn ge(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a == b`, false for NaN.
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// `if m { if_true } else { if_false }`; both are computed.
    fn select(self, m: Self::M, if_true: Self::V, if_false: Self::V) -> Self::V;
    /// True in lanes `0..n`; in all of them if `n` is `LANES` or more.
    fn first_lanes(self, n: usize) -> Self::M;

    /// The nearest integer, ties to even.
    fn round(self, a: Self::V) -> Self::V;
    /// The largest integer that is not above `a`.
    fn floor(self, a: Self::V) -> Self::V;

    /// 2ⁿ of `t = n + ROUND_BIASED`, n an integer in -127..=128: the bits of `t` shifted into the
    /// place of the exponent. Gives 0 for n = -127 and infinity for n = 128. It saves the
    /// conversion to integers where rounding by [`ROUND_BIASED`] made `t` anyway.
    fn exp2_biased(self, t: Self::V) -> Self::V;

    /// 2ⁿ for integers n in -126..=127; 0 for -127 and infinity for 128.
    #[inline(always)]
    fn exp2i(self, n: Self::V) -> Self::V {
        self.exp2_biased(self.add(n, self.splat(ROUND_BIASED)))
    }

    /// `a · 2ⁿ` for integers n in -252..=252, rounded once if `a` is normal and |a| in [0.5, 2].
    #[inline(always)]
    fn scale_exp2(self, a: Self::V, n: Self::V) -> Self::V {
        let first = self.round(self.mul(n, self.splat(0.5)));
        let second = self.sub(n, first);
        self.mul(self.mul(a, self.exp2i(first)), self.exp2i(second))
    }

    /// `f` of `x` and `y`, by a call: see [`CALLED`].
    #[doc(hidden)]
    fn call<F: LaneFunction>(self, f: F, x: Self::V, y: Self::V) -> Self::V;

    /// `e` of `a = m · 2ᵉ`, m in [1, 2). Positive, normal and finite `a` only; others give a
    /// value that depends on the instruction set.
    fn exponent(self, a: Self::V) -> Self::V;
    /// `m` of `a = m · 2ᵉ`, m in [1, 2). Positive, normal and finite `a` only; others give a
    /// value that depends on the instruction set.
    fn mantissa(self, a: Self::V) -> Self::V;
    /// `a`, or 0 where |a| < 2⁻⁶³; infinity and NaN are kept. By two bits of its exponent, since the step of a stream waits for it:
    /// a comparison of floats takes longer than the two or three operations of integers.
    fn flush(self, a: Self::V) -> Self::V;
    /// `magnitude` with the sign bit of `sign`.
    fn copysign(self, magnitude: Self::V, sign: Self::V) -> Self::V;

    /// The sum of all lanes. The order, which depends on `LANES` only, is that of a tree: lane
    /// `i` is added to lane `i + LANES / 2`, then the same on the half that is left.
    fn reduce_add(self, v: Self::V) -> f32;
    /// `old` plus the vectors of one register that `v` is made of, in order: so the partial sums of
    /// a row are the same however wide its tiles are.
    fn fold_add(self, old: <Self::One as Simd>::V, v: Self::V) -> <Self::One as Simd>::V;
    /// The same for the larger one.
    fn fold_max(self, old: <Self::One as Simd>::V, v: Self::V) -> <Self::One as Simd>::V;
    /// The largest lane; unspecified if one is NaN.
    fn reduce_max(self, v: Self::V) -> f32;
    /// The smallest lane; unspecified if one is NaN.
    fn reduce_min(self, v: Self::V) -> f32;
}
