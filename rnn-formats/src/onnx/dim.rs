//! Sizes with symbols: `batch`, `2 * time`, `batch * time - 1`.

use std::rc::Rc;

/// A whole number, or a sum of products of symbols. A symbol is a size that nobody knows before the model runs; it is at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dim {
    /// A number.
    N(i64),
    /// A sum of products, sorted, without terms that are zero; never a number alone.
    Sum(Rc<Vec<Term>>),
}

/// A product: symbols in order, and a factor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    symbols: Vec<u32>,
    factor: i64,
}

/// What is longer than this is no size that a model computes with.
const TERMS: usize = 8;
const DEGREE: usize = 6;

impl Dim {
    /// A symbol by its number.
    pub fn symbol(number: u32) -> Dim {
        Dim::Sum(Rc::new(vec![Term {
            symbols: vec![number],
            factor: 1,
        }]))
    }

    /// The number, if it is known.
    pub fn known(&self) -> Option<i64> {
        match self {
            Dim::N(n) => Some(*n),
            Dim::Sum(_) => None,
        }
    }

    /// The number as a size.
    pub fn size(&self) -> Option<usize> {
        self.known().and_then(|n| usize::try_from(n).ok())
    }

    fn terms(&self) -> Vec<Term> {
        match self {
            Dim::N(0) => vec![],
            Dim::N(n) => vec![Term {
                symbols: vec![],
                factor: *n,
            }],
            Dim::Sum(terms) => terms.to_vec(),
        }
    }

    fn of(mut terms: Vec<Term>) -> Option<Dim> {
        terms.sort();
        let mut sum: Vec<Term> = Vec::new();
        for term in terms {
            match sum.last_mut() {
                Some(last) if last.symbols == term.symbols => {
                    last.factor = last.factor.checked_add(term.factor)?;
                }
                _ => sum.push(term),
            }
        }
        sum.retain(|t| t.factor != 0);
        if sum.len() > TERMS || sum.iter().any(|t| t.symbols.len() > DEGREE) {
            return None;
        }
        Some(match &sum[..] {
            [] => Dim::N(0),
            [only] if only.symbols.is_empty() => Dim::N(only.factor),
            _ => Dim::Sum(Rc::new(sum)),
        })
    }

    /// The sum; `None` if it is too large.
    pub fn plus(&self, other: &Dim) -> Option<Dim> {
        match (self, other) {
            (Dim::N(a), Dim::N(b)) => a.checked_add(*b).map(Dim::N),
            _ => Dim::of([self.terms(), other.terms()].concat()),
        }
    }

    /// The difference.
    pub fn minus(&self, other: &Dim) -> Option<Dim> {
        self.plus(&other.times(&Dim::N(-1))?)
    }

    /// The product.
    pub fn times(&self, other: &Dim) -> Option<Dim> {
        if let (Dim::N(a), Dim::N(b)) = (self, other) {
            return a.checked_mul(*b).map(Dim::N);
        }
        let mut all = Vec::new();
        for a in self.terms() {
            for b in other.terms() {
                let mut symbols = [a.symbols.clone(), b.symbols].concat();
                symbols.sort_unstable();
                all.push(Term {
                    symbols,
                    factor: a.factor.checked_mul(b.factor)?,
                });
            }
        }
        Dim::of(all)
    }

    /// The quotient of a division without a rest.
    pub fn over(&self, other: &Dim) -> Option<Dim> {
        if self == other && *other != Dim::N(0) {
            return Some(Dim::N(1));
        }
        if let (Dim::N(a), Dim::N(b)) = (self, other) {
            return match a.checked_rem(*b) {
                Some(0) => a.checked_div(*b).map(Dim::N),
                _ => None,
            };
        }
        let by = other.terms();
        let [by] = &by[..] else { return None };
        let mut all = Vec::new();
        for mut term in self.terms() {
            for symbol in &by.symbols {
                let at = term.symbols.iter().position(|s| s == symbol)?;
                term.symbols.remove(at);
            }
            if term.factor.checked_rem(by.factor)? != 0 {
                return None;
            }
            term.factor = term.factor.checked_div(by.factor)?;
            all.push(term);
        }
        Dim::of(all)
    }
}

/// The product of sizes.
pub(super) fn product<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> Option<Dim> {
    dims.into_iter().try_fold(Dim::N(1), |all, d| all.times(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_computed_with_symbols() {
        let (b, t) = (Dim::symbol(0), Dim::symbol(1));
        let bt = b.times(&t).unwrap();
        assert_eq!(t.times(&b), Some(bt.clone()));
        let six = bt.times(&Dim::N(6)).unwrap();
        assert_eq!(six.over(&bt), Some(Dim::N(6)));
        assert_eq!(six.over(&Dim::N(4)), None);
        assert_eq!(six.over(&b), t.times(&Dim::N(6)));
        assert_eq!(b.minus(&b), Some(Dim::N(0)));
        assert_eq!(b.plus(&Dim::N(1)).unwrap().minus(&b), Some(Dim::N(1)));
        assert_eq!(b.over(&Dim::N(0)), None);
        assert_eq!(Dim::N(i64::MAX).plus(&Dim::N(1)), None);
        assert_eq!(Dim::N(i64::MIN).over(&Dim::N(-1)), None);
        assert_eq!(Dim::N(1 << 62).times(&Dim::N(4)), None);
    }
}
