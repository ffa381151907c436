//! Sums over units, arranged so that fewer kernels have to follow one another.

use std::collections::BTreeMap;

use super::{
    graph::{Binary, Graph, MatrixPart, NodeExtent, NodeId, NodeOp, Reduce, Unary},
    size::Size,
};

/// Where a cell sums over a vector and also reads its parts (`mean(x @ kernel)` beside
/// `split(x @ kernel)`), adds the parts and sums over the result. The product is then computed once,
/// gate by gate, and lanes are folded once.
pub(super) fn in_parts(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, _) = g.live(roots);
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    for &id in &order {
        let node = g.node(id);
        let parts = match node.op {
            NodeOp::Reduce(_, whole) => parts_of(g, &order, whole),
            _ => Vec::new(),
        };
        let new = match (&node.op, parts.as_slice()) {
            (NodeOp::Reduce(how, whole), [_, _, ..]) => {
                let how = *how;
                let join = match how {
                    Reduce::Sum => Binary::Add,
                    Reduce::Max => Binary::Max,
                };
                let alike = parts.iter().all(|p| p.1 == parts[0].1);
                let parts = parts.iter().map(|(offset, width)| {
                    let part = out.slice(map[whole], offset, width);
                    match alike {
                        true => part,
                        false => out.reduce(how, part),
                    }
                });
                let parts: Vec<NodeId> = parts.collect();
                let sum = (parts[1..].iter()).fold(parts[0], |a, &b| out.binary(join, a, b));
                match alike {
                    true => out.reduce(how, sum),
                    false => sum,
                }
            }
            (op, _) => out.rebuild(op, &node.extent, |o| map[&o]),
        };
        map.insert(id, new);
    }
    (out, map)
}

/// `id` is lane-by-lane maths on a product: the offsets and widths of the parts of the product that
/// other nodes use. Empty if there is no such product.
fn parts_of(g: &Graph, order: &[NodeId], id: NodeId) -> Vec<(Size, Size)> {
    let Some(width) = g.width(id) else {
        return Vec::new();
    };
    match &g.node(id).op {
        NodeOp::Product(terms) => {
            let (mut parts, mut end) = (Vec::new(), Size::known(0));
            while end != *width {
                let next = order.iter().find_map(|&other| match &g.node(other).op {
                    NodeOp::Product(part) if other != id && is_part(terms, part, &end) => {
                        g.width(other)
                    }
                    _ => None,
                });
                let Some(next) = next else {
                    return Vec::new();
                };
                parts.push((end.clone(), next.clone()));
                end = &end + next;
                if parts.len() > order.len() {
                    return Vec::new();
                }
            }
            parts
        }
        NodeOp::Reduce(..) => Vec::new(),
        op => op
            .operands()
            .into_iter()
            .map(|o| parts_of(g, order, o))
            .find(|parts| !parts.is_empty())
            .unwrap_or_default(),
    }
}

/// Whether the product `part` equals the units of `whole` from `offset` on.
fn is_part(whole: &[(NodeId, MatrixPart)], part: &[(NodeId, MatrixPart)], offset: &Size) -> bool {
    whole.len() == part.len()
        && whole.iter().zip(part).all(|((v, m), (w, n))| {
            let mut m = m.clone();
            if m.transposed {
                m.row = &m.row + offset;
            } else {
                m.column = &m.column + offset;
            }
            v == w && m == *n
        })
}

/// `r * sum(a) + r * sum(b)` becomes `r * sum(a + b)`: lanes are folded once. The gradient of a row
/// scalar arrives as one sum a gate.
pub(super) fn together(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, _) = g.live(roots);
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    for &id in &order {
        let node = g.node(id);
        let sum = matches!(node.op, NodeOp::Binary(Binary::Add | Binary::Sub, ..));
        let new = match sum && node.extent == NodeExtent::Row {
            true => sum_together(g, &mut out, &map, id),
            false => None,
        };
        let new = new.unwrap_or_else(|| out.rebuild(&node.op, &node.extent, |o| map[&o]));
        map.insert(id, new);
    }
    (out, map)
}

