//! One block of units of a step: what the generated code of a stream computes on.

use core::{marker::PhantomData, mem::MaybeUninit};

use rnn_tables::{BufferRef, READ_PAST, packed_len, padded, small_panel};

use super::{StepMemory, StreamBody, address::Address};
use crate::cpu::{
    kernel::{PanelFormat, in_halves, panel_units},
    simd::{CALLED, Simd},
};

/// One block of units of the kernel `B`, with weights in the format `W`. `I` below is an index into one of the lists of its
/// [`Kernel`](rnn_tables::Kernel), which rustc checks.
pub struct StepTile<'a, B, S, W: PanelFormat> {
    s: S,
    values: *mut f32,
    weights: *const W::Element,
    time: usize,
    /// First unit.
    unit: usize,
    /// It writes through `&self`: it must not be shared between threads.
    memory: PhantomData<(&'a mut [f32], *mut f32, B)>,
}

/// The segment of a product, as a tile goes through it.
struct SegmentPlan {
    operand: Address,
    k: usize,
    matrix: usize,
    /// Units of a panel.
    units: usize,
    /// Units of the kernel.
    width: usize,
}

impl SegmentPlan {
    /// Segment `j` of product `i`.
    ///
    /// # Panics
    /// Which makes it an error of the compiler: if it does not exist, has another number of gates, or its operand or its
    /// matrix is not within the values or the packed weights.
    const fn of<B: StreamBody>(i: usize, j: usize, gates: usize, units: usize) -> Self {
        let kernel = B::KERNEL;
        let segment = &kernel.products[i][j];
        assert!(
            segment.gates == gates,
            "generated code and its table differ"
        );
        // A vector that is wider than a panel reads on after it.
        let len = packed_len(segment.k, gates, kernel.width).saturating_add(READ_PAST);
        assert!(
            segment.matrix.0.saturating_add(len) <= <B::Program as super::StreamTables>::PACKED,
            "a packed matrix is too small"
        );
        SegmentPlan {
            operand: Address::of::<B::Program>(&segment.operand, padded(segment.k)),
            k: segment.k,
            matrix: segment.matrix.0,
            units: match small_panel(kernel.width) {
                0 => units,
                small => small,
            },
            width: kernel.width,
        }
    }

    /// Where the second half of its terms starts, if it is a sum of its own.
    const fn half(&self, lanes: usize) -> Option<usize> {
        match in_halves(self.k, self.width, lanes) {
            true => Some(self.k / 2),
            false => None,
        }
    }
}

/// Where number `i` of the loads lies. This and the next functions panic, which makes it an error of the compiler, if there is
/// no such vector or it is not within the values.
const fn load<B: StreamBody>(i: usize) -> Address {
    let kernel = B::KERNEL;
    Address::of::<B::Program>(&kernel.loads[i], padded(kernel.width))
}

/// Number `i` of the scalars.
const fn scalar<B: StreamBody>(i: usize) -> Address {
    Address::stored::<B::Program>(&B::KERNEL.scalars[i], 1)
}

/// Number `i` of the stores, and how many floats may be written there.
const fn store<B: StreamBody>(i: usize) -> (Address, usize) {
    let kernel = B::KERNEL;
    let r: &BufferRef = &kernel.stores[i];
    let room = if r.exact { kernel.width } else { usize::MAX };
    (Address::stored::<B::Program>(r, kernel.width), room)
}

/// Number `i` of the reductions, which has a row of its own.
const fn reduction<B: StreamBody>(i: usize) -> Address {
    Address::of::<B::Program>(&B::KERNEL.reductions[i], padded(1))
}

/// Where number `i` of the packed vectors starts.
const fn vector<B: StreamBody>(i: usize) -> usize {
    let kernel = B::KERNEL;
    let at = kernel.vectors[i].0;
    assert!(
        at.saturating_add(padded(kernel.width)) <= <B::Program as super::StreamTables>::PACKED,
        "a packed vector is too small"
    );
    at
}

/// A statement for each gate, as straight-line code: a loop would keep the sums in memory, which the levels of optimisation
/// for size do. More than eight gates are rare.
macro_rules! each_gate {
    ($gates:ident, $g:ident => $do:expr) => {
        each_gate!(@ 0 1 2 3 4 5 6 7, $gates, $g => $do);
        for $g in 8..$gates {
            $do
        }
    };
    (@ $($i:literal)*, $gates:ident, $g:ident => $do:expr) => {$(
        if const { $i < $gates } {
            let $g: usize = $i;
            $do
        }
    )*};
}

