//! What the phases of a schedule have to do, found from the results backwards.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Program, Root, Sink, Temp,
    schedule::{Class, Key, Schedule, is_leaf},
};
use crate::{
    cell::graph::{Extent, Graph, NodeId, Op},
    diagnostics::{Bug, OrBug, Sound},
    kernels::Target,
};

/// What a phase has to do, found from the results backwards.
#[derive(Default)]
pub(super) struct Work {
    /// Nodes whose vectors others load.
    pub stored: BTreeSet<NodeId>,
    /// Reductions.
    pub reduced: BTreeSet<NodeId>,
    /// Numbers of a row that others read, computed from reductions.
    pub behind: BTreeSet<NodeId>,
    /// Results, by index.
    pub roots: BTreeSet<usize>,
    pub products: BTreeSet<NodeId>,
}

pub(super) struct Emitter<'a> {
    pub g: &'a Graph,
    pub roots: &'a [Root],
    pub s: &'a Schedule,
    pub target: &'a Target,
    work: BTreeMap<Key, Work>,
    seen: BTreeSet<(NodeId, Key)>,
    /// Temporaries: node → index, and whether another class reads it.
    pub temps: BTreeMap<NodeId, usize>,
    pub out: Program,
}

pub(super) fn emit(g: &Graph, roots: &[Root], s: &Schedule, target: &Target) -> Sound<Program> {
    let mut e = Emitter {
        g,
        roots,
        s,
        target,
        work: BTreeMap::new(),
        seen: BTreeSet::new(),
        temps: BTreeMap::new(),
        out: Program {
            graph: g.clone(),
            pack: Vec::new(),
            pre: Vec::new(),
            step: Vec::new(),
            post: Vec::new(),
            temps: Vec::new(),
            matrices: Vec::new(),
            vectors: Vec::new(),
        },
    };
    for (i, root) in roots.iter().enumerate() {
        // A number of a row that is kept is written where it is computed.
        if s.is_row(g, root.node) && matches!(root.sink, Sink::Keep(_)) {
            e.want_row(root.node, s.class[root.node])?;
            continue;
        }
        let key = e.root_key(root);
        e.work.entry(key.clone()).or_default().roots.insert(i);
        // Computed in another class than the one that writes the result: a state that depends on
        // the input alone, or a vector of parameters that is kept.
        if e.is_loaded(root.node, &key)? {
            e.want_stored(root.node, key.0)?;
        } else {
            e.visit(root.node, &key)?;
        }
    }
    let work = std::mem::take(&mut e.work);
    for (key, work) in &work {
        let phase = e.phase(key, work)?;
        match key.0 {
            Class::Pack => e.out.pack.push(phase),
            Class::Pre => e.out.pre.push(phase),
            Class::Step => e.out.step.push(phase),
            Class::Post => e.out.post.push(phase),
        }
    }
    Ok(e.out)
}

impl Emitter<'_> {
    /// The phase that writes a result. A leaf or a number that is a result as it is goes with the
    /// class that it is scheduled in; a number of a row is written when it is complete.
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
        if key.0 == Class::Pack {
            key.0 = Class::Step;
        }
        if let Sink::State(_) | Sink::StateGradient(_) = root.sink {
            key.0 = Class::Step;
        }
        key
    }

    /// The phase that completes a number of a row.
    pub fn row_key(&self, n: NodeId) -> Sound<Key> {
        if !self.s.behind[n] {
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
            Op::Reduce(_, operand) => Ok(*operand),
            op => Err(Bug::new(format!("{op:?} is not a reduction"))),
        }
    }

    /// Whether phase `key` reads `n` from memory rather than computing it.
    pub fn is_loaded(&self, n: NodeId, key: &Key) -> Sound<bool> {
        let node = self.g.node(n);
        if is_leaf(&node.op) || matches!(node.extent, Extent::Number | Extent::Row) {
            return Ok(false);
        }
        if self.s.class[n] == Class::Pack {
            return Ok(key.0 != Class::Pack);
        }
        // Behind the sweep the states that a step has read are gone, so nothing can be computed
        // again from them.
        let gone = key.0 == Class::Post && self.s.class[n] == Class::Step;
        Ok(self.s.key(self.g, n)? != *key && (gone || !self.s.is_free(self.g, n)))
    }

    /// Finds what phase `key` needs in order to compute `n`.
    fn visit(&mut self, n: NodeId, key: &Key) -> Sound<()> {
        if !self.seen.insert((n, key.clone())) {
            return Ok(());
        }
        let op = self.g.node(n).op.clone();
        if self.s.is_row(self.g, n) {
            return self.want_row(n, key.0);
        }
        if let Op::Product(terms) = &op {
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

    /// Has a number of a row computed where class `reader` can read it.
    fn want_row(&mut self, n: NodeId, reader: Class) -> Sound<()> {
        self.temp(n, reader);
        let key = self.row_key(n)?;
        let work = self.work.entry(key.clone()).or_default();
        if self.s.behind[n] {
            if work.behind.insert(n) {
                self.visit_behind(n, &key)?;
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

    /// Finds what it takes to compute `n` behind phase `key`.
    fn visit_behind(&mut self, n: NodeId, key: &Key) -> Sound<()> {
        for o in self.g.node(n).op.operands() {
            if !self.s.is_row(self.g, o) {
                self.visit(o, key)?;
            } else if self.s.behind[o] && self.row_key(o)? == *key {
                self.visit_behind(o, key)?;
            } else {
                self.want_row(o, key.0)?;
            }
        }
        Ok(())
    }

    fn want_stored(&mut self, n: NodeId, reader: Class) -> Sound<()> {
        let key = self.s.key(self.g, n)?;
        if key.0 == Class::Pack {
            let key = (Class::Pack, 0, key.2);
            if self.work.entry(key.clone()).or_default().stored.insert(n) {
                self.visit(n, &key)?;
            }
            return Ok(());
        }
        if !self.has_readable_sink(n, reader) {
            self.temp(n, reader);
        }
        if self.work.entry(key.clone()).or_default().stored.insert(n) {
            self.visit(n, &key)?;
        }
        Ok(())
    }

    /// The result that holds `n` where class `reader` can read it.
    pub fn readable_sink(&self, n: NodeId, reader: Class) -> Option<&Root> {
        self.roots
            .iter()
            .filter(|r| r.node == n)
            .find(|r| match r.sink {
                Sink::Keep(_) => true,
                // A number of a row needs a row of its own until it is complete.
                _ if self.s.is_row(self.g, n) => false,
                Sink::State(_) | Sink::StateGradient(_) => {
                    reader == Class::Step && self.s.class[n] == Class::Step
                }
                Sink::Output(_) | Sink::InputGradient(_) | Sink::Total(_) => false,
            })
    }

    pub fn has_readable_sink(&self, n: NodeId, reader: Class) -> bool {
        self.readable_sink(n, reader).is_some()
    }

    fn temp(&mut self, n: NodeId, reader: Class) {
        if self.s.is_row(self.g, n) && self.has_readable_sink(n, reader) {
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
