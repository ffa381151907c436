//! Values times values, lane by lane on slices of them.
//!
//! If every value either ends with the last axes of the result or has none of them, those axes are the
//! lanes and the other axes are looped over. Otherwise each number of the result is a sum over the
//! last axes of the values.

use super::{At, Axes, Builder, Built, Lanes, Operand, Weights};
use crate::cell::{
    functions,
    graph::{Binary, NodeExtent, NodeId, NodeOp, Reduce},
    size::Size,
};
use crate::diagnostics::OrBug;

/// The axes that lanes stand for, and the loops around them.
struct Slices {
    /// The last axes of the result.
    lanes: Vec<char>,
    /// Without any: the last axes of the values, which are summed over.
    reduced: Vec<char>,
    outer: Vec<char>,
    summed: Vec<char>,
}

fn plan(axes: &Axes, operands: &[&[char]]) -> Slices {
    let fits = |end: &[char]| {
        let end_or_none = |o: &&[char]| o.ends_with(end) || !o.iter().any(|l| end.contains(l));
        operands.iter().all(end_or_none)
    };
    let ends = |of: &[char]| -> Option<Vec<char>> {
        let mut ends = (0..of.len()).map(|i| &of[i..]);
        ends.find(|end| fits(end)).map(<[char]>::to_vec)
    };
    let lanes = ends(&axes.output).unwrap_or_default();
    let contracted = |o: &&[char]| -> Vec<char> {
        let tail = o.iter().rev().take_while(|l| !axes.output.contains(l));
        let mut tail: Vec<char> = tail.copied().collect();
        tail.reverse();
        tail
    };
    let reduced = match lanes.as_slice() {
        [] => operands.iter().find_map(|o| ends(&contracted(o))),
        _ => None,
    };
    let reduced = reduced.unwrap_or_default();
    let outer = axes.output.iter().filter(|l| !lanes.contains(l));
    let outer = outer.copied().collect();
    let mut summed = Vec::new();
    for l in operands.iter().flat_map(|o| o.iter()) {
        if !axes.output.contains(l) && !reduced.contains(l) && !summed.contains(l) {
            summed.push(*l);
        }
    }
    Slices {
        lanes,
        reduced,
        outer,
        summed,
    }
}

impl Slices {
    fn loops(&self) -> Vec<char> {
        self.outer.iter().chain(&self.summed).copied().collect()
    }
}

/// How many slices there would be; `None` if a size is no number.
pub(super) fn times(axes: &Axes, data: &[Operand], weights: &[Weights]) -> Option<usize> {
    let data = data.iter().map(|o| o.letters.as_slice());
    let weights = weights.iter().map(|w| w.letters.as_slice());
    let letters: Vec<&[char]> = data.chain(weights).collect();
    axes.times(&plan(axes, &letters).loops())
}

impl Builder<'_> {
    pub(super) fn slices(&mut self, axes: &Axes, operands: &[Operand]) -> Built<Lanes> {
        let letters: Vec<&[char]> = operands.iter().map(|o| o.letters.as_slice()).collect();
        let s = plan(axes, &letters);
        self.can_loop(axes, &s.loops())?;
        let shape: Vec<Size> = axes.output.iter().map(|&l| axes.size(l)).collect();
        let mut parts = Vec::new();
        let (outer, summed) = (axes.every(&s.outer), axes.every(&s.summed));
        let (outer, summed) = (
            self.sound(outer, axes.span)?,
            self.sound(summed, axes.span)?,
        );
        for outer in &outer {
            let mut sum: Option<Lanes> = None;
            for summed in &summed {
                let at = outer.iter().chain(summed).map(|(l, i)| (*l, *i)).collect();
                let term = self.term(axes, operands, &s, &at)?;
                sum = Some(match sum {
                    None => term,
                    Some(sum) => self.lanes(&[sum, term], &[], axes.span, |g, p| {
                        g.binary(Binary::Add, p[0], p[1])
                    })?,
                });
            }
            // Over an axis without floats there is nothing to add.
            let sum = sum.unwrap_or_else(|| Lanes::number(self.cell.graph.number(0.0)));
            // The result is a number, or each of its numbers is a sum.
            let single = axes.output.is_empty() || !s.reduced.is_empty();
            if single && !sum.shape.is_empty() {
                let vectors = self.vectors(&sum);
                let g = &mut self.cell.graph;
                let sum = functions::fold_rows(g, Reduce::Sum, Binary::Add, &vectors);
                parts.push(self.sound(sum, axes.span)?);
            } else {
                parts.extend(sum.parts);
            }
        }
        // A part that is a row scalar is broadcast to its units.
        if !shape.is_empty() && (parts.len() > 1 || !s.reduced.is_empty()) {
            let width = axes.floats(&s.lanes);
            for p in &mut parts {
                if self.cell.graph.width(*p).is_none() {
                    *p = self.cell.graph.broadcast(*p, width.clone());
                }
            }
        }
        self.of_parts(axes, parts, shape)
    }

    /// The product of a slice of each value.
    fn term(&mut self, axes: &Axes, operands: &[Operand], s: &Slices, at: &At) -> Built<Lanes> {
        let inner = if s.lanes.is_empty() {
            &s.reduced
        } else {
            &s.lanes
        };
        let width = axes.floats(inner);
        let mut product: Option<Lanes> = None;
        for o in operands {
            let from = axes.offset(&o.letters, at);
            let slice = if o.letters.is_empty() {
                o.value.clone()
            } else if o.letters.ends_with(inner) {
                Lanes {
                    parts: self.cut(&o.value, &from, &width, axes.span)?,
                    shape: vec![width.clone()],
                }
            } else {
                let one = self.cut(&o.value, &from, &Size::known(1), axes.span)?;
                Lanes::number(self.number_at(one[0]))
            };
            product = Some(match product {
                None => slice,
                Some(p) => self.lanes(&[p, slice], &[], axes.span, |g, p| {
                    g.binary(Binary::Mul, p[0], p[1])
                })?,
            });
        }
        self.sound(product.or_bug("a product of nothing"), axes.span)
    }

    /// A vector of one unit as a row scalar.
    fn number_at(&mut self, one: NodeId) -> NodeId {
        let node = self.cell.graph.node(one).clone();
        match (&node.op, &node.extent) {
            (NodeOp::Leaf(slot, from), _) => {
                let leaf = NodeOp::Leaf(*slot, from.clone());
                self.cell.graph.add_node(leaf, NodeExtent::Row)
            }
            (_, NodeExtent::Vector(_)) => self.cell.graph.reduce(Reduce::Sum, one),
            _ => one,
        }
    }
}
