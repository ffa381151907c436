//! When each node is computed.

use std::collections::BTreeSet;

use super::{Root, Sink};
use crate::cell::{
    graph::{Extent, Graph, NodeId, Op, Slot, Unary},
    size::Size,
};

/// Which part of a program a node belongs to, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Pack,
    Pre,
    Step,
    Post,
}

/// A phase, by what tells it apart.
pub(super) type Key = (Class, usize, Size);

/// When each live node is computed.
pub(super) struct Schedule {
    pub live: Vec<bool>,
    pub class: Vec<Class>,
    /// The phase within its class.
    pub level: Vec<usize>,
    /// A number of a row that is computed from reductions of its class. It is computed once a row,
    /// behind the phase that completes the last of them, not for every vector that reads it.
    pub behind: Vec<bool>,
}

impl Schedule {
    /// The phase of a vector node.
    pub fn key(&self, g: &Graph, n: NodeId) -> Key {
        let width = g.width(n).cloned().unwrap_or_else(|| Size::known(0));
        (self.class[n], self.level[n], width)
    }

    /// Whether the node is one number a row that a phase leaves for those behind it.
    pub fn is_row(&self, g: &Graph, n: NodeId) -> bool {
        is_reduce(&g.node(n).op) || self.behind[n]
    }

    /// Whether every phase can have the node without its being stored: it is a leaf, or cheap
    /// maths on such and on numbers of a row. One more vector may be in it, if the phase that would
    /// store the node reads that vector too: reading it again costs what reading the node would.
    pub fn is_free(&self, g: &Graph, n: NodeId) -> bool {
        self.source(g, n, 0).is_some()
    }

    /// The stored vector that cheap maths makes the node from, if it needs one; `None` if there is
    /// more to it.
    fn source(&self, g: &Graph, n: NodeId, depth: usize) -> Option<Option<NodeId>> {
        let node = g.node(n);
        if self.class[n] == Class::Pack || is_leaf(&node.op) || self.is_row(g, n) {
            return Some(None);
        }
        if node.extent != Extent::Row && (!node.op.is_cheap() || depth >= 4) {
            return None;
        }
        let mut source = None;
        for o in node.op.operands() {
            let earlier = (self.class[o], self.level[o]) < (self.class[n], self.level[n]);
            let from = match self.source(g, o, depth + 1) {
                Some(from) => from,
                None if earlier => Some(o),
                None => return None,
            };
            match (source, from) {
                (None, from) => source = from,
                (Some(a), Some(b)) if a != b => return None,
                _ => {}
            }
        }
        Some(source)
    }
}

pub(super) fn is_leaf(op: &Op) -> bool {
    matches!(
        op,
        Op::Number(_) | Op::SizeOf(_) | Op::Leaf(..) | Op::Param(..)
    )
}

fn is_reduce(op: &Op) -> bool {
    matches!(op, Op::Reduce(..))
}

/// In a backward graph the old states are saved values; what is carried are gradients.
fn is_carried(op: &Op, backward: bool) -> bool {
    match op {
        Op::Leaf(Slot::State(_), _) => !backward,
        Op::Leaf(Slot::NextStateGradient(_), _) => true,
        _ => false,
    }
}

