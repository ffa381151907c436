//! States that decay end at 0, not among the subnormal numbers, on which a processor takes many times longer and
//! where a forget gate of 1 keeps them for ever.
//!
//! Flushing is part of the cell's maths, so that streams, sequences, batches and the interpreter agree in every bit, whatever
//! mode the processor is in.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{
    build::Cell,
    graph::{Graph, LeafSource, NodeId, NodeOp, Unary},
};

/// A state that products read is flushed when it is written, since a product takes it from memory. Any other state is
/// flushed where it is read: that is ready before the products of the step are, so the step waits for nothing.
pub(super) fn states(cell: &mut Cell) {
    let g = &cell.graph;
    let roots: Vec<NodeId> = cell
        .next
        .iter()
        .chain(&cell.out)
        .flatten()
        .copied()
        .collect();
    let (order, _) = g.live(&roots);
    let multiplied: BTreeSet<usize> = order
        .iter()
        .filter_map(|&id| match &g.node(id).op {
            NodeOp::Product(terms) => Some(terms),
            _ => None,
        })
        .flatten()
        .filter_map(|(operand, _)| match g.node(*operand).op {
            NodeOp::Leaf(LeafSource::State(i), _) => Some(i),
            _ => None,
        })
        .collect();
    let written = |i: usize| multiplied.contains(&i);
    let kept = cell.next.iter().enumerate();
    let kept: BTreeSet<NodeId> = kept
        .filter(|(i, _)| written(*i))
        .flat_map(|(_, parts)| parts)
        .copied()
        .collect();
    let mut out = Graph::default();
    let mut map = BTreeMap::new();
    for &id in &order {
        let node = g.node(id);
        let new = out.rebuild(&node.op, &node.extent, |o| map[&o]);
        let flushed = match node.op {
            NodeOp::Leaf(LeafSource::State(i), _) => !written(i),
            _ => kept.contains(&id) && !is_given(&node.op),
        };
        map.insert(
            id,
            match flushed {
                true => out.unary(Unary::Flush, new),
                false => new,
            },
        );
    }
    for part in cell.next.iter_mut().chain(&mut cell.out).flatten() {
        let node = g.node(*part);
        // What is copied does not decay.
        *part = match is_given(&node.op) {
            true => out.add_node(node.op.clone(), node.extent.clone()),
            false => map[part],
        };
    }
    cell.graph = out;
}

/// Whether a value is read, not computed.
fn is_given(op: &NodeOp) -> bool {
    matches!(
        op,
        NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..)
    )
}

impl Cell {
    /// The computed values that are flushed, and what they are then.
    pub(in crate::cell) fn flushed(&self) -> BTreeMap<NodeId, NodeId> {
        let nodes = self.graph.nodes().iter().enumerate();
        let flushed = nodes.filter_map(|(id, node)| match node.op {
            NodeOp::Unary(Unary::Flush, a) if !is_given(&self.graph.node(a).op) => Some((a, id)),
            _ => None,
        });
        flushed.collect()
    }
}
