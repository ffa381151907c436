//! How a CUDA device lays out the values of a batch and the packed weights.

use std::collections::{BTreeMap, BTreeSet};

use rnn_tables::{Buffer, BufferRef, Extent, Kernel, PackedGate, PackedOffset, PackedVector};

use super::parameters::{Floats, PackTask, View};
use crate::{error::Error, precision::Precision};

/// Rows start at multiples of this many floats, so that four of them can be read at once.
const ROW: usize = 4;
/// Buffers start at multiples of this many floats: a line of the cache.
const LINE: usize = 32;

/// Floats of a row.
pub(super) fn row_len(width: usize) -> usize {
    width.next_multiple_of(ROW)
}

/// The number by which CUDA knows an extent.
pub(super) fn extent_number(extent: Extent) -> i32 {
    match extent {
        Extent::One => 0,
        Extent::Ring => 1,
        Extent::All => 2,
        Extent::Last => 3,
    }
}

/// What the device counts with `int`.
///
/// # Errors
/// [`Error::Argument`] if it is too large for that.
pub(super) fn int(n: usize, what: &str) -> Result<i32, Error> {
    i32::try_from(n).map_err(|_| Error::Argument(format!("{n} {what} are too many for a device")))
}

/// Where the buffers of a batch lie: `[steps][rows][row]` floats each.
#[derive(Clone, Debug)]
pub(super) struct Layout<'s> {
    specs: &'s [Buffer],
    /// The first float of each buffer.
    starts: Vec<usize>,
    /// Floats of all of them.
    pub len: usize,
    /// Rows of the batch.
    pub rows: usize,
}

impl<'s> Layout<'s> {
    /// For so many rows, and axes of these lengths.
    ///
    /// # Errors
    /// [`Error::Argument`] if they cannot be counted.
    pub fn new(specs: &'s [Buffer], rows: usize, axes: &[usize]) -> Result<Layout<'s>, Error> {
        let too_large = || Error::Argument("this batch is too large for a device".to_owned());
        let mut starts = Vec::with_capacity(specs.len());
        let mut len = 0usize;
        for b in specs {
            let count = match b.extent {
                Extent::One => 1,
                Extent::Ring | Extent::Last => 2,
                Extent::All => axes.get(b.axis).copied().unwrap_or(0) + 1,
            };
            starts.push(len);
            // Positions within a buffer are counted with `int`.
            let floats = row_len(b.width).checked_mul(rows);
            let floats = floats.and_then(|n| n.checked_mul(count));
            let floats = floats.ok_or_else(too_large)?;
            len = len
                .checked_add(floats)
                .and_then(|n| n.checked_next_multiple_of(LINE))
                .filter(|n| *n < usize::MAX / 8)
                .ok_or_else(too_large)?;
        }
        Ok(Layout {
            specs,
            starts,
            len,
            rows,
        })
    }

    /// The first float of a buffer.
    pub fn start(&self, buffer: usize) -> usize {
        self.starts[buffer]
    }

    /// A vector of every row, among values that start at `values`, on an axis of `total` steps.
    pub fn view(&self, values: Floats, r: &BufferRef, total: usize) -> View {
        let spec = &self.specs[r.buffer];
        View {
            base: values.after(self.starts[r.buffer] + r.offset),
            // A width is a constant of the model; `Packing` has seen that all of them are small enough.
            row: row_len(spec.width) as i32,
            extent: extent_number(spec.extent),
            after: i32::from(r.after),
            total: total.min(i32::MAX as usize) as i32,
        }
    }
}

/// No vector: a mask that leaves every step.
pub(super) const NOTHING: View = View {
    base: Floats(0),
    row: 0,
    extent: 0,
    after: 0,
    total: 0,
};

/// Units of a fragment: see `kernels/tensor.cuh`.
pub(super) const FRAGMENT_UNITS: usize = 16;

/// Floats of memory that a packed matrix takes, as a whole or as fragments.
pub(super) fn packed_floats(precision: Precision, k: usize, gates: usize, width: usize) -> usize {
    let tiles = match precision {
        Precision::Float32 => return k * gates * width,
        Precision::Tf32 => k.div_ceil(8),
        Precision::Bf16 | Precision::F16 => k.div_ceil(16),
    };
    // A lane has four words of a fragment.
    width.div_ceil(FRAGMENT_UNITS) * tiles * gates * 4 * 32
}

/// The number by which CUDA knows a precision.
fn precision_number(precision: Precision) -> u32 {
    match precision {
        Precision::Float32 => 0,
        Precision::Tf32 => 1,
        Precision::Bf16 => 2,
        Precision::F16 => 3,
    }
}

/// Where packed weights lie, and what they are packed from.
#[derive(Clone, Debug, Default)]
pub(super) struct Packing {
    /// What products are made in.
    pub precision: Precision,
    /// What is packed as it is.
    pub tasks: Vec<PackTask>,
    /// What is packed as fragments.
    pub fragments: Vec<PackTask>,
    /// The matrices that kernels read, and in which precision.
    read: BTreeSet<(PackedOffset, Precision)>,
    /// Where a packed matrix or vector of the tables starts on the device.
    starts: BTreeMap<(PackedOffset, Precision), usize>,
    /// Vectors that are computed: their place in the tables, their floats, and their place on the device.
    computed: (usize, usize, usize),
    /// Floats.
    pub len: usize,
}

impl Packing {
    /// Of what inference packs; `computed` says where the tables have vectors that are computed, and how many floats.
    pub fn new(computed: (usize, usize), precision: Precision) -> Packing {
        Packing {
            precision,
            computed: (computed.0, computed.1, 0),
            len: computed.1.next_multiple_of(LINE),
            ..Packing::default()
        }
    }

