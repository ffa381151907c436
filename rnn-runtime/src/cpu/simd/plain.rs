//! Plain arrays, for every target; LLVM turns the loops into the vectors of the baseline.

use core::mem::MaybeUninit;

use super::{FLUSH_BITS, LaneFunction, Simd};

/// `N` lanes in an array: 1, 2, 4, 8 or 16. Exists on every CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain<const N: usize>;

type V<const N: usize> = [f32; N];
type M<const N: usize> = [bool; N];

/// Whether a multiplication and an addition are one instruction with one rounding.
const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// 1.5 · 2²³: adding and subtracting it rounds floats below 2²² to integers, ties to even.
/// (`f32::round_ties_even` is a call of libm on a plain x86-64.)
const MAGIC: f32 = 12_582_912.0;
/// From here on every float is an integer or far enough from `MAGIC`'s reach; see `round`.
const MAGIC_LIMIT: f32 = 4_194_304.0;

/// `f` of the number of every lane. One lane is no loop, which the levels of optimisation for size would keep.
#[inline(always)]
fn each<const N: usize, Y: Copy>(f: impl Fn(usize) -> Y) -> [Y; N] {
    if N != 1 {
        return core::array::from_fn(f);
    }
    let mut all = MaybeUninit::<[Y; N]>::uninit();
    // SAFETY: the array is one `Y`, which is written.
    unsafe {
        all.as_mut_ptr().cast::<Y>().write(f(0));
        all.assume_init()
    }
}

/// Lane `i`.
///
/// # Safety
/// `i < N`.
#[inline(always)]
unsafe fn lane<const N: usize, T: Copy>(all: &[T; N], i: usize) -> T {
    // SAFETY: the caller's promise. An index would be checked where it is not known, at the lower levels of optimisation.
    unsafe { *all.get_unchecked(i) }
}

#[inline(always)]
fn map<const N: usize>(a: V<N>, f: impl Fn(f32) -> f32) -> V<N> {
    // SAFETY: `each` counts the lanes.
    each(|i| f(unsafe { lane(&a, i) }))
}

#[inline(always)]
fn zip<const N: usize, Y: Copy>(a: V<N>, b: V<N>, f: impl Fn(f32, f32) -> Y) -> [Y; N] {
    // SAFETY: `each` counts the lanes.
    each(|i| unsafe { f(lane(&a, i), lane(&b, i)) })
}

#[inline(always)]
fn zip3<const N: usize, A: Copy>(
    a: [A; N],
    b: V<N>,
    c: V<N>,
    f: impl Fn(A, f32, f32) -> f32,
) -> V<N> {
    // SAFETY: `each` counts the lanes.
    each(|i| unsafe { f(lane(&a, i), lane(&b, i), lane(&c, i)) })
}

#[inline(always)]
fn fma(a: f32, b: f32, c: f32) -> f32 {
    if FUSED {
        super::float::mul_add(a, b, c)
    } else {
        // Without the instruction `f32::mul_add` is a slow call of libm.
        a * b + c
    }
}

#[inline(always)]
fn round(a: f32) -> f32 {
    if a.abs() < MAGIC_LIMIT {
        (a + MAGIC - MAGIC).copysign(a)
    } else if a.abs() < 2.0 * MAGIC_LIMIT {
        // Steps of a half: MAGIC would leave no room for them.
        let big = 8_388_608.0;
        (a.abs() + big - big).copysign(a)
    } else {
        a
    }
}

#[inline(always)]
fn floor(a: f32) -> f32 {
    let r = round(a);
    if r > a { r - 1.0 } else { r }
}

/// Folds the upper half onto the lower until one lane is left.
#[inline(always)]
fn tree<const N: usize>(mut v: V<N>, f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            // SAFETY: `i` and `i + half` are below `2 * half`, which is at most `N`.
            unsafe { *v.get_unchecked_mut(i) = f(lane(&v, i), lane(&v, i + half)) }
        }
        half /= 2;
    }
    v[0]
}

impl<const N: usize> Simd for Plain<N> {
    type V = V<N>;
    type M = M<N>;
    type Half = Self;
    type One = Self;
    const LANES: usize = N;
    const REGISTERS: usize = 16;
    const FUSED: bool = FUSED;
    const NATIVE_SCALE: bool = false;
    const SHORT_CHAINS: bool = false;

