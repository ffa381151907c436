//! Which rows a phase runs for, and at which times: all of them, or those that a mask leaves.

use std::ops::Range;

use rnn_tables::BufferRef;

use super::{
    Memory,
    columns::{Along, Line},
};

/// The places that a sweep runs for: [`Every`] or [`Active`].
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

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Every {}
    impl Sealed for super::Active {}
    impl Sealed for super::Block {}
    impl Sealed for super::Listed<'_> {}
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

/// The places that a mask leaves: a list for the rows of one memory, so that padding is skipped
/// rather than computed. By default none of no row.
#[derive(Clone, Debug, Default)]
pub struct Active {
    rows: Range<usize>,
    first: usize,
    real: List,
    idle: List,
}

/// Time and row of places, sorted by time, then by row.
#[derive(Clone, Debug, Default)]
struct List {
    places: Vec<(u32, u32)>,
    /// Where the places of each time start, and where those of the last end.
    starts: Vec<usize>,
}

impl List {
    /// Those of the steps `from..to`: the start of each, and one past the last.
    fn starts(&self, from: usize, to: usize) -> &[usize] {
        let last = self.starts.len() - 1;
        &self.starts[from.min(last)..=to.min(last)]
    }

    fn range(&self, from: usize, to: usize) -> &[(u32, u32)] {
        match self.starts(from, to) {
            [first, .., last] => &self.places[*first..*last],
            _ => &[],
        }
    }
}

impl Active {
    /// The places of the rows of `m` at the times `first..first + steps` where `mask`, a sequence
    /// of width 1, is not 0.
    ///
    /// # Panics
    /// If the mask is not within its buffer.
    pub fn new(m: &Memory<'_>, mask: &BufferRef, first: usize, steps: usize) -> Active {
        let mut active = Active::default();
        active.set(m, mask, first, steps);
        active
    }

    /// Becomes what [`Active::new`] makes, in the same space if that is enough.
    ///
    /// # Panics
    /// As [`Active::new`].
    pub fn set(&mut self, m: &Memory<'_>, mask: &BufferRef, first: usize, steps: usize) {
        let rows = m.rows();
        assert!(
            u32::try_from(rows.end).is_ok() && u32::try_from(first.saturating_add(steps)).is_ok(),
            "too many rows or steps for a mask"
        );
        let (real, idle) = (&mut self.real, &mut self.idle);
        for list in [&mut *real, &mut *idle] {
            list.places.clear();
            list.starts.clear();
        }
        for t in first..first + steps {
            real.starts.push(real.places.len());
            idle.starts.push(idle.places.len());
            for row in rows.clone() {
                let list = match m.row(mask, 1, t, row)[0] {
                    0.0 => &mut *idle,
                    _ => &mut *real,
                };
                list.places.push((t as u32, row as u32));
            }
        }
        real.starts.push(real.places.len());
        idle.starts.push(idle.places.len());
        (self.rows, self.first) = (rows, first);
    }

    /// Time and row of the places that the mask leaves out, at time `t`.
    pub fn idle(&self, t: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let i = t.saturating_sub(self.first);
        let list = self.idle.range(i, i.saturating_add(1));
        list.iter().map(|&(t, row)| (t as usize, row as usize))
    }

    /// Whether the mask leaves every place.
    pub fn is_full(&self) -> bool {
        self.idle.places.is_empty()
    }

    fn listed(&self, m: &Memory<'_>, first: usize, steps: usize) -> Listed<'_> {
        // The kernel writes to these rows without another look at them.
        assert!(
            m.rows().start <= self.rows.start && self.rows.end <= m.rows().end,
            "a mask of somebody else's rows"
        );
        assert!(self.first <= first, "a mask of later steps");
        let i = first - self.first;
        let end = i.saturating_add(steps);
        Listed {
            places: self.real.range(i, end),
            starts: self.real.starts(i, end),
            rows: m.rows(),
            first,
            last: first.saturating_add(steps.saturating_sub(1)),
        }
    }
}

/// Some places of an [`Active`].
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    places: &'a [(u32, u32)],
    /// Where the places of each time start, and where those of the last end; counted as those of
    /// the whole mask.
    starts: &'a [usize],
    /// Those of the memory: distances count through all of them.
    rows: Range<usize>,
    first: usize,
    last: usize,
}

impl Places for Active {
    type At<'a> = Listed<'a>;

    #[inline(always)]
    fn step<'a>(&'a self, m: &Memory<'_>, t: usize) -> Listed<'a> {
        self.listed(m, t, 1)
    }

    #[inline(always)]
    fn all<'a>(&'a self, m: &Memory<'_>, first: usize, steps: usize) -> Listed<'a> {
        self.listed(m, first, steps)
    }
}

