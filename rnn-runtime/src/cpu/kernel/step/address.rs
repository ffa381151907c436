//! Where the values of a stream lie, judged while the program is compiled.

use core::marker::PhantomData;

use rnn_tables::{BufferRef, Extent, padded};

use super::StreamTables;

/// Where a vector of a stream lies at even and at odd times: a constant that has been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    first: usize,
    /// From the step at even times to the one at odd times: 0 where both are one.
    step: usize,
    /// The value after the step, so that even and odd times change places.
    after: bool,
}

impl Address {
    /// The vector at `r`, of which so many floats are touched.
    ///
    /// # Panics
    /// Which makes it an error of the compiler: if they are not within their row of the buffer, or the buffer is not within
    /// the values of `P`.
    pub(super) const fn of<P: StreamTables>(r: &BufferRef, floats: usize) -> Self {
        let b = &P::BUFFERS[r.buffer];
        let steps = match b.extent {
            Extent::One => 1,
            Extent::Ring => 2,
            Extent::All | Extent::Last => panic!("a stream has no buffer of all steps"),
        };
        assert!(
            r.offset.saturating_add(floats) <= b.row
                && steps <= b.count
                && b.rows > 0
                && b.offset + b.len() <= P::LEN,
            "a buffer is too small"
        );
        Address {
            first: b.offset + r.offset,
            step: match steps {
                1 => 0,
                _ => b.time,
            },
            after: r.after,
        }
    }

    /// The vector at `r`, which is read whole or, unless it is exact, written whole.
    pub(super) const fn stored<P: StreamTables>(r: &BufferRef, width: usize) -> Self {
        Self::of::<P>(r, if r.exact { width } else { padded(width) })
    }

    /// The first float at time 0 or 1.
    #[inline(always)]
    pub(super) const fn at(self, time: usize) -> usize {
        let time = if self.after { time ^ 1 } else { time };
        self.first + time * self.step
    }
}

/// `N` floats of a buffer of the stream of `P`: a constant that has been checked.
#[derive(Debug)]
pub struct StreamSlice<P, const N: usize> {
    pub(super) address: Address,
    program: PhantomData<fn() -> P>,
}

impl<P, const N: usize> Clone for StreamSlice<P, N> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, const N: usize> Copy for StreamSlice<P, N> {}

impl<P: StreamTables, const N: usize> StreamSlice<P, N> {
    /// The floats at `r`. It is made in a constant.
    ///
    /// # Panics
    /// Which makes it an error of the compiler there: if they are not within the buffer, or that is not within the values.
    pub const fn new(r: &BufferRef) -> Self {
        StreamSlice {
            address: Address::stored::<P>(r, N),
            program: PhantomData,
        }
    }

    /// The floats at `r`, which are the same at all times: an output.
    ///
    /// # Panics
    /// As [`Self::new`], and if there are others at odd times.
    pub const fn output(r: &BufferRef) -> Self {
        let slice = Self::new(r);
        assert!(slice.is_one(), "an output of two steps");
        slice
    }

    /// The same floats a step later or, as there are two of each, a step earlier.
    #[inline(always)]
    pub(super) const fn other_step(self) -> Self {
        StreamSlice {
            address: Address {
                after: !self.address.after,
                ..self.address
            },
            ..self
        }
    }

    /// Whether it is one and the same at all times.
    #[inline(always)]
    pub(super) const fn is_one(self) -> bool {
        self.address.step == 0
    }
}
