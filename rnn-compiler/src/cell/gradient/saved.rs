//! Decides which values of the forward pass the backward pass loads, which it computes again and
//! which the forward pass saves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backward, Differentiator, MatrixPartGradient, Part, VectorPartGradient};
use crate::cell::{
    graph::{Graph, LeafSource, NodeExtent, NodeId, NodeOp},
    optimize::{Pass, fuse},
    size::Size,
    sums::{apart, together},
};

impl Differentiator<'_> {
    /// Arranges sums and fuses; then decides for each forward value that the backward pass needs whether to
    /// load it, compute it again or save it.
    pub(super) fn finish(
        self,
        mut states: Vec<Vec<Part>>,
        mut inputs: Vec<Vec<Part>>,
        mut matrices: Vec<MatrixPartGradient>,
        mut vectors: Vec<VectorPartGradient>,
    ) -> Backward {
        let roots: Vec<NodeId> = states
            .iter()
            .flatten()
            .chain(inputs.iter().flatten())
            .map(|p| p.node)
            .chain(matrices.iter().map(|m| m.delta))
            .chain(vectors.iter().map(|v| v.delta))
            .collect();
        let (mut fused, mut first) = (self.out.clone(), BTreeMap::new());
        first.extend(roots.iter().map(|&r| (r, r)));
        let passes: [Pass; 3] = [together, apart, fuse];
        for pass in passes {
            let now: Vec<NodeId> = first.values().copied().collect();
            let (graph, map) = pass(&fused, &now);
            fused = graph;
            first.values_mut().for_each(|r| *r = map[r]);
        }
        let (order, _) = fused.live(&roots.iter().map(|r| first[r]).collect::<Vec<_>>());

        let mut needed: BTreeSet<NodeId> = order
            .iter()
            .filter_map(|&id| match fused.node(id).op {
                NodeOp::Leaf(LeafSource::Forward(f), _) => Some(f),
                _ => None,
            })
            .collect();
        needed.extend(matrices.iter().filter_map(|m| match m.operand.0 {
            LeafSource::Forward(f) => Some(f),
            _ => None,
        }));
        let mut saved: BTreeSet<NodeId> = matrices
            .iter()
            .filter_map(|m| match m.operand.0 {
                LeafSource::Forward(f) => Some(f),
                _ => None,
            })
            .collect();
        for &f in &needed {
            self.save(f, &mut saved, 0);
        }

        let mut out = Graph::default();
        let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        for &id in &order {
            let node = fused.node(id);
            let new = match &node.op {
                NodeOp::Leaf(LeafSource::Forward(f), offset) => {
                    let whole = self.again(*f, &saved, &mut out);
                    match &node.extent {
                        // A part of it, where parts of a vector are joined.
                        NodeExtent::Vector(w) => out.slice(whole, offset, w),
                        _ => whole,
                    }
                }
                op => out.rebuild(op, &node.extent, |o| map[&o]),
            };
            map.insert(id, new);
        }
        let renumber = |id: &mut NodeId| *id = map[&first[id]];
        states
            .iter_mut()
            .flatten()
            .for_each(|p| renumber(&mut p.node));
        inputs
            .iter_mut()
            .flatten()
            .for_each(|p| renumber(&mut p.node));
        matrices.iter_mut().for_each(|m| renumber(&mut m.delta));
        vectors.iter_mut().for_each(|v| renumber(&mut v.delta));
        Backward {
            graph: out,
            saved: saved.into_iter().collect(),
            states,
            inputs,
            matrices,
            vectors,
        }
    }

    /// Saves `f` for the backward pass, or its one vector operand and row scalars, which several
    /// normalised values share.
    fn save(&self, f: NodeId, saved: &mut BTreeSet<NodeId>, depth: usize) {
        if self.available(f, saved, 0) {
            return;
        }
        let g = &self.cell.graph;
        let node = g.node(f);
        let mut operands = node.op.operands();
        operands.retain(|&o| !self.available(o, saved, 0));
        let row = |o: &NodeId| g.node(*o).extent == NodeExtent::Row;
        let (rows, vectors): (Vec<NodeId>, Vec<NodeId>) = operands.iter().partition(|&o| row(o));
        let normalised = node.op.operands().iter().any(row);
        match vectors.as_slice() {
            [] if normalised && node.op.is_cheap() => saved.extend(rows),
            [v] if depth < 3 && normalised && node.op.is_cheap() => {
                saved.extend(rows);
                self.save(*v, saved, depth + 1);
            }
            _ => {
                saved.insert(f);
            }
        }
    }

    /// Whether the backward pass can have a forward value without saving it.
    fn available(&self, f: NodeId, saved: &BTreeSet<NodeId>, depth: usize) -> bool {
        let node = self.cell.graph.node(f);
        saved.contains(&f)
            || self.next.contains_key(&f)
            || matches!(
                node.op,
                NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..)
            )
            || self.is_constant(f)
            || (depth < 4
                && (node.op.is_cheap() || self.is_row_maths(f))
                && node
                    .op
                    .operands()
                    .iter()
                    .all(|&o| self.available(o, saved, depth + 1)))
    }

    /// Whether a value depends on parameters only. The backward pass then reads it from the packed
    /// weights.
    fn is_constant(&self, f: NodeId) -> bool {
        match &self.cell.graph.node(f).op {
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Param(..) => true,
            NodeOp::Leaf(..) | NodeOp::Product(_) | NodeOp::Reduce(..) => false,
            op => op.operands().into_iter().all(|o| self.is_constant(o)),
        }
    }

    /// Whether a value is a row scalar other than a reduction. Its readers compute it again.
    fn is_row_maths(&self, f: NodeId) -> bool {
        let node = self.cell.graph.node(f);
        node.extent == NodeExtent::Row && !matches!(node.op, NodeOp::Reduce(..))
    }

    /// A forward value that is available, in the backward graph.
    fn again(&self, f: NodeId, saved: &BTreeSet<NodeId>, out: &mut Graph) -> NodeId {
        let node = self.cell.graph.node(f);
        if saved.contains(&f) {
            return out.add_node(
                NodeOp::Leaf(LeafSource::Forward(f), Size::known(0)),
                node.extent.clone(),
            );
        }
        if let (Some((state, offset)), NodeExtent::Vector(w)) = (self.next.get(&f), &node.extent) {
            return out.leaf(LeafSource::NextState(*state), offset.clone(), w.clone());
        }
        let parts: BTreeMap<NodeId, NodeId> = node
            .op
            .operands()
            .into_iter()
            .map(|o| (o, self.again(o, saved, out)))
            .collect();
        out.rebuild(&node.op, &node.extent, |o| parts[&o])
    }
}
