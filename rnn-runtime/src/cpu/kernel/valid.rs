//! The (time, row) positions that a mask leaves.

use core::ops::Range;

use rnn_tables::BufferRef;

use super::{
    Memory, Places,
    columns::{Along, Line},
    places::{At, Lines, sealed::Sealed},
};

impl Sealed for Active {}
impl Sealed for Listed<'_> {}

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
    use crate::cpu::{arena::Arena, kernel::Buf};

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
        let mut m = Memory::new(arena.floats_mut(), &bufs, 2, ROWS);
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
        let m = Memory::new(arena.floats_mut(), &bufs, 1, 2);
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
