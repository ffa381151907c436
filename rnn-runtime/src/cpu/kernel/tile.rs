//! One block of units for a few rows: what generated code computes on.

use core::marker::PhantomData;

use rnn_tables::{Kernel, Segment};

use super::{Body, PanelFormat, Panels, in_halves, padded, panel_units, strided::Pointers};
use crate::cpu::simd::{CALLED, Simd};

/// Operands of the products before number `i`.
#[cfg_attr(not(recurrent_calls), inline(always))]
fn operands_before(p: &Kernel, i: usize) -> usize {
    p.products[..i].iter().map(|p| p.len()).sum()
}

/// Units of a panel of the matrices of `B`.
const fn units_of<B: Body, S: Simd, W: PanelFormat>() -> usize {
    match B::SMALL_PANEL {
        0 => panel_units::<W>(<S::One as Simd>::LANES),
        small => small,
    }
}

/// What the tiles of a run share, and which block of units one of them is. In builds that call ([`CALLED`]) its methods are
/// there once for an instruction set, and not once for each kernel and number of rows.
pub(super) struct Block<'a, W: PanelFormat> {
    pub weights: Panels<'a, W>,
    pub p: &'a Kernel,
    pub pointers: Pointers<'a>,
    /// Carried operands are zero here.
    pub zero: bool,
    /// First unit.
    pub unit: usize,
}

impl<W: PanelFormat> Clone for Block<'_, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<W: PanelFormat> Copy for Block<'_, W> {}

/// Where the weights of a block of units start in a segment's matrix.
struct BlockWeights {
    start: usize,
    /// From one row of the matrix to the next.
    row: usize,
    /// From one register of a wide vector to the next.
    register: usize,
}

impl BlockWeights {
    /// In panels of so many `units`, for registers of so many `lanes`.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    fn of(segment: &Segment, gates: usize, units: usize, lanes: usize, unit: usize) -> Self {
        let row = gates * units;
        BlockWeights {
            // A small panel has but the first block.
            start: segment.matrix.0 + unit / units * (segment.k * row) + unit % units,
            row,
            // In the same panel, or in the next one. A small matrix has no vector of two registers.
            register: match units > lanes {
                true => lanes,
                false => segment.k * row,
            },
        }
    }
}

impl<W: PanelFormat> Block<'_, W> {
    /// Adds product number `i` to `sums`, the gates of each row in `at`: what [`Tile::product`] does, in panels of so many
    /// `units`.
    #[cfg(recurrent_calls)]
    fn call_product<S: Simd>(&self, s: S, i: usize, at: &[usize], units: usize, sums: &mut [S::V]) {
        let gates = sums.len() / at.len();
        let first = operands_before(self.p, i);
        for (j, segment) in self.p.products[i].iter().enumerate() {
            assert!(
                segment.gates == gates,
                "generated code and its table differ"
            );
            if segment.carried && self.zero {
                continue;
            }
            let block = BlockWeights::of(segment, gates, units, S::One::LANES, self.unit);
            let halves = in_halves(segment.k, self.p.width, S::One::LANES);
            let half = if halves { segment.k / 2 } else { segment.k };
            for (sums, &n) in sums.chunks_exact_mut(gates).zip(at) {
                for (gate, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: as in `Tile::product`.
                    unsafe {
                        let w = self.weights.at(block.start + gate * units);
                        let x = self.pointers.operand(first + j, n).cast_const();
                        let apart = (block.row, block.register);
                        *sum = W::call_dot(s, w, apart, x, half, *sum);
                        if halves {
                            let (w, x) = (w.add(half * block.row), x.add(half));
                            let k = segment.k - half;
                            let second = W::call_dot(s, w, apart, x, k, s.splat(0.0));
                            *sum = s.add(*sum, second);
                        }
                    }
                }
            }
        }
    }

    /// Vector number `i` of the loads, in the row at `n`.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    fn load<S: Simd>(&self, s: S, i: usize, n: usize) -> S::V {
        // SAFETY: `check` saw this vector, rounded up to whole vectors.
        unsafe { s.load(self.pointers.load(i, n).add(self.unit)) }
    }

    /// Vector number `i` of the parameters.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    fn vector<S: Simd>(&self, s: S, i: usize) -> S::V {
        debug_assert!(self.unit + S::LANES <= padded(self.p.width));
        // SAFETY: `check` saw `padded(width)` floats there.
        unsafe {
            let p = self.weights.at(self.p.vectors[i].0 + self.unit);
            W::load(s, p, S::One::LANES)
        }
    }

    /// Writes vector number `i` of the stores in the row at `n`.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    fn store<S: Simd>(&self, s: S, i: usize, n: usize, v: S::V) {
        let to = &self.p.stores[i];
        // SAFETY: `check` saw this vector, rounded up to whole vectors unless it is exact; the
        // rows of this memory are this caller's own.
        unsafe {
            let p = self.pointers.store(i, n).add(self.unit);
            let lanes = match to.exact {
                true => self.p.width - self.unit,
                false => S::LANES,
            };
            if CALLED {
                s.call_store(p, v, lanes);
            } else {
                s.store_up_to(p, v, lanes);
            }
        }
    }
}

