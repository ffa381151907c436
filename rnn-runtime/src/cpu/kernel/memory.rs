//! Where the values of a model lie: one block of floats, cut into buffers.

use core::marker::PhantomData;

use rnn_tables::{BufferRef, Extent};

use super::{Buf, padded};

/// A model's values while it runs, for a range of rows that nobody else touches.
pub struct Memory<'a> {
    base: *mut f32,
    len: usize,
    // Private: `split` has seen this table, and both halves keep it.
    bufs: &'a [Buf],
    /// Steps in this run: what [`Extent::Last`] looks at.
    pub total: usize,
    /// States are zero at time 0: products with them are left out there.
    pub fresh: bool,
    /// First row and one past the last row.
    rows: (usize, usize),
    values: PhantomData<&'a mut [f32]>,
}

// SAFETY: a `Memory` is a `&mut [f32]` to its rows of its buffers; no two have a row of a buffer in
// common.
unsafe impl Send for Memory<'_> {}
// SAFETY: through a shared `Memory` nothing writes: the kernels take `&mut Memory`.
unsafe impl Sync for Memory<'_> {}

impl<'a> Memory<'a> {
    /// Memory over `values`, for `rows` rows.
    #[inline(always)]
    pub fn new(values: &'a mut [f32], bufs: &'a [Buf], total: usize, rows: usize) -> Self {
        Memory {
            base: values.as_mut_ptr(),
            len: values.len(),
            bufs,
            total,
            fresh: false,
            rows: (0, rows),
            values: PhantomData,
        }
    }

    /// The rows that this memory may touch.
    #[inline(always)]
    pub fn rows(&self) -> core::ops::Range<usize> {
        self.rows.0..self.rows.1
    }

