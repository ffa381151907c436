//! Values of two shapes: which side is which, where the sizes come from, and what to write.

use std::collections::BTreeSet;

use proc_macro2::Span;

use super::{Builder, Built, Lanes, Meaning, product};
use crate::{
    cell::{
        ast::{Expr, ExprKind},
        graph::NodeOp,
        size::{Size, by_name},
    },
    diagnostics::Diagnostic,
};

impl Builder<'_> {
    /// Reports the sides of an operator that have two shapes.
    pub(super) fn two_shapes<T>(
        &mut self,
        (a, left): (&Expr, &Lanes),
        (b, right): (&Expr, &Lanes),
        span: Span,
    ) -> Built<T> {
        for side in [left, right] {
            if let ([_, _, ..], [one]) = (side.shape.as_slice(), side.parts.as_slice())
                && let NodeOp::Param(p, _) = self.cell.graph.node(*one).op
            {
                return self.matrix_among_vectors(p, span);
            }
        }
        let words = format!("`{a}` has {}, `{b}` has {}", left.size(), right.size());
        let mut d = Diagnostic::new("RNN0229", span, words);
        for (e, side) in [(a, left), (b, right)] {
            if let Some(note) = self.origin(e, side) {
                d = d.note(note);
            }
        }
        let (wide, narrow) = (product(&left.shape), product(&right.shape));
        let sides = || {
            self.param_for(a, &narrow)
                .or_else(|| self.param_for(b, &wide))
                .map(|param| format!("write `{param}`"))
                .or_else(|| self.kernel_for(a, &narrow))
                .or_else(|| self.kernel_for(b, &wide))
        };
        let help = by_name(&left.shape, &right.shape).or_else(sides);
        self.report(match help {
            Some(help) => d.help(help),
            None => d.note("lane-by-lane maths takes values of one shape, and single numbers"),
        })
    }

    /// Where the size of a side comes from: the first name in it that has this size.
    fn origin(&self, e: &Expr, side: &Lanes) -> Option<String> {
        let mut names = BTreeSet::new();
        e.names(&mut names);
        names.iter().find_map(|name| {
            let Some(Meaning::Lanes(own)) = self.names.get(name) else {
                return None;
            };
            if own.shape != side.shape {
                return None;
            }
            let size = own.size();
            let input = self.cell.inputs.iter().any(|i| i.name == *name);
            if let Some((value, parts)) = self.made.get(name) {
                return Some(match parts {
                    1 => format!("`{name}` is `{value}`"),
                    n => format!("`{name}` is one of {n} equal parts of `{value}`"),
                });
            }
            if input {
                return Some(format!("`{name}` is the input, of {size}"));
            }
            let state = self.cell.states.iter().any(|s| s.name == *name);
            let what = if state { "a state" } else { "a parameter" };
            Some(format!("`{name}` is {what} of {size}"))
        })
    }

    /// The declaration of the parameter that makes a value, for a value of this size: that of `k` for `x @ k`.
    pub(super) fn param_for(&self, e: &Expr, size: &Size) -> Option<String> {
        self.param_in(e, size, &mut BTreeSet::new())
    }

    /// [`Builder::param_for`]; `seen` has the names that were followed, since a later `let` may read an earlier one of
    /// its own name.
    fn param_in(&self, e: &Expr, size: &Size, seen: &mut BTreeSet<String>) -> Option<String> {
        match &e.kind {
            ExprKind::Binary('@', left, right) => {
                let (ExprKind::Name(name), Some(Meaning::Tensor(t))) =
                    (&right.kind, self.quiet_name(right))
                else {
                    return None;
                };
                let [rows, _] = t.shape.as_slice() else {
                    return None;
                };
                let mut read = BTreeSet::new();
                left.names(&mut read);
                let rows = self.size_name(rows, read.contains("x"));
                Some(format!(
                    "param {name}: [{rows}, {}]",
                    self.size_name(size, false)
                ))
            }
            ExprKind::Binary(_, a, b) => {
                let first = self.param_in(a, size, seen);
                first.or_else(|| self.param_in(b, size, seen))
            }
            ExprKind::Negate(a) => self.param_in(a, size, seen),
            ExprKind::Call(_, all) => all.iter().find_map(|a| self.param_in(a, size, seen)),
            ExprKind::Name(name) if seen.insert(name.clone()) => {
                let (value, parts) = self.made.get(name)?;
                self.param_in(value, &(&Size::known(*parts) * size), seen)
            }
            _ => None,
        }
    }

    /// What to write for an input or a state that stands where a value of another size is needed.
    pub(super) fn kernel_for(&self, e: &Expr, size: &Size) -> Option<String> {
        let ExprKind::Name(name) = &e.kind else {
            return None;
        };
        let to = self.size_name(size, false);
        if let Some(input) = self.cell.inputs.iter().find(|i| i.name == *name) {
            let from = self.size_name(&input.width, true);
            return Some(format!(
                "bring it to {to} by a kernel: `{name} @ kernel` with `param kernel: [{from}, {to}] = glorot_uniform;`"
            ));
        }
        let state = self.cell.states.iter().find(|s| s.name == *name)?;
        let own = self.cell.inputs.iter().any(|i| i.width == state.size);
        own.then(|| format!("declare it as wide as the other: `state {name}: [{to}];`"))
    }

    /// What a name stands for; `None` for any other expression.
    pub(super) fn quiet_name(&self, e: &Expr) -> Option<Meaning> {
        match &e.kind {
            ExprKind::Name(name) => self.names.get(name).cloned(),
            _ => None,
        }
    }
}
