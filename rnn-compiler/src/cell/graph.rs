//! A cell as a graph of vector operations. Every form that reaches a kernel (forward, backward,
//! stream, batch) is made from it.

mod live;
mod slice;

use std::collections::BTreeMap;

use super::size::Size;
use crate::diagnostics::{Bug, Sound};

/// Index of a node; operands come before the nodes that use them.
pub type NodeId = usize;

/// A vector function of one argument, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Exp,
    Expm1,
    Log,
    Log1p,
    Tanh,
    Sigmoid,
    Erf,
    Sin,
    Cos,
    Sqrt,
    Rsqrt,
    Abs,
    Sign,
    Softplus,
    /// The value itself, with no gradient.
    Detach,
    /// A number or a row scalar in every unit of a vector.
    Broadcast,
    /// The value, or 0 where it is nearer to 0 than [`Unary::FLUSHED`]. Its gradient is that of the value itself.
    Flush,
}

impl Unary {
    /// 2⁻⁶³. The product of two numbers from here on is a normal `f32`, so no chain of a state's values reaches the numbers below
    /// 2⁻¹²⁶, on which processors compute many times slower.
    pub const FLUSHED: f64 = 1.0 / (1_u64 << 63) as f64;
}

/// A vector function of two arguments, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Pow,
}

/// A comparison, for `select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Compare {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
}

/// A reduction over the units of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Reduce {
    Sum,
    Max,
}

/// Where a vector that the graph does not compute comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeafSource {
    /// An input of the cell at this step, by its index.
    Input(usize),
    /// A state before the step.
    State(usize),
    /// A state after the step (in a backward graph).
    NextState(usize),
    /// A value of the forward graph, by its node there (in a backward graph).
    Forward(NodeId),
    /// Gradient of the loss with respect to an output of this step.
    OutputGradient(usize),
    /// Gradient with respect to a state after the step.
    NextStateGradient(usize),
    /// A mask that is drawn once a batch and is the same at all steps: 0, or `1 / (1 - rate)`.
    DropoutMask(usize),
}

/// A part of a matrix parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatrixPart {
    /// Index of the parameter.
    pub param: usize,
    /// Columns of the whole parameter.
    pub columns: Size,
    /// First row.
    pub row: Size,
    /// First column.
    pub column: Size,
    /// Use the part's transpose.
    pub transposed: bool,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeOp {
    /// A number, as bits of an `f64` so that nodes can be compared.
    Number(u64),
    /// A size as a number.
    SizeOf(Size),
    /// A vector from outside, starting at an offset.
    Leaf(LeafSource, Size),
    /// A vector parameter: index and first float.
    Param(usize, Size),
    /// A function of one argument.
    Unary(Unary, NodeId),
    /// A function of two arguments.
    Binary(Binary, NodeId, NodeId),
    /// `a * b + c`, rounded once.
    MulAdd(NodeId, NodeId, NodeId),
    /// `c - a * b`, rounded once.
    NegMulAdd(NodeId, NodeId, NodeId),
    /// `if compare(a, b) { x } else { y }`
    Select(Compare, NodeId, NodeId, NodeId, NodeId),
    /// The sum of vector–matrix products.
    Product(Vec<(NodeId, MatrixPart)>),
    /// A reduction over the units: one number a row.
    Reduce(Reduce, NodeId),
}

/// The extent of a node's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeExtent {
    /// The same number for all rows and units.
    Number,
    /// One number a row.
    Row,
    /// A vector of this many units a row.
    Vector(Size),
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: NodeOp,
    /// Extent of its value.
    pub extent: NodeExtent,
}

/// Nodes, equal ones shared.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: BTreeMap<(NodeOp, NodeExtent), NodeId>,
}