/// One block of units of the kernel `B` for `R` rows, with weights in the format `W`. `r` below is a
/// row of the tile, `i` an index into the lists of the [`Kernel`].
pub struct Tile<'a, B, S, W: PanelFormat, const R: usize> {
    s: S,
    block: Block<'a, W>,
    /// Distances along the run.
    at: [usize; R],
    /// It writes through `&self`: it must not be shared between threads.
    local: PhantomData<(*mut f32, B)>,
}

impl<'a, B: Body, S: Simd, W: PanelFormat, const R: usize> Tile<'a, B, S, W, R> {
    /// The caller has checked the kernel against the memory, and `at` and what `block` says are
    /// within it.
    #[inline(always)]
    pub(super) fn new(s: S, block: Block<'a, W>, at: [usize; R]) -> Self {
        Tile {
            s,
            block,
            at,
            local: PhantomData,
        }
    }

    /// Product number `i`: `R` rows of `G` gates.
    ///
    /// ```text
    /// for k in 0..K { for g in 0..G { w[g] = weights[k][g]; for r in 0..R { acc[r][g] += operand[r][k] * w[g] } } }
    /// ```
    #[cfg(recurrent_calls)]
    pub fn product<const G: usize>(&self, i: usize) -> [[S::V; G]; R] {
        let mut sums = [[self.s.splat(0.0); G]; R];
        let units = const { units_of::<B, S, W>() };
        let flat = sums.as_flattened_mut();
        self.block.call_product(self.s, i, &self.at, units, flat);
        sums
    }

