//! The numbers that stand for the `const`s of a model whose weights are known.

use std::collections::BTreeMap;

use crate::{
    cell::size::{Size, Symbol},
    diagnostics::{OrBug as _, Sound},
};

/// What each `const` must be for the weights to fit.
#[derive(Clone, Debug, Default)]
pub struct Sizes(BTreeMap<Symbol, usize>);

impl Sizes {
    /// The number; `None` if it depends on a `const` that no shape has told.
    pub(super) fn find(&self, size: &Size) -> Option<usize> {
        size.value_with(|symbol| self.0.get(symbol).copied())
    }

    /// The number.
    pub(super) fn of(&self, size: &Size) -> Sound<usize> {
        self.find(size)
            .or_bug("a size that no shape of the weights tells")
    }

    /// Learns that `size` is `n`, if that tells a `const`.
    pub(super) fn learn(&mut self, size: &Size, n: usize) -> bool {
        let known = |symbol: &Symbol| self.0.get(symbol).copied();
        match size.solve(n, known) {
            Some((symbol, value)) => self.0.insert(symbol, value).is_none(),
            None => false,
        }
    }

    /// All that has been learned: a `const` and its number.
    pub fn known(&self) -> impl Iterator<Item = (&Symbol, usize)> {
        self.0.iter().map(|(symbol, &n)| (symbol, n))
    }
}