impl<'a, B: StreamBody, S: Simd, W: PanelFormat> StepTile<'a, B, S, W> {
    /// The block from `unit` on: a multiple of the lanes of `S`, of which more than half are units or which are those of one
    /// register. So it ends within `padded(width)`.
    #[inline(always)]
    pub(super) fn new(s: S, m: &'a mut StepMemory<'_, B::Program, W>, unit: usize) -> Self {
        StepTile {
            s,
            values: m.values,
            weights: m.weights,
            time: m.time,
            unit,
            memory: PhantomData,
        }
    }

    /// The first float of a vector.
    ///
    /// # Safety
    /// The address is one of the model's.
    #[inline(always)]
    unsafe fn at(&self, address: Address) -> *mut f32 {
        // SAFETY: an `Address` is within the values of the model that it was made for, at every time, and a `StepMemory`
        // has that many.
        unsafe { self.values.add(address.at(self.time)) }
    }

    /// The sums that a product of `G` gates starts with.
    #[inline(always)]
    pub fn zeros<const G: usize>(&self) -> [S::V; G] {
        let mut sums = MaybeUninit::<[S::V; G]>::uninit();
        let first = sums.as_mut_ptr().cast::<S::V>();
        // SAFETY: there are `G` sums, and all of them are written.
        unsafe {
            each_gate!(G, gate => first.add(gate).write(self.s.splat(0.0)));
            sums.assume_init()
        }
    }

    /// `sums` plus segment `J` of product `I`.
    ///
    /// ```text
    /// for k in 0..K { for g in 0..G { sums[g] += operand[k] * weights[k][g] } }
    /// ```
    /// The second half of the terms may be a sum of its own: see `in_halves`.
    #[inline(always)]
    pub fn segment<const I: usize, const J: usize, const G: usize>(
        &self,
        mut sums: [S::V; G],
    ) -> [S::V; G] {
        let s = self.s;
        let lanes = const { S::One::LANES };
        let SegmentPlan {
            operand,
            k,
            matrix,
            units,
            ..
        } = const { SegmentPlan::of::<B>(I, J, G, panel_units::<W>(S::One::LANES)) };
        let row = G * units;
        // A small panel has but the first block.
        let start = matrix + self.unit / units * (k * row) + self.unit % units;
        // The registers of a wide vector are in the same panel, or in the next ones.
        let register = if units > lanes { lanes } else { k * row };
        // SAFETY: `SegmentPlan::of` saw that `padded(k)` floats of the operand are within the values, and that
        // `packed_len(k, G, width)` elements and `READ_PAST` more are within the packed weights from `matrix` on. More than
        // half of the registers of this block start at a unit below the width, and all within the units of the last panel or
        // of `padded(width)`. So each starts within the packed matrix, and ends at most `READ_PAST` elements after it. There are
        // `G` sums.
        unsafe {
            let mut w = self.weights.add(start);
            let x = self.at(operand).cast_const();
            // The terms from `half` on, if they are a sum of their own.
            let half = const {
                SegmentPlan::of::<B>(I, J, G, panel_units::<W>(S::One::LANES)).half(S::One::LANES)
            };
            if CALLED {
                for (gate, sum) in sums.iter_mut().enumerate() {
                    let w = w.add(gate * units);
                    let first = half.unwrap_or(k);
                    *sum = W::call_dot(s, w, (row, register), x, first, *sum);
                    if let Some(half) = half {
                        let (w, x) = (w.add(half * row), x.add(half));
                        let second = W::call_dot(s, w, (row, register), x, k - half, s.splat(0.0));
                        *sum = s.add(*sum, second);
                    }
                }
                return sums;
            }
            if let Some(half) = half {
                let mut others = self.zeros::<G>();
                let mut second = w.add(half * row);
                for i in 0..k - half {
                    if i < half {
                        self.multiply(&mut sums, w, x.add(i), units, register);
                        w = w.add(row);
                    }
                    self.multiply(&mut others, second, x.add(half + i), units, register);
                    second = second.add(row);
                }
                each_gate!(G, gate => {
                    let sum = sums.get_unchecked_mut(gate);
                    *sum = s.add(*sum, *others.get_unchecked(gate));
                });
                return sums;
            }
            for i in 0..k {
                self.multiply(&mut sums, w, x.add(i), units, register);
                w = w.add(row);
            }
        }
        sums
    }

    /// Adds a float times a row of a matrix.
    ///
    /// # Safety
    /// There is the float at `x`, and there are registers of `G` gates from `w` on.
    #[inline(always)]
    unsafe fn multiply<const G: usize>(
        &self,
        sums: &mut [S::V; G],
        w: *const W::Element,
        x: *const f32,
        units: usize,
        register: usize,
    ) {
        let s = self.s;
        // SAFETY: the caller's promise; there are `G` sums.
        unsafe {
            let v = s.splat(*x);
            each_gate!(G, gate => {
                let wide = W::load(s, w.add(gate * units), register);
                let sum = sums.get_unchecked_mut(gate);
                *sum = s.mul_add(wide, v, *sum);
            });
        }
    }

