//! The phases of a schedule: what each reads, computes and writes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    MAX_GATES, Packed, PackedVector, Phase, Place, Product, Program, Root, Sink, Statement, Temp,
    Vector,
    schedule::{Class, Key, Schedule, is_leaf},
};
use crate::cell::{
    graph::{Extent, Graph, MatrixPart, NodeId, Op},
    size::Size,
};

/// What a phase has to do, found from the results backwards.
#[derive(Default)]
struct Work {
    /// Nodes whose vectors others load.
    stored: BTreeSet<NodeId>,
    /// Reductions.
    reduced: BTreeSet<NodeId>,
    /// Results, by index.
    roots: BTreeSet<usize>,
    products: BTreeSet<NodeId>,
}

/// A product and the matrix part of each of its terms.
type Member = (NodeId, Vec<MatrixPart>);

struct Emitter<'a> {
    g: &'a Graph,
    roots: &'a [Root],
    s: &'a Schedule,
    work: BTreeMap<Key, Work>,
    seen: BTreeSet<(NodeId, Key)>,
    /// Temporaries: node → index, and whether another class reads it.
    temps: BTreeMap<NodeId, usize>,
    out: Program,
}

pub(super) fn emit(g: &Graph, roots: &[Root], s: &Schedule) -> Program {
    let mut e = Emitter {
        g,
        roots,
        s,
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
        let key = e.root_key(root);
        e.work.entry(key.clone()).or_default().roots.insert(i);
        match g.node(root.node).op {
            // It goes to the output at once.
            Op::Reduce(..) if matches!(root.sink, Sink::Output(_)) => e.reduce(root.node),
            Op::Reduce(..) => e.want_reduction(root.node, key.0),
            // Computed in another class than the one that writes the result: a state that
            // depends on the input alone, or a vector of parameters that is kept.
            _ if e.is_loaded(root.node, &key) => e.want_stored(root.node, key.0),
            _ => e.visit(root.node, &key),
        }
    }
    let work = std::mem::take(&mut e.work);
    for (key, work) in &work {
        let phase = e.phase(key, work);
        match key.0 {
            Class::Pack => e.out.pack.push(phase),
            Class::Pre => e.out.pre.push(phase),
            Class::Step => e.out.step.push(phase),
            Class::Post => e.out.post.push(phase),
        }
    }
    e.out
}

