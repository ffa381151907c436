//! Where the values of a model lie: one block of floats, cut into buffers.

use std::marker::PhantomData;

/// Rows of every buffer start at a multiple of this many floats (64 bytes), so that a vector that
/// reaches past the last unit stays in its own row.
pub const ROW_ALIGN: usize = 16;

/// `width` rounded up to a whole number of [`ROW_ALIGN`].
pub const fn padded(width: usize) -> usize {
    width.div_ceil(ROW_ALIGN) * ROW_ALIGN
}

/// Which of a buffer's steps holds time `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// One step: the same place at all times.
    One,
    /// Two steps, used in turn: a state and its next value.
    Ring,
    /// A step for every time.
    All,
    /// Two steps: the second for the last time, the first for all others. An output that only its
    /// last step is wanted of, or its gradient, which is zero at all others.
    Last,
}

/// One buffer: `[steps][rows][padded width]` floats from `offset` on.
#[derive(Clone, Copy, Debug)]
pub struct Buf {
    /// First float.
    pub offset: usize,
    /// Floats from one row to the next.
    pub row: usize,
    /// Floats from one step to the next.
    pub time: usize,
    /// Steps that there is room for.
    pub count: usize,
    /// Rows that there is room for.
    pub rows: usize,
    /// Which step holds which time.
    pub steps: Steps,
}

impl Buf {
    /// A buffer of `count` steps of `rows` rows of `row` floats, a multiple of [`ROW_ALIGN`].
    pub const fn new(offset: usize, row: usize, rows: usize, count: usize, steps: Steps) -> Self {
        Buf {
            offset,
            row,
            time: rows * row,
            count,
            rows,
            steps,
        }
    }

    /// Floats that the buffer takes.
    pub const fn len(&self) -> usize {
        self.time * self.count
    }

    /// Whether it takes no floats.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The step that holds time `t` of `total`.
    #[inline(always)]
    pub(crate) const fn step(&self, t: usize, total: usize) -> usize {
        match self.steps {
            Steps::One => 0,
            Steps::Ring => t & 1,
            Steps::All => t,
            Steps::Last => (t + 1 == total) as usize,
        }
    }
}

/// A vector in a buffer: the floats from `offset` on of each row, at time `t + shift`.
#[derive(Clone, Copy, Debug)]
pub struct Ref {
    /// Index in the table of buffers.
    pub buf: usize,
    /// First float of the row.
    pub offset: usize,
    /// 1 for the value after the step, 0 for all others.
    pub shift: usize,
    /// Other values follow in the same row: a store keeps to the exact width.
    pub exact: bool,
}

/// A model's values and weights while it runs, for a range of rows that nobody else touches.
pub struct Memory<'a> {
    base: *mut f32,
    len: usize,
    /// The packed weights.
    pub packed: &'a [f32],
    /// The table of buffers.
    pub bufs: &'a [Buf],
    /// Steps in this run: what [`Steps::Last`] looks at.
    pub total: usize,
    /// States are zero at time 0: products with them are left out there.
    pub fresh: bool,
    /// First row and one past the last row.
    rows: (usize, usize),
    values: PhantomData<&'a mut [f32]>,
}

// SAFETY: a `Memory` is a `&mut [f32]` to its rows; no two have a row in common.
unsafe impl Send for Memory<'_> {}
// SAFETY: through a shared `Memory` only the kernels write, and they are called by its owner.
unsafe impl Sync for Memory<'_> {}

impl<'a> Memory<'a> {
    /// Memory over `values`, for `rows` rows.
    #[inline(always)]
    pub fn new(
        values: &'a mut [f32],
        packed: &'a [f32],
        bufs: &'a [Buf],
        total: usize,
        rows: usize,
    ) -> Self {
        Memory {
            base: values.as_mut_ptr(),
            len: values.len(),
            packed,
            bufs,
            total,
            fresh: false,
            rows: (0, rows),
            values: PhantomData,
        }
    }

