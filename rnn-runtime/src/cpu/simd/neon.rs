//! NEON: four lanes. Every AArch64 CPU has it.

use super::{FLUSH_BITS, LaneFunction, Simd};
use core::arch::aarch64::*;

/// NEON, which belongs to the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neon;

/// Operations that are one intrinsic on vectors.
macro_rules! intrinsics {
    ($($name:ident($($arg:ident),+) -> $out:ident = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: float32x4_t),+) -> $out {
            // SAFETY: the target has NEON.
            unsafe { $intrinsic($($arg),+) }
        }
    )*};
}

impl Simd for Neon {
    type V = float32x4_t;
    /// All bits of a lane set, or none.
    type M = uint32x4_t;
    type Half = Self;
    type One = Self;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;
    const NATIVE_SCALE: bool = false;
    const SHORT_CHAINS: bool = true;

    #[inline(always)]
    fn one(self) -> Self {
        self
    }
    #[inline(always)]
    fn fold_add(self, old: float32x4_t, v: float32x4_t) -> float32x4_t {
        self.add(old, v)
    }
    #[inline(always)]
    fn fold_max(self, old: float32x4_t, v: float32x4_t) -> float32x4_t {
        self.max(v, old)
    }
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> float32x4_t {
        // SAFETY: the target has NEON; the caller promises 4 floats.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: float32x4_t) {
        // SAFETY: the target has NEON; the caller promises 4 floats.
        unsafe { vst1q_f32(p, v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> float32x4_t {
        let mut lanes = [0.0; 4];
        for (i, lane) in lanes.iter_mut().enumerate().take(n) {
            // SAFETY: i < n, and the caller promises n floats.
            *lane = unsafe { p.add(i).read() };
        }
        // SAFETY: the array has 4 floats.
        unsafe { self.load(lanes.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: float32x4_t, n: usize) {
        let mut lanes = [0.0; 4];
        // SAFETY: the array has 4 floats.
        unsafe { self.store(lanes.as_mut_ptr(), v) }
        for (i, &lane) in lanes.iter().enumerate().take(n) {
            // SAFETY: i < n, and the caller promises n floats.
            unsafe { p.add(i).write(lane) }
        }
    }

    intrinsics! {
        add(a, b) -> float32x4_t = vaddq_f32;
        sub(a, b) -> float32x4_t = vsubq_f32;
        mul(a, b) -> float32x4_t = vmulq_f32;
        div(a, b) -> float32x4_t = vdivq_f32;
        neg(a) -> float32x4_t = vnegq_f32;
        abs(a) -> float32x4_t = vabsq_f32;
        sqrt(a) -> float32x4_t = vsqrtq_f32;
        round(a) -> float32x4_t = vrndnq_f32;
        floor(a) -> float32x4_t = vrndmq_f32;
        lt(a, b) -> uint32x4_t = vcltq_f32;
        le(a, b) -> uint32x4_t = vcleq_f32;
        gt(a, b) -> uint32x4_t = vcgtq_f32;
        ge(a, b) -> uint32x4_t = vcgeq_f32;
        eq(a, b) -> uint32x4_t = vceqq_f32;
    }

    // The instructions of NEON give NaN if either is NaN.
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        self.select(self.lt(a, b), a, b)
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        self.select(self.gt(a, b), a, b)
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vfmsq_f32(c, a, b) }
    }
    #[inline(always)]
    fn select(self, m: uint32x4_t, if_true: float32x4_t, if_false: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vbslq_f32(m, if_true, if_false) }
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> uint32x4_t {
        let n = n.min(Self::LANES) as u32;
        // SAFETY: the target has NEON; the array has 4 numbers.
        unsafe { vcltq_u32(vld1q_u32([0, 1, 2, 3].as_ptr()), vdupq_n_u32(n)) }
    }

    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: float32x4_t, n: usize) {
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
        sum: float32x4_t,
    ) -> float32x4_t {
        // SAFETY: the caller promises the floats.
        unsafe { call_dot(self, w, apart.0, x, k, sum) }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: float32x4_t, y: float32x4_t) -> float32x4_t {
        f.neon(self, x, y)
    }
    #[inline(always)]
    fn exp2_biased(self, t: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(t))) }
    }
    #[inline(always)]
    fn exponent(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe {
            let biased = vreinterpretq_s32_u32(vshrq_n_u32::<23>(vreinterpretq_u32_f32(a)));
            vcvtq_f32_s32(vsubq_s32(biased, vdupq_n_s32(127)))
        }
    }
    #[inline(always)]
    fn flush(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe {
            let bits = vreinterpretq_u32_f32(a);
            let large = vtstq_u32(bits, vdupq_n_u32(FLUSH_BITS));
            vreinterpretq_f32_u32(vandq_u32(bits, large))
        }
    }
    #[inline(always)]
    fn mantissa(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe {
            let fraction = vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(0x007f_ffff));
            vreinterpretq_f32_u32(vorrq_u32(fraction, vdupq_n_u32(0x3f80_0000)))
        }
    }
    #[inline(always)]
    fn copysign(self, magnitude: float32x4_t, sign: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vbslq_f32(vdupq_n_u32(0x8000_0000), sign, magnitude) }
    }

    #[inline(always)]
    fn reduce_add(self, v: float32x4_t) -> f32 {
        // SAFETY: the target has NEON.
        unsafe {
            let two = vadd_f32(vget_low_f32(v), vget_high_f32(v));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        }
    }
    #[inline(always)]
    fn reduce_max(self, v: float32x4_t) -> f32 {
        // SAFETY: the target has NEON.
        unsafe { vmaxvq_f32(v) }
    }
    #[inline(always)]
    fn reduce_min(self, v: float32x4_t) -> f32 {
        // SAFETY: the target has NEON.
        unsafe { vminvq_f32(v) }
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
unsafe fn call_store(s: Neon, p: *mut f32, v: float32x4_t, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { s.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
unsafe fn call_dot(
    s: Neon,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: float32x4_t,
) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
