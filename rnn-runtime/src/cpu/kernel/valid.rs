//! The (time, row) positions that a mask leaves.

use core::ops::Range;

use rnn_tables::BufferRef;

use super::{
    Memory, Positions,
    positions::{PositionList, Runs, sealed::Sealed},
    strided::{Along, StridedRun},
};

impl Sealed for ValidPositions {}
impl Sealed for Listed<'_> {}

/// The positions that a mask leaves: a list for the rows of one memory, so that padding is skipped
/// rather than computed. By default none of no row.
#[derive(Clone, Debug, Default)]
pub struct ValidPositions {
    rows: Range<usize>,
    first: usize,
    valid: List,
    padded: List,
}

/// Time and row of positions, sorted by time, then by row.
#[derive(Clone, Debug, Default)]
struct List {
    positions: Vec<(u32, u32)>,
    /// Where the positions of each time start, and where those of the last end.
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
            [first, .., last] => &self.positions[*first..*last],
            _ => &[],
        }
    }
}

impl ValidPositions {
    /// The positions of the rows of `m` at the times `first..first + steps` where `mask`, a sequence
    /// of width 1, is not 0.
    ///
    /// # Panics
    /// If the mask is not within its buffer.
    pub fn new(m: &Memory<'_>, mask: &BufferRef, first: usize, steps: usize) -> ValidPositions {
        let mut active = ValidPositions::default();
        active.set(m, mask, first, steps);
        active
    }

    /// Becomes what [`ValidPositions::new`] makes, in the same space if that is enough.
    ///
    /// # Panics
    /// As [`ValidPositions::new`].
    pub fn set(&mut self, m: &Memory<'_>, mask: &BufferRef, first: usize, steps: usize) {
        let rows = m.rows();
        assert!(
            u32::try_from(rows.end).is_ok() && u32::try_from(first.saturating_add(steps)).is_ok(),
            "too many rows or steps for a mask"
        );
        let (valid, padded) = (&mut self.valid, &mut self.padded);
        for list in [&mut *valid, &mut *padded] {
            list.positions.clear();
            list.starts.clear();
        }
        for t in first..first + steps {
            valid.starts.push(valid.positions.len());
            padded.starts.push(padded.positions.len());
            for row in rows.clone() {
                let list = match m.row(mask, 1, t, row)[0] {
                    0.0 => &mut *padded,
                    _ => &mut *valid,
                };
                list.positions.push((t as u32, row as u32));
            }
        }
        valid.starts.push(valid.positions.len());
        padded.starts.push(padded.positions.len());
        (self.rows, self.first) = (rows, first);
    }

    /// Time and row of the positions that the mask leaves out, at time `t`.
    pub fn padded(&self, t: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let i = t.saturating_sub(self.first);
        let list = self.padded.range(i, i.saturating_add(1));
        list.iter().map(|&(t, row)| (t as usize, row as usize))
    }

    /// Whether the mask leaves every position.
    pub fn is_full(&self) -> bool {
        self.padded.positions.is_empty()
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
            positions: self.valid.range(i, end),
            starts: self.valid.starts(i, end),
            rows: m.rows(),
            first,
            last: first.saturating_add(steps.saturating_sub(1)),
        }
    }
}

/// Some of the positions of a [`ValidPositions`].
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    positions: &'a [(u32, u32)],
    /// Where the positions of each time start, and where those of the last end; counted as those of
    /// the whole mask.
    starts: &'a [usize],
    /// Those of the memory: distances count through all of them.
    rows: Range<usize>,
    first: usize,
    last: usize,
}

impl Positions for ValidPositions {
    type PositionList<'a> = Listed<'a>;

    #[inline(always)]
    fn step<'a>(&'a self, m: &Memory<'_>, t: usize) -> Listed<'a> {
        self.listed(m, t, 1)
    }

    #[inline(always)]
    fn all<'a>(&'a self, m: &Memory<'_>, first: usize, steps: usize) -> Listed<'a> {
        self.listed(m, first, steps)
    }
}

impl PositionList for Listed<'_> {
    const LISTED: bool = true;

    #[inline(always)]
    fn count(&self) -> usize {
        self.positions.len()
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
        for &(t, row) in self.positions {
            let (t, row) = (t as usize, row as usize);
            // SAFETY: the caller's promise.
            let (x, y) = unsafe { (m.at(a, t, row), m.at(b, t, row)) };
            f(x.cast_const(), y.cast_const());
        }
    }
}

impl Runs for Listed<'_> {
    #[inline(always)]
    fn line(&self, i: usize, along: Along) -> Option<StridedRun> {
        let (time, positions) = match along {
            Along::Rows => {
                let [from, to] = *self.starts.get(i..i + 2)?.first_chunk()?;
                let before = self.starts[0];
                (self.first + i, (from - before, to - before))
            }
            // One run has them all.
            Along::Times | Along::Both if i > 0 => return None,
            Along::Times | Along::Both => (self.first, (0, self.positions.len())),
        };
        Some(StridedRun {
            at: (time, self.rows.start),
            along,
            positions,
        })
    }

    #[inline(always)]
    fn distance(&self, line: &StridedRun, i: usize) -> usize {
        let (t, row) = self.positions[i];
        let (t, row) = (t as usize - line.at.0, row as usize - line.at.1);
        // Along times there is one row, so this is right for all runs.
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
        let a = ValidPositions::new(&m, &mask, 0, 2);
        let list = |at: Listed<'_>| -> Vec<(usize, usize)> {
            let lines = (0..).map_while(|i| at.line(i, Along::Rows));
            let all = lines.flat_map(|line| {
                let row = |i| at.distance(&line, i) + line.at.1;
                let row: Vec<usize> = (line.positions.0..line.positions.1).map(row).collect();
                row.into_iter().map(move |row| (line.at.0, row))
            });
            let found: Vec<(usize, usize)> = all.collect();
            // The same in one run.
            if let Some(line) = at.line(0, Along::Both) {
                let rows = at.rows.len();
                let flat = (line.positions.0..line.positions.1).map(|i| at.distance(&line, i));
                let (t0, row0) = line.at;
                assert!(flat.eq(found.iter().map(|(t, row)| (t - t0) * rows + row - row0)));
            }
            found
        };
        assert_eq!(list(a.all(&m, 0, 2)), [(0, 1), (1, 0), (1, 2)]);
        assert_eq!(list(a.step(&m, 1)), [(1, 0), (1, 2)]);
        assert_eq!(a.padded(0).collect::<Vec<_>>(), [(0, 0), (0, 2)]);
        assert_eq!(a.padded(1).collect::<Vec<_>>(), [(1, 1)]);
        assert!(!a.is_full());
        let (_, second) = m.split(1);
        let part = ValidPositions::new(&second, &mask, 0, 2);
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
        let a = ValidPositions::new(&m, &mask, 0, 1);
        let (_, second) = m.split(1);
        a.all(&second, 0, 1);
    }
}
