//! Sizes known when a model is compiled: numbers, or polynomials in named `const`s.

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Add, Mul},
};

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

/// The name of a `const`, as the user wrote it. Ordered by its text.
#[derive(Clone)]
pub struct Symbol {
    text: String,
    path: syn::Path,
}

impl Symbol {
    fn new(path: syn::Path) -> Self {
        let text = path.to_token_stream().to_string().replace(' ', "");
        Symbol { text, path }
    }
}

impl Symbol {
    /// As the user wrote it.
    pub fn path(&self) -> &syn::Path {
        &self.path
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Symbol {}
impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A size: a polynomial in `const`s with whole coefficients, in normal form, so that two sizes
/// that must be equal compare equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Size {
    /// The coefficient of each product of symbols. The empty product is the constant. There are no zeros.
    terms: BTreeMap<Vec<Symbol>, usize>,
}

impl Size {
    /// A literal size.
    pub fn known(n: usize) -> Self {
        let mut terms = BTreeMap::new();
        if n != 0 {
            terms.insert(Vec::new(), n);
        }
        Size { terms }
    }

    /// The value of a `const` in the user's scope.
    pub fn constant(path: syn::Path) -> Self {
        Size {
            terms: BTreeMap::from([(vec![Symbol::new(path)], 1)]),
        }
    }