impl At for Listed<'_> {
    const LISTED: bool = true;

    #[inline(always)]
    fn count(&self) -> usize {
        self.places.len()
    }

    #[inline(always)]
    fn times(&self) -> (usize, usize) {
        (self.first, self.last)
    }

    #[inline(always)]
    unsafe fn each(
        &self,
        m: &Memory<'_>,
        a: &BufferRef,
        b: &BufferRef,
        mut f: impl FnMut(*const f32, *const f32),
    ) {
        for &(t, row) in self.places {
            let (t, row) = (t as usize, row as usize);
            // SAFETY: the caller's promise.
            let (x, y) = unsafe { (m.at(a, t, row), m.at(b, t, row)) };
            f(x.cast_const(), y.cast_const());
        }
    }
}

impl Lines for Listed<'_> {
    #[inline(always)]
    fn line(&self, i: usize, along: Along) -> Option<Line> {
        let (time, places) = match along {
            Along::Rows => {
                let [from, to] = *self.starts.get(i..i + 2)?.first_chunk()?;
                let before = self.starts[0];
                (self.first + i, (from - before, to - before))
            }
            // One line has them all.
            Along::Times | Along::Both if i > 0 => return None,
            Along::Times | Along::Both => (self.first, (0, self.places.len())),
        };
        Some(Line {
            at: (time, self.rows.start),
            along,
            places,
        })
    }

    #[inline(always)]
    fn distance(&self, line: &Line, i: usize) -> usize {
        let (t, row) = self.places[i];
        let (t, row) = (t as usize - line.at.0, row as usize - line.at.1);
        // Along times there is one row, so this is right for all lines.
        t * self.rows.len() + row
    }
}

#[cfg(test)]
mod tests {
    use rnn_tables::Extent;

    use super::*;
    use crate::cpu::{arena::Arena, phase::Buf};

    #[test]
    fn places_of_a_mask_come_by_time_then_row() {
        const ROWS: usize = 3;
        let bufs = [Buf::new(0, 16, ROWS, 3, Extent::All)];
        let mask = BufferRef {
            buffer: 0,
            offset: 0,
            after: false,
            exact: true,
        };
        let mut arena = Arena::new(bufs[0].len());
        let mut m = Memory::new(arena.floats_mut(), &[], &bufs, 2, ROWS);
        for (t, row) in [(0, 1), (1, 0), (1, 2)] {
            m.row_mut(&mask, 1, t, row)[0] = 1.0;
        }
        let a = Active::new(&m, &mask, 0, 2);
        let list = |at: Listed<'_>| -> Vec<(usize, usize)> {
            let lines = (0..).map_while(|i| at.line(i, Along::Rows));
            let all = lines.flat_map(|line| {
                let row = |i| at.distance(&line, i) + line.at.1;
                let row: Vec<usize> = (line.places.0..line.places.1).map(row).collect();
                row.into_iter().map(move |row| (line.at.0, row))
            });
            let found: Vec<(usize, usize)> = all.collect();
            // The same in one line.
            if let Some(line) = at.line(0, Along::Both) {
                let rows = at.rows.len();
                let flat = (line.places.0..line.places.1).map(|i| at.distance(&line, i));
                let (t0, row0) = line.at;
                assert!(flat.eq(found.iter().map(|(t, row)| (t - t0) * rows + row - row0)));
            }
            found
        };
        assert_eq!(list(a.all(&m, 0, 2)), [(0, 1), (1, 0), (1, 2)]);
        assert_eq!(list(a.step(&m, 1)), [(1, 0), (1, 2)]);
        assert_eq!(a.idle(0).collect::<Vec<_>>(), [(0, 0), (0, 2)]);
        assert_eq!(a.idle(1).collect::<Vec<_>>(), [(1, 1)]);
        assert!(!a.is_full());
        let (_, second) = m.split(1);
        let part = Active::new(&second, &mask, 0, 2);
        assert_eq!(list(part.all(&second, 0, 2)), [(0, 1), (1, 2)]);
    }

    #[test]
    #[should_panic(expected = "somebody else")]
    fn a_mask_of_other_rows_is_refused() {
        let bufs = [Buf::new(0, 16, 2, 1, Extent::One)];
        let mut arena = Arena::new(bufs[0].len());
        let m = Memory::new(arena.floats_mut(), &[], &bufs, 1, 2);
        let mask = BufferRef {
            buffer: 0,
            offset: 0,
            after: false,
            exact: true,
        };
        let a = Active::new(&m, &mask, 0, 1);
        let (_, second) = m.split(1);
        a.all(&second, 0, 1);
    }
}
