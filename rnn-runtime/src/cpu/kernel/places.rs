//! Which rows a kernel runs for, and at which times.

use core::ops::Range;

use rnn_tables::BufferRef;

use super::{
    Memory,
    columns::{Along, Line},
};

/// The places that a scan runs for: [`Every`], or those that a mask leaves (`Active`).
///
/// Sealed: the kernel trusts what it is told here.
pub trait Places: Sync + sealed::Sealed {
    /// Places in order: what the kernel counts through.
    type At<'a>: At
    where
        Self: 'a;

    /// The places at time `t`.
    fn step<'a>(&'a self, m: &Memory<'_>, t: usize) -> Self::At<'a>;

    /// The places at the times `first..first + steps`.
    fn all<'a>(&'a self, m: &Memory<'_>, first: usize, steps: usize) -> Self::At<'a>;
}

/// Places in order of time, then of row.
pub trait At: Clone + Sync + sealed::Sealed + Lines {
    /// Whether the places are listed, so that each address costs a look-up and some arithmetic.
    const LISTED: bool;

    /// How many.
    fn count(&self) -> usize;
    /// First and last time that they may have.
    fn times(&self) -> (usize, usize);

    /// Calls `f` with the addresses of `a` and `b` at every place, in order.
    ///
    /// # Safety
    /// Both buffers exist for all rows of `m`, which the places are of, and all times up to the
    /// last: [`Memory::check`] says so.
    unsafe fn each(
        &self,
        m: &Memory<'_>,
        a: &BufferRef,
        b: &BufferRef,
        f: impl FnMut(*const f32, *const f32),
    );
}

/// Places as the kernel counts through them.
pub trait Lines {
    /// Line number `i`. Together the lines are all places, in order; places at several times form
    /// lines `along` what the buffers allow.
    fn line(&self, i: usize, along: Along) -> Option<Line>;
    /// Distance of place `i` from where distances in its line count from.
    fn distance(&self, line: &Line, i: usize) -> usize;
}

pub(super) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Every {}
    impl Sealed for super::Block {}
}

/// All rows of the memory, at all times asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Every;

/// All rows at some times: places are computed, none is stored.
#[derive(Clone, Debug)]
pub struct Block {
    first: usize,
    steps: usize,
    rows: Range<usize>,
}

impl Places for Every {
    type At<'a> = Block;

    #[inline(always)]
    fn step(&self, m: &Memory<'_>, t: usize) -> Block {
        self.all(m, t, 1)
    }

    #[inline(always)]
    fn all(&self, m: &Memory<'_>, first: usize, steps: usize) -> Block {
        Block {
            first,
            steps,
            rows: m.rows(),
        }
    }
}

impl At for Block {
    const LISTED: bool = false;

    #[inline(always)]
    fn count(&self) -> usize {
        self.rows.len() * self.steps
    }

    #[inline(always)]
    fn times(&self) -> (usize, usize) {
        // Without steps there are no places: then the last time is not looked at.
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

impl Lines for Block {
    #[inline(always)]
    fn line(&self, i: usize, along: Along) -> Option<Line> {
        let rows = self.rows.len();
        let (count, time) = match along {
            Along::Rows => (rows, self.first + i),
            // One line has them all.
            Along::Times | Along::Both => (rows * self.steps, self.first),
        };
        let lines = match along {
            Along::Rows => self.steps,
            Along::Times | Along::Both => 1,
        };
        (i < lines).then_some(Line {
            at: (time, self.rows.start),
            along,
            places: (0, count),
        })
    }

    #[inline(always)]
    fn distance(&self, _: &Line, i: usize) -> usize {
        i
    }
}