impl NodeOp {
    /// The nodes that it reads.
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..) => vec![],
            NodeOp::Unary(_, a) | NodeOp::Reduce(_, a) => vec![*a],
            NodeOp::Binary(_, a, b) => vec![*a, *b],
            NodeOp::MulAdd(a, b, c) | NodeOp::NegMulAdd(a, b, c) => vec![*a, *b, *c],
            NodeOp::Select(_, a, b, x, y) => vec![*a, *b, *x, *y],
            NodeOp::Product(terms) => terms.iter().map(|(v, _)| *v).collect(),
        }
    }

    /// The same operation with its operands replaced by `f`.
    pub fn map(&self, mut f: impl FnMut(NodeId) -> NodeId) -> NodeOp {
        match self {
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..) => {
                self.clone()
            }
            NodeOp::Unary(u, a) => NodeOp::Unary(*u, f(*a)),
            NodeOp::Reduce(r, a) => NodeOp::Reduce(*r, f(*a)),
            NodeOp::Binary(o, a, b) => NodeOp::Binary(*o, f(*a), f(*b)),
            NodeOp::MulAdd(a, b, c) => NodeOp::MulAdd(f(*a), f(*b), f(*c)),
            NodeOp::NegMulAdd(a, b, c) => NodeOp::NegMulAdd(f(*a), f(*b), f(*c)),
            NodeOp::Select(o, a, b, x, y) => NodeOp::Select(*o, f(*a), f(*b), f(*x), f(*y)),
            NodeOp::Product(terms) => {
                NodeOp::Product(terms.iter().map(|(v, m)| (f(*v), m.clone())).collect())
            }
        }
    }

    /// Whether it takes a few instructions at most, so that computing it twice costs less than storing it.
    pub fn is_cheap(&self) -> bool {
        match self {
            NodeOp::Unary(u, _) => matches!(
                u,
                Unary::Neg
                    | Unary::Abs
                    | Unary::Sign
                    | Unary::Detach
                    | Unary::Broadcast
                    | Unary::Flush
            ),
            NodeOp::Binary(b, ..) => !matches!(b, Binary::Pow | Binary::Div),
            NodeOp::MulAdd(..) | NodeOp::NegMulAdd(..) | NodeOp::Select(..) => true,
            NodeOp::Number(_) | NodeOp::SizeOf(_) | NodeOp::Leaf(..) | NodeOp::Param(..) => true,
            NodeOp::Product(_) | NodeOp::Reduce(..) => false,
        }
    }
}