fn sum_together(
    g: &Graph,
    out: &mut Graph,
    map: &BTreeMap<NodeId, NodeId>,
    id: NodeId,
) -> Option<NodeId> {
    // The terms: their factors, and the vector that is summed, if the term has a sum.
    let mut terms = Vec::new();
    row_terms(g, id, false, Vec::new(), &mut terms);
    let mut sums: BTreeMap<(Vec<NodeId>, Option<Size>), NodeId> = BTreeMap::new();
    let mut found = false;
    for (negative, mut factors, vector) in terms {
        factors.sort_unstable();
        let (key, value) = match vector {
            Some(v) => ((factors, g.width(v).cloned()), map[&v]),
            None => {
                let factors = factors.iter().map(|f| map[f]);
                let product = factors.reduce(|a, b| out.binary(Binary::Mul, a, b))?;
                ((Vec::new(), None), product)
            }
        };
        let value = match negative {
            true => out.unary(Unary::Neg, value),
            false => value,
        };
        let sum = match sums.get(&key) {
            Some(&sum) => {
                found |= key.1.is_some();
                out.binary(Binary::Add, sum, value)
            }
            None => value,
        };
        sums.insert(key, sum);
    }
    if !found {
        return None;
    }
    let sums = sums.into_iter().map(|((factors, width), v)| {
        let sum = match width {
            Some(_) => out.reduce(Reduce::Sum, v),
            None => v,
        };
        let factors = factors.iter().map(|f| map[f]);
        factors.fold(sum, |a, b| out.binary(Binary::Mul, a, b))
    });
    let sums: Vec<NodeId> = sums.collect();
    (sums.into_iter()).reduce(|a, b| out.binary(Binary::Add, a, b))
}

/// A term of a row scalar: whether it is negative, its factors, the vector that is summed.
type RowTerm = (bool, Vec<NodeId>, Option<NodeId>);

fn row_terms(
    g: &Graph,
    id: NodeId,
    negative: bool,
    factors: Vec<NodeId>,
    terms: &mut Vec<RowTerm>,
) {
    let sum = |id: NodeId| matches!(g.node(id).op, NodeOp::Reduce(Reduce::Sum, a) if g.width(a).is_some());
    match g.node(id).op {
        NodeOp::Binary(Binary::Add, a, b) => {
            row_terms(g, a, negative, factors.clone(), terms);
            row_terms(g, b, negative, factors, terms);
        }
        NodeOp::Binary(Binary::Sub, a, b) => {
            row_terms(g, a, negative, factors.clone(), terms);
            row_terms(g, b, !negative, factors, terms);
        }
        NodeOp::Unary(Unary::Neg, a) => row_terms(g, a, !negative, factors, terms),
        NodeOp::Binary(Binary::Mul, a, b) if sum(a) => {
            row_terms(g, a, negative, [factors, vec![b]].concat(), terms);
        }
        NodeOp::Binary(Binary::Mul, a, b) if sum(b) => {
            row_terms(g, b, negative, [factors, vec![a]].concat(), terms);
        }
        NodeOp::Reduce(Reduce::Sum, a) if sum(id) => terms.push((negative, factors, Some(a))),
        _ => terms.push((negative, [factors, vec![id]].concat(), None)),
    }
}

/// `sum(a + r * b)`, where `r` is a row scalar that comes from another sum, becomes
/// `sum(a) + r * sum(b)`: neither sum has to wait for `r`. Gradients of normalisations have many of
/// these.
pub(super) fn apart(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, _) = g.live(roots);
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    // For each node, how many sums in a row it has to wait for.
    let mut depth: Vec<usize> = Vec::new();
    for &id in &order {
        let node = g.node(id);
        let new = match node.op {
            NodeOp::Reduce(Reduce::Sum, whole) => {
                let deepest = depth[map[&whole]];
                let late = |id: NodeId| deepest > 0 && depth[map[&id]] == deepest;
                sum_apart(g, &late, &mut out, &map, whole)
            }
            _ => None,
        };
        let new = new.unwrap_or_else(|| out.rebuild(&node.op, &node.extent, |o| map[&o]));
        map.insert(id, new);
        for new in depth.len()..out.nodes().len() {
            let op = &out.node(new).op;
            let below = op.operands().iter().map(|&o| depth[o]).max();
            depth.push(below.unwrap_or(0) + usize::from(matches!(op, NodeOp::Reduce(..))));
        }
    }
    (out, map)
}

