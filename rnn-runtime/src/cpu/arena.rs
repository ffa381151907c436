//! A block of floats that starts at a cache line.

/// Floats in a cache line.
const LINE: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A block of floats, zero at first, aligned to a cache line.
#[derive(Clone, Default)]
pub struct Arena {
    lines: Vec<Line>,
}

impl Arena {
    /// A block of at least `len` zeros.
    pub fn new(len: usize) -> Self {
        Arena {
            lines: vec![Line([0.0; LINE]); len.div_ceil(LINE)],
        }
    }

    /// Makes it at least `len` floats long; what is there stays.
    pub fn grow(&mut self, len: usize) {
        if self.lines.len() * LINE < len {
            self.lines.resize(len.div_ceil(LINE), Line([0.0; LINE]));
        }
    }

    /// The floats.
    #[inline(always)]
    pub fn floats(&self) -> &[f32] {
        // SAFETY: a `Line` is 16 floats and nothing else.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * LINE) }
    }

    /// The floats, to write.
    #[inline(always)]
    pub fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: a `Line` is 16 floats and nothing else.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * LINE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

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
}
