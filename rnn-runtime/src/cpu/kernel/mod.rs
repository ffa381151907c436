//! The one kernel of the CPU: matrix products with the pointwise maths after them.
//!
//! The compiler cuts every layer into *kernels*. A kernel computes `width` units for some rows (of
//! the batch, of the sequence, or both): for every block of units (one vector) and a few rows at
//! once it
//!
//! 1. multiplies operand rows by packed matrices, all gates of the block at once, so that the
//!    accumulators stay in registers;
//! 2. evaluates the pointwise maths of the cell on them ([`Body::tile`], which is generated);
//! 3. stores new states and outputs, once.
//!
//! The sum over the operand runs in the same order in every form of a kernel, in two halves where the units are few,
//! so stream, sequence and batch give the same bits.

mod memory;
mod panels;
mod positions;
mod step;
mod strided;
mod table;
mod tile;
#[cfg(feature = "std")]
mod valid;

pub use memory::Memory;
pub use panels::{NativeF32, PanelFormat, Panels, PortableF32, panel_units};
pub use positions::{AllPositions, Positions};
pub use rnn_tables::{
    READ_PAST, ROW_ALIGN, pack_matrix, pack_vector, packed_len, packed_start, padded, small_panel,
};
pub use step::{
    StepMemory, StepPanels, StepResults, StepTile, StepValues, StreamBody, StreamSlice,
    StreamTables, run_step,
};
pub use strided::{FindPointers, StridedPointer, StridedPointers};
pub use table::{Buf, row_len, stream_layout, stream_len};
use tile::Block;
pub use tile::Tile;
#[cfg(feature = "std")]
pub use valid::ValidPositions;

#[cfg(feature = "std")]
pub(in crate::cpu) use self::positions::PositionList;
#[cfg(not(feature = "std"))]
use self::positions::PositionList;
use self::strided::{Along, Pointers, StridedRun, sealed::Locate as _};
use super::simd::{Simd, Wide};
use rnn_tables::Kernel;

/// The pointwise maths of a kernel, generated.
pub trait Body {
    /// Accumulators of the largest product.
    const GATES: usize;

    /// [`small_panel`] of its width: a constant of the code, since the layout of weights is.
    const SMALL_PANEL: usize;

    /// [`StridedPointers`] with the lengths of the kernel's lists.
    type StridedPointers: FindPointers;

    /// Computes one block of units for `R` rows.
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>)
    where
        Self: Sized;
}

/// Rows of a large tile: enough accumulators to keep two multipliers with four cycles of latency
/// busy, few enough to stay in registers.
const fn tile_rows(registers: usize, gates: usize) -> usize {
    match (registers, gates) {
        (32, 0..=4) => 4,
        (32, 5..=6) => 4,
        (_, 0..=2) => 4,
        (_, 3..=4) => 3,
        _ => 2,
    }
}

/// Whether a product for `width` units adds the first half of its `k` terms and the second half apart, and then both.
///
/// Each sum is a chain of dependent products, four cycles each, and two multipliers want eight chains. A step of a stream has
/// one chain for each gate and register: where all units are in one register, few of them wait for one another.
///
/// All modes must add in the same order. So this depends on nothing that differs between them: the same product may be
/// computed together with other gates in one mode, and alone in another.
const fn in_halves(k: usize, width: usize, lanes: usize) -> bool {
    // Without vectors a tile has four registers of one unit.
    k >= 8 && width <= if lanes == 1 { 4 } else { lanes }
}

/// Runs a kernel for all rows at all times `first..first + steps`: rows and times are all rows to it.
///
/// # Panics
/// If a buffer or a packed weight of the kernel does not exist.
#[inline(always)]
pub fn run_all<S: Simd, W: PanelFormat, B: Body>(
    s: S,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    first: usize,
    steps: usize,
) {
    run::<S, W, B, _>(s, m, w, p, &AllPositions.all(m, first, steps));
}

