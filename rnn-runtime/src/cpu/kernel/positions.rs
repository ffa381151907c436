//! Which rows a kernel runs for, and at which times.

use core::ops::Range;

use rnn_tables::BufferRef;

use super::{
    Memory,
    strided::{Along, StridedRun},
};

/// The positions that a scan runs for: [`AllPositions`], or those that a mask leaves (`ValidPositions`).
///
/// Sealed: the kernel trusts what it is told here.
pub trait Positions: Sync + sealed::Sealed {
    /// Positions in order: what the kernel counts through.
    type PositionList<'a>: PositionList
    where
        Self: 'a;

    /// The positions at time `t`.
    fn step<'a>(&'a self, m: &Memory<'_>, t: usize) -> Self::PositionList<'a>;

    /// The positions at the times `first..first + steps`.
    fn all<'a>(&'a self, m: &Memory<'_>, first: usize, steps: usize) -> Self::PositionList<'a>;
}

/// Positions in order of time, then of row.
pub trait PositionList: Clone + Sync + sealed::Sealed + Runs {
    /// Whether the positions are listed, so that each address costs a look-up and some arithmetic.
    const LISTED: bool;

    /// How many.
    fn count(&self) -> usize;
    /// First and last time that they may have.
    fn times(&self) -> (usize, usize);

    /// Calls `f` with the addresses of `a` and `b` at every position, in order.
    ///
    /// # Safety
    /// Both buffers exist for all rows of `m`, which the positions are of, and all times up to the
    /// last: [`Memory::check`] says so.
    unsafe fn each(
        &self,
        m: &Memory<'_>,
        a: &BufferRef,
        b: &BufferRef,
        f: impl FnMut(*const f32, *const f32),
    );
}

/// Positions as the kernel counts through them.
pub trait Runs {
    /// Run number `i`. Together the runs are all positions, in order; positions at several times form
    /// runs `along` what the buffers allow.
    fn line(&self, i: usize, along: Along) -> Option<StridedRun>;
    /// Distance of position `i` from where distances in its run count from.
    fn distance(&self, line: &StridedRun, i: usize) -> usize;
}

pub(super) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AllPositions {}
    impl Sealed for super::Rectangle {}
}

/// All rows of the memory, at all times asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllPositions;

/// All rows at some times: positions are computed, none is stored.
#[derive(Clone, Debug)]
pub struct Rectangle {
    first: usize,
    steps: usize,
    rows: Range<usize>,
}

impl Positions for AllPositions {
    type PositionList<'a> = Rectangle;

    #[inline(always)]
    fn step(&self, m: &Memory<'_>, t: usize) -> Rectangle {
        self.all(m, t, 1)
    }

    #[inline(always)]
    fn all(&self, m: &Memory<'_>, first: usize, steps: usize) -> Rectangle {
        Rectangle {
            first,
            steps,
            rows: m.rows(),
        }
    }
}

impl PositionList for Rectangle {
    const LISTED: bool = false;

    #[inline(always)]
    fn count(&self) -> usize {
        self.rows.len() * self.steps
    }

    #[inline(always)]
    fn times(&self) -> (usize, usize) {
        // Without steps there are no positions: then the last time is not looked at.
        (
            self.first,
            self.first.saturating_add(self.steps.saturating_sub(1)),
        )
    }

    #[inline(always)]
    unsafe fn each(
        &self,
        m: &Memory<'_>,
        a: &BufferRef,
        b: &BufferRef,
        mut f: impl FnMut(*const f32, *const f32),
    ) {
        let (x_row, y_row) = (m.buf(a).row(), m.buf(b).row());
        for t in self.first..self.first + self.steps {
            // SAFETY: the caller's promise.
            let (mut x, mut y) = unsafe {
                let first = self.rows.start;
                (
                    m.at(a, t, first).cast_const(),
                    m.at(b, t, first).cast_const(),
                )
            };
            for _ in self.rows.clone() {
                f(x, y);
                x = x.wrapping_add(x_row);
                y = y.wrapping_add(y_row);
            }
        }
    }
}

impl Runs for Rectangle {
    #[inline(always)]
    fn line(&self, i: usize, along: Along) -> Option<StridedRun> {
        let rows = self.rows.len();
        let (count, time) = match along {
            Along::Rows => (rows, self.first + i),
            // One run has them all.
            Along::Times | Along::Both => (rows * self.steps, self.first),
        };
        let lines = match along {
            Along::Rows => self.steps,
            Along::Times | Along::Both => 1,
        };
        (i < lines).then_some(StridedRun {
            at: (time, self.rows.start),
            along,
            positions: (0, count),
        })
    }

    #[inline(always)]
    fn distance(&self, _: &StridedRun, i: usize) -> usize {
        i
    }
}
