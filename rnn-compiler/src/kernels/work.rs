//! Finds what each kernel has to do, from the results backwards.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CellProgram, Destination, KernelTarget, Root, Temp,
    order::{Class, Key, Order, is_leaf},
};
use crate::{
    cell::graph::{Graph, NodeExtent, NodeId, NodeOp},
    diagnostics::{Bug, OrBug, Sound},
};

/// What one kernel has to do.
#[derive(Default)]
pub(super) struct Work {
    /// Nodes whose vectors other kernels load.
    pub stored: BTreeSet<NodeId>,
    /// Reductions.
    pub reduced: BTreeSet<NodeId>,
    /// Row scalars that other kernels read, computed from reductions.
    pub epilogue: BTreeSet<NodeId>,
    /// Results, by index.
    pub roots: BTreeSet<usize>,
    pub products: BTreeSet<NodeId>,
}

pub(super) struct Emitter<'a> {
    pub g: &'a Graph,
    pub roots: &'a [Root],
    pub s: &'a Order,
    pub target: &'a KernelTarget,
    work: BTreeMap<Key, Work>,
    seen: BTreeSet<(NodeId, Key)>,
    /// Temporaries: node → index, and whether another class reads it.
    pub temps: BTreeMap<NodeId, usize>,
    pub out: CellProgram,
}

impl<'a> Emitter<'a> {
    pub fn new(g: &'a Graph, roots: &'a [Root], s: &'a Order, target: &'a KernelTarget) -> Self {
        Emitter {
            g,
            roots,
            s,
            target,
            seen: BTreeSet::new(),
            temps: BTreeMap::new(),
            out: CellProgram {
                graph: g.clone(),
                weight_time: Vec::new(),
                prologue: Vec::new(),
                step: Vec::new(),
                post_loop: Vec::new(),
                temps: Vec::new(),
                matrices: Vec::new(),
                vectors: Vec::new(),
            },
            work: BTreeMap::new(),
        }
    }

    /// Finds what each kernel has to do for the results.
    pub fn find_work(&mut self) -> Sound<BTreeMap<Key, Work>> {
        for (i, root) in self.roots.iter().enumerate() {
            // A row scalar that is saved is written where it is computed.
            if self.s.is_row(self.g, root.node) && matches!(root.destination, Destination::Saved(_))
            {
                self.want_row(root.node, self.s.class[root.node])?;
                continue;
            }
            let key = self.root_key(root);
            let work = self.work.entry(key.clone()).or_default();
            work.roots.insert(i);
            // The result may be computed in another class than the one that writes it: a state that
            // depends on the input alone, or a vector of parameters that is saved.
            if self.is_loaded(root.node, &key)? {
                self.want_stored(root.node, key.0)?;
            } else {
                self.visit(root.node, &key)?;
            }
        }
        Ok(std::mem::take(&mut self.work))
    }
}

