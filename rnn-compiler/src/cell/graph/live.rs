//! The part of a graph that its results need.

use super::{Graph, NodeId};

impl Graph {
    /// Nodes that the roots need, in order, and how often each is used.
    pub fn live(&self, roots: &[NodeId]) -> (Vec<NodeId>, Vec<usize>) {
        let mut uses = vec![0usize; self.nodes().len()];
        for &r in roots {
            uses[r] += 1;
        }
        for id in (0..uses.len()).rev() {
            if uses[id] > 0 {
                for o in self.node(id).op.operands() {
                    uses[o] += 1;
                }
            }
        }
        let order = (0..uses.len()).filter(|&id| uses[id] > 0).collect();
        (order, uses)
    }
}
