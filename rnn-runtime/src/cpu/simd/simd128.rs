//! WebAssembly's `simd128`: four lanes, for programs that are compiled with it.

use super::{FLUSH_BITS, LaneFunction, Simd};
use core::arch::wasm32::*;

/// `simd128`, which belongs to the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simd128;

/// Operations that are one intrinsic on vectors.
macro_rules! intrinsics {
    ($($name:ident($($arg:ident),+) -> $out:ident = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: v128),+) -> $out {
            $intrinsic($($arg),+)
        }
    )*};
}

#[inline(always)]
fn lanes(v: v128) -> [f32; 4] {
    [
        f32x4_extract_lane::<0>(v),
        f32x4_extract_lane::<1>(v),
        f32x4_extract_lane::<2>(v),
        f32x4_extract_lane::<3>(v),
    ]
}

impl Simd for Simd128 {
    type V = v128;
    /// All bits of a lane set, or none.
    type M = v128;
    type Half = Self;
    type One = Self;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;
    const FUSED: bool = false;
    const NATIVE_SCALE: bool = false;
    const SHORT_CHAINS: bool = false;

    #[inline(always)]
    fn one(self) -> Self {
        self
    }
    #[inline(always)]
    fn fold_add(self, old: v128, v: v128) -> v128 {
        self.add(old, v)
    }
    #[inline(always)]
    fn fold_max(self, old: v128, v: v128) -> v128 {
        self.max(v, old)
    }
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> v128 {
        // SAFETY: the caller promises 4 floats, which need no alignment.
        unsafe { v128_load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: v128) {
        // SAFETY: the caller promises 4 floats, which need no alignment.
        unsafe { v128_store(p.cast(), v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> v128 {
        let mut lanes = [0.0; 4];
        for (i, lane) in lanes.iter_mut().enumerate().take(n) {
            // SAFETY: i < n, and the caller promises n floats.
            *lane = unsafe { p.add(i).read() };
        }
        // SAFETY: the array has 4 floats.
        unsafe { self.load(lanes.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: v128, n: usize) {
        let mut lanes = [0.0; 4];
        // SAFETY: the array has 4 floats.
        unsafe { self.store(lanes.as_mut_ptr(), v) }
        for (i, &lane) in lanes.iter().enumerate().take(n) {
            // SAFETY: i < n, and the caller promises n floats.
            unsafe { p.add(i).write(lane) }
        }
    }

    intrinsics! {
        add(a, b) -> v128 = f32x4_add;
        sub(a, b) -> v128 = f32x4_sub;
        mul(a, b) -> v128 = f32x4_mul;
        div(a, b) -> v128 = f32x4_div;
        neg(a) -> v128 = f32x4_neg;
        abs(a) -> v128 = f32x4_abs;
        sqrt(a) -> v128 = f32x4_sqrt;
        round(a) -> v128 = f32x4_nearest;
        floor(a) -> v128 = f32x4_floor;
        lt(a, b) -> v128 = f32x4_lt;
        le(a, b) -> v128 = f32x4_le;
        gt(a, b) -> v128 = f32x4_gt;
        ge(a, b) -> v128 = f32x4_ge;
        eq(a, b) -> v128 = f32x4_eq;
    }

    // `pmin(b, a)` is `if a < b { a } else { b }`.
    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        f32x4_pmin(b, a)
    }
    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        f32x4_pmax(b, a)
    }
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn neg_mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_sub(c, f32x4_mul(a, b))
    }
    #[inline(always)]
    fn select(self, m: v128, if_true: v128, if_false: v128) -> v128 {
        v128_bitselect(if_true, if_false, m)
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> v128 {
        u32x4_lt(u32x4(0, 1, 2, 3), u32x4_splat(n.min(Self::LANES) as u32))
    }

    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: v128, n: usize) {
        // SAFETY: the caller promises the floats.
        unsafe { call_store(self, p, v, n) }
    }
    #[inline(always)]
    unsafe fn call_dot(
        self,
        w: *const f32,
        apart: (usize, usize),
        x: *const f32,
        k: usize,
        sum: v128,
    ) -> v128 {
        // SAFETY: the caller promises the floats.
        unsafe { call_dot(self, w, apart.0, x, k, sum) }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: v128, y: v128) -> v128 {
        f.simd128(self, x, y)
    }
    #[inline(always)]
    fn exp2_biased(self, t: v128) -> v128 {
        u32x4_shl(t, 23)
    }
    #[inline(always)]
    fn exponent(self, a: v128) -> v128 {
        f32x4_convert_i32x4(i32x4_sub(u32x4_shr(a, 23), i32x4_splat(127)))
    }
    #[inline(always)]
    fn flush(self, a: v128) -> v128 {
        let large = v128_and(a, u32x4_splat(FLUSH_BITS));
        v128_and(a, u32x4_ne(large, u32x4_splat(0)))
    }
    #[inline(always)]
    fn mantissa(self, a: v128) -> v128 {
        v128_or(
            v128_and(a, u32x4_splat(0x007f_ffff)),
            u32x4_splat(0x3f80_0000),
        )
    }
    #[inline(always)]
    fn copysign(self, magnitude: v128, sign: v128) -> v128 {
        v128_bitselect(sign, magnitude, u32x4_splat(0x8000_0000))
    }

    #[inline(always)]
    fn reduce_add(self, v: v128) -> f32 {
        let [a, b, c, d] = lanes(v);
        let (a, b) = (a + c, b + d);
        a + b
    }
    #[inline(always)]
    fn reduce_max(self, v: v128) -> f32 {
        let [a, b, c, d] = lanes(v);
        let (a, b) = (a.max(c), b.max(d));
        a.max(b)
    }
    #[inline(always)]
    fn reduce_min(self, v: v128) -> f32 {
        let [a, b, c, d] = lanes(v);
        let (a, b) = (a.min(c), b.min(d));
        a.min(b)
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
unsafe fn call_store(s: Simd128, p: *mut f32, v: v128, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { s.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
unsafe fn call_dot(
    s: Simd128,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: v128,
) -> v128 {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
