//! Reverse-mode differentiation of a cell's step, on its graph.
//!
//! The result is another graph. It reads the gradients of the outputs and of the states after the
//! step, and computes the gradients of the states before the step, of the inputs and of the
//! parameters. Where it needs a value of the forward graph, it loads the value, computes it again
//! where that is cheap, or has the forward pass save it ([`Backward::saved`]).

mod derivatives;
mod saved;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    build::Cell,
    graph::{Binary::*, Graph, LeafSource, MatrixPart, NodeExtent, NodeId, NodeOp, Reduce},
    size::Size,
};
use crate::diagnostics::{Bug, Sound};

/// A part of a vector: its first unit, its size, its value in the backward graph.
#[derive(Clone, Debug)]
pub struct Part {
    /// First unit.
    pub offset: Size,
    /// Units.
    pub width: Size,
    /// The node.
    pub node: NodeId,
}

/// `operandᵀ · delta`, summed over rows and steps, is the gradient of a part of a matrix.
#[derive(Clone, Debug)]
pub struct MatrixPartGradient {
    /// Where the part is (never transposed).
    pub part: MatrixPart,
    /// The operand: a leaf slot and offset of the forward graph.
    pub operand: (LeafSource, Size),
    /// Units of the operand: rows of the part.
    pub k: Size,
    /// Columns of the part.
    pub width: Size,
    /// The gradient of the product, in the backward graph.
    pub delta: NodeId,
}

/// `delta`, summed over rows and steps, is the gradient of a part of a vector parameter.
#[derive(Clone, Debug)]
pub struct VectorPartGradient {
    /// Index of the parameter.
    pub param: usize,
    /// First float.
    pub offset: Size,
    /// Floats.
    pub width: Size,
    /// The node, in the backward graph.
    pub delta: NodeId,
}

/// The backward form of a cell.
#[derive(Clone, Debug)]
pub struct Backward {
    /// What it computes.
    pub graph: Graph,
    /// Forward nodes that the forward pass saves for all steps.
    pub saved: Vec<NodeId>,
    /// Gradient of each state before the step.
    pub states: Vec<Vec<Part>>,
    /// Gradient of each input.
    pub inputs: Vec<Vec<Part>>,
    /// Gradients of matrices.
    pub matrices: Vec<MatrixPartGradient>,
    /// Gradients of vectors.
    pub vectors: Vec<VectorPartGradient>,
}

/// Why a cell has no gradient.
#[derive(Debug)]
pub enum NoGradient {
    /// Parts of a vector overlap, and their sizes are `const`s, so they cannot be taken apart.
    Overlap,
    /// A mistake of the compiler.
    Bug(Bug),
}

impl From<Bug> for NoGradient {
    fn from(bug: Bug) -> Self {
        NoGradient::Bug(bug)
    }
}

type Derived<T> = Result<T, NoGradient>;

struct Differentiator<'a> {
    cell: &'a Cell,
    out: Graph,
    /// Gradient of each forward node.
    adjoint: BTreeMap<NodeId, NodeId>,
    /// Forward nodes that become a state after the step: the state and the offset in it.
    next: BTreeMap<NodeId, (usize, Size)>,
    /// Forward nodes that are kept flushed: the backward pass reads what is kept.
    flushed: BTreeMap<NodeId, NodeId>,
}

impl Cell {
    /// Differentiates an optimised cell.
    ///
    /// # Errors
    /// If parts of a state or of the input overlap and their sizes are not numbers.
    pub fn backward(&self) -> Result<Backward, NoGradient> {
        let mut next = BTreeMap::new();
        for (state, parts) in self.next.iter().enumerate() {
            let mut offset = Size::known(0);
            for &p in parts {
                next.entry(p).or_insert((state, offset.clone()));
                if let Some(w) = self.graph.width(p) {
                    offset = &offset + w;
                }
            }
        }
        Differentiator {
            cell: self,
            out: Graph::default(),
            adjoint: BTreeMap::new(),
            next,
            flushed: self.flushed(),
        }
        .run()
    }
}