    /// Product number `i`: `R` rows of `G` gates.
    ///
    /// ```text
    /// for k in 0..K { for g in 0..G { w[g] = weights[k][g]; for r in 0..R { acc[r][g] += operand[r][k] * w[g] } } }
    /// ```
    #[cfg(not(recurrent_calls))]
    #[inline(always)]
    pub fn product<const G: usize>(&self, i: usize) -> [[S::V; G]; R] {
        let s = self.s;
        let Block {
            weights,
            p,
            pointers,
            zero,
            unit,
        } = self.block;
        let mut acc = [[s.splat(0.0); G]; R];
        let lanes = const { <S::One as Simd>::LANES };
        let units = const { units_of::<B, S, W>() };
        let first = operands_before(p, i);
        for (j, segment) in p.products[i].iter().enumerate() {
            assert!(segment.gates == G, "generated code and its table differ");
            if segment.carried && zero {
                continue;
            }
            let block = BlockWeights::of(segment, G, units, lanes, unit);
            // SAFETY: `check` saw that `packed_len(k, G, width)` elements start at `matrix` and
            // `READ_PAST` follow, and that `k` floats of the operand lie in each row; `unit` is a
            // multiple of the lanes, less than the width, and so is the next one where a vector has
            // two registers. So each register starts within the packed matrix, and ends at most
            // `READ_PAST` elements after it.
            unsafe {
                let mut w = weights.at(block.start);
                let mut x = [core::ptr::null::<f32>(); R];
                for (x, &n) in x.iter_mut().zip(&self.at) {
                    let p = pointers.operand(first + j, n);
                    *x = p.cast_const();
                }
                let halves = in_halves(segment.k, p.width, lanes);
                let half = if halves { segment.k / 2 } else { segment.k };
                // Called with rows of the matrix and their terms, below `segment.k`.
                let term = |acc: &mut [[S::V; G]; R], w, k| {
                    Self::multiply(s, acc, (w, units, block.register), &x, k);
                };
                if const { R * G <= 4 } && halves {
                    // Few sums: those of both halves are in registers, and go side by side.
                    let mut others = [[s.splat(0.0); G]; R];
                    let mut second = w.add(half * block.row);
                    for k in 0..half {
                        term(&mut acc, w, k);
                        term(&mut others, second, half + k);
                        w = w.add(block.row);
                        second = second.add(block.row);
                    }
                    if segment.k % 2 == 1 {
                        term(&mut others, second, 2 * half);
                    }
                    Self::add_all(s, &mut acc, &others);
                    continue;
                }
                for k in 0..half {
                    term(&mut acc, w, k);
                    w = w.add(block.row);
                }
                if halves {
                    let first = acc;
                    acc = [[s.splat(0.0); G]; R];
                    for k in half..segment.k {
                        term(&mut acc, w, k);
                        w = w.add(block.row);
                    }
                    Self::add_all(s, &mut acc, &first);
                }
            }
        }
        acc
    }

    /// Adds `others` to `sums`.
    #[cfg(not(recurrent_calls))]
    #[inline(always)]
    fn add_all<const G: usize>(s: S, sums: &mut [[S::V; G]; R], others: &[[S::V; G]; R]) {
        for (sums, others) in sums.iter_mut().zip(others) {
            for (sum, &other) in sums.iter_mut().zip(others) {
                *sum = s.add(*sum, other);
            }
        }
    }

