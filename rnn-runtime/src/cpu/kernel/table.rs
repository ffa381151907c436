//! The table of buffers that a model's values lie in.

use rnn_tables::{Buffer, BufferRef, Extent, ROW_ALIGN, padded};

/// Floats of a row of a buffer: whole lines. Where a kernel reads a vector that starts inside of the
/// row, there is room for another two vectors after the last value.
pub const fn row_len(width: usize, unaligned: bool) -> usize {
    padded(width).saturating_add(if unaligned { 2 * ROW_ALIGN } else { 0 })
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
    pub(super) extent: Extent,
}

impl Buf {
    /// A buffer of `count` steps of `rows` rows of `row` floats, a multiple of [`ROW_ALIGN`], from
    /// float `offset` on.
    ///
    /// # Panics
    /// If so many floats cannot be addressed.
    pub const fn new(offset: usize, row: usize, rows: usize, count: usize, extent: Extent) -> Self {
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
            extent,
        }
    }

    /// The first float of a vector of a stream at time `t`.
    pub(crate) const fn at(&self, r: &BufferRef, t: usize) -> usize {
        let step = self.step(t.wrapping_add(r.after as usize), usize::MAX);
        self.offset + step * self.time + r.offset
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

    /// Which of its steps holds which time.
    #[inline(always)]
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// The step that holds time `t` of `total`.
    #[inline(always)]
    pub(crate) const fn step(&self, t: usize, total: usize) -> usize {
        match self.extent {
            Extent::One => 0,
            Extent::Ring => t & 1,
            Extent::All => t,
            Extent::Last => (t.wrapping_add(1) == total) as usize,
        }
    }
}

/// The buffers of a stream, one after another: one row each.
///
/// # Panics
/// If there are not `N` of them.
pub const fn stream_layout<const N: usize>(buffers: &[Buffer]) -> [Buf; N] {
    assert!(buffers.len() == N);
    let mut all = [Buf::new(0, 0, 0, 0, Extent::One); N];
    let (mut at, mut i) = (0, 0);
    while i < N {
        let Buffer {
            width,
            unaligned,
            extent,
            ..
        } = buffers[i];
        let (count, extent) = match extent {
            Extent::Ring => (2, Extent::Ring),
            _ => (1, Extent::One),
        };
        all[i] = Buf::new(at, row_len(width, unaligned), 1, count, extent);
        at += all[i].len();
        i += 1;
    }
    all
}

/// Floats that the buffers of [`stream_layout`] take.
pub const fn stream_len(buffers: &[Buf]) -> usize {
    match buffers.last() {
        Some(last) => last.offset + last.len(),
        None => 0,
    }
}