impl Emitter<'_> {
    /// The kernel that writes a result. A leaf or a number that is itself a result is written by the class
    /// that it is scheduled in, a row scalar by the kernel after the one that completes it.
    fn root_key(&self, root: &Root) -> Key {
        let width = self.g.width(root.node).unwrap_or(&root.width);
        let mut key = (
            self.s.class[root.node],
            self.s.level[root.node],
            width.clone(),
        );
        if self.s.is_row(self.g, root.node) {
            key.1 += 1;
        }
        if key.0 == Class::WeightTime {
            key.0 = Class::Step;
        }
        if let Destination::State(_) | Destination::StateGradient(_) = root.destination {
            key.0 = Class::Step;
        }
        key
    }

    /// The kernel that completes a row scalar.
    pub fn row_key(&self, n: NodeId) -> Sound<Key> {
        if !self.s.epilogue[n] {
            let width = self.g.units(self.reduced(n)?)?.clone();
            return Ok((self.s.class[n], self.s.level[n], width));
        }
        let mine = |o: &NodeId| self.s.is_row(self.g, *o) && self.s.class[*o] == self.s.class[n];
        let operands = self.g.node(n).op.operands().into_iter();
        let keys = operands.filter(mine).map(|o| self.row_key(o));
        let last = keys.collect::<Sound<Vec<Key>>>()?.into_iter().max();
        last.or_bug("maths on reductions that reads none")
    }

    /// The vector that a reduction reads.
    fn reduced(&self, n: NodeId) -> Sound<NodeId> {
        match &self.g.node(n).op {
            NodeOp::Reduce(_, operand) => Ok(*operand),
            op => Err(Bug::new(format!("{op:?} is not a reduction"))),
        }
    }

    /// Whether kernel `key` reads `n` from memory rather than computing it.
    pub fn is_loaded(&self, n: NodeId, key: &Key) -> Sound<bool> {
        let node = self.g.node(n);
        if is_leaf(&node.op) || matches!(node.extent, NodeExtent::Number | NodeExtent::Row) {
            return Ok(false);
        }
        if self.s.class[n] == Class::WeightTime {
            return Ok(key.0 != Class::WeightTime);
        }
        // After the scan the states that a step has read are gone, so nothing can be computed again
        // from them.
        let gone = key.0 == Class::PostLoop && self.s.class[n] == Class::Step;
        Ok(self.s.key(self.g, n)? != *key && (gone || !self.s.is_free(self.g, n)))
    }

    /// Finds what kernel `key` needs in order to compute `n`.
    fn visit(&mut self, n: NodeId, key: &Key) -> Sound<()> {
        if !self.seen.insert((n, key.clone())) {
            return Ok(());
        }
        let op = self.g.node(n).op.clone();
        if self.s.is_row(self.g, n) {
            return self.want_row(n, key.0);
        }
        if let NodeOp::Product(terms) = &op {
            self.work.entry(key.clone()).or_default().products.insert(n);
            for (v, _) in terms {
                if !is_leaf(&self.g.node(*v).op) {
                    self.want_stored(*v, key.0)?;
                }
            }
            return Ok(());
        }
        for o in op.operands() {
            if self.is_loaded(o, key)? {
                self.want_stored(o, key.0)?;
            } else {
                self.visit(o, key)?;
            }
        }
        Ok(())
    }

    /// Notes that class `reader` reads a row scalar, and finds what computes it.
    fn want_row(&mut self, n: NodeId, reader: Class) -> Sound<()> {
        self.temp(n, reader);
        let key = self.row_key(n)?;
        let work = self.work.entry(key.clone()).or_default();
        if self.s.epilogue[n] {
            if work.epilogue.insert(n) {
                self.visit_epilogue(n, &key)?;
            }
        } else if work.reduced.insert(n) {
            let operand = self.reduced(n)?;
            if self.is_loaded(operand, &key)? {
                self.want_stored(operand, key.0)?;
            } else {
                self.visit(operand, &key)?;
            }
        }
        Ok(())
    }

    /// Finds what it takes to compute `n` in the epilogue of kernel `key`.
    fn visit_epilogue(&mut self, n: NodeId, key: &Key) -> Sound<()> {
        for o in self.g.node(n).op.operands() {
            if !self.s.is_row(self.g, o) {
                self.visit(o, key)?;
            } else if self.s.epilogue[o] && self.row_key(o)? == *key {
                self.visit_epilogue(o, key)?;
            } else {
                self.want_row(o, key.0)?;
            }
        }
        Ok(())
    }

    fn want_stored(&mut self, n: NodeId, reader: Class) -> Sound<()> {
        let key = self.s.key(self.g, n)?;
        if key.0 == Class::WeightTime {
            let key = (Class::WeightTime, 0, key.2);
            if self.work.entry(key.clone()).or_default().stored.insert(n) {
                self.visit(n, &key)?;
            }
            return Ok(());
        }
        if !self.has_readable_destination(n, reader) {
            self.temp(n, reader);
        }
        if self.work.entry(key.clone()).or_default().stored.insert(n) {
            self.visit(n, &key)?;
        }
        Ok(())
    }

    /// The result that holds `n` where class `reader` can read it.
    pub fn readable_destination(&self, n: NodeId, reader: Class) -> Option<&Root> {
        self.roots
            .iter()
            .filter(|r| r.node == n)
            .find(|r| match r.destination {
                Destination::Saved(_) => true,
                // A row scalar needs a row of its own until it is complete.
                _ if self.s.is_row(self.g, n) => false,
                Destination::State(_) | Destination::StateGradient(_) => {
                    reader == Class::Step && self.s.class[n] == Class::Step
                }
                Destination::Output(_)
                | Destination::InputGradient(_)
                | Destination::Accumulator(_) => false,
            })
    }

    pub fn has_readable_destination(&self, n: NodeId, reader: Class) -> bool {
        self.readable_destination(n, reader).is_some()
    }

    fn temp(&mut self, n: NodeId, reader: Class) {
        if self.s.is_row(self.g, n) && self.has_readable_destination(n, reader) {
            return;
        }
        let every_step = self.s.class[n] != Class::Step || reader != Class::Step;
        match self.temps.get(&n) {
            Some(&i) => self.out.temps[i].every_step |= every_step,
            None => {
                self.temps.insert(n, self.out.temps.len());
                let width = self.g.floats(n);
                self.out.temps.push(Temp { width, every_step });
            }
        }
    }
}