/// A term of a sum: the product of row scalars and of vectors.
#[derive(Clone, Default)]
struct Term {
    negative: bool,
    rows: Vec<NodeId>,
    vectors: Vec<NodeId>,
}

/// Most terms that one sum is expanded into, since products of sums multiply their numbers.
const MAX_TERMS: usize = 16;

/// Most sums that one sum is cut into. More would cost more than the kernel that they save.
const MAX_SUMS: usize = 2;

fn sum_apart(
    g: &Graph,
    late: &impl Fn(NodeId) -> bool,
    out: &mut Graph,
    map: &BTreeMap<NodeId, NodeId>,
    whole: NodeId,
) -> Option<NodeId> {
    let width = g.width(whole)?;
    if !late(whole) {
        return None;
    }
    let terms = terms(g, late, whole);
    // Taking it apart helps only if no vector under a sum waits for another sum.
    if terms.len() > MAX_TERMS || terms.iter().flat_map(|t| &t.vectors).any(|&v| late(v)) {
        return None;
    }
    // Terms with the same row scalars are summed at once.
    let mut sums: BTreeMap<Vec<NodeId>, NodeId> = BTreeMap::new();
    for mut t in terms {
        let vectors = t.vectors.iter().map(|v| map[v]);
        let product = vectors.reduce(|a, b| out.binary(Binary::Mul, a, b));
        let mut v = match product {
            Some(v) => v,
            None => out.number(1.0),
        };
        if t.negative {
            v = out.unary(Unary::Neg, v);
        }
        t.rows.sort_unstable();
        let sum = match sums.get(&t.rows) {
            Some(&sum) => out.binary(Binary::Add, sum, v),
            None => v,
        };
        sums.insert(t.rows, sum);
    }
    if sums.len() > MAX_SUMS {
        return None;
    }
    let sums = sums.into_iter().map(|(rows, v)| {
        let v = match out.width(v) {
            Some(_) => v,
            None => out.broadcast(v, width.clone()),
        };
        let sum = out.reduce(Reduce::Sum, v);
        let rows = rows.iter().map(|r| map[r]);
        rows.fold(sum, |a, b| out.binary(Binary::Mul, a, b))
    });
    let sums: Vec<NodeId> = sums.collect();
    (sums.into_iter()).reduce(|a, b| out.binary(Binary::Add, a, b))
}

