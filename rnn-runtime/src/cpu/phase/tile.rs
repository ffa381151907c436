//! One block of units for a few rows: what generated code computes on.

use std::marker::PhantomData;

use super::{Memory, Phase, Ref, block, padded};
use crate::cpu::simd::Simd;

/// One block of units for `R` rows. `r` below is a row of the tile, `i` an index into the lists
/// of the [`Phase`].
pub struct Tile<'a, S, const R: usize> {
    s: S,
    m: &'a Memory<'a>,
    p: &'a Phase,
    /// Time and row.
    at: [(usize, usize); R],
    /// First unit.
    unit: usize,
    /// It writes through `&self`: it must not be shared between threads.
    local: PhantomData<*mut f32>,
}

impl<'a, S: Simd, const R: usize> Tile<'a, S, R> {
    /// The caller has checked the phase against the memory, and `at` and `unit` are within it.
    #[inline(always)]
    pub(super) fn new(
        s: S,
        m: &'a Memory<'a>,
        p: &'a Phase,
        at: [(usize, usize); R],
        unit: usize,
    ) -> Self {
        Tile {
            s,
            m,
            p,
            at,
            unit,
            local: PhantomData,
        }
    }

    /// Product number `i`: `R` rows of `G` gates.
    ///
    /// ```text
    /// for k in 0..K { for g in 0..G { w[g] = weights[k][g]; for r in 0..R { acc[r][g] += operand[r][k] * w[g] } } }
    /// ```
    #[inline(always)]
    pub fn product<const G: usize>(&self, i: usize) -> [[S::V; G]; R] {
        let s = self.s;
        let mut acc = [[s.splat(0.0); G]; R];
        let lanes = block(self.p.width);
        for segment in self.p.products[i] {
            assert!(segment.groups == G, "generated code and its table differ");
            if segment.carried && self.m.fresh && self.at[0].0 == 0 {
                continue;
            }
            let stride = G * lanes;
            // SAFETY: `check` saw that `packed_len(k, G, width)` floats start at `weights`, and
            // that `k` floats of the operand lie in each row; the block that holds `unit` is
            // within the first, rounded up to a whole block, and no vector is wider than what is
            // left of a block.
            unsafe {
                let mut w = self.m.packed.as_ptr().add(
                    segment.weights + self.unit / lanes * (segment.k * stride) + self.unit % lanes,
                );
                let x: [*const f32; R] =
                    std::array::from_fn(|r| self.address(&segment.src, r).cast_const());
                for k in 0..segment.k {
                    let mut wide = [s.splat(0.0); G];
                    for (g, v) in wide.iter_mut().enumerate() {
                        *v = s.load(w.add(g * lanes));
                    }
                    for r in 0..R {
                        let x = s.splat(*x[r].add(k));
                        for g in 0..G {
                            acc[r][g] = s.mul_add(wide[g], x, acc[r][g]);
                        }
                    }
                    w = w.add(stride);
                }
            }
        }
        acc
    }

    /// Vector number `i` of the loads.
    #[inline(always)]
    pub fn load(&self, i: usize, r: usize) -> S::V {
        // SAFETY: `check` saw this vector, rounded up to whole vectors.
        unsafe {
            self.s
                .load(self.address(&self.p.loads[i], r).add(self.unit))
        }
    }

    /// Vector number `i` of the parameters.
    #[inline(always)]
    pub fn vector(&self, i: usize) -> S::V {
        debug_assert!(self.unit + S::LANES <= padded(self.p.width));
        // SAFETY: `check` saw `padded(width)` floats there.
        unsafe {
            let p = self.m.packed.as_ptr().add(self.p.vectors[i] + self.unit);
            self.s.load(p)
        }
    }

    /// Number `i` of the scalars, in every lane.
    #[inline(always)]
    pub fn scalar(&self, i: usize, r: usize) -> S::V {
        // SAFETY: `check` saw it.
        unsafe { self.s.splat(*self.address(&self.p.scalars[i], r)) }
    }

    /// Writes vector number `i` of the stores.
    #[inline(always)]
    pub fn store(&self, i: usize, r: usize, v: S::V) {
        let to = &self.p.stores[i];
        // SAFETY: `check` saw this vector, rounded up to whole vectors unless it is exact; the
        // rows of this memory are this caller's own.
        unsafe {
            let p = self.address(to, r).add(self.unit);
            if to.exact && self.unit + S::LANES > self.p.width {
                self.s.store_partial(p, v, self.p.width - self.unit);
            } else {
                self.s.store(p, v);
            }
        }
    }

    /// Adds the units of `v` to number `i` of the reductions; the first block starts it. The order
    /// does not depend on how many units a tile has.
    #[inline(always)]
    pub fn sum(&self, i: usize, r: usize, v: S::V) {
        // Adding -0 changes nothing, not even another -0: the number of lanes leaves no trace.
        let v = self.s.select(self.valid(), v, self.s.splat(-0.0));
        self.reduce(i, r, -0.0, |old| self.s.fold_add(old, v));
    }

    /// The largest of the units of `v` and number `i` of the reductions.
    #[inline(always)]
    pub fn max(&self, i: usize, r: usize, v: S::V) {
        let v = self
            .s
            .select(self.valid(), v, self.s.splat(f32::NEG_INFINITY));
        let part = self.s.reduce_max(v);
        let least = f32::NEG_INFINITY;
        self.reduce(i, r, least, |old| if part > old { part } else { old });
    }

    #[inline(always)]
    fn valid(&self) -> S::M {
        self.s.first_lanes(self.p.width - self.unit)
    }

    #[inline(always)]
    fn reduce(&self, i: usize, r: usize, start: f32, next: impl Fn(f32) -> f32) {
        // SAFETY: `check` saw it; the row is this caller's own.
        unsafe {
            let p = self.address(&self.p.reductions[i], r);
            *p = next(if self.unit == 0 { start } else { *p });
        }
    }

    #[inline(always)]
    fn address(&self, r: &Ref, row: usize) -> *mut f32 {
        let (t, row) = self.at[row];
        // SAFETY: `check` saw this buffer for all times and rows of the run.
        unsafe { self.m.at(r, t, row) }
    }
}
