//! Weights that a step reads as they are.

use rnn_tables::WeightOffset;

/// Weights that are not packed: rows of the tables of `Embedding` layers are read from them.
///
/// Example: [`PackedWeights`](super::PackedWeights).
#[derive(Clone, Copy, Debug)]
pub struct Tables<'w> {
    floats: &'w [f32],
    /// Which of all weights the first of them is.
    first: usize,
}

impl<'w> Tables<'w> {
    /// None: for a model that has no table.
    pub const NONE: Self = Tables::new(&[], 0);

    /// These weights, of which the first is number `first` of all.
    pub const fn new(floats: &'w [f32], first: usize) -> Self {
        Tables { floats, first }
    }

    /// The weights from this one on; none if they are not here.
    #[inline(always)]
    pub fn from(self, at: WeightOffset) -> &'w [f32] {
        let from = at.0.checked_sub(self.first);
        from.and_then(|from| self.floats.get(from..)).unwrap_or(&[])
    }

    /// Which of all weights the first is.
    #[cfg(feature = "std")]
    pub(crate) const fn first(self) -> usize {
        self.first
    }

    /// The weights.
    #[inline(always)]
    pub(crate) const fn floats(self) -> &'w [f32] {
        self.floats
    }
}
