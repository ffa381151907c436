//! Blocks of floats that start at a cache line.

/// Floats in a cache line.
const LINE: usize = 16;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const ZEROS: Line = Line([0.0; LINE]);

/// The floats of these lines.
#[inline(always)]
fn floats(lines: &[Line]) -> &[f32] {
    // SAFETY: a `Line` is 16 floats and nothing else.
    unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LINE) }
}

/// The same, to write.
#[inline(always)]
fn floats_mut(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: a `Line` is 16 floats and nothing else.
    unsafe { core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE) }
}

/// A number of floats that rustc knows.
pub trait Length {
    /// How many.
    const LEN: usize;
}

mod sealed {
    /// Steps of a stream trust what [`super::Storage::floats_for`] promises, so there are only those of this module.
    pub trait Sealed {}
    impl<const LINES: usize> Sealed for super::Inline<LINES> {}
    impl Sealed for super::Arena {}
}

/// Where the values of a stream are kept.
pub trait Storage: sealed::Sealed {
    /// At least `len` zeros.
    fn zeros(len: usize) -> Self;
    /// The floats.
    fn floats(&self) -> &[f32];
    /// The floats, to write.
    fn floats_mut(&mut self) -> &mut [f32];
    /// The floats, to write: at least as many as `L` says. Storage that was made with fewer grows or, if it cannot, is an error
    /// of the compiler; a stream makes its own with enough, so neither happens there.
    fn floats_for<L: Length>(&mut self) -> &mut [f32];
}

/// A block of `LINES` lines of 16 floats within the value itself: needs no allocator.
#[derive(Clone, Copy, Debug)]
pub struct Inline<const LINES: usize>([Line; LINES]);

impl<const LINES: usize> Inline<LINES> {
    /// How many floats there are.
    pub const FLOATS: usize = LINES * LINE;

    /// All of them zero.
    pub const ZEROS: Self = Inline([ZEROS; LINES]);

    /// Writes floats from number `at` on, in a `const`.
    ///
    /// # Panics
    /// If there is no room for them.
    pub const fn write(&mut self, at: usize, floats: &[f32]) {
        let mut i = 0;
        while i < floats.len() {
            self.0[(at + i) / LINE].0[(at + i) % LINE] = floats[i];
            i += 1;
        }
    }
}

impl<const LINES: usize> Storage for Inline<LINES> {
    /// # Panics
    /// If `len` floats do not fit.
    #[inline]
    fn zeros(len: usize) -> Self {
        assert!(len <= Self::FLOATS, "more floats than lines");
        Self::ZEROS
    }
    #[inline(always)]
    fn floats(&self) -> &[f32] {
        floats(&self.0)
    }
    #[inline(always)]
    fn floats_mut(&mut self) -> &mut [f32] {
        floats_mut(&mut self.0)
    }
    #[inline(always)]
    fn floats_for<L: Length>(&mut self) -> &mut [f32] {
        const { assert!(L::LEN <= Self::FLOATS, "more floats than lines") };
        floats_mut(&mut self.0)
    }
}

/// Bytes that floats are read from, where floats may lie.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Aligned<const N: usize>(pub [u8; N]);

impl<const N: usize> Aligned<N> {
    /// The little-endian floats.
    ///
    /// # Panics
    /// Which makes it an error of the compiler: if the number of bytes is no multiple of 4, or the target is big-endian.
    pub const fn floats(&'static self) -> &'static [f32] {
        assert!(N.is_multiple_of(4), "bytes that are no floats");
        if cfg!(target_endian = "big") {
            panic!(
                "weights in the program are little-endian, and the target is not: use `load_bytes`"
            );
        }
        // SAFETY: there are N bytes, aligned to more than a float, and every four bytes are a float.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), N / 4) }
    }
}

/// Lines that hold `len` floats.
pub const fn lines(len: usize) -> usize {
    len.div_ceil(LINE)
}

#[cfg(feature = "std")]
pub use heap::Arena;

/// Values on the heap, which needs the feature `std`.
#[cfg(not(feature = "std"))]
#[derive(Clone, Copy, Debug)]
pub enum Arena {}

#[cfg(feature = "std")]
mod heap {
    use super::{LINE, Length, Line, Storage, ZEROS, lines};

    /// A block of floats, zero at first, aligned to a cache line.
    #[derive(Clone, Default)]
    pub struct Arena {
        lines: Vec<Line>,
    }

    impl Arena {
        /// A block of at least `len` zeros.
        pub fn new(len: usize) -> Self {
            Arena {
                lines: vec![ZEROS; lines(len)],
            }
        }

        /// Makes it at least `len` floats long; what is there stays.
        pub fn grow(&mut self, len: usize) {
            if self.lines.len() < lines(len) {
                self.lines.resize(lines(len), ZEROS);
            }
        }

        /// The floats.
        #[inline(always)]
        pub fn floats(&self) -> &[f32] {
            super::floats(&self.lines)
        }

        /// The floats, to write.
        #[inline(always)]
        pub fn floats_mut(&mut self) -> &mut [f32] {
            super::floats_mut(&mut self.lines)
        }
    }

    impl Storage for Arena {
        fn zeros(len: usize) -> Self {
            Arena::new(len)
        }
        #[inline(always)]
        fn floats(&self) -> &[f32] {
            Arena::floats(self)
        }
        #[inline(always)]
        fn floats_mut(&mut self) -> &mut [f32] {
            Arena::floats_mut(self)
        }
        #[inline(always)]
        fn floats_for<L: Length>(&mut self) -> &mut [f32] {
            #[cold]
            #[inline(never)]
            fn grow(arena: &mut Arena, len: usize) {
                arena.grow(len);
            }
            if self.lines.len() * LINE < L::LEN {
                grow(self, L::LEN);
            }
            Arena::floats_mut(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_a_line_and_keeps_what_is_there() {
        let mut a = Arena::new(17);
        assert_eq!(a.floats().len(), 32);
        assert_eq!(a.floats().as_ptr() as usize % 64, 0);
        a.floats_mut()[3] = 2.0;
        a.grow(1000);
        assert_eq!(a.floats()[3], 2.0);
        assert_eq!(a.floats()[999], 0.0);
    }

    #[test]
    fn an_inline_block_has_its_floats_in_itself() {
        let mut a = Inline::<2>::zeros(20);
        assert_eq!(size_of_val(&a), 128);
        a.floats_mut()[31] = 1.0;
        assert_eq!(a.floats()[30..], [0.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "more floats than lines")]
    fn an_inline_block_that_is_too_small_is_refused() {
        Inline::<1>::zeros(17);
    }
}