    /// Where vectors that are computed start on the device.
    pub fn computed(&self) -> usize {
        self.computed.2
    }

    /// A kernel reads its matrices in this precision.
    pub fn reads(&mut self, kernel: &Kernel, precision: Precision) {
        let matrices = kernel.products.iter().copied().flatten();
        self.read.extend(matrices.map(|s| (s.matrix, precision)));
    }

    /// Adds vectors, and matrices as the kernels read them.
    pub fn add(&mut self, matrices: &[PackedGate], vectors: &[PackedVector]) -> Result<(), Error> {
        let number = |n: usize| int(n, "weights").map(|n| n as u32);
        for m in matrices {
            let all = (m.to, Precision::Float32)..=(m.to, Precision::F16);
            let read: Vec<Precision> = self.read.range(all).map(|(_, p)| *p).collect();
            for precision in read {
                let floats = packed_floats(precision, m.k, m.gates, m.width);
                let to = self.place(m.to, precision, floats);
                number(to + floats)?;
                let task = PackTask {
                    from: number(m.from.start())?,
                    columns: number(m.from.columns)?,
                    k: number(m.k)?,
                    width: number(m.width)?,
                    transposed: u32::from(m.transposed),
                    to: number(to)?,
                    gate: number(m.gate)?,
                    gates: number(m.gates)?,
                    precision: precision_number(precision),
                };
                match precision {
                    Precision::Float32 => self.tasks.push(task),
                    _ => self.fragments.push(task),
                }
            }
        }
        for v in vectors {
            let to = self.place(v.to, Precision::Float32, v.width);
            self.tasks.push(PackTask {
                from: number(v.from.start())?,
                columns: number(v.width)?,
                k: 1,
                width: number(v.width)?,
                transposed: 0,
                to: number(to)?,
                gate: 0,
                gates: 1,
                precision: precision_number(Precision::Float32),
            });
            number(to + v.width)?;
        }
        Ok(())
    }

    /// Where something of the tables starts in this precision; it takes so many floats.
    fn place(&mut self, at: PackedOffset, precision: Precision, floats: usize) -> usize {
        if let Some(start) = self.starts.get(&(at, precision)) {
            return *start;
        }
        let start = self.len;
        self.starts.insert((at, precision), start);
        self.len = (start + floats).next_multiple_of(LINE);
        start
    }

    /// Where something of the tables starts, in a precision that it is read in.
    ///
    /// # Panics
    /// If the tables do not pack it: then they contradict one another.
    pub fn start(&self, at: PackedOffset, precision: Precision) -> usize {
        let (from, len, to) = self.computed;
        if (from..from + len).contains(&at.0) {
            return to + at.0 - from;
        }
        match self.starts.get(&(at, precision)) {
            Some(start) => *start,
            None => unreachable!("nothing is packed at {at:?}"),
        }
    }
}
