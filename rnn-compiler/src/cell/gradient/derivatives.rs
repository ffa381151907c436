//! Derivatives of lane-by-lane maths and of reductions.

use super::Differentiator;
use crate::{
    cell::graph::{Binary, Binary::*, Compare, NodeExtent, NodeId, NodeOp, Reduce, Unary},
    diagnostics::{Bug, Sound},
};

impl Differentiator<'_> {
    pub(super) fn pointwise(&mut self, id: NodeId, op: &NodeOp, d: NodeId) -> Sound<()> {
        match *op {
            NodeOp::Unary(u, a) => {
                if let Some(da) = self.unary(u, a, id, d) {
                    self.add(a, da)?;
                }
            }
            NodeOp::Binary(b, x, y) => self.binary(b, x, y, id, d)?,
            NodeOp::MulAdd(a, b, c) | NodeOp::NegMulAdd(a, b, c) => {
                let (va, vb) = (self.value(a), self.value(b));
                self.add(c, d)?;
                let d = match op {
                    NodeOp::MulAdd(..) => d,
                    _ => self.out.unary(Unary::Neg, d),
                };
                let da = self.out.binary(Mul, d, vb);
                let db = self.out.binary(Mul, d, va);
                self.add(a, da)?;
                self.add(b, db)?;
            }
            NodeOp::Select(c, a, b, x, y) => {
                let (va, vb) = (self.value(a), self.value(b));
                let zero = self.out.number(0.0);
                let dx = self.out.select(c, va, vb, d, zero);
                let dy = self.out.select(c, va, vb, zero, d);
                self.add(x, dx)?;
                self.add(y, dy)?;
            }
            NodeOp::Reduce(Reduce::Sum, a) => self.add(a, d)?,
            NodeOp::Reduce(Reduce::Max, a) => {
                let (va, vm) = (self.value(a), self.value(id));
                let zero = self.out.number(0.0);
                let da = self.out.select(Compare::Eq, va, vm, d, zero);
                self.add(a, da)?;
            }
            // Constants have no gradient.
            NodeOp::Number(_) | NodeOp::SizeOf(_) => {}
            NodeOp::Leaf(..) | NodeOp::Param(..) | NodeOp::Product(_) => {
                return Err(Bug::new(format!("{op:?} is no maths")));
            }
        }
        Ok(())
    }

    /// The gradient of `a`, given `d` of `y = u(a)`.
    fn unary(&mut self, u: Unary, a: NodeId, y: NodeId, d: NodeId) -> Option<NodeId> {
        let one = self.out.number(1.0);
        Some(match u {
            Unary::Neg => self.out.unary(Unary::Neg, d),
            Unary::Exp => {
                let y = self.value(y);
                self.out.binary(Mul, d, y)
            }
            Unary::Expm1 => {
                let y = self.value(y);
                let f = self.out.binary(Add, y, one);
                self.out.binary(Mul, d, f)
            }
            Unary::Log => {
                let x = self.value(a);
                self.out.binary(Div, d, x)
            }
            Unary::Log1p => {
                let x = self.value(a);
                let x = self.out.binary(Add, one, x);
                self.out.binary(Div, d, x)
            }
            Unary::Tanh => {
                let y = self.value(y);
                let square = self.out.binary(Mul, y, y);
                let f = self.out.binary(Sub, one, square);
                self.out.binary(Mul, d, f)
            }
            Unary::Sigmoid => {
                let y = self.value(y);
                let rest = self.out.binary(Sub, one, y);
                let f = self.out.binary(Mul, y, rest);
                self.out.binary(Mul, d, f)
            }
            Unary::Softplus => {
                let x = self.value(a);
                let f = self.out.unary(Unary::Sigmoid, x);
                self.out.binary(Mul, d, f)
            }
            Unary::Erf => {
                // 2/√π · exp(-x²)
                let x = self.value(a);
                let square = self.out.binary(Mul, x, x);
                let minus = self.out.unary(Unary::Neg, square);
                let e = self.out.unary(Unary::Exp, minus);
                let factor = self.out.number(std::f64::consts::FRAC_2_SQRT_PI);
                let f = self.out.binary(Mul, factor, e);
                self.out.binary(Mul, d, f)
            }
            Unary::Sin => {
                let x = self.value(a);
                let f = self.out.unary(Unary::Cos, x);
                self.out.binary(Mul, d, f)
            }
            Unary::Cos => {
                let x = self.value(a);
                let s = self.out.unary(Unary::Sin, x);
                let f = self.out.unary(Unary::Neg, s);
                self.out.binary(Mul, d, f)
            }
            Unary::Sqrt => {
                let y = self.value(y);
                let half = self.out.number(0.5);
                let f = self.out.binary(Div, half, y);
                self.out.binary(Mul, d, f)
            }
            Unary::Rsqrt => {
                let y = self.value(y);
                let square = self.out.binary(Mul, y, y);
                let cube = self.out.binary(Mul, square, y);
                let half = self.out.number(-0.5);
                let f = self.out.binary(Mul, half, cube);
                self.out.binary(Mul, d, f)
            }
            Unary::Abs => {
                let x = self.value(a);
                let f = self.out.unary(Unary::Sign, x);
                self.out.binary(Mul, d, f)
            }
            // `add` sums it over the units.
            Unary::Broadcast | Unary::Flush => d,
            Unary::Sign | Unary::Detach => return None,
        })
    }

    fn binary(&mut self, b: Binary, x: NodeId, y: NodeId, z: NodeId, d: NodeId) -> Sound<()> {
        match b {
            Add => {
                self.add(x, d)?;
                self.add(y, d)?;
            }
            Sub => {
                self.add(x, d)?;
                let d = self.out.unary(Unary::Neg, d);
                self.add(y, d)?;
            }
            Mul => {
                let (vx, vy) = (self.value(x), self.value(y));
                let dx = self.out.binary(Mul, d, vy);
                let dy = self.out.binary(Mul, d, vx);
                self.add(x, dx)?;
                self.add(y, dy)?;
            }
            Div => {
                let (vy, vz) = (self.value(y), self.value(z));
                let dx = self.out.binary(Div, d, vy);
                self.add(x, dx)?;
                let dy = self.out.binary(Mul, dx, vz);
                let dy = self.out.unary(Unary::Neg, dy);
                self.add(y, dy)?;
            }
            Min | Max => {
                let how = if b == Min { Compare::Lt } else { Compare::Gt };
                let (vx, vy) = (self.value(x), self.value(y));
                let zero = self.out.number(0.0);
                let dx = self.out.select(how, vx, vy, d, zero);
                let dy = self.out.select(how, vx, vy, zero, d);
                self.add(x, dx)?;
                self.add(y, dy)?;
            }
            Pow => {
                let (vx, vy, vz) = (self.value(x), self.value(y), self.value(z));
                let one = self.out.number(1.0);
                let less = self.out.binary(Sub, vy, one);
                let power = self.out.binary(Pow, vx, less);
                let f = self.out.binary(Mul, vy, power);
                let dx = self.out.binary(Mul, d, f);
                self.add(x, dx)?;
                if self.cell.graph.node(y).extent != NodeExtent::Number {
                    let log = self.out.unary(Unary::Log, vx);
                    let f = self.out.binary(Mul, vz, log);
                    let dy = self.out.binary(Mul, d, f);
                    self.add(y, dy)?;
                }
            }
        }
        Ok(())
    }
}