/// Runs a kernel for the positions `a` at time `t`.
///
/// # Panics
/// As [`run_all`], and if the positions are not those of this memory.
#[inline(always)]
pub fn step_at<S: Simd, W: PanelFormat, B: Body, A: Positions>(
    s: S,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    t: usize,
    a: &A,
) {
    run::<S, W, B, _>(s, m, w, p, &a.step(m, t));
}

/// Runs a kernel for the positions `a` at the times `first..first + steps`.
///
/// # Panics
/// As [`step_at`].
#[inline(always)]
pub fn all_at<S: Simd, W: PanelFormat, B: Body, A: Positions>(
    s: S,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    first: usize,
    steps: usize,
    a: &A,
) {
    run::<S, W, B, _>(s, m, w, p, &a.all(m, first, steps));
}

#[inline(always)]
fn run<S: Simd, W: PanelFormat, B: Body, A: PositionList>(
    s: S,
    m: &Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    a: &A,
) {
    one_register::<S>();
    let count = a.count();
    if count == 0 {
        return;
    }
    let (first, last) = a.times();
    check::<W, B>(m, w, p, first, last);
    let along = match last > first {
        true => strided::along(m, p),
        false => Along::Rows,
    };
    let mut i = 0;
    while let Some(line) = a.line(i, along) {
        run_along::<S, W, B, A>(s, m, w, p, a, &line);
        i += 1;
    }
}

#[inline(always)]
fn run_along<S: Simd, W: PanelFormat, B: Body, A: PositionList>(
    s: S,
    m: &Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    a: &A,
    line: &StridedRun,
) {
    // SAFETY: `check` has seen every buffer and weight of the kernel, and the positions are of this
    // memory's rows and of these times. The same is the reason of every tile below.
    let pointers = unsafe { B::StridedPointers::find(m, p, line) };
    let l = RunKernel {
        block: first_block(m, w, p, pointers.pointers(), line),
        a,
        line,
    };
    let (mut i, end) = line.positions;
    if const { B::GATES > 0 } {
        if const { tile_rows(S::REGISTERS, B::GATES) == 4 } {
            i = many::<S, W, B, A, 4>(s, &l, i, end);
        } else if const { tile_rows(S::REGISTERS, B::GATES) == 3 } {
            i = many::<S, W, B, A, 3>(s, &l, i, end);
        } else {
            i = many::<S, W, B, A, 2>(s, &l, i, end);
        }
    }
    while i < end {
        single::<S, W, B, A>(s, &l, i);
        i += 1;
    }
}

/// The first block of units along a run.
#[inline(always)]
fn first_block<'a, W: PanelFormat>(
    m: &Memory<'_>,
    weights: Panels<'a, W>,
    p: &'a Kernel,
    pointers: Pointers<'a>,
    line: &StridedRun,
) -> Block<'a, W> {
    Block {
        weights,
        p,
        pointers,
        zero: m.fresh && line.at.0 == 0,
        unit: 0,
    }
}

/// A kernel on its way along a run.
struct RunKernel<'a, W: PanelFormat, A> {
    block: Block<'a, W>,
    a: &'a A,
    line: &'a StridedRun,
}

impl<'a, W: PanelFormat, A: PositionList> RunKernel<'a, W, A> {
    /// The tile of `R` positions from position `i` on.
    #[inline(always)]
    fn tile<B: Body, S: Simd, const R: usize>(
        &self,
        s: S,
        i: usize,
        unit: usize,
    ) -> Tile<'a, B, S, W, R> {
        Tile::new(s, Block { unit, ..self.block }, self.distances(i))
    }

    /// Those of `R` positions from position `i` on.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    fn distances<const R: usize>(&self, i: usize) -> [usize; R] {
        let mut at = [0; R];
        for (r, at) in at.iter_mut().enumerate() {
            *at = self.a.distance(self.line, i + r);
        }
        at
    }
}

