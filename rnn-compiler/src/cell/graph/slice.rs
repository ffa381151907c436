//! Parts of vectors: the operations of a graph on fewer units.

use std::collections::BTreeMap;

use super::{Graph, NodeExtent, NodeId, NodeOp};
use crate::cell::size::Size;

impl Graph {
    /// Units `offset..offset + width` of a vector; numbers and rows are the same for all units.
    pub fn slice(&mut self, id: NodeId, offset: &Size, width: &Size) -> NodeId {
        self.slice_once(id, offset, width, &mut BTreeMap::new())
    }

    fn slice_once(
        &mut self,
        id: NodeId,
        offset: &Size,
        width: &Size,
        done: &mut BTreeMap<NodeId, NodeId>,
    ) -> NodeId {
        if let Some(&part) = done.get(&id) {
            return part;
        }
        let part = self.slice_node(id, offset, width, done);
        done.insert(id, part);
        part
    }

    fn slice_node(
        &mut self,
        id: NodeId,
        offset: &Size,
        width: &Size,
        done: &mut BTreeMap<NodeId, NodeId>,
    ) -> NodeId {
        let node = self.nodes[id].clone();
        match &node.extent {
            NodeExtent::Vector(w) if !(w == width && *offset == Size::known(0)) => {}
            _ => return id,
        }
        match &node.op {
            NodeOp::Leaf(slot, o) => self.leaf(*slot, o + offset, width.clone()),
            NodeOp::Param(p, o) => self.param(*p, o + offset, width.clone()),
            NodeOp::Product(terms) => {
                let terms = terms
                    .iter()
                    .map(|(v, m)| {
                        let mut m = m.clone();
                        if m.transposed {
                            m.row = &m.row + offset;
                        } else {
                            m.column = &m.column + offset;
                        }
                        (*v, m)
                    })
                    .collect();
                self.product(terms, width.clone())
            }
            op => {
                let parts: BTreeMap<NodeId, NodeId> = op
                    .operands()
                    .into_iter()
                    .map(|o| (o, self.slice_once(o, offset, width, done)))
                    .collect();
                self.rebuild(op, &NodeExtent::Vector(width.clone()), |o| parts[&o])
            }
        }
    }
}
