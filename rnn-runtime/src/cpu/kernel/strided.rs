//! Where the vectors of a kernel lie for a whole run of positions, found once a run: the kernel only
//! counts along it.

use rnn_tables::{BufferRef, Extent, Kernel, Segment};

use super::Memory;
use crate::cpu::simd::CALLED;

/// What changes from one position of a [`StridedRun`] to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The row.
    Rows,
    /// The time, of one row.
    Times,
    /// The row, and after the last row the time: buffers hold all rows and steps one after another.
    Both,
}

/// Positions that lie at equal distances in every buffer of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct StridedRun {
    /// Time and row that distances count from.
    pub at: (usize, usize),
    pub along: Along,
    /// Which of the positions these are: the first, and one past the last.
    pub positions: (usize, usize),
}

/// One vector of a kernel along a run.
#[derive(Clone, Copy, Debug)]
pub struct StridedPointer {
    first: *mut f32,
    step: usize,
}

impl StridedPointer {
    /// # Safety
    /// [`Memory::check`] has seen `r` for all times and rows of the run.
    #[cfg_attr(not(recurrent_calls), inline(always))]
    unsafe fn new(m: &Memory<'_>, r: &BufferRef, line: &StridedRun) -> Self {
        let buf = m.buf(r);
        // SAFETY: the caller's promise.
        let first = unsafe { m.at(r, line.at.0, line.at.1) };
        let step = match line.along {
            Along::Times if buf.extent() == Extent::All => buf.time,
            Along::Times => 0,
            Along::Rows | Along::Both => buf.row,
        };
        StridedPointer { first, step }
    }

    /// The vector's first float at distance `n` along the run.
    #[inline(always)]
    pub(super) fn at(&self, n: usize) -> *mut f32 {
        // Wrapping only in name: `n` is a position of the run, and those are within the buffer.
        self.first.wrapping_add(n * self.step)
    }
}

/// The strided pointers of a kernel with `L` loads, `C` scalars, `W` stores, `R` reductions and `O` operands.
#[derive(Clone, Copy, Debug)]
pub struct StridedPointers<
    const L: usize,
    const C: usize,
    const W: usize,
    const R: usize,
    const O: usize,
> {
    loads: [StridedPointer; L],
    scalars: [StridedPointer; C],
    stores: [StridedPointer; W],
    reductions: [StridedPointer; R],
    operands: [StridedPointer; O],
}

/// Where a tile finds its vectors. Each method gives the first float of one at distance `n`. Operands are those of all
/// products, one after another.
#[derive(Clone, Copy)]
pub struct Pointers<'a> {
    loads: &'a [StridedPointer],
    scalars: &'a [StridedPointer],
    stores: &'a [StridedPointer],
    reductions: &'a [StridedPointer],
    operands: &'a [StridedPointer],
}

/// A method for each list of a kernel.
macro_rules! lists {
    ($($name:ident $list:ident;)*) => {
        impl Pointers<'_> {$(
            #[cfg_attr(not(recurrent_calls), inline(always))]
            pub(super) fn $name(&self, i: usize, n: usize) -> *mut f32 {
                self.$list[i].at(n)
            }
        )*}
    };
}
lists! {
    load loads;
    scalar scalars;
    store stores;
    reduction reductions;
    operand operands;
}

pub mod sealed {
    use super::{Kernel, Memory, Pointers, StridedRun};

    /// What the kernel asks of [`super::StridedPointers`].
    pub trait Locate: Copy {
        /// # Safety
        /// Every buffer of the kernel has been checked for all times and rows of the run.
        unsafe fn find(m: &Memory<'_>, p: &Kernel, line: &StridedRun) -> Self;
        fn pointers(&self) -> Pointers<'_>;
    }
}

/// Some [`StridedPointers`]. Sealed: the kernel reads and writes where it is told here.
pub trait FindPointers: sealed::Locate {}

impl<const L: usize, const C: usize, const W: usize, const R: usize, const O: usize> FindPointers
    for StridedPointers<L, C, W, R, O>
{
}

impl<const L: usize, const C: usize, const W: usize, const R: usize, const O: usize> sealed::Locate
    for StridedPointers<L, C, W, R, O>
{
    #[inline(always)]
    unsafe fn find(m: &Memory<'_>, p: &Kernel, line: &StridedRun) -> Self {
        // SAFETY: the caller's promise.
        let column = |r: &BufferRef| unsafe { StridedPointer::new(m, r, line) };
        StridedPointers {
            loads: strided_pointers(|i| column(&p.loads[i])),
            scalars: strided_pointers(|i| column(&p.scalars[i])),
            stores: strided_pointers(|i| column(&p.stores[i])),
            reductions: strided_pointers(|i| column(&p.reductions[i])),
            operands: strided_pointers(|i| column(&operand(p, i).operand)),
        }
    }

    #[inline(always)]
    fn pointers(&self) -> Pointers<'_> {
        Pointers {
            loads: &self.loads,
            scalars: &self.scalars,
            stores: &self.stores,
            reductions: &self.reductions,
            operands: &self.operands,
        }
    }
}

/// `N` pointers, as straight-line code: from a loop they would go through memory, and where there are
/// few rows the kernel would wait for them.
#[inline(always)]
fn strided_pointers<const N: usize>(
    column: impl Fn(usize) -> StridedPointer,
) -> [StridedPointer; N] {
    let mut all = [StridedPointer {
        first: core::ptr::null_mut(),
        step: 0,
    }; N];
    // As many as stand here one after another; a build that calls writes no such lists.
    const LISTED: usize = if CALLED { 0 } else { 16 };
    macro_rules! at {
        ($($i:literal)*) => {$(
            if const { $i < N && $i < LISTED } {
                all[$i] = column($i);
            }
        )*};
    }
    at!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for (i, c) in all.iter_mut().enumerate().skip(LISTED) {
        *c = column(i);
    }
    all
}

/// Operand `i` of all products.
#[cfg_attr(not(recurrent_calls), inline(always))]
fn operand(p: &Kernel, mut i: usize) -> &Segment {
    let mut product = 0;
    while i >= p.products[product].len() {
        i -= p.products[product].len();
        product += 1;
    }
    &p.products[product][i]
}

/// Which runs the positions of a kernel at many times form.
#[cfg_attr(not(recurrent_calls), inline(always))]
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