    /// The same memory for a shorter time.
    pub fn reborrow(&mut self) -> Memory<'_> {
        Memory {
            values: PhantomData,
            ..*self
        }
    }

    /// The rows before `row`, and those from it on.
    ///
    /// # Panics
    /// If `row` is not among the rows, or the buffers overlap.
    pub fn split(self, row: usize) -> (Memory<'a>, Memory<'a>) {
        assert!(self.rows.0 <= row && row <= self.rows.1, "no such row");
        self.check_apart();
        let left = Memory {
            rows: (self.rows.0, row),
            ..self
        };
        let right = Memory {
            rows: (row, self.rows.1),
            ..self
        };
        (left, right)
    }

    /// The same rows twice: all buffers but those of `second`, and those. Each of the two refuses
    /// the other's buffers, for reading too, so that they may be used at once.
    ///
    /// # Panics
    /// If the buffers overlap.
    #[cfg(feature = "std")]
    pub fn apart<R>(&mut self, second: &[usize], f: impl FnOnce(Memory<'_>, Memory<'_>) -> R) -> R {
        self.check_apart();
        let table = |second_half: bool| -> Vec<Buf> {
            let own = |(i, b): (usize, &Buf)| match second.contains(&i) == second_half {
                true => *b,
                // No row and no step: every check refuses it.
                false => Buf::new(b.offset, 0, 0, 0, Extent::One),
            };
            self.bufs.iter().enumerate().map(own).collect()
        };
        let (a, b) = (table(false), table(true));
        let half = |bufs| Memory {
            bufs,
            values: PhantomData,
            ..*self
        };
        f(half(&a), half(&b))
    }

    /// Panics if two buffers have floats in common.
    fn check_apart(&self) {
        assert!(
            self.bufs
                .windows(2)
                .all(|b| b[0].offset + b[0].len() <= b[1].offset),
            "buffers overlap"
        );
    }

    /// The address of a row.
    ///
    /// # Safety
    /// The buffer exists, and the step and the row are within it: [`Memory::check`] says so.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub(in crate::cpu) unsafe fn at(&self, r: &BufferRef, t: usize, row: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let b = self.bufs.get_unchecked(r.buffer);
            let step = b.step(t.wrapping_add(usize::from(r.after)), self.total);
            self.base
                .add(b.offset + step * b.time + row * b.row + r.offset)
        }
    }

    /// Panics unless `width` floats of `r`, rounded up to whole vectors, lie within the values for
    /// every row of this memory and every time up to `last`. With constant tables, as in a stream,
    /// the compiler decides all of it and no code is left.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub(in crate::cpu) fn check(&self, r: &BufferRef, width: usize, last: usize) {
        let exact = r.exact;
        self.check_floats(r, if exact { width } else { padded(width) }, last);
    }

    /// The same for a vector that is read: whole vectors, whatever stands after it.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub(in crate::cpu) fn check_whole(&self, r: &BufferRef, width: usize, last: usize) {
        self.check_floats(r, padded(width), last);
    }

    #[inline(always)]
    fn check_floats(&self, r: &BufferRef, floats: usize, last: usize) {
        let b = &self.bufs[r.buffer];
        let step = match b.extent {
            Extent::One => 0,
            Extent::Ring | Extent::Last => 1,
            Extent::All => last.saturating_add(usize::from(r.after)),
        };
        assert!(
            r.offset.saturating_add(floats) <= b.row
                && step < b.count
                && self.rows.1 <= b.rows
                && b.offset + b.len() <= self.len,
            "a buffer is too small"
        );
    }

    /// The table's entry for a vector.
    #[inline(always)]
    pub(in crate::cpu) fn buf(&self, r: &BufferRef) -> &Buf {
        &self.bufs[r.buffer]
    }

    /// `width` floats of `r` at time `t`, row `row`.
    ///
    /// # Panics
    /// If they are not within the buffer, or the row is not one of this memory's.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub fn row(&self, r: &BufferRef, width: usize, t: usize, row: usize) -> &[f32] {
        self.check(r, width, t);
        assert!(self.rows().contains(&row), "a row of somebody else");
        // SAFETY: checked above; writing takes `&mut self`.
        unsafe { core::slice::from_raw_parts(self.at(r, t, row), width) }
    }

    /// The same, to write.
    ///
    /// # Panics
    /// As [`Memory::row`].
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub fn row_mut(&mut self, r: &BufferRef, width: usize, t: usize, row: usize) -> &mut [f32] {
        self.check(r, width, t);
        assert!(self.rows().contains(&row), "a row of somebody else");
        // SAFETY: checked above, and `self` is borrowed.
        unsafe { core::slice::from_raw_parts_mut(self.at(r, t, row), width) }
    }

    /// Copies `width` floats of one row from one place to another.
    ///
    /// # Panics
    /// As [`Memory::row`].
    #[cfg_attr(not(recurrent_calls), inline(always))]
    pub fn copy_row(
        &mut self,
        from: &BufferRef,
        tf: usize,
        to: &BufferRef,
        tt: usize,
        width: usize,
        row: usize,
    ) {
        let from = self.row(from, width, tf, row).as_ptr();
        let to = self.row_mut(to, width, tt, row).as_mut_ptr();
        // SAFETY: both are `width` floats of this memory's own rows; `copy` allows an overlap.
        unsafe { core::ptr::copy(from, to, width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::arena::Arena;

    const fn at(buf: usize) -> BufferRef {
        BufferRef {
            buffer: buf,
            offset: 0,
            after: false,
            exact: true,
        }
    }

    fn bufs() -> [Buf; 3] {
        std::array::from_fn(|i| Buf::new(i * 32, 16, 2, 1, Extent::One))
    }

    #[test]
    #[should_panic(expected = "too small")]
    fn a_row_of_more_floats_than_can_be_counted_is_refused() {
        let (bufs, mut arena) = (bufs(), Arena::new(96));
        let m = Memory::new(arena.floats_mut(), &bufs, 1, 1);
        let whole = BufferRef {
            exact: false,
            ..at(0)
        };
        let _ = m.row(&whole, usize::MAX, 0, 0);
    }

    #[test]
    fn two_halves_write_at_once() {
        let (bufs, mut arena) = (bufs(), Arena::new(96));
        let mut m = Memory::new(arena.floats_mut(), &bufs, 1, 2);
        let write = |mut m: Memory<'_>, buf, x| m.row_mut(&at(buf), 3, 0, 1).fill(x);
        m.apart(&[1], |a, b| {
            rayon::join(|| write(a, 2, 1.0), || write(b, 1, 2.0));
        });
        assert_eq!(m.row(&at(0), 3, 0, 1), [0.0; 3]);
        assert_eq!(m.row(&at(1), 3, 0, 1), [2.0; 3]);
        assert_eq!(m.row(&at(2), 3, 0, 1), [1.0; 3]);
    }

    #[test]
    #[should_panic(expected = "too small")]
    fn the_first_half_refuses_the_buffers_of_the_second() {
        let (bufs, mut arena) = (bufs(), Arena::new(96));
        let mut m = Memory::new(arena.floats_mut(), &bufs, 1, 2);
        m.apart(&[1], |a, _| a.row(&at(1), 1, 0, 0)[0]);
    }

    #[test]
    #[should_panic(expected = "too small")]
    fn the_second_half_refuses_the_buffers_of_the_first() {
        let (bufs, mut arena) = (bufs(), Arena::new(96));
        let mut m = Memory::new(arena.floats_mut(), &bufs, 1, 2);
        m.apart(&[1], |_, b| b.row(&at(0), 1, 0, 0)[0]);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn buffers_that_overlap_do_not_come_apart() {
        let mut arena = Arena::new(96);
        let bufs = [
            Buf::new(0, 16, 2, 1, Extent::One),
            Buf::new(16, 16, 2, 1, Extent::One),
        ];
        Memory::new(arena.floats_mut(), &bufs, 1, 2).apart(&[1], |_, _| ());
    }
}