    /// The rows that this memory may touch.
    #[inline(always)]
    pub fn rows(&self) -> std::ops::Range<usize> {
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
        assert!(
            self.bufs
                .windows(2)
                .all(|b| b[0].offset + b[0].len() <= b[1].offset),
            "buffers overlap"
        );
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

    /// The address of a row.
    ///
    /// # Safety
    /// The buffer exists, and the step and the row are within it: [`Memory::check`] says so.
    #[inline(always)]
    pub(in crate::cpu) unsafe fn at(&self, r: &Ref, t: usize, row: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let b = self.bufs.get_unchecked(r.buf);
            let step = b.step(t + r.shift, self.total);
            self.base
                .add(b.offset + step * b.time + row * b.row + r.offset)
        }
    }

    /// Panics unless `width` floats of `r`, rounded up to whole vectors, lie within the values for
    /// every row of this memory and every time up to `last`. With constant tables, as in a stream,
    /// the compiler decides all of it and no code is left.
    #[inline(always)]
    pub(in crate::cpu) fn check(&self, r: &Ref, width: usize, last: usize) {
        let b = &self.bufs[r.buf];
        let step = match b.steps {
            Steps::One => 0,
            Steps::Ring | Steps::Last => 1,
            Steps::All => last + r.shift,
        };
        assert!(
            r.offset + if r.exact { width } else { padded(width) } <= b.row
                && step < b.count
                && self.rows.1 <= b.rows
                && b.offset + b.len() <= self.len,
            "a buffer is too small"
        );
    }

    /// `width` floats of `r` at time `t`, row `row`.
    ///
    /// # Panics
    /// If they are not within the buffer, or the row is not one of this memory's.
    #[inline(always)]
    pub fn row(&self, r: &Ref, width: usize, t: usize, row: usize) -> &[f32] {
        self.check(r, width, t);
        assert!(self.rows().contains(&row), "a row of somebody else");
        // SAFETY: checked above; writing takes `&mut self`.
        unsafe { std::slice::from_raw_parts(self.at(r, t, row), width) }
    }

    /// The same, to write.
    ///
    /// # Panics
    /// As [`Memory::row`].
    #[inline(always)]
    pub fn row_mut(&mut self, r: &Ref, width: usize, t: usize, row: usize) -> &mut [f32] {
        self.check(r, width, t);
        assert!(self.rows().contains(&row), "a row of somebody else");
        // SAFETY: checked above, and `self` is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.at(r, t, row), width) }
    }

    /// Whether there are so many floats of values and of packed weights. Said once at the start of
    /// a step, it lets the compiler decide every check behind it.
    #[inline(always)]
    pub fn holds(&self, values: usize, packed: usize) -> bool {
        self.len >= values && self.packed.len() >= packed && self.rows == (0, 1)
    }

    /// Copies the input of a stream's step.
    #[inline(always)]
    pub fn set<const N: usize>(&mut self, to: &Ref, x: &[f32; N]) {
        self.row_mut(to, N, 0, 0).copy_from_slice(x);
    }

    /// Copies row `id` of `table` as the input of a stream's step; zeros if there is none.
    #[inline(always)]
    pub fn embed(&mut self, to: &Ref, width: usize, table: &[f32], id: u32) {
        let start = id as usize * width;
        let row = self.row_mut(to, width, 0, 0);
        match table.get(start..start + width) {
            Some(x) => row.copy_from_slice(x),
            None => row.fill(0.0),
        }
    }
}

/// `N` floats from `at` on.
///
/// # Panics
/// If there are not so many.
#[inline(always)]
pub fn array<const N: usize>(values: &[f32], at: usize) -> &[f32; N] {
    match values.get(at..).and_then(|v| v.first_chunk()) {
        Some(a) => a,
        None => panic!("a stream's values are too short"),
    }
}