    /// The number, unless it depends on a `const`.
    pub fn value(&self) -> Option<usize> {
        match self.terms.len() {
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// The number, where `of` gives those of the `const`s; `None` if one is not known, or the number is too large.
    pub fn value_with(&self, of: impl Fn(&Symbol) -> Option<usize>) -> Option<usize> {
        self.terms.iter().try_fold(0_usize, |sum, (symbols, &c)| {
            let product = symbols
                .iter()
                .try_fold(c, |product, symbol| product.checked_mul(of(symbol)?))?;
            sum.checked_add(product)
        })
    }

    /// The only `const` that `of` does not know, and what it must be so that this size is `n`.
    pub fn solve(
        &self,
        n: usize,
        of: impl Fn(&Symbol) -> Option<usize>,
    ) -> Option<(Symbol, usize)> {
        // `factor` times the unknown one, and `rest`.
        let (mut factor, mut rest, mut unknown) = (0_usize, 0_usize, None);
        for (symbols, &c) in &self.terms {
            let (mut product, mut open) = (c, None);
            for symbol in symbols {
                match of(symbol) {
                    Some(value) => product = product.checked_mul(value)?,
                    None if open.is_none() => open = Some(symbol),
                    None => return None,
                }
            }
            match open {
                None => rest = rest.checked_add(product)?,
                Some(symbol) if unknown.is_none_or(|u| u == symbol) => {
                    unknown = Some(symbol);
                    factor = factor.checked_add(product)?;
                }
                Some(_) => return None,
            }
        }
        let product = n.checked_sub(rest)?;
        let whole = factor > 0 && product.is_multiple_of(factor);
        whole.then_some((unknown?.clone(), product / factor))
    }

    /// `self / n` if every coefficient is a multiple of `n`.
    pub fn divide(&self, n: usize) -> Option<Self> {
        if n == 0 || self.terms.values().any(|c| c % n != 0) {
            return None;
        }
        let terms = self.terms.iter().map(|(k, c)| (k.clone(), c / n)).collect();
        Some(Size { terms })
    }

    /// An expression of type `usize`, usable in a `const`.
    pub fn tokens(&self) -> TokenStream {
        if let Some(n) = self.value() {
            let n = Literal::usize_unsuffixed(n);
            return quote!(#n);
        }
        let terms = self.terms.iter().map(|(symbols, &c)| {
            let c = Literal::usize_unsuffixed(c);
            let paths = symbols.iter().map(|s| &s.path);
            quote!(#c #(* #paths)*)
        });
        quote!((#(#terms)+*))
    }
}

/// A note for two shapes that differ only where one of them has a `const`: they may be equal, but the
/// compiler does not know the value of a `const`.
pub fn by_name(a: &[Size], b: &[Size]) -> Option<String> {
    let differ: Vec<_> = a.iter().zip(b).filter(|(a, b)| a != b).collect();
    let open = |(a, b): &&(&Size, &Size)| a.value().is_none() || b.value().is_none();
    let (a, b) = match differ.first() {
        Some(first) if a.len() == b.len() && differ.iter().all(|d| open(&d)) => *first,
        _ => return None,
    };
    let name = if a.value().is_none() { a } else { b };
    Some(format!(
        "names of `const`s are compared, not values: write `{name}` in both places"
    ))
}

impl From<usize> for Size {
    fn from(n: usize) -> Self {
        Size::known(n)
    }
}

impl Add for &Size {
    type Output = Size;
    fn add(self, other: &Size) -> Size {
        let mut terms = self.terms.clone();
        for (k, c) in &other.terms {
            let sum = terms.entry(k.clone()).or_insert(0);
            *sum = sum.saturating_add(*c);
        }
        Size { terms }
    }
}

impl Mul for &Size {
    type Output = Size;
    fn mul(self, other: &Size) -> Size {
        let mut terms = BTreeMap::new();
        for (a, ca) in &self.terms {
            for (b, cb) in &other.terms {
                let mut k: Vec<Symbol> = a.iter().chain(b).cloned().collect();
                k.sort();
                let sum = terms.entry(k).or_insert(0usize);
                *sum = sum.saturating_add(ca.saturating_mul(*cb));
            }
        }
        Size { terms }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.terms.is_empty() {
            return f.write_str("0");
        }
        for (i, (symbols, c)) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" + ")?;
            }
            let names: Vec<&str> = symbols.iter().map(|s| s.text.as_str()).collect();
            match (names.is_empty(), c) {
                (true, c) => write!(f, "{c}")?,
                (false, 1) => f.write_str(&names.join(" * "))?,
                (false, c) => write!(f, "{c} * {}", names.join(" * "))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    #[test]
    fn names_are_the_reason_only_where_there_are_any() {
        let (u, eight, nine) = (
            Size::constant(syn::parse_quote!(A)),
            Size::known(8),
            Size::known(9),
        );
        let note = by_name(from_ref(&eight), from_ref(&u)).unwrap();
        assert!(note.ends_with("write `A` in both places"), "{note}");
        // 9 is not 8, whatever `A` is.
        let (a, b) = ([u.clone(), nine.clone()], [eight.clone(), eight.clone()]);
        assert_eq!(by_name(&a, &b), None);
        assert_eq!(by_name(from_ref(&eight), from_ref(&nine)), None);
        assert_eq!(by_name(from_ref(&u), &[u.clone(), eight]), None);
        assert_eq!(by_name(from_ref(&u), from_ref(&u)), None);
    }

    #[test]
    fn normal_form_makes_equal_sizes_equal() {
        let u = Size::constant(syn::parse_quote!(UNITS));
        let a = &(&u * &Size::known(2)) + &u;
        let b = &Size::known(3) * &u;
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "3 * UNITS");
        assert_eq!(a.divide(3), Some(u.clone()));
        assert_eq!(a.divide(2), None);
        assert_eq!(u.value(), None);
        assert_eq!((&Size::known(3) + &Size::known(4)).value(), Some(7));
        assert_eq!(a.tokens().to_string(), "(3 * UNITS)");
        let with = |n| a.value_with(|_| Some(n));
        assert_eq!((with(5), with(usize::MAX)), (Some(15), None));
        assert_eq!(a.value_with(|_| None), None);
        let solved = (&a + &Size::known(2)).solve(14, |_| None);
        assert_eq!(
            solved.map(|(symbol, n)| (symbol.to_string(), n)),
            Some(("UNITS".into(), 4))
        );
        assert_eq!(a.solve(14, |_| None), None);
        assert_eq!((&u * &u).solve(16, |_| None), None);
    }
}