/// The terms of a vector, separated where they depend on the earlier sum.
fn terms(g: &Graph, late: &impl Fn(NodeId) -> bool, id: NodeId) -> Vec<Term> {
    let node = g.node(id);
    let row = |id: NodeId| match g.node(id).op {
        NodeOp::Unary(Unary::Broadcast, a) => Some(a),
        _ => (g.node(id).extent == NodeExtent::Row).then_some(id),
    };
    let whole = || Term {
        vectors: vec![id],
        ..Term::default()
    };
    if let (true, Some(r)) = (late(id), row(id)) {
        return vec![Term {
            rows: vec![r],
            ..Term::default()
        }];
    }
    if !late(id) {
        return vec![whole()];
    }
    let of = |o: NodeId| terms(g, late, o);
    let negative = |terms: Vec<Term>| -> Vec<Term> {
        let flip = |t: Term| Term {
            negative: !t.negative,
            ..t
        };
        terms.into_iter().map(flip).collect()
    };
    match node.op {
        NodeOp::Unary(Unary::Neg, a) => negative(of(a)),
        NodeOp::Binary(Binary::Add, a, b) => [of(a), of(b)].concat(),
        NodeOp::Binary(Binary::Sub, a, b) => [of(a), negative(of(b))].concat(),
        NodeOp::Binary(Binary::Mul, a, b) => {
            let (a, b) = (of(a), of(b));
            if a.len() * b.len() > MAX_TERMS {
                return vec![whole()];
            }
            let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
            let product = |(a, b): (&Term, &Term)| Term {
                negative: a.negative != b.negative,
                rows: [a.rows.as_slice(), &b.rows].concat(),
                vectors: [a.vectors.as_slice(), &b.vectors].concat(),
            };
            pairs.map(product).collect()
        }
        _ => vec![whole()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::graph::LeafSource;

    fn count(g: &Graph, roots: &[NodeId], what: impl Fn(&NodeOp) -> bool) -> usize {
        let (order, _) = g.live(roots);
        order.iter().filter(|&&n| what(&g.node(n).op)).count()
    }

    fn sums(g: &Graph, roots: &[NodeId]) -> usize {
        count(g, roots, |op| matches!(op, NodeOp::Reduce(..)))
    }

    fn part(column: usize) -> MatrixPart {
        MatrixPart {
            param: 0,
            columns: Size::known(8),
            row: Size::known(0),
            column: Size::known(column),
            transposed: false,
        }
    }

    /// A graph with a vector of 8 units, and that vector.
    fn graph() -> (Graph, NodeId) {
        let mut g = Graph::default();
        let x = g.leaf(LeafSource::Input(0), Size::known(0), Size::known(8));
        (g, x)
    }

    #[test]
    fn a_sum_is_over_the_parts_that_are_used() {
        let (mut g, x) = graph();
        let whole = g.product(vec![(x, part(0))], Size::known(8));
        let square = g.binary(Binary::Mul, whole, whole);
        let sum = g.reduce(Reduce::Sum, square);
        let halves = [0, 4].map(|c| g.product(vec![(x, part(c))], Size::known(4)));
        let products = |op: &NodeOp| matches!(op, NodeOp::Product(_));
        let (out, map) = in_parts(&g, &[sum, halves[0], halves[1]]);
        let roots = [sum, halves[0], halves[1]].map(|r| map[&r]);
        assert_eq!(count(&out, &roots, products), 2);
        assert_eq!(sums(&out, &roots), 1);
        // With only one half, or with a gap, nothing changes.
        let (out, map) = in_parts(&g, &[sum, halves[1]]);
        assert_eq!(count(&out, &[map[&sum], map[&halves[1]]], products), 2);
        let (out, map) = in_parts(&g, &[sum]);
        assert_eq!(count(&out, &[map[&sum]], products), 1);
    }

    #[test]
    fn sums_with_the_same_factor_become_one() {
        let (mut g, x) = graph();
        let y = g.leaf(LeafSource::State(0), Size::known(0), Size::known(8));
        let r = g.add_node(
            NodeOp::Leaf(LeafSource::Input(1), Size::known(0)),
            NodeExtent::Row,
        );
        let [a, b] = [x, y].map(|v| {
            let sum = g.reduce(Reduce::Sum, v);
            g.binary(Binary::Mul, sum, r)
        });
        let sum = g.binary(Binary::Sub, a, b);
        let (out, map) = together(&g, &[sum]);
        assert_eq!(sums(&out, &[map[&sum]]), 1);
        // With another factor, two sums stay.
        let c = g.binary(Binary::Mul, b, r);
        let other = g.binary(Binary::Add, a, c);
        let (out, map) = together(&g, &[other]);
        assert_eq!(sums(&out, &[map[&other]]), 2);
    }

    #[test]
    fn a_sum_does_not_wait_for_the_one_in_it() {
        let (mut g, x) = graph();
        let y = g.leaf(LeafSource::State(0), Size::known(0), Size::known(8));
        let inner = g.reduce(Reduce::Sum, y);
        let scaled = g.binary(Binary::Mul, x, inner);
        let v = g.binary(Binary::Add, y, scaled);
        let sum = g.reduce(Reduce::Sum, v);
        let (out, map) = apart(&g, &[sum]);
        let (order, _) = out.live(&[map[&sum]]);
        for &n in &order {
            if let NodeOp::Reduce(_, a) = out.node(n).op {
                assert!(matches!(out.node(a).op, NodeOp::Leaf(..)), "{order:?}");
            }
        }
        // A function in between keeps the sum as it is.
        let curved = g.unary(Unary::Tanh, scaled);
        let sum = g.reduce(Reduce::Sum, curved);
        let (out, map) = apart(&g, &[sum]);
        assert_eq!(sums(&out, &[map[&sum]]), 2);
    }
}
