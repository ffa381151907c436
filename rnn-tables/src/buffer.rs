//! Where values lie while a model runs.

use crate::{Fixed, Stage};

/// How many steps of time a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One step: the same row at all times.
    One,
    /// Two steps, used in turn: a state and its next value.
    Ring,
    /// All steps, and one more for the state after the last.
    All,
    /// Two steps: the second holds the last step, the first all others in turn. For an output of which only
    /// the last step counts, and for its gradient, which is zero at all other steps.
    Last,
}

/// A buffer: `[steps][rows][width]` floats.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer<S: Stage = Fixed> {
    /// Floats of a row.
    pub width: S::Size,
    /// A kernel reads a vector that starts inside a row, so a whole register may reach past the row's end.
    pub unaligned: bool,
    /// Steps.
    pub extent: Extent,
    /// The time axis whose steps [`Extent::All`] holds: an index into the model's axes.
    pub axis: usize,
}

/// A vector in a buffer: the floats from `offset` on of each row.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferRef<S: Stage = Fixed> {
    /// Index of the buffer.
    pub buffer: usize,
    /// First float of the row.
    pub offset: S::Size,
    /// The value after the step: a state at time `t + 1`.
    pub after: bool,
    /// Other values follow in the same row, so a store keeps to the exact width.
    pub exact: bool,
}

/// A vector in a buffer with its width.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice<S: Stage = Fixed> {
    /// Where it lies.
    pub at: BufferRef<S>,
    /// Its floats.
    pub width: S::Size,
}

// The tables of a program consist of numbers, so they are `Copy`.
impl Copy for Buffer<Fixed> {}
impl Copy for BufferRef<Fixed> {}
impl Copy for Slice<Fixed> {}
