//! Two vectors side by side.

use super::{LaneFunction, Simd};

/// Two vectors of `S` as one: the same kernels at twice the width.
///
/// Kernels take it where one vector leaves the units for multiply-add waiting, because every
/// operation of the maths hangs on the one before.
#[derive(Clone, Copy, Debug)]
pub struct Wide<S>(pub S);

/// Lane-wise operations: the same on both halves.
macro_rules! both {
    ($($name:ident($($arg:ident),+) -> $out:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),+) -> Self::$out {
            (self.0.$name($($arg.0),+), self.0.$name($($arg.1),+))
        }
    )*};
}

impl<S: Simd> Simd for Wide<S> {
    type V = (S::V, S::V);
    type M = (S::M, S::M);
    type Half = S;
    type One = S::One;
    const LANES: usize = 2 * S::LANES;
    const REGISTERS: usize = S::REGISTERS / 2;
    const FUSED: bool = S::FUSED;
    const NATIVE_SCALE: bool = S::NATIVE_SCALE;
    const SHORT_CHAINS: bool = S::SHORT_CHAINS;

    #[inline(always)]
    fn half(self) -> S {
        self.0
    }
    #[inline(always)]
    fn one(self) -> S::One {
        self.0.one()
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        let v = self.0.splat(x);
        (v, v)
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        // SAFETY: the caller promises the floats of both halves.
        unsafe { (self.0.load(p), self.0.load(p.add(S::LANES))) }
    }
    #[inline(always)]
    unsafe fn load_apart(self, p: *const f32, distance: usize) -> Self::V {
        let registers = S::LANES / S::One::LANES;
        // SAFETY: the caller promises the floats of all registers.
        unsafe {
            (
                self.0.load_apart(p, distance),
                self.0.load_apart(p.add(registers * distance), distance),
            )
        }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller promises the floats of both halves.
        unsafe {
            self.0.store(p, v.0);
            self.0.store(p.add(S::LANES), v.1);
        }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V {
        let first = n.min(S::LANES);
        // SAFETY: the caller promises n floats, which are first + (n - first); with none left
        // for the second half its pointer is not accessed (hence the wrapping addition).
        unsafe {
            let low = self.0.load_partial(p, first);
            (
                low,
                self.0.load_partial(p.wrapping_add(S::LANES), n - first),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: Self::V, n: usize) {
        let first = n.min(S::LANES);
        // SAFETY: as in load_partial.
        unsafe {
            self.0.store_partial(p, v.0, first);
            self.0
                .store_partial(p.wrapping_add(S::LANES), v.1, n - first);
        }
    }

    both! {
        add(a, b) -> V;
        sub(a, b) -> V;
        mul(a, b) -> V;
        div(a, b) -> V;
        min(a, b) -> V;
        max(a, b) -> V;
        neg(a) -> V;
        abs(a) -> V;
        sqrt(a) -> V;
        mul_add(a, b, c) -> V;
        neg_mul_add(a, b, c) -> V;
        lt(a, b) -> M;
        le(a, b) -> M;
        gt(a, b) -> M;
        ge(a, b) -> M;
        eq(a, b) -> M;
        round(a) -> V;
        floor(a) -> V;
        exp2_biased(t) -> V;
        exp2i(n) -> V;
        scale_exp2(a, n) -> V;
        exponent(a) -> V;
        mantissa(a) -> V;
        flush(a) -> V;
        copysign(magnitude, sign) -> V;
    }

    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: Self::V, n: usize) {
        // SAFETY: as in store_partial.
        unsafe {
            self.0.call_store(p, v.0, n);
            self.0
                .call_store(p.wrapping_add(S::LANES), v.1, n.saturating_sub(S::LANES));
        }
    }
    #[inline(always)]
    unsafe fn call_dot(
        self,
        w: *const f32,
        apart: (usize, usize),
        x: *const f32,
        k: usize,
        sum: Self::V,
    ) -> Self::V {
        let registers = S::LANES / S::One::LANES;
        // SAFETY: the caller promises the floats of all registers.
        unsafe {
            (
                self.0.call_dot(w, apart, x, k, sum.0),
                self.0
                    .call_dot(w.add(registers * apart.1), apart, x, k, sum.1),
            )
        }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: Self::V, y: Self::V) -> Self::V {
        (self.0.call(f, x.0, y.0), self.0.call(f, x.1, y.1))
    }
    #[inline(always)]
    fn select(self, m: Self::M, if_true: Self::V, if_false: Self::V) -> Self::V {
        (
            self.0.select(m.0, if_true.0, if_false.0),
            self.0.select(m.1, if_true.1, if_false.1),
        )
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> Self::M {
        (
            self.0.first_lanes(n),
            self.0.first_lanes(n.saturating_sub(S::LANES)),
        )
    }
    #[inline(always)]
    fn reduce_add(self, v: Self::V) -> f32 {
        self.0.reduce_add(self.0.add(v.0, v.1))
    }
    #[inline(always)]
    fn fold_add(self, old: <Self::One as Simd>::V, v: Self::V) -> <Self::One as Simd>::V {
        self.0.fold_add(self.0.fold_add(old, v.0), v.1)
    }
    #[inline(always)]
    fn fold_max(self, old: <Self::One as Simd>::V, v: Self::V) -> <Self::One as Simd>::V {
        self.0.fold_max(self.0.fold_max(old, v.0), v.1)
    }
    #[inline(always)]
    fn reduce_max(self, v: Self::V) -> f32 {
        self.0.reduce_max(self.0.max(v.0, v.1))
    }
    #[inline(always)]
    fn reduce_min(self, v: Self::V) -> f32 {
        self.0.reduce_min(self.0.min(v.0, v.1))
    }
}
