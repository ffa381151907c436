//! The table of buffers that a model's values lie in, and places in it.

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
    // Not public, so that `new` is the only way to one: `time` is `rows * row`, and neither that nor
    // the end of the buffer overflows.
    pub(super) offset: usize,
    pub(super) row: usize,
    pub(super) time: usize,
    pub(super) count: usize,
    pub(super) rows: usize,
    pub(super) steps: Steps,
}

impl Buf {
    /// A buffer of `count` steps of `rows` rows of `row` floats, a multiple of [`ROW_ALIGN`], from
    /// float `offset` on.
    ///
    /// # Panics
    /// If so many floats cannot be addressed.
    pub const fn new(offset: usize, row: usize, rows: usize, count: usize, steps: Steps) -> Self {
        let time = match rows.checked_mul(row) {
            Some(time) => time,
            None => panic!("a buffer is too large"),
        };
        match time.checked_mul(count) {
            Some(len) if len.checked_add(offset).is_some() => {}
            _ => panic!("a buffer is too large"),
        }
        Buf {
            offset,
            row,
            time,
            count,
            rows,
            steps,
        }
    }

    /// First float.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Floats from one row to the next.
    #[inline(always)]
    pub const fn row(&self) -> usize {
        self.row
    }

    /// Floats that the buffer takes.
    pub const fn len(&self) -> usize {
        self.time * self.count
    }

    /// Whether it takes no floats.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How its steps hold times.
    #[inline(always)]
    pub const fn steps(&self) -> Steps {
        self.steps
    }

    /// The step that holds time `t` of `total`.
    #[inline(always)]
    pub(crate) const fn step(&self, t: usize, total: usize) -> usize {
        match self.steps {
            Steps::One => 0,
            Steps::Ring => t & 1,
            Steps::All => t,
            Steps::Last => (t.wrapping_add(1) == total) as usize,
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

/// What stays at a masked step, forwards.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// A sequence of width 1: 0 where a step is masked.
    pub mask: Ref,
    /// States before the step (`shift` 0), and their widths.
    pub states: &'static [(Ref, usize)],
    /// Outputs, and their widths. An output that *is* a state after its step stays by itself and
    /// belongs here only if it must be zero before the first real step.
    pub outputs: &'static [(Ref, usize)],
    /// Keras's `zero_output_for_mask`.
    pub zero_output: bool,
}
