//! Changes to a cell's graph. All forms of the cell are made from the changed graph, so they give the
//! same bits.

use std::collections::BTreeMap;

use super::{
    build::Cell,
    graph::{Binary, Graph, LeafSource, NodeId, NodeOp},
    sums,
};

mod flush;

/// Makes a new graph from a graph and its roots, and maps each old node to its new one.
pub(super) type Pass = fn(&Graph, &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>);

impl Cell {
    /// Arranges sums over units, regroups sums and fuses multiplications into additions.
    pub fn optimize(&mut self) {
        self.rewrite(sums::in_parts);
        self.rewrite(regroup);
        self.rewrite(fuse);
        flush::states(self);
    }

    /// The cell as inference computes it, with all dropout masks 1.
    pub fn without_dropout(&self) -> Cell {
        let mut cell = self.clone();
        if !cell.dropout_masks.is_empty() {
            cell.rewrite(unmask);
            cell.dropout_masks.clear();
        }
        cell
    }

    fn rewrite(&mut self, pass: Pass) {
        let roots: Vec<NodeId> = self
            .next
            .iter()
            .flatten()
            .chain(self.out.iter().flatten())
            .copied()
            .collect();
        let (graph, map) = pass(&self.graph, &roots);
        self.graph = graph;
        for id in self
            .next
            .iter_mut()
            .flatten()
            .chain(self.out.iter_mut().flatten())
        {
            *id = map[id];
        }
    }
}

/// Replaces dropout masks by 1 and drops the multiplications by them.
fn unmask(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, _) = g.live(roots);
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    // A number times its mask was a vector; without the mask it is a number. Sums, products and results
    // need a vector, so it is broadcast for them.
    let whole = |out: &mut Graph, map: &BTreeMap<NodeId, NodeId>, id: NodeId| {
        let new = map[&id];
        match (g.width(id), out.width(new)) {
            (Some(width), None) => out.broadcast(new, width.clone()),
            _ => new,
        }
    };
    for &id in &order {
        let node = g.node(id);
        let new = match &node.op {
            NodeOp::Leaf(LeafSource::DropoutMask(_), _) => out.number(1.0),
            op @ (NodeOp::Reduce(..) | NodeOp::Product(_)) => {
                let read = op.operands().into_iter();
                let read: BTreeMap<NodeId, NodeId> =
                    read.map(|o| (o, whole(&mut out, &map, o))).collect();
                out.rebuild(op, &node.extent, |o| read[&o])
            }
            op => out.rebuild(op, &node.extent, |o| map[&o]),
        };
        map.insert(id, new);
    }
    for &root in roots {
        let new = whole(&mut out, &map, root);
        map.insert(root, new);
    }
    (out, map)
}

/// `(x @ W + h @ R) + b` becomes `(x @ W + b) + h @ R`: terms that do not depend on the states are
/// summed first, so that their sum can be computed for many steps at once.
fn regroup(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, uses) = g.live(roots);
    let mut carried = vec![false; g.nodes().len()];
    let mut product = vec![false; g.nodes().len()];
    for &id in &order {
        let op = &g.node(id).op;
        carried[id] = matches!(op, NodeOp::Leaf(LeafSource::State(_), _))
            || op.operands().iter().any(|&o| carried[o]);
        product[id] = matches!(op, NodeOp::Product(_)) || op.operands().iter().any(|&o| product[o]);
    }
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    for &id in &order {
        let node = g.node(id);
        let mut terms = Vec::new();
        if let NodeOp::Binary(Binary::Add, a, b) = node.op {
            terms_of(g, &uses, a, &mut terms);
            terms_of(g, &uses, b, &mut terms);
        }
        let (late, early): (Vec<NodeId>, Vec<NodeId>) = terms.iter().partition(|&&t| carried[t]);
        let sums = match (early.as_slice(), late.as_slice()) {
            ([first, early @ ..], [second, late @ ..])
                if product[*first] || early.iter().any(|&t| product[t]) =>
            {
                Some([(*first, early), (*second, late)])
            }
            _ => None,
        };
        let new = match sums {
            Some(sums) => {
                let [early, late] = sums.map(|(first, rest)| {
                    let rest = rest.iter().map(|t| map[t]);
                    rest.fold(map[&first], |a, b| out.binary(Binary::Add, a, b))
                });
                out.binary(Binary::Add, early, late)
            }
            None => out.rebuild(&node.op, &node.extent, |o| map[&o]),
        };
        map.insert(id, new);
    }
    (out, map)
}

/// The terms of a sum whose inner sums are used nowhere else.
fn terms_of(g: &Graph, uses: &[usize], id: NodeId, terms: &mut Vec<NodeId>) {
    match g.node(id).op {
        NodeOp::Binary(Binary::Add, a, b) if uses[id] == 1 => {
            terms_of(g, uses, a, terms);
            terms_of(g, uses, b, terms);
        }
        _ => terms.push(id),
    }
}

/// `a * b + c` and `c - a * b` with one rounding, where the product is used nowhere else.
pub(super) fn fuse(g: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (order, uses) = g.live(roots);
    let factors = |id: NodeId| match g.node(id).op {
        NodeOp::Binary(Binary::Mul, a, b) if uses[id] == 1 => Some((a, b)),
        _ => None,
    };
    let mut out = Graph::default();
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for &id in &order {
        let node = g.node(id);
        let fused = match node.op {
            NodeOp::Binary(Binary::Add, x, y) => match (factors(x), factors(y)) {
                (_, Some((a, b))) => Some(NodeOp::MulAdd(map[&a], map[&b], map[&x])),
                (Some((a, b)), None) => Some(NodeOp::MulAdd(map[&a], map[&b], map[&y])),
                _ => None,
            },
            NodeOp::Binary(Binary::Sub, x, y) => {
                factors(y).map(|(a, b)| NodeOp::NegMulAdd(map[&a], map[&b], map[&x]))
            }
            _ => None,
        };
        let new = match fused {
            Some(op) => out.add_node(op, node.extent.clone()),
            None => out.rebuild(&node.op, &node.extent, |o| map[&o]),
        };
        map.insert(id, new);
    }
    (out, map)
}