    /// Adds the products of float `k` of each row and the gates at `w`, so many `units` apart.
    ///
    /// # Safety
    /// There are `k + 1` floats at each of `x`, and registers of `G` gates from `w` on.
    #[cfg(not(recurrent_calls))]
    #[inline(always)]
    unsafe fn multiply<const G: usize>(
        s: S,
        sums: &mut [[S::V; G]; R],
        (w, units, register): (*const W::Element, usize, usize),
        x: &[*const f32; R],
        k: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            // The shorter side is held in registers, the longer one passes by: three rows
            // of four gates just fit into 16 registers so, and one accumulator that does
            // not fit takes twice the time, because every step waits for the memory.
            if const { R < G } {
                let mut all = [s.splat(0.0); R];
                for (v, x) in all.iter_mut().zip(x) {
                    *v = s.splat(*x.add(k));
                }
                for g in 0..G {
                    let wide = W::load(s, w.add(g * units), register);
                    for (sums, &x) in sums.iter_mut().zip(&all) {
                        sums[g] = s.mul_add(wide, x, sums[g]);
                    }
                }
            } else {
                let mut wide = [s.splat(0.0); G];
                for (g, v) in wide.iter_mut().enumerate() {
                    *v = W::load(s, w.add(g * units), register);
                }
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = s.splat(*x.add(k));
                    for (sum, &wide) in sums.iter_mut().zip(&wide) {
                        *sum = s.mul_add(wide, x, *sum);
                    }
                }
            }
        }
    }

    /// Vector number `i` of the loads.
    #[inline(always)]
    pub fn load(&self, i: usize, r: usize) -> S::V {
        self.block.load(self.s, i, self.at[r])
    }

    /// Vector number `i` of the parameters.
    #[inline(always)]
    pub fn vector(&self, i: usize) -> S::V {
        self.block.vector(self.s, i)
    }

    /// Number `i` of the scalars, in every lane.
    #[inline(always)]
    pub fn scalar(&self, i: usize, r: usize) -> S::V {
        // SAFETY: `check` saw it.
        unsafe { self.s.splat(*self.block.pointers.scalar(i, self.at[r])) }
    }

    /// Writes vector number `i` of the stores.
    #[inline(always)]
    pub fn store(&self, i: usize, r: usize, v: S::V) {
        self.block.store(self.s, i, self.at[r], v);
    }

    /// Adds `v` to vector number `i` of the stores.
    #[inline(always)]
    pub fn add(&self, i: usize, r: usize, v: S::V) {
        assert!(
            !self.block.p.stores[i].exact,
            "a sum has no room of its own"
        );
        // SAFETY: `check` saw this vector, rounded up to whole vectors; the rows of this memory are
        // this caller's own.
        unsafe {
            let p = self
                .block
                .pointers
                .store(i, self.at[r])
                .add(self.block.unit);
            let sum = self.s.add(self.s.load(p), v);
            self.store(i, r, sum);
        }
    }

    /// Adds the units of `v` to number `i` of the reductions; the first block starts it. The order
    /// does not depend on how many units a tile has.
    ///
    /// Until the last block the row holds partial sums, one for every lane of a register: folding
    /// lanes takes as long as many additions, so it is done once.
    #[inline(always)]
    pub fn sum(&self, i: usize, r: usize, v: S::V) {
        // Adding -0 changes nothing, not even another -0: the number of lanes leaves no trace.
        let v = self.only_units(v, -0.0);
        let fold = |old| self.s.fold_add(old, v);
        self.reduce(i, r, -0.0, fold, |v| self.s.one().reduce_add(v));
    }

    /// The largest of the units of `v` and number `i` of the reductions.
    #[inline(always)]
    pub fn max(&self, i: usize, r: usize, v: S::V) {
        let least = f32::NEG_INFINITY;
        let v = self.only_units(v, least);
        let fold = |old| self.s.fold_max(old, v);
        self.reduce(i, r, least, fold, |v| self.s.one().reduce_max(v));
    }

    /// Whether this is the last block: reductions are complete after it.
    #[inline(always)]
    pub fn last(&self) -> bool {
        self.block.p.width - self.block.unit <= S::LANES
    }

    /// Writes number `i` of the reductions: that of every lane of `v`.
    #[inline(always)]
    pub fn set(&self, i: usize, r: usize, v: S::V) {
        // SAFETY: `check` saw a whole row there; the row is this caller's own.
        unsafe {
            let p = self.block.pointers.reduction(i, self.at[r]);
            self.s.store_partial(p, v, 1);
        }
    }

    /// `v` with `other` in the lanes after the last unit.
    #[inline(always)]
    fn only_units(&self, v: S::V, other: f32) -> S::V {
        let left = self.block.p.width - self.block.unit;
        if left >= S::LANES {
            return v;
        }
        let s = self.s;
        s.select(s.first_lanes(left), v, s.splat(other))
    }

    #[inline(always)]
    fn reduce(
        &self,
        i: usize,
        r: usize,
        start: f32,
        fold: impl Fn(<S::One as Simd>::V) -> <S::One as Simd>::V,
        finish: impl Fn(<S::One as Simd>::V) -> f32,
    ) {
        let one = self.s.one();
        // SAFETY: `check` saw a whole row there; the row is this caller's own.
        unsafe {
            let p = self.block.pointers.reduction(i, self.at[r]);
            let part = fold(match self.block.unit {
                0 => one.splat(start),
                _ => one.load(p),
            });
            if self.last() {
                *p = finish(part);
            } else {
                one.store(p, part);
            }
        }
    }
}
