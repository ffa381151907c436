//! When each node is computed.

use std::collections::BTreeSet;

use super::{Destination, Root};
use crate::{
    cell::{
        graph::{Graph, LeafSource, NodeExtent, NodeId, NodeOp, Unary},
        size::Size,
    },
    diagnostics::Sound,
};

/// Which part of a program a node belongs to, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    WeightTime,
    Prologue,
    Step,
    PostLoop,
}

/// A kernel, by what tells it apart.
pub(super) type Key = (Class, usize, Size);

/// When each live node is computed.
pub(super) struct Order {
    pub live: Vec<bool>,
    pub class: Vec<Class>,
    /// The kernel within its class.
    pub level: Vec<usize>,
    /// A row scalar computed from reductions of its class. It is computed once a row, in the epilogue of
    /// the kernel that completes the last of these reductions, rather than by every vector that reads it.
    pub epilogue: Vec<bool>,
    /// How long the chain of operations is that ends with the node, in cheap operations, about.
    pub depth: Vec<usize>,
}

impl Order {
    /// The kernel of a vector node.
    pub fn key(&self, g: &Graph, n: NodeId) -> Sound<Key> {
        Ok((self.class[n], self.level[n], g.units(n)?.clone()))
    }

    /// Whether the node is a row scalar that one kernel stores and later ones read.
    pub fn is_row(&self, g: &Graph, n: NodeId) -> bool {
        is_reduce(&g.node(n).op) || self.epilogue[n]
    }

    /// Whether kernels compute the node anew instead of loading it: it is a leaf, or cheap maths on
    /// leaves. Cheap maths on one stored vector, parameters and row scalars counts as well: loading that
    /// vector costs the same as loading the node.
    pub fn is_free(&self, g: &Graph, n: NodeId) -> bool {
        self.source(g, n, 0).is_some()
    }

    /// What cheap maths computes the node from; `None` if it takes more than cheap maths.
    fn source(&self, g: &Graph, n: NodeId, depth: usize) -> Option<Source> {
        let node = g.node(n);
        if self.class[n] == Class::WeightTime || self.is_row(g, n) {
            return Some(Source::Nothing);
        }
        if is_leaf(&node.op) {
            let vector = matches!(node.op, NodeOp::Leaf(..)) && node.extent != NodeExtent::Row;
            return Some(if vector {
                Source::Leaves
            } else {
                Source::Nothing
            });
        }
        if node.extent != NodeExtent::Row && (!node.op.is_cheap() || depth >= 4) {
            return None;
        }
        let mut source = Source::Nothing;
        for o in node.op.operands() {
            let earlier = (self.class[o], self.level[o]) < (self.class[n], self.level[n]);
            let from = match self.source(g, o, depth + 1) {
                Some(from) => from,
                None if earlier => Source::Stored(o),
                None => return None,
            };
            source = match (source, from) {
                (Source::Nothing, other) | (other, Source::Nothing) => other,
                (a, b) if a == b => a,
                _ => return None,
            };
        }
        Some(source)
    }
}

/// The vectors that cheap maths reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Only parameters.
    Nothing,
    /// Vectors that come from outside.
    Leaves,
    /// One stored vector.
    Stored(NodeId),
}

pub(super) fn is_leaf(op: &NodeOp) -> bool {
    matches!(
        op,
        NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..)
    )
}

fn is_reduce(op: &NodeOp) -> bool {
    matches!(op, NodeOp::Reduce(..))
}

/// Whether a leaf is carried from step to step: a state, and in a backward graph the gradient of a
/// state, where the old states are saved values.
fn is_carried(op: &NodeOp, backward: bool) -> bool {
    match op {
        NodeOp::Leaf(LeafSource::State(_), _) => !backward,
        NodeOp::Leaf(LeafSource::NextStateGradient(_), _) => true,
        _ => false,
    }
}

/// [`Order::depth`] of each node.
fn depths(g: &Graph) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::with_capacity(g.nodes().len());
    for node in g.nodes() {
        let own = match &node.op {
            op if is_leaf(op) => 0,
            op if op.is_cheap() => 1,
            // A function, a division, or a sum over many terms.
            _ => 10,
        };
        let before = node.op.operands().into_iter().map(|o| all[o]);
        let before = before.max().unwrap_or(0);
        all.push(before + own);
    }
    all
}