impl Differentiator<'_> {
    fn run(mut self) -> Derived<Backward> {
        self.seed()?;
        let g = &self.cell.graph;
        let roots: Vec<NodeId> = self
            .cell
            .next
            .iter()
            .flatten()
            .chain(self.cell.out.iter().flatten())
            .copied()
            .collect();
        let (order, _) = g.live(&roots);
        let mut matrices = Vec::new();
        let mut vectors = Vec::new();
        let mut states: Vec<Vec<Part>> = vec![Vec::new(); self.cell.states.len()];
        let mut inputs: Vec<Vec<Part>> = vec![Vec::new(); self.cell.inputs.len()];
        for &id in order.iter().rev() {
            let Some(&d) = self.adjoint.get(&id) else {
                continue;
            };
            let node = g.node(id);
            let d = self.broadcast(d, &node.extent);
            match &node.op {
                NodeOp::Leaf(slot, offset) => {
                    // One unit of a vector, read as a row scalar.
                    let d = match (&node.extent, &self.out.node(d).extent) {
                        (NodeExtent::Row, NodeExtent::Row) => self.out.broadcast(d, Size::known(1)),
                        _ => d,
                    };
                    let part = Part {
                        offset: offset.clone(),
                        width: g.floats(id),
                        node: d,
                    };
                    match slot {
                        LeafSource::State(i) => states[*i].push(part),
                        LeafSource::Input(i) => inputs[*i].push(part),
                        // A drawn mask needs no gradient.
                        LeafSource::DropoutMask(_) => {}
                        LeafSource::NextState(_)
                        | LeafSource::Forward(_)
                        | LeafSource::OutputGradient(_)
                        | LeafSource::NextStateGradient(_) => {
                            return Err(Bug::new(format!("{slot:?} in a step")).into());
                        }
                    }
                }
                NodeOp::Param(p, offset) => {
                    if self.cell.params[*p].trainable && self.out.number_of(d) != Some(0.0) {
                        vectors.push(VectorPartGradient {
                            param: *p,
                            offset: offset.clone(),
                            width: g.units(id)?.clone(),
                            delta: d,
                        });
                    }
                }
                // A gradient of zero needs no product.
                NodeOp::Product(_) if self.out.number_of(d) == Some(0.0) => {}
                NodeOp::Product(terms) => {
                    for (v, m) in terms {
                        let width = g.units(id)?.clone();
                        let k = g.units(*v)?.clone();
                        if self.cell.params[m.param].trainable && self.out.number_of(d) != Some(0.0)
                        {
                            let operand = match &g.node(*v).op {
                                NodeOp::Leaf(slot, offset) => (*slot, offset.clone()),
                                _ => match self.next.get(v) {
                                    Some((state, offset)) => {
                                        (LeafSource::NextState(*state), offset.clone())
                                    }
                                    None => (LeafSource::Forward(*v), Size::known(0)),
                                },
                            };
                            matrices.push(MatrixPartGradient {
                                part: m.clone(),
                                operand,
                                k: k.clone(),
                                width,
                                delta: d,
                            });
                        }
                        let back = MatrixPart {
                            transposed: true,
                            ..m.clone()
                        };
                        let term = self.out.product(vec![(d, back)], k);
                        self.add(*v, term)?;
                    }
                }
                op => self.pointwise(id, op, d)?,
            }
        }
        let states = states
            .into_iter()
            .zip(&self.cell.states)
            .map(|(parts, state)| self.join(parts, &state.size))
            .collect::<Derived<_>>()?;
        let inputs = inputs
            .into_iter()
            .zip(&self.cell.inputs)
            .map(|(parts, input)| self.join(parts, &input.width))
            .collect::<Derived<_>>()?;
        Ok(self.finish(states, inputs, matrices, vectors))
    }

    fn seed(&mut self) -> Sound<()> {
        for (state, parts) in self.cell.next.iter().enumerate() {
            self.seed_parts(parts, LeafSource::NextStateGradient(state))?;
        }
        for (output, parts) in self.cell.out.iter().enumerate() {
            self.seed_parts(parts, LeafSource::OutputGradient(output))?;
        }
        Ok(())
    }

    fn seed_parts(&mut self, parts: &[NodeId], slot: LeafSource) -> Sound<()> {
        let mut offset = Size::known(0);
        for &p in parts {
            let extent = self.cell.graph.node(p).extent.clone();
            let width = match &extent {
                NodeExtent::Vector(w) => w.clone(),
                // A row scalar has the width 1.
                NodeExtent::Row => Size::known(1),
                NodeExtent::Number => continue,
            };
            let d = self
                .out
                .add_node(NodeOp::Leaf(slot, offset.clone()), extent);
            offset = &offset + &width;
            self.add(p, d)?;
        }
        Ok(())
    }

    /// Adds `d`, reduced to the extent of `to`, to the gradient of the forward node `to`. Products are
    /// joined, so that one pass over the operands gives their sum.
    fn add(&mut self, to: NodeId, d: NodeId) -> Sound<()> {
        let node = self.cell.graph.node(to);
        if matches!(node.op, NodeOp::Number(_) | NodeOp::SizeOf(_))
            || node.extent == NodeExtent::Number
        {
            return Ok(());
        }
        let d = match (&node.extent, &self.out.node(d).extent) {
            (NodeExtent::Row, NodeExtent::Vector(_)) => self.out.reduce(Reduce::Sum, d),
            _ => d,
        };
        let sum = match self.adjoint.get(&to) {
            None => d,
            Some(&old) => self.join_products(old, d)?,
        };
        self.adjoint.insert(to, sum);
        Ok(())
    }

    /// Broadcasts a gradient that is one number for all units of a vector, since products and sums over
    /// rows read every unit.
    fn broadcast(&mut self, d: NodeId, extent: &NodeExtent) -> NodeId {
        let zero = self.out.number_of(d) == Some(0.0);
        match (extent, &self.out.node(d).extent) {
            (NodeExtent::Vector(w), NodeExtent::Number | NodeExtent::Row) if !zero => {
                self.out.broadcast(d, w.clone())
            }
            _ => d,
        }
    }

    fn join_products(&mut self, a: NodeId, b: NodeId) -> Sound<NodeId> {
        let (rest, first) = match &self.out.node(a).op {
            NodeOp::Product(_) => (None, a),
            NodeOp::Binary(Add, rest, p) if matches!(self.out.node(*p).op, NodeOp::Product(_)) => {
                (Some(*rest), *p)
            }
            _ => (None, a),
        };
        Ok(
            match (
                &self.out.node(first).op.clone(),
                &self.out.node(b).op.clone(),
            ) {
                (NodeOp::Product(x), NodeOp::Product(y)) => {
                    let width = self.out.units(b)?.clone();
                    let terms = x.iter().chain(y).cloned().collect();
                    let p = self.out.product(terms, width);
                    match rest {
                        None => p,
                        Some(rest) => self.out.binary(Add, rest, p),
                    }
                }
                (NodeOp::Product(_), _) if rest.is_none() => self.out.binary(Add, b, a),
                _ => self.out.binary(Add, a, b),
            },
        )
    }

    /// The leaf of the backward graph that stands for a forward value.
    fn value(&mut self, id: NodeId) -> NodeId {
        let id = self.flushed.get(&id).copied().unwrap_or(id);
        let node = self.cell.graph.node(id).clone();
        match &node.op {
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..) => {
                self.out.add_node(node.op, node.extent)
            }
            _ => self.out.add_node(
                NodeOp::Leaf(LeafSource::Forward(id), Size::known(0)),
                node.extent,
            ),
        }
    }

    /// Sums contributions to parts of one vector of `whole` units. Overlapping parts are cut. Units that
    /// nothing depends on get the gradient zero, since the gradient of the whole vector is read.
    fn join(&mut self, parts: Vec<Part>, whole: &Size) -> Derived<Vec<Part>> {
        let same = |a: &Part, b: &Part| a.offset == b.offset && a.width == b.width;
        let mut distinct: Vec<Part> = Vec::new();
        for p in parts {
            match distinct.iter_mut().find(|q| same(q, &p)) {
                Some(q) => q.node = self.out.binary(Add, q.node, p.node),
                None => distinct.push(p),
            }
        }
        let zero = |g: &mut Graph, offset: Size, width: Size| Part {
            offset,
            width,
            node: g.number(0.0),
        };
        match distinct.as_slice() {
            [] => return Ok(vec![zero(&mut self.out, Size::known(0), whole.clone())]),
            [one] if one.width == *whole => return Ok(distinct),
            _ => {}
        }
        if let Some(tiles) = tiles(&distinct, whole) {
            return Ok(tiles);
        }
        let mut cuts = BTreeSet::from([0, whole.value().ok_or(NoGradient::Overlap)?]);
        for p in &distinct {
            let (o, w) = (
                p.offset.value().ok_or(NoGradient::Overlap)?,
                p.width.value().ok_or(NoGradient::Overlap)?,
            );
            cuts.extend([o, o + w]);
        }
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let mut out = Vec::new();
        for c in cuts.windows(2) {
            let mut sum = None;
            for p in &distinct {
                let (o, w) = (
                    p.offset.value().ok_or(NoGradient::Overlap)?,
                    p.width.value().ok_or(NoGradient::Overlap)?,
                );
                if o <= c[0] && c[1] <= o + w {
                    let (from, width) = (Size::known(c[0] - o), Size::known(c[1] - c[0]));
                    let cut = self.out.slice(p.node, &from, &width);
                    sum = Some(match sum {
                        None => cut,
                        Some(s) => self.out.binary(Add, s, cut),
                    });
                }
            }
            let (offset, width) = (Size::known(c[0]), Size::known(c[1] - c[0]));
            out.push(match sum {
                Some(node) => Part {
                    offset,
                    width,
                    node,
                },
                None => zero(&mut self.out, offset, width),
            });
        }
        Ok(out)
    }
}

/// The parts in order, if they cover `whole` without gaps and overlaps.
fn tiles(parts: &[Part], whole: &Size) -> Option<Vec<Part>> {
    let mut end = Size::known(0);
    let mut tiles = Vec::new();
    while end != *whole && tiles.len() < parts.len() {
        let next = parts.iter().find(|p| p.offset == end)?;
        end = &end + &next.width;
        tiles.push(next.clone());
    }
    (end == *whole && tiles.len() == parts.len()).then_some(tiles)
}
