//! Where the vectors of a phase lie for a whole line of places, found once a line: the kernel only
//! counts along it.

use rnn_tables::{BufferRef, Extent, Kernel, Segment};

use super::Memory;

/// What changes from one place of a [`Line`] to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The row.
    Rows,
    /// The time, of one row.
    Times,
    /// The row, and behind the last row the time: buffers hold all rows and steps one after another.
    Both,
}

/// Places that lie at equal distances in every buffer of a phase.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Time and row that distances count from.
    pub at: (usize, usize),
    pub along: Along,
    /// Which of the places these are: the first, and one past the last.
    pub places: (usize, usize),
}

/// One vector of a phase along a line.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    first: *mut f32,
    step: usize,
}

impl Column {
    /// # Safety
    /// [`Memory::check`] has seen `r` for all times and rows of the line.
    #[inline(always)]
    unsafe fn new(m: &Memory<'_>, r: &BufferRef, line: &Line) -> Self {
        let buf = m.buf(r);
        // SAFETY: the caller's promise.
        let first = unsafe { m.at(r, line.at.0, line.at.1) };
        let step = match line.along {
            Along::Times if buf.extent() == Extent::All => buf.time,
            Along::Times => 0,
            Along::Rows | Along::Both => buf.row,
        };
        Column { first, step }
    }

    /// The vector's first float at distance `n` along the line.
    #[inline(always)]
    pub(super) fn at(&self, n: usize) -> *mut f32 {
        // Wrapping only in name: `n` is a place of the line, and those are within the buffer.
        self.first.wrapping_add(n * self.step)
    }
}

/// The columns of a phase with `L` loads, `C` scalars, `W` stores, `R` reductions and `O` operands.
#[derive(Clone, Copy, Debug)]
pub struct Columns<const L: usize, const C: usize, const W: usize, const R: usize, const O: usize> {
    loads: [Column; L],
    scalars: [Column; C],
    stores: [Column; W],
    reductions: [Column; R],
    operands: [Column; O],
}

/// Where a tile finds its vectors. Each method gives the first float of one at distance `n`.
#[derive(Clone, Copy)]
pub enum Seen<'a> {
    /// In columns. Operands are those of all products, one after another.
    Line {
        loads: &'a [Column],
        scalars: &'a [Column],
        stores: &'a [Column],
        reductions: &'a [Column],
        operands: &'a [Column],
    },
    /// By the table, at this time and from this row on: where the table is constant, as in a stream,
    /// so are the places in it, and columns would only be written to be read again.
    Table(&'a Memory<'a>, (usize, usize)),
}

impl Seen<'_> {
    /// # Safety
    /// The table's vectors have been checked for its time and all its rows, and `n` is among them.
    #[inline(always)]
    unsafe fn find(&self, n: usize, r: &BufferRef, column: impl Fn() -> Column) -> *mut f32 {
        match self {
            // SAFETY: the caller's promise.
            Seen::Table(m, (t, row)) => unsafe { m.at(r, *t, row + n) },
            Seen::Line { .. } => column().at(n),
        }
    }
}

/// A method for each list of a phase.
macro_rules! lists {
    ($($name:ident $list:ident;)*) => {
        impl Seen<'_> {$(
            /// # Safety
            /// As [`Seen::find`].
            #[inline(always)]
            pub(super) unsafe fn $name(&self, p: &Kernel, i: usize, n: usize) -> *mut f32 {
                let column = || match self {
                    Seen::Line { $list, .. } => $list[i],
                    Seen::Table(..) => unreachable!("a table has no columns"),
                };
                // SAFETY: the caller's promise.
                unsafe { self.find(n, &p.$list[i], column) }
            }
        )*}
    };
}
lists! {
    load loads;
    scalar scalars;
    store stores;
    reduction reductions;
}

impl Seen<'_> {
    /// Operand `i` of all products, which is at `r`.
    ///
    /// # Safety
    /// As [`Seen::find`].
    #[inline(always)]
    pub(super) unsafe fn operand(&self, r: &BufferRef, i: usize, n: usize) -> *mut f32 {
        let column = || match self {
            Seen::Line { operands, .. } => operands[i],
            Seen::Table(..) => unreachable!("a table has no columns"),
        };
        // SAFETY: the caller's promise.
        unsafe { self.find(n, r, column) }
    }
}

pub mod sealed {
    use super::{Kernel, Line, Memory, Seen};

    /// What the kernel asks of [`super::Columns`].
    pub trait Locate: Copy {
        /// # Safety
        /// Every buffer of the phase has been checked for all times and rows of the line.
        unsafe fn find(m: &Memory<'_>, p: &Kernel, line: &Line) -> Self;
        fn seen(&self) -> Seen<'_>;
    }
}

/// Some [`Columns`]. Sealed: the kernel reads and writes where it is told here.
pub trait Find: sealed::Locate {}

impl<const L: usize, const C: usize, const W: usize, const R: usize, const O: usize> Find
    for Columns<L, C, W, R, O>
{
}

impl<const L: usize, const C: usize, const W: usize, const R: usize, const O: usize> sealed::Locate
    for Columns<L, C, W, R, O>
{
    #[inline(always)]
    unsafe fn find(m: &Memory<'_>, p: &Kernel, line: &Line) -> Self {
        // SAFETY: the caller's promise.
        let column = |r: &BufferRef| unsafe { Column::new(m, r, line) };
        Columns {
            loads: columns(|i| column(&p.loads[i])),
            scalars: columns(|i| column(&p.scalars[i])),
            stores: columns(|i| column(&p.stores[i])),
            reductions: columns(|i| column(&p.reductions[i])),
            operands: columns(|i| column(&operand(p, i).operand)),
        }
    }

    #[inline(always)]
    fn seen(&self) -> Seen<'_> {
        Seen::Line {
            loads: &self.loads,
            scalars: &self.scalars,
            stores: &self.stores,
            reductions: &self.reductions,
            operands: &self.operands,
        }
    }
}

/// `N` columns, as straight-line code: from a loop they would go through memory, and where there are
/// few rows the kernel would wait for them.
#[inline(always)]
fn columns<const N: usize>(column: impl Fn(usize) -> Column) -> [Column; N] {
    let mut all = [Column {
        first: core::ptr::null_mut(),
        step: 0,
    }; N];
    macro_rules! at {
        ($($i:literal)*) => {$(
            if const { $i < N } {
                all[$i] = column($i);
            }
        )*};
    }
    at!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for (i, c) in all.iter_mut().enumerate().skip(16) {
        *c = column(i);
    }
    all
}

/// Operand `i` of all products.
#[inline(always)]
fn operand(p: &Kernel, mut i: usize) -> &Segment {
    let mut product = 0;
    while i >= p.products[product].len() {
        i -= p.products[product].len();
        product += 1;
    }
    &p.products[product][i]
}

/// Which lines the places of a phase at many times form.
#[inline(always)]
pub(super) fn along(m: &Memory<'_>, p: &Kernel) -> Along {
    let segments = p.products.iter().flat_map(|p| p.iter().map(|s| &s.operand));
    let refs = (p.loads.iter().chain(p.scalars)).chain(p.stores.iter().chain(p.reductions));
    let (mut both, mut times) = (true, m.rows().len() == 1);
    for r in refs.chain(segments) {
        let buf = m.buf(r);
        both &= buf.extent() == Extent::All && buf.rows == m.rows().len();
        times &= matches!(buf.extent(), Extent::All | Extent::One);
    }
    match (both, times) {
        (true, _) => Along::Both,
        (_, true) => Along::Times,
        _ => Along::Rows,
    }
}