pub(super) fn order(g: &Graph, roots: &[Root], hoist: bool) -> Order {
    let n = g.nodes().len();
    let backward = roots
        .iter()
        .any(|r| matches!(r.destination, Destination::StateGradient(_)));
    let mut live = vec![false; n];
    let mut feeds = vec![false; n];
    for r in roots {
        live[r.node] = true;
        feeds[r.node] |= matches!(
            r.destination,
            Destination::State(_) | Destination::StateGradient(_)
        );
    }
    for id in (0..n).rev().filter(|&id| live[id]).collect::<Vec<_>>() {
        live[id] = true;
    }
    for id in (0..n).rev() {
        if live[id] {
            for o in g.node(id).op.operands() {
                live[o] = true;
                feeds[o] |= feeds[id];
            }
        }
    }
    let reads_carried = |op: &NodeOp| {
        let mut operands = op.operands().into_iter();
        is_carried(op, backward) || operands.any(|o| is_carried(&g.node(o).op, backward))
    };
    let mut class = vec![Class::Step; n];
    let mut carried = vec![false; n];
    let mut constant = vec![false; n];
    for id in 0..n {
        let op = &g.node(id).op;
        let operands = op.operands();
        carried[id] = is_carried(op, backward) || operands.iter().any(|&o| carried[o]);
        constant[id] = match op {
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Param(..) => true,
            NodeOp::Leaf(..) | NodeOp::Product(_) | NodeOp::Reduce(..) => false,
            _ => operands.iter().all(|&o| constant[o]),
        };
        class[id] = if constant[id] && !is_leaf(op) {
            Class::WeightTime
        } else if !hoist {
            Class::Step
        } else if !carried[id] {
            Class::Prologue
        } else if feeds[id] || reads_carried(op) {
            // Maths on a carried value itself cannot wait: only the last two values are kept.
            Class::Step
        } else {
            Class::PostLoop
        };
    }
    // A product reads its operand from memory, where no packed vector lies.
    for id in (0..n).filter(|&id| live[id]) {
        if let NodeOp::Product(terms) = &g.node(id).op {
            for &(o, _) in terms {
                if class[o] == Class::WeightTime {
                    class[o] = if hoist { Class::Prologue } else { Class::Step };
                }
            }
        }
    }
    // Neither can an operand of the step.
    for id in (0..n).rev() {
        if class[id] == Class::Step {
            for o in g.node(id).op.operands() {
                if class[o] == Class::PostLoop {
                    class[o] = Class::Step;
                }
            }
        }
    }
    // Lane-by-lane maths and sums on values of the step could wait as well, but waiting would send
    // those values through memory twice, so they run in the step. Products gain from waiting.
    for id in 0..n {
        let op = &g.node(id).op;
        let here = |o: &NodeId| class[*o] != Class::PostLoop;
        if class[id] == Class::PostLoop
            && !matches!(op, NodeOp::Product(_))
            && op.operands().iter().all(here)
        {
            class[id] = Class::Step;
        }
    }
    if backward {
        sums_to_step(g, roots, &live, &mut class);
    }
    let mut epilogue = vec![false; n];
    for id in 0..n {
        let node = g.node(id);
        epilogue[id] = live[id]
            && class[id] != Class::WeightTime
            && node.extent == NodeExtent::Row
            && !is_reduce(&node.op)
            // It computes nothing.
            && !matches!(node.op, NodeOp::Unary(Unary::Detach, _))
            && node
                .op
                .operands()
                .iter()
                .any(|&o| class[o] == class[id] && (epilogue[o] || is_reduce(&g.node(o).op)));
    }
    let mut s = Order {
        live,
        class,
        level: vec![0; n],
        epilogue,
        depth: depths(g),
    };
    for c in [Class::Prologue, Class::Step, Class::PostLoop] {
        levels(g, roots, &mut s, c);
    }
    s
}