impl Graph {
    /// All nodes, operands first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The number that a node is, if it is one.
    pub fn number_of(&self, id: NodeId) -> Option<f64> {
        match self.nodes[id].op {
            NodeOp::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The width of a vector; numbers and rows have none.
    pub fn width(&self, id: NodeId) -> Option<&Size> {
        match &self.nodes[id].extent {
            NodeExtent::Vector(w) => Some(w),
            _ => None,
        }
    }

    /// The units of a vector.
    ///
    /// # Errors
    /// If the node is a number or a row scalar.
    pub fn units(&self, id: NodeId) -> Sound<&Size> {
        self.width(id).ok_or_else(|| {
            let node = &self.nodes[id];
            Bug::new(format!("{:?} is {:?}, not a vector", node.op, node.extent))
        })
    }

    /// The floats of a row that a value takes in memory: its units, or 1 if it is a number.
    pub fn floats(&self, id: NodeId) -> Size {
        match &self.nodes[id].extent {
            NodeExtent::Vector(w) => w.clone(),
            NodeExtent::Number | NodeExtent::Row => Size::known(1),
        }
    }

    /// Adds a node without simplification, or finds an equal one.
    pub fn add_node(&mut self, op: NodeOp, extent: NodeExtent) -> NodeId {
        let key = (op, extent);
        if let Some(&id) = self.known.get(&key) {
            return id;
        }
        let id = self.nodes.len();
        self.nodes.push(Node {
            op: key.0.clone(),
            extent: key.1.clone(),
        });
        self.known.insert(key, id);
        id
    }

    /// A number.
    pub fn number(&mut self, x: f64) -> NodeId {
        self.add_node(NodeOp::Number(x.to_bits()), NodeExtent::Number)
    }

    /// A size as a number.
    pub fn size_of(&mut self, size: &Size) -> NodeId {
        match size.value() {
            Some(n) => self.number(n as f64),
            None => self.add_node(NodeOp::SizeOf(size.clone()), NodeExtent::Number),
        }
    }

    /// A vector from outside.
    pub fn leaf(&mut self, slot: LeafSource, offset: Size, width: Size) -> NodeId {
        self.add_node(NodeOp::Leaf(slot, offset), NodeExtent::Vector(width))
    }

    /// A vector parameter.
    pub fn param(&mut self, index: usize, offset: Size, width: Size) -> NodeId {
        self.add_node(NodeOp::Param(index, offset), NodeExtent::Vector(width))
    }

    /// The extent of a lane-by-lane operation: that of the widest operand.
    fn join(&self, ids: &[NodeId]) -> NodeExtent {
        ids.iter()
            .map(|&id| self.nodes[id].extent.clone())
            .max()
            .unwrap_or(NodeExtent::Number)
    }

    /// A function of one argument, simplified.
    pub fn unary(&mut self, u: Unary, a: NodeId) -> NodeId {
        if let (Unary::Neg, NodeOp::Unary(Unary::Neg, b)) = (u, &self.nodes[a].op) {
            return *b;
        }
        if let Some(x) = self.number_of(a)
            && let Some(y) = fold_unary(u, x)
        {
            return self.number(y);
        }
        let extent = self.join(&[a]);
        self.add_node(NodeOp::Unary(u, a), extent)
    }

    /// A number, or a row scalar, in each of `width` units.
    pub fn broadcast(&mut self, a: NodeId, width: Size) -> NodeId {
        self.add_node(
            NodeOp::Unary(Unary::Broadcast, a),
            NodeExtent::Vector(width),
        )
    }

    /// A function of two arguments, simplified where that changes no bit.
    pub fn binary(&mut self, b: Binary, x: NodeId, y: NodeId) -> NodeId {
        use Binary::*;
        let (nx, ny) = (self.number_of(x), self.number_of(y));
        match (b, nx, ny) {
            (Add, Some(a), Some(b)) => return self.number(a + b),
            (Sub, Some(a), Some(b)) => return self.number(a - b),
            (Mul, Some(a), Some(b)) => return self.number(a * b),
            (Div, Some(a), Some(b)) => return self.number(a / b),
            (Add, Some(0.0), _) | (Mul, Some(1.0), _) => return y,
            (Add | Sub, _, Some(0.0)) | (Mul | Div | Pow, _, Some(1.0)) => return x,
            (Sub, Some(0.0), _) => return self.unary(Unary::Neg, y),
            (Mul, Some(-1.0), _) => return self.unary(Unary::Neg, y),
            (Mul, _, Some(-1.0)) => return self.unary(Unary::Neg, x),
            // Zero times anything is zero here, by choice: 0 · ∞ would be NaN in a gradient.
            (Mul, Some(0.0), _) | (Mul, _, Some(0.0)) => return self.number(0.0),
            (Pow, _, Some(2.0)) => return self.binary(Mul, x, x),
            _ => {}
        }
        if let (Add, NodeOp::Unary(Unary::Neg, n)) = (b, &self.nodes[y].op) {
            let n = *n;
            return self.binary(Sub, x, n);
        }
        if let (Sub, NodeOp::Unary(Unary::Neg, n)) = (b, &self.nodes[y].op) {
            let n = *n;
            return self.binary(Add, x, n);
        }
        let extent = self.join(&[x, y]);
        self.add_node(NodeOp::Binary(b, x, y), extent)
    }

    /// `if compare(a, b) { x } else { y }`
    pub fn select(&mut self, c: Compare, a: NodeId, b: NodeId, x: NodeId, y: NodeId) -> NodeId {
        if x == y {
            return x;
        }
        let extent = self.join(&[a, b, x, y]);
        self.add_node(NodeOp::Select(c, a, b, x, y), extent)
    }

    /// A sum of vector–matrix products of `width` columns.
    pub fn product(&mut self, terms: Vec<(NodeId, MatrixPart)>, width: Size) -> NodeId {
        self.add_node(NodeOp::Product(terms), NodeExtent::Vector(width))
    }

    /// A reduction over the units. A number or a row scalar summed over `n` units is `n` times it.
    pub fn reduce(&mut self, r: Reduce, a: NodeId) -> NodeId {
        self.add_node(NodeOp::Reduce(r, a), NodeExtent::Row)
    }

    /// `op` on other nodes, simplified.
    pub fn rebuild(
        &mut self,
        op: &NodeOp,
        extent: &NodeExtent,
        map: impl FnMut(NodeId) -> NodeId,
    ) -> NodeId {
        match op.map(map) {
            // It may broadcast a number, so the extent is kept.
            op @ NodeOp::Unary(Unary::Detach, _) => self.add_node(op, extent.clone()),
            NodeOp::Unary(Unary::Broadcast, a) => {
                self.add_node(NodeOp::Unary(Unary::Broadcast, a), extent.clone())
            }
            NodeOp::Unary(u, a) => self.unary(u, a),
            NodeOp::Binary(b, x, y) => self.binary(b, x, y),
            NodeOp::Select(c, a, b, x, y) => self.select(c, a, b, x, y),
            op @ (NodeOp::MulAdd(..) | NodeOp::NegMulAdd(..)) => {
                let extent = self.join(&op.operands());
                self.add_node(op, extent)
            }
            op => self.add_node(op, extent.clone()),
        }
    }
}

fn fold_unary(u: Unary, x: f64) -> Option<f64> {
    Some(match u {
        Unary::Neg => -x,
        Unary::Exp => x.exp(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Log1p => x.ln_1p(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Abs => x.abs(),
        Unary::Detach => x,
        Unary::Flush if x.abs() < Unary::FLUSHED => 0.0,
        Unary::Flush => x,
        Unary::Erf | Unary::Sign | Unary::Softplus | Unary::Broadcast => return None,
    })
}