/// Full tiles of `R` positions from position `i` on; returns the first position that is left.
///
/// The blocks of units are the outer loop: the weights of a block stay in the first cache while
/// the rows go by.
#[inline(always)]
#[allow(clippy::collapsible_if)]
fn many<S: Simd, W: PanelFormat, B: Body, A: PositionList, const R: usize>(
    s: S,
    l: &RunKernel<'_, W, A>,
    i: usize,
    end: usize,
) -> usize {
    let tiles = (end - i) / R;
    if tiles == 0 {
        return i;
    }
    let mut unit = 0;
    while unit < l.block.p.width {
        // `if const`, so that the branch not taken is not even compiled.
        if const { B::GATES == 1 } {
            if l.block.p.width - unit > S::LANES {
                for n in 0..tiles {
                    B::tile::<Wide<S>, W, R>(Wide(s), &l.tile(Wide(s), i + n * R, unit));
                }
                unit += 2 * S::LANES;
                continue;
            }
        }
        for n in 0..tiles {
            B::tile::<S, W, R>(s, &l.tile(s, i + n * R, unit));
        }
        unit += S::LANES;
    }
    i + tiles * R
}

/// One position: two vectors of units at once where there are so many. Never half a vector, whose maths
/// may round in another way.
#[inline(always)]
#[allow(clippy::collapsible_if)]
fn single<S: Simd, W: PanelFormat, B: Body, A: PositionList>(
    s: S,
    l: &RunKernel<'_, W, A>,
    i: usize,
) {
    let mut unit = 0;
    while unit < l.block.p.width {
        let left = l.block.p.width - unit;
        if const { B::GATES > 0 } {
            if left > S::LANES {
                B::tile::<Wide<S>, W, 1>(Wide(s), &l.tile(Wide(s), i, unit));
                unit += 2 * S::LANES;
                continue;
            }
        }
        B::tile::<S, W, 1>(s, &l.tile(s, i, unit));
        unit += S::LANES;
    }
}

/// A vector never leaves its row, and where a panel is small it has one register: kernels are started with
/// the vectors of an instruction set, and double them ([`Wide`]) by themselves where there is room.
#[inline(always)]
const fn one_register<S: Simd>() {
    const { assert!(S::LANES == <S::One as Simd>::LANES && S::LANES <= ROW_ALIGN) };
}

/// Panics unless everything that the kernel touches exists.
#[inline(always)]
fn check<W: PanelFormat, B: Body>(
    m: &Memory<'_>,
    w: Panels<'_, W>,
    p: &Kernel,
    first: usize,
    last: usize,
) {
    check_table(m, w.len(), B::SMALL_PANEL, p, first, last);
}

/// The same for what its table names: the packed weights are so many `elements`.
#[cfg_attr(not(recurrent_calls), inline(always))]
fn check_table(
    m: &Memory<'_>,
    elements: usize,
    panel: usize,
    p: &Kernel,
    first: usize,
    last: usize,
) {
    assert!(
        small_panel(p.width) == panel,
        "generated code and its table differ"
    );
    for product in p.products {
        for s in *product {
            m.check_whole(&s.operand, s.k, last);
            // The first step of a run is what a carried operand is left out at.
            debug_assert!(!s.carried || last == first || !m.fresh);
            // A vector that is wider than a panel reads on after it.
            let len = packed_len(s.k, s.gates, p.width).saturating_add(READ_PAST);
            assert!(
                s.matrix.0.saturating_add(len) <= elements,
                "a packed matrix is too small"
            );
        }
    }
    for r in p.loads {
        m.check_whole(r, p.width, last);
    }
    for r in p.stores {
        m.check(r, p.width, last);
    }
    for r in p.scalars {
        m.check(r, 1, last);
    }
    for r in p.reductions {
        m.check_whole(r, 1, last);
    }
    for v in p.vectors {
        assert!(
            v.0.saturating_add(padded(p.width)) <= elements,
            "a packed vector is too small"
        );
    }
}
