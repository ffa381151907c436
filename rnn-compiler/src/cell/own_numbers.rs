//! Numbers of the program that a parameter starts with: `frozen param a: [order, order] = MATRIX;`.
//!
//! A cell is used in modules and crates where `MATRIX` is not known. So `rnn_cell!` gives the cell's type a constant for
//! each such name, which it finds where the cell is defined, and models name the constant by the path of the cell.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::{
    ast::{CellAst, Expr, ExprKind, Item},
    cell_constant::constant,
    value::initializer_of,
};

/// The path that an initialiser is, if it is none of Keras's names: one of several parts, or a name as constants have.
pub(super) fn path_of(e: &Expr) -> Option<syn::Path> {
    match &e.kind {
        ExprKind::Path(path) => Some(path.clone()),
        ExprKind::Name(name) => {
            let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let is_const =
                name.chars().all(upper) && name.starts_with(|c: char| c.is_ascii_uppercase());
            (is_const && initializer_of(name).is_none()).then(|| Ident::new(name, e.span).into())
        }
        _ => None,
    }
}

impl CellAst {
    /// The numbers of the program that its parameters may start with, each once: the constant and the path.
    pub fn own_numbers(&self) -> BTreeMap<Ident, syn::Path> {
        let mut found = BTreeMap::new();
        self.collect(&self.items, &mut found);
        found
    }

    fn collect(&self, items: &[Item], found: &mut BTreeMap<Ident, syn::Path>) {
        for item in items {
            match item {
                Item::Param { init, .. } => self.of_initializer(init, found),
                Item::If {
                    then, otherwise, ..
                } => {
                    self.collect(then, found);
                    self.collect(otherwise, found);
                }
                _ => {}
            }
        }
    }

    fn of_initializer(&self, e: &Expr, found: &mut BTreeMap<Ident, syn::Path>) {
        match &e.kind {
            ExprKind::If(_, a, b) => {
                self.of_initializer(a, found);
                self.of_initializer(b, found);
            }
            // `ones_in(from, to, rest)`
            ExprKind::Call(_, arguments) => {
                if let Some(rest) = arguments.last() {
                    self.of_initializer(rest, found);
                }
            }
            ExprKind::Name(name) if self.arguments.iter().any(|a| a.name == name) => {}
            _ => {
                if let Some(path) = path_of(e) {
                    found.insert(constant(&path), path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Diagnostics;

    #[test]
    fn paths_and_names_of_constants_are_numbers_of_the_program() {
        let text = "cell C(units, start = zeros, A = ones, flag = false) {
            param a: [units] = MATRIX;
            if flag { param b: [units] = m::f; } else if flag { param c: [units] = MATRIX; }
            param d: [units] = if flag { crate::m::G } else { ones_in(0, 1, M_2) };
            param e: [units] = start; param f: [units] = A; param g: [units] = ONES;
            param h: [units] = GlorotUniform; param i: [units] = zeros;
        }";
        let mut found = Diagnostics::new();
        let cell = CellAst::parse(text.parse().unwrap(), &mut found).unwrap();
        let numbers = cell.own_numbers();
        let names: Vec<(String, String)> = numbers
            .iter()
            .map(|(constant, path)| {
                (
                    constant.to_string(),
                    super::super::cell_constant::text(path),
                )
            })
            .collect();
        let expected = [
            ("__own_MATRIX", "MATRIX"),
            ("__own_M_2", "M_2"),
            ("__own_crate__m__G", "crate::m::G"),
            ("__own_m__f", "m::f"),
        ];
        let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(names, expected);
    }
}