pub(super) fn schedule(g: &Graph, roots: &[Root], hoist: bool) -> Schedule {
    let n = g.nodes().len();
    let backward = roots
        .iter()
        .any(|r| matches!(r.sink, Sink::StateGradient(_)));
    let mut live = vec![false; n];
    let mut feeds = vec![false; n];
    for r in roots {
        live[r.node] = true;
        feeds[r.node] |= matches!(r.sink, Sink::State(_) | Sink::StateGradient(_));
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
    let reads_carried = |op: &Op| {
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
            Op::Number(_) | Op::SizeOf(_) | Op::Param(..) => true,
            Op::Leaf(..) | Op::Product(_) | Op::Reduce(..) => false,
            _ => operands.iter().all(|&o| constant[o]),
        };
        class[id] = if constant[id] && !is_leaf(op) {
            Class::Pack
        } else if !hoist {
            Class::Step
        } else if !carried[id] {
            Class::Pre
        } else if feeds[id] || reads_carried(op) {
            // What reads a carried value itself cannot wait: only the last two are kept.
            Class::Step
        } else {
            Class::Post
        };
    }
    // What is summed over the steps is made where its parts are at hand, not from parts that are
    // kept for it.
    for root in roots {
        if let Sink::Total(n) = root.sink {
            to_step(g, &mut class, n);
        }
    }
    // Nor can what it needs.
    for id in (0..n).rev() {
        if class[id] == Class::Step {
            for o in g.node(id).op.operands() {
                if class[o] == Class::Post {
                    class[o] = Class::Step;
                }
            }
        }
    }
    let mut behind = vec![false; n];
    for id in 0..n {
        let node = g.node(id);
        behind[id] = live[id]
            && class[id] != Class::Pack
            && node.extent == Extent::Row
            && !is_reduce(&node.op)
            // Nothing to compute.
            && !matches!(node.op, Op::Unary(Unary::Detach, _))
            && node
                .op
                .operands()
                .iter()
                .any(|&o| class[o] == class[id] && (behind[o] || is_reduce(&g.node(o).op)));
    }
    let mut s = Schedule {
        live,
        class,
        level: vec![0; n],
        behind,
    };
    for c in [Class::Pre, Class::Step, Class::Post] {
        levels(g, roots, &mut s, c);
    }
    s
}

/// Has lane-by-lane maths on what the steps compute run in them, too. Returns whether `n` does now.
fn to_step(g: &Graph, class: &mut [Class], n: NodeId) -> bool {
    let op = &g.node(n).op;
    if class[n] != Class::Post {
        return true;
    }
    let lanes = !matches!(op, Op::Product(_) | Op::Reduce(..));
    let here = lanes && op.operands().iter().all(|&o| to_step(g, class, o));
    if here {
        class[n] = Class::Step;
    }
    here
}

/// Whether `n` is computed in class `c` (leaves are computed nowhere).
fn inside(g: &Graph, s: &Schedule, n: NodeId, c: Class) -> bool {
    s.live[n] && s.class[n] == c && !is_leaf(&g.node(n).op)
}

/// Whether `user` has to wait until `o` is complete for all units.
fn waits(g: &Graph, s: &Schedule, user: NodeId, o: NodeId) -> bool {
    matches!(g.node(user).op, Op::Product(_)) || (s.is_row(g, o) && !s.behind[user])
}

/// The first level at which an operand lets its user run.
fn after(g: &Graph, s: &Schedule, user: NodeId, o: NodeId, c: Class, level: &[usize]) -> usize {
    if !inside(g, s, o, c) {
        0
    } else {
        level[o] + usize::from(waits(g, s, user, o))
    }
}

/// Products run as late as possible, so that what only a late phase needs does not have to be
/// stored; the maths behind a product runs with it.
fn levels(g: &Graph, roots: &[Root], s: &mut Schedule, c: Class) {
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
            Op::Product(_) => latest[id],
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
    // Maths on leaves alone moves to where it is used.
    let kept: BTreeSet<NodeId> = roots.iter().map(|r| r.node).collect();
    for &id in nodes.iter().rev() {
        let op = &g.node(id).op;
        let grounded = op
            .operands()
            .iter()
            .any(|&o| inside(g, s, o, c) && !s.is_free(g, o));
        if kept.contains(&id) || grounded || matches!(op, Op::Product(_)) || s.is_row(g, id) {
            continue;
        }
        let mut users = Vec::new();
        for &u in &nodes {
            let user = &g.node(u).op;
            if user.operands().contains(&id) {
                users.push(s.level[u].saturating_sub(usize::from(matches!(user, Op::Product(_)))));
            }
        }
        let outside =
            (0..n).any(|u| s.live[u] && s.class[u] != c && g.node(u).op.operands().contains(&id));
        if let (Some(&first), false) = (users.iter().min(), outside) {
            s.level[id] = s.level[id].max(first);
        }
    }
}