impl Emitter<'_> {
    /// The phase that writes a result. A leaf or a number that is a result as it is goes with the
    /// class that it is scheduled in.
    fn root_key(&self, root: &Root) -> Key {
        let mut key = match self.g.node(root.node).op {
            Op::Reduce(..) => self.reduce_key(root.node),
            _ => self.s.key(self.g, root.node),
        };
        if self.g.width(root.node).is_none() && !matches!(self.g.node(root.node).op, Op::Reduce(..))
        {
            key.2 = root.width.clone();
        }
        if key.0 == Class::Pack {
            key.0 = Class::Step;
        }
        if let Sink::State(_) | Sink::StateGradient(_) = root.sink {
            key.0 = Class::Step;
        }
        key
    }

    fn reduce_key(&self, r: NodeId) -> Key {
        let operand = self.g.node(r).op.operands()[0];
        let width = self
            .g
            .width(operand)
            .cloned()
            .unwrap_or_else(|| Size::known(1));
        (self.s.class[r], self.s.level[r], width)
    }

    /// Whether phase `key` reads `n` from memory rather than computing it.
    fn is_loaded(&self, n: NodeId, key: &Key) -> bool {
        let node = self.g.node(n);
        if is_leaf(&node.op) || matches!(node.extent, Extent::Number | Extent::Row) {
            return false;
        }
        if self.s.class[n] == Class::Pack {
            return key.0 != Class::Pack;
        }
        // Behind the sweep the states that a step has read are gone, so nothing can be computed
        // again from them.
        let gone = key.0 == Class::Post && self.s.class[n] == Class::Step;
        self.s.key(self.g, n) != *key && (gone || !self.s.is_free(self.g, n))
    }

    /// Finds what phase `key` needs in order to compute `n`.
    fn visit(&mut self, n: NodeId, key: &Key) {
        if !self.seen.insert((n, key.clone())) {
            return;
        }
        let op = self.g.node(n).op.clone();
        if let Op::Reduce(..) = op {
            self.want_reduction(n, key.0);
            return;
        }
        if let Op::Product(terms) = &op {
            self.work.entry(key.clone()).or_default().products.insert(n);
            for (v, _) in terms {
                if !is_leaf(&self.g.node(*v).op) {
                    self.want_stored(*v, key.0);
                }
            }
            return;
        }
        for o in op.operands() {
            if self.is_loaded(o, key) {
                self.want_stored(o, key.0);
            } else {
                self.visit(o, key);
            }
        }
    }

    fn want_reduction(&mut self, r: NodeId, reader: Class) {
        self.temp(r, reader);
        self.reduce(r);
    }

    fn reduce(&mut self, r: NodeId) {
        let key = self.reduce_key(r);
        if self.work.entry(key.clone()).or_default().reduced.insert(r) {
            let operand = self.g.node(r).op.operands()[0];
            if self.is_loaded(operand, &key) {
                self.want_stored(operand, key.0);
            } else {
                self.visit(operand, &key);
            }
        }
    }

    fn want_stored(&mut self, n: NodeId, reader: Class) {
        let key = self.s.key(self.g, n);
        if key.0 == Class::Pack {
            let key = (Class::Pack, 0, key.2);
            if self.work.entry(key.clone()).or_default().stored.insert(n) {
                self.visit(n, &key);
            }
            return;
        }
        if !self.has_readable_sink(n, reader) {
            self.temp(n, reader);
        }
        if self.work.entry(key.clone()).or_default().stored.insert(n) {
            self.visit(n, &key);
        }
    }

    /// The result that holds `n` where class `reader` can read it.
    fn readable_sink(&self, n: NodeId, reader: Class) -> Option<&Root> {
        self.roots
            .iter()
            .filter(|r| r.node == n)
            .find(|r| match r.sink {
                Sink::Keep(_) => true,
                Sink::State(_) | Sink::StateGradient(_) => {
                    reader == Class::Step && self.s.class[n] == Class::Step
                }
                Sink::Output(_) | Sink::InputGradient(_) => false,
            })
    }

    fn has_readable_sink(&self, n: NodeId, reader: Class) -> bool {
        self.readable_sink(n, reader).is_some()
    }

    fn temp(&mut self, n: NodeId, reader: Class) {
        if matches!(self.g.node(n).op, Op::Reduce(..)) && self.has_readable_sink(n, reader) {
            return;
        }
        let every_step = self.s.class[n] != Class::Step || reader != Class::Step;
        let width = match self.g.node(n).extent {
            Extent::Vector(ref w) => w.clone(),
            _ => Size::known(1),
        };
        match self.temps.get(&n) {
            Some(&i) => self.out.temps[i].every_step |= every_step,
            None => {
                self.temps.insert(n, self.out.temps.len());
                self.out.temps.push(Temp { width, every_step });
            }
        }
    }

    /// Where a stored node lies for class `reader`.
    fn place(&self, n: NodeId, reader: Class) -> Vector {
        if let Some(root) = self.readable_sink(n, reader) {
            return Vector {
                place: Place::Sink(root.sink),
                offset: root.offset.clone(),
                exact: false,
            };
        }
        Vector {
            place: Place::Temp(self.temps.get(&n).copied().unwrap_or_default()),
            offset: Size::known(0),
            exact: false,
        }
    }

    fn phase(&mut self, key: &Key, work: &Work) -> Phase {
        let mut p = PhaseEmitter {
            key,
            done: BTreeSet::new(),
            phase: Phase {
                width: key.2.clone(),
                products: Vec::new(),
                loads: Vec::new(),
                vectors: Vec::new(),
                scalars: Vec::new(),
                stores: Vec::new(),
                reductions: Vec::new(),
                body: Vec::new(),
                only_input_gradient: false,
                only_state_gradients: false,
            },
        };
        self.products(&mut p, work);
        for &n in &work.stored {
            self.node(&mut p, n);
            if key.0 == Class::Pack {
                let index = self.packed_vector(PackedVector::Computed(n, key.2.clone()));
                p.phase.body.push(Statement::Store(index, n));
            } else if let Some(&temp) = self.temps.get(&n) {
                let to = Vector {
                    place: Place::Temp(temp),
                    offset: Size::known(0),
                    exact: false,
                };
                let index = position(&mut p.phase.stores, to);
                p.phase.body.push(Statement::Store(index, n));
            }
        }
        for &r in &work.reduced {
            let Op::Reduce(how, operand) = self.g.node(r).op else {
                continue;
            };
            self.node(&mut p, operand);
            let mut places = Vec::new();
            if self.temps.contains_key(&r) || self.has_readable_sink(r, key.0) {
                places.push(self.place(r, key.0));
            }
            // A number of a row that is an output.
            places.extend(work.roots.iter().filter_map(|&i| {
                let root = &self.roots[i];
                let output = root.node == r && matches!(root.sink, Sink::Output(_));
                output.then(|| Vector {
                    place: Place::Sink(root.sink),
                    offset: root.offset.clone(),
                    exact: root.exact,
                })
            }));
            for to in places {
                let index = position(&mut p.phase.reductions, to);
                p.phase.body.push(Statement::Reduce(how, index, operand));
            }
        }
        for &i in &work.roots {
            let root = &self.roots[i];
            if matches!(self.g.node(root.node).op, Op::Reduce(..)) {
                continue;
            }
            self.node(&mut p, root.node);
            let to = Vector {
                place: Place::Sink(root.sink),
                offset: root.offset.clone(),
                exact: root.exact,
            };
            let index = position(&mut p.phase.stores, to);
            p.phase.body.push(Statement::Store(index, root.node));
        }
        p.phase.only_input_gradient = p.phase.reductions.is_empty()
            && !p.phase.stores.is_empty()
            && p.phase
                .stores
                .iter()
                .all(|s| matches!(s.place, Place::Sink(Sink::InputGradient(_))));
        p.phase.only_state_gradients = p.phase.reductions.is_empty()
            && !p.phase.stores.is_empty()
            && p.phase
                .stores
                .iter()
                .all(|s| matches!(s.place, Place::Sink(Sink::StateGradient(_))));
        p.phase
    }

    /// Groups the products of a phase that have the same operands.
    fn products(&mut self, p: &mut PhaseEmitter<'_>, work: &Work) {
        let mut groups: BTreeMap<(Vec<NodeId>, Size), Vec<Member>> = BTreeMap::new();
        for &n in &work.products {
            if let Op::Product(terms) = &self.g.node(n).op {
                let operands = terms.iter().map(|(v, _)| *v).collect();
                let width = self.g.width(n).cloned().unwrap_or_else(|| Size::known(1));
                let parts = terms.iter().map(|(_, m)| m.clone()).collect();
                groups
                    .entry((operands, width))
                    .or_default()
                    .push((n, parts));
            }
        }
        for ((operands, width), mut members) in groups {
            members.sort_by(|a, b| a.1.cmp(&b.1));
            let calls = members.len().div_ceil(MAX_GATES);
            for gates in members.chunks(members.len().div_ceil(calls)) {
                let index = p.phase.products.len();
                let mut segments = Vec::new();
                for (term, &v) in operands.iter().enumerate() {
                    let k = self.g.width(v).cloned().unwrap_or_else(|| Size::known(1));
                    let packed = Packed {
                        gates: gates.iter().map(|(_, parts)| parts[term].clone()).collect(),
                        k: k.clone(),
                        width: width.clone(),
                    };
                    let matrix = match self.out.matrices.iter().position(|m| *m == packed) {
                        Some(i) => i,
                        None => {
                            self.out.matrices.push(packed);
                            self.out.matrices.len() - 1
                        }
                    };
                    segments.push((self.source(v, p.key.0), k, matrix));
                }
                for (gate, (n, _)) in gates.iter().enumerate() {
                    p.done.insert(*n);
                    p.phase.body.push(Statement::Gate(*n, index, gate));
                }
                p.phase.products.push(Product {
                    segments,
                    gates: gates.iter().map(|(n, _)| *n).collect(),
                });
            }
        }
    }

    /// Where a vector is read from.
    fn source(&self, n: NodeId, reader: Class) -> Vector {
        match &self.g.node(n).op {
            Op::Leaf(slot, offset) => Vector {
                place: Place::Slot(*slot),
                offset: offset.clone(),
                exact: false,
            },
            _ => self.place(n, reader),
        }
    }

    fn packed_vector(&mut self, v: PackedVector) -> usize {
        position(&mut self.out.vectors, v)
    }

    /// Emits what it takes to have `n` in this phase.
    fn node(&mut self, p: &mut PhaseEmitter<'_>, n: NodeId) {
        if !p.done.insert(n) {
            return;
        }
        let node = self.g.node(n);
        let statement = match &node.op {
            Op::Param(i, offset) => {
                let width = self.g.width(n).cloned().unwrap_or_else(|| Size::known(1));
                let v = self.packed_vector(PackedVector::Param(*i, offset.clone(), width));
                Statement::Vector(n, position(&mut p.phase.vectors, v))
            }
            Op::Leaf(..) if node.extent == Extent::Row => {
                let from = self.source(n, p.key.0);
                Statement::Scalar(n, position(&mut p.phase.scalars, from))
            }
            Op::Leaf(..) => {
                let from = self.source(n, p.key.0);
                Statement::Load(n, position(&mut p.phase.loads, from))
            }
            Op::Reduce(..) => {
                let from = self.place(n, p.key.0);
                Statement::Scalar(n, position(&mut p.phase.scalars, from))
            }
            _ if self.is_loaded(n, p.key) => {
                if self.s.class[n] == Class::Pack {
                    let width = self.g.width(n).cloned().unwrap_or_else(|| Size::known(1));
                    let v = self.packed_vector(PackedVector::Computed(n, width));
                    Statement::Vector(n, position(&mut p.phase.vectors, v))
                } else {
                    let from = self.place(n, p.key.0);
                    Statement::Load(n, position(&mut p.phase.loads, from))
                }
            }
            op => {
                for o in op.operands() {
                    self.node(p, o);
                }
                Statement::Compute(n)
            }
        };
        p.phase.body.push(statement);
    }
}

struct PhaseEmitter<'a> {
    key: &'a Key,
    done: BTreeSet<NodeId>,
    phase: Phase,
}

/// The index of `x`, added if it is not there.
fn position<T: PartialEq>(list: &mut Vec<T>, x: T) -> usize {
    match list.iter().position(|y| *y == x) {
        Some(i) => i,
        None => {
            list.push(x);
            list.len() - 1
        }
    }
}