    #[inline(always)]
    fn one(self) -> Self {
        self
    }
    #[inline(always)]
    fn fold_add(self, old: Self::V, v: Self::V) -> Self::V {
        self.add(old, v)
    }
    #[inline(always)]
    fn fold_max(self, old: Self::V, v: Self::V) -> Self::V {
        self.max(v, old)
    }
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, x: f32) -> V<N> {
        each(|_| x)
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> V<N> {
        // SAFETY: the caller promises `N` floats; an array of f32 needs no more alignment than f32.
        unsafe { p.cast::<V<N>>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: V<N>) {
        // SAFETY: the caller promises `N` floats; an array of f32 needs no more alignment than f32.
        unsafe { p.cast::<V<N>>().write(v) }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> V<N> {
        each(|i| {
            if i < n {
                // SAFETY: i < n, and the caller promises n floats.
                unsafe { p.add(i).read() }
            } else {
                0.0
            }
        })
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: V<N>, n: usize) {
        for (i, &lane) in v.iter().enumerate().take(n) {
            // SAFETY: i < n, and the caller promises n floats.
            unsafe { p.add(i).write(lane) }
        }
    }

    #[inline(always)]
    fn add(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn min(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, a: V<N>, b: V<N>) -> V<N> {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn neg(self, a: V<N>) -> V<N> {
        map(a, |a| -a)
    }
    #[inline(always)]
    fn abs(self, a: V<N>) -> V<N> {
        map(a, f32::abs)
    }
    #[inline(always)]
    fn sqrt(self, a: V<N>) -> V<N> {
        map(a, super::float::sqrt)
    }
    #[inline(always)]
    fn mul_add(self, a: V<N>, b: V<N>, c: V<N>) -> V<N> {
        zip3(a, b, c, fma)
    }
    #[inline(always)]
    fn neg_mul_add(self, a: V<N>, b: V<N>, c: V<N>) -> V<N> {
        zip3(a, b, c, |a, b, c| fma(-a, b, c))
    }

    #[inline(always)]
    fn lt(self, a: V<N>, b: V<N>) -> M<N> {
        zip(a, b, |a, b| a < b)
    }
    #[inline(always)]
    fn le(self, a: V<N>, b: V<N>) -> M<N> {
        zip(a, b, |a, b| a <= b)
    }
    #[inline(always)]
    fn gt(self, a: V<N>, b: V<N>) -> M<N> {
        zip(a, b, |a, b| a > b)
    }
    #[inline(always)]
    fn ge(self, a: V<N>, b: V<N>) -> M<N> {
        zip(a, b, |a, b| a >= b)
    }
    #[inline(always)]
    fn eq(self, a: V<N>, b: V<N>) -> M<N> {
        zip(a, b, |a, b| a == b)
    }
    #[inline(always)]
    fn select(self, m: M<N>, if_true: V<N>, if_false: V<N>) -> V<N> {
        zip3(m, if_true, if_false, |m, a, b| if m { a } else { b })
    }
    #[inline(always)]
    fn first_lanes(self, n: usize) -> M<N> {
        each(|i| i < n)
    }

    #[inline(always)]
    fn round(self, a: V<N>) -> V<N> {
        map(a, round)
    }
    #[inline(always)]
    fn floor(self, a: V<N>) -> V<N> {
        map(a, floor)
    }
    #[inline(always)]
    unsafe fn call_store(self, p: *mut f32, v: V<N>, n: usize) {
        // SAFETY: the caller promises the floats.
        unsafe { call_store(p, v, n) }
    }
    #[inline(always)]
    unsafe fn call_dot(
        self,
        w: *const f32,
        apart: (usize, usize),
        x: *const f32,
        k: usize,
        sum: V<N>,
    ) -> V<N> {
        // SAFETY: the caller promises the floats.
        unsafe { call_dot(self, w, apart.0, x, k, sum) }
    }
    #[inline(always)]
    fn call<F: LaneFunction>(self, f: F, x: V<N>, y: V<N>) -> V<N> {
        f.plain(self, x, y)
    }
    #[inline(always)]
    fn exp2_biased(self, t: V<N>) -> V<N> {
        map(t, |t| f32::from_bits(t.to_bits() << 23))
    }
    #[inline(always)]
    fn exponent(self, a: V<N>) -> V<N> {
        map(a, |a| ((a.to_bits() >> 23) as i32 - 127) as f32)
    }
    #[inline(always)]
    fn flush(self, a: V<N>) -> V<N> {
        map(a, |a| match a.to_bits() & FLUSH_BITS {
            0 => 0.0,
            _ => a,
        })
    }
    #[inline(always)]
    fn mantissa(self, a: V<N>) -> V<N> {
        map(a, |a| {
            f32::from_bits((a.to_bits() & 0x007f_ffff) | 0x3f80_0000)
        })
    }
    #[inline(always)]
    fn copysign(self, magnitude: V<N>, sign: V<N>) -> V<N> {
        zip(magnitude, sign, f32::copysign)
    }

    #[inline(always)]
    fn reduce_add(self, v: V<N>) -> f32 {
        tree(v, |a, b| a + b)
    }
    #[inline(always)]
    fn reduce_max(self, v: V<N>) -> f32 {
        tree(v, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn reduce_min(self, v: V<N>) -> f32 {
        tree(v, |a, b| if a < b { a } else { b })
    }
}

/// # Safety
/// As [`Simd::store_up_to`].
#[inline(never)]
unsafe fn call_store<const N: usize>(p: *mut f32, v: V<N>, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { Plain::<N>.store_up_to(p, v, n) }
}

/// # Safety
/// As [`Simd::call_dot`].
#[inline(never)]
unsafe fn call_dot<const N: usize>(
    s: Plain<N>,
    w: *const f32,
    row: usize,
    x: *const f32,
    k: usize,
    sum: V<N>,
) -> V<N> {
    // SAFETY: the caller's promise.
    unsafe { super::dot(s, w, row, x, k, sum) }
}
