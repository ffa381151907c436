//! Vectors that are computed from parameters when weights are packed, computed here.
//!
//! The operations are those of the kernels in 32-bit floats, with fused products: `+ - * / sqrt` give the same bits. Functions
//! such as `exp` are computed in 64 bits and rounded, so their last bit may be another.

use crate::{
    cell::graph::{Binary, Compare, Graph, MatrixPart, NodeExtent, NodeId, NodeOp, Reduce, Unary},
    diagnostics::{Bug, OrBug as _, Sound},
};

use super::Sizes;

/// The parameters of a cell: where each starts among all weights.
pub(super) struct Params<'a> {
    pub starts: &'a [usize],
    pub weights: &'a [f32],
    pub sizes: &'a Sizes,
}

/// The values of nodes that depend on parameters alone: as many numbers as each has units.
pub(super) fn values(
    graph: &Graph,
    wanted: &[NodeId],
    params: &Params<'_>,
) -> Sound<Vec<Vec<f32>>> {
    let mut needed = vec![false; graph.nodes().len()];
    for &id in wanted {
        *needed.get_mut(id).or_bug("a node is not in its graph")? = true;
    }
    // Operands stand before what reads them.
    for id in (0..needed.len()).rev() {
        if needed[id] {
            for operand in graph.node(id).op.operands() {
                needed[operand] = true;
            }
        }
    }
    let mut values: Vec<Vec<f32>> = Vec::with_capacity(needed.len());
    for (id, needed) in needed.iter().enumerate() {
        values.push(match needed {
            true => value(graph, id, &values, params)?,
            false => Vec::new(),
        });
    }
    Ok(wanted.iter().map(|&id| values[id].clone()).collect())
}

fn value(graph: &Graph, id: NodeId, values: &[Vec<f32>], params: &Params<'_>) -> Sound<Vec<f32>> {
    let node = graph.node(id);
    let units = match &node.extent {
        NodeExtent::Number | NodeExtent::Row => 1,
        NodeExtent::Vector(size) => params.sizes.of(size)?,
    };
    let of = |id: NodeId| {
        values
            .get(id)
            .map(Vec::as_slice)
            .or_bug("an operand stands after what reads it")
    };
    // A number counts for all units.
    let at = |v: &[f32], i: usize| match v {
        [one] => *one,
        all => all.get(i).copied().unwrap_or(0.0),
    };
    let each = |f: &dyn Fn(usize) -> f32| Ok((0..units).map(f).collect());
    match &node.op {
        NodeOp::Number(bits) => each(&|_| f64::from_bits(*bits) as f32),
        NodeOp::SizeOf(size) => {
            let size = params.sizes.of(size)? as f32;
            each(&|_| size)
        }
        NodeOp::Param(index, offset) => {
            let from = params.start(*index)? + params.sizes.of(offset)?;
            let values = params.weights.get(from..from + units);
            Ok(values.or_bug("a parameter is too short")?.to_vec())
        }
        NodeOp::Unary(f, a) => {
            let a = of(*a)?;
            each(&|i| unary(*f, at(a, i)))
        }
        NodeOp::Binary(f, a, b) => {
            let (a, b) = (of(*a)?, of(*b)?);
            each(&|i| binary(*f, at(a, i), at(b, i)))
        }
        NodeOp::MulAdd(a, b, c) => {
            let (a, b, c) = (of(*a)?, of(*b)?, of(*c)?);
            each(&|i| at(a, i).mul_add(at(b, i), at(c, i)))
        }
        NodeOp::NegMulAdd(a, b, c) => {
            let (a, b, c) = (of(*a)?, of(*b)?, of(*c)?);
            each(&|i| (-at(a, i)).mul_add(at(b, i), at(c, i)))
        }
        NodeOp::Select(how, a, b, x, y) => {
            let (a, b, x, y) = (of(*a)?, of(*b)?, of(*x)?, of(*y)?);
            each(&|i| match compare(*how, at(a, i), at(b, i)) {
                true => at(x, i),
                false => at(y, i),
            })
        }
        NodeOp::Reduce(how, a) => {
            let a = of(*a)?.iter().copied();
            let all: f32 = match how {
                Reduce::Sum => a.sum(),
                Reduce::Max => a.fold(f32::NEG_INFINITY, f32::max),
            };
            each(&|_| all)
        }
        NodeOp::Product(segments) => {
            let mut sums = vec![0.0_f32; units];
            for (operand, part) in segments {
                for (k, &x) in of(*operand)?.iter().enumerate() {
                    for (unit, sum) in sums.iter_mut().enumerate() {
                        *sum = x.mul_add(params.element(part, k, unit)?, *sum);
                    }
                }
            }
            Ok(sums)
        }
        NodeOp::Leaf(..) => Err(Bug::new("a computed vector reads an input")),
    }
}

impl Params<'_> {
    fn start(&self, index: usize) -> Sound<usize> {
        self.starts
            .get(index)
            .copied()
            .or_bug("a cell lacks a parameter")
    }

    /// An element of a part of a matrix.
    fn element(&self, part: &MatrixPart, k: usize, unit: usize) -> Sound<f32> {
        let (row, column) = match part.transposed {
            true => (unit, k),
            false => (k, unit),
        };
        let row = self.sizes.of(&part.row)? + row;
        let column = self.sizes.of(&part.column)? + column;
        let at = self.start(part.param)? + row * self.sizes.of(&part.columns)? + column;
        self.weights
            .get(at)
            .copied()
            .or_bug("a parameter is too short")
    }
}

fn unary(f: Unary, x: f32) -> f32 {
    let wide = |f: fn(f64) -> f64| f(f64::from(x)) as f32;
    match f {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Sign if x > 0.0 => 1.0,
        Unary::Sign if x < 0.0 => -1.0,
        Unary::Flush if f64::from(x.abs()) < Unary::FLUSHED => 0.0,
        Unary::Sign | Unary::Detach | Unary::Broadcast | Unary::Flush => x,
        Unary::Exp => wide(f64::exp),
        Unary::Expm1 => wide(f64::exp_m1),
        Unary::Log => wide(f64::ln),
        Unary::Log1p => wide(f64::ln_1p),
        Unary::Tanh => wide(f64::tanh),
        Unary::Sin => wide(f64::sin),
        Unary::Cos => wide(f64::cos),
        Unary::Sigmoid => wide(|x| 1.0 / (1.0 + (-x).exp())),
        Unary::Softplus => wide(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Unary::Erf => wide(libm::erf),
    }
}

fn binary(f: Binary, x: f32, y: f32) -> f32 {
    match f {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        Binary::Min if x < y => x,
        Binary::Max if x > y => x,
        Binary::Min | Binary::Max => y,
        Binary::Pow => f64::from(x).powf(f64::from(y)) as f32,
    }
}

fn compare(how: Compare, x: f32, y: f32) -> bool {
    match how {
        Compare::Lt => x < y,
        Compare::Le => x <= y,
        Compare::Gt => x > y,
        Compare::Ge => x >= y,
        Compare::Eq => x == y,
    }
}