/// Moves sums of forward values that only the step reads into the step, which loads those values
/// anyway; also maths that only these sums read.
fn sums_to_step(g: &Graph, roots: &[Root], live: &[bool], class: &mut [Class]) {
    let n = class.len();
    let mut moved = vec![false; n];
    // Whether only steps use each node, and whether only moved nodes do.
    let (mut steps, mut only_moved) = (vec![true; n], vec![true; n]);
    for root in roots {
        (steps[root.node], only_moved[root.node]) = (false, false);
    }
    for id in (0..n).rev().filter(|&id| live[id]) {
        let node = g.node(id);
        let row = is_reduce(&node.op) || node.extent == NodeExtent::Row;
        let free = !matches!(node.op, NodeOp::Product(_)) && !is_leaf(&node.op);
        if class[id] == Class::Prologue && free && (only_moved[id] || (row && steps[id])) {
            class[id] = Class::Step;
            moved[id] = true;
        }
        for o in node.op.operands() {
            steps[o] &= class[id] == Class::Step;
            only_moved[o] &= moved[id];
        }
    }
}

/// Whether `n` is computed in class `c` (leaves are computed nowhere).
fn inside(g: &Graph, s: &Order, n: NodeId, c: Class) -> bool {
    s.live[n] && s.class[n] == c && !is_leaf(&g.node(n).op)
}

/// Whether `user` has to wait until `o` is complete for all units.
fn waits(g: &Graph, s: &Order, user: NodeId, o: NodeId) -> bool {
    matches!(g.node(user).op, NodeOp::Product(_)) || (s.is_row(g, o) && !s.epilogue[user])
}

/// The first level at which `user` can run as far as `o` is concerned.
fn after(g: &Graph, s: &Order, user: NodeId, o: NodeId, c: Class, level: &[usize]) -> usize {
    if !inside(g, s, o, c) {
        0
    } else {
        level[o] + usize::from(waits(g, s, user, o))
    }
}

/// Assigns the kernels within a class. Products run as late as possible, so that their results need
/// not be stored until a late kernel reads them. The maths after a product runs in its kernel.
fn levels(g: &Graph, roots: &[Root], s: &mut Order, c: Class) {
    let n = g.nodes().len();
    let nodes: Vec<NodeId> = (0..n).filter(|&id| inside(g, s, id, c)).collect();
    let mut early = vec![0usize; n];
    for &id in &nodes {
        let op = &g.node(id).op;
        early[id] = op
            .operands()
            .iter()
            .map(|&o| after(g, s, id, o, c, &early))
            .max()
            .unwrap_or(0);
    }
    let last = nodes.iter().map(|&id| early[id]).max().unwrap_or(0);
    let mut latest = vec![last; n];
    for &id in nodes.iter().rev() {
        let op = &g.node(id).op;
        for o in op.operands() {
            if inside(g, s, o, c) {
                let gap = usize::from(waits(g, s, id, o));
                latest[o] = latest[o].min(latest[id].saturating_sub(gap));
            }
        }
    }
    for &id in &nodes {
        let op = &g.node(id).op;
        s.level[id] = match op {
            NodeOp::Product(_) => latest[id],
            _ => {
                let level = &s.level;
                op.operands()
                    .iter()
                    .map(|&o| after(g, s, id, o, c, level))
                    .max()
                    .unwrap_or(0)
            }
        };
    }
    // Maths on leaves alone, and sums of such maths, move to the kernel that uses them.
    let mut leaves = vec![false; n];
    for id in 0..n {
        let op = &g.node(id).op;
        let lanes = !matches!(op, NodeOp::Product(_)) && !s.is_row(g, id);
        let mut operands = op.operands().into_iter();
        leaves[id] = !inside(g, s, id, c) || (lanes && operands.all(|o| leaves[o]));
    }
    let kept: BTreeSet<NodeId> = roots.iter().map(|r| r.node).collect();
    for &id in nodes.iter().rev() {
        let op = &g.node(id).op;
        let grounded = op
            .operands()
            .iter()
            .any(|&o| !leaves[o] && !s.is_free(g, o));
        let stays = match op {
            NodeOp::Product(_) => true,
            NodeOp::Reduce(_, a) => !leaves[*a],
            _ => s.epilogue[id],
        };
        if kept.contains(&id) || grounded || stays {
            continue;
        }
        let mut users = Vec::new();
        for &u in &nodes {
            if g.node(u).op.operands().contains(&id) {
                let gap = usize::from(waits(g, s, u, id));
                users.push(s.level[u].saturating_sub(gap));
            }
        }
        let outside =
            (0..n).any(|u| s.live[u] && s.class[u] != c && g.node(u).op.operands().contains(&id));
        if let (Some(&first), false) = (users.iter().min(), outside) {
            s.level[id] = s.level[id].max(first);
        }
    }
}