    /// Vector number `I` of the loads.
    #[inline(always)]
    pub fn load<const I: usize>(&self) -> S::V {
        // SAFETY: `load` saw `padded(width)` floats there, and this block ends within them.
        unsafe { self.s.load(self.at(const { load::<B>(I) }).add(self.unit)) }
    }

    /// Vector number `I` of the parameters.
    #[inline(always)]
    pub fn vector<const I: usize>(&self) -> S::V {
        // SAFETY: `vector` saw `padded(width)` elements there, and this block ends within them.
        unsafe {
            let p = self.weights.add(const { vector::<B>(I) }).add(self.unit);
            W::load(self.s, p, S::One::LANES)
        }
    }

    /// Number `I` of the scalars, in every lane.
    #[inline(always)]
    pub fn scalar<const I: usize>(&self) -> S::V {
        // SAFETY: `scalar` saw it.
        unsafe { self.s.splat(*self.at(const { scalar::<B>(I) })) }
    }

    /// Writes vector number `I` of the stores.
    #[inline(always)]
    pub fn store<const I: usize>(&self, v: S::V) {
        let (address, room) = const { store::<B>(I) };
        // SAFETY: `store` saw `padded(width)` floats there, and this block ends within them; or, where the room ends after
        // the last unit, `width` floats, of which so many are left from here on. Nobody else has this memory.
        unsafe {
            let p = self.at(address).add(self.unit);
            let lanes = room.wrapping_sub(self.unit);
            if CALLED {
                self.s.call_store(p, v, lanes);
            } else {
                self.s.store_up_to(p, v, lanes);
            }
        }
    }

    /// Adds `v` to vector number `I` of the stores.
    #[inline(always)]
    pub fn add<const I: usize>(&self, v: S::V) {
        let (address, room) = const { store::<B>(I) };
        const {
            assert!(
                store::<B>(I).1 == usize::MAX,
                "a sum has no room of its own"
            )
        };
        let _ = room;
        // SAFETY: as in `store`.
        let old = unsafe { self.s.load(self.at(address).add(self.unit)) };
        self.store::<I>(self.s.add(old, v));
    }

    /// Adds the units of `v` to number `I` of the reductions; the first block starts it. The order does not depend on how
    /// many units a tile has.
    ///
    /// Until the last block the row holds partial sums, one for every lane of a register: folding lanes takes as long as many
    /// additions, so it is done once.
    #[inline(always)]
    pub fn sum<const I: usize>(&self, v: S::V) {
        // Adding -0 changes nothing, not even another -0: the number of lanes leaves no trace.
        let v = self.only_units(v, -0.0);
        let fold = |old| self.s.fold_add(old, v);
        self.reduce::<I>(-0.0, fold, |v| self.s.one().reduce_add(v));
    }

    /// The largest of the units of `v` and number `I` of the reductions.
    #[inline(always)]
    pub fn max<const I: usize>(&self, v: S::V) {
        let least = f32::NEG_INFINITY;
        let v = self.only_units(v, least);
        let fold = |old| self.s.fold_max(old, v);
        self.reduce::<I>(least, fold, |v| self.s.one().reduce_max(v));
    }

    /// Units from the first of this block on.
    #[inline(always)]
    fn left(&self) -> usize {
        let width = const { B::KERNEL.width };
        width.wrapping_sub(self.unit)
    }

    /// Whether this is the last block: reductions are complete after it.
    #[inline(always)]
    pub fn last(&self) -> bool {
        self.left() <= S::LANES
    }

    /// Writes number `I` of the reductions: that of every lane of `v`.
    #[inline(always)]
    pub fn set<const I: usize>(&self, v: S::V) {
        // SAFETY: `reduction` saw a whole row there, and nobody else has this memory.
        unsafe {
            let p = self.at(const { reduction::<B>(I) });
            self.s.store_partial(p, v, 1);
        }
    }

    /// `v` with `other` in the lanes after the last unit.
    #[inline(always)]
    fn only_units(&self, v: S::V, other: f32) -> S::V {
        let left = self.left();
        // Known to rustc where the blocks are full.
        if const { B::KERNEL.width % S::LANES == 0 } || left >= S::LANES {
            return v;
        }
        let s = self.s;
        s.select(s.first_lanes(left), v, s.splat(other))
    }

    #[inline(always)]
    fn reduce<const I: usize>(
        &self,
        start: f32,
        fold: impl Fn(<S::One as Simd>::V) -> <S::One as Simd>::V,
        finish: impl Fn(<S::One as Simd>::V) -> f32,
    ) {
        let one = self.s.one();
        // SAFETY: `reduction` saw a whole row there, which a register fits in, and nobody else has this memory.
        unsafe {
            let p = self.at(const { reduction::<B>(I) });
            let part = fold(match self.unit {
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
