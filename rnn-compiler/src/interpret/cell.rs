//! One step of a cell, node by node.

use super::{Wrong, maths};
use crate::cell::{
    Cell,
    graph::{Extent, MatrixPart, NodeId, Op, Reduce, Slot},
    size::Size,
};

/// The number that a size is.
pub(super) fn known(size: &Size) -> Result<usize, Wrong> {
    size.value()
        .ok_or_else(|| Wrong(format!("the size {size} is not a number")))
}

/// A value of a step: one number, or one for every unit.
type Lanes = Vec<f64>;

/// The number of unit `i`: numbers and rows have one for all units.
fn lane(v: &[f64], i: usize) -> f64 {
    if v.len() == 1 { v[0] } else { v[i] }
}

/// Computes one step for one row: the states after it, and the outputs. `weights` are those of the
/// cell's parameters, row-major. `noises` are the cell's masks; without any they are 1, as in
/// inference.
pub(super) fn step(
    cell: &Cell,
    weights: &[&[f64]],
    states: &[Vec<f64>],
    inputs: &[&[f64]],
    noises: &[Vec<f64>],
) -> Result<(Vec<Vec<f64>>, Vec<Vec<f64>>), Wrong> {
    let mut values: Vec<Lanes> = Vec::new();
    for node in cell.graph.nodes() {
        let width = match &node.extent {
            Extent::Number | Extent::Row => 1,
            Extent::Vector(w) => known(w)?,
        };
        let of = |id: NodeId, i: usize| lane(&values[id], i);
        let part = |whole: &[f64], offset: &Size| -> Result<Lanes, Wrong> {
            let from = known(offset)?;
            Ok(whole[from..from + width].to_vec())
        };
        let each = |f: &dyn Fn(usize) -> f64| -> Lanes { (0..width).map(f).collect() };
        let value = match &node.op {
            Op::Number(bits) => vec![f64::from_bits(*bits)],
            Op::SizeOf(size) => vec![known(size)? as f64],
            Op::Leaf(Slot::Input(i), offset) => part(inputs[*i], offset)?,
            Op::Leaf(Slot::State(i), offset) => part(&states[*i], offset)?,
            Op::Leaf(Slot::Noise(_), _) if noises.is_empty() => vec![1.0; width],
            Op::Leaf(Slot::Noise(i), offset) => part(&noises[*i], offset)?,
            Op::Leaf(slot, _) => return Err(Wrong(format!("{slot:?} in a forward graph"))),
            Op::Param(p, offset) => part(weights[*p], offset)?,
            Op::Unary(u, a) => each(&|i| maths::unary(*u, of(*a, i))),
            Op::Binary(b, x, y) => each(&|i| maths::binary(*b, of(*x, i), of(*y, i))),
            Op::MulAdd(a, b, c) => each(&|i| of(*a, i) * of(*b, i) + of(*c, i)),
            Op::NegMulAdd(a, b, c) => each(&|i| of(*c, i) - of(*a, i) * of(*b, i)),
            Op::Select(how, a, b, x, y) => each(&|i| {
                if maths::compare(*how, of(*a, i), of(*b, i)) {
                    of(*x, i)
                } else {
                    of(*y, i)
                }
            }),
            Op::Product(terms) => product(terms, weights, &values, width)?,
            Op::Reduce(Reduce::Sum, a) => vec![values[*a].iter().sum()],
            Op::Reduce(Reduce::Max, a) => {
                vec![values[*a].iter().copied().fold(f64::NEG_INFINITY, f64::max)]
            }
        };
        values.push(value);
    }
    let side_by_side = |parts: &[NodeId], whole: &Size| -> Result<Vec<f64>, Wrong> {
        let mut all = Vec::new();
        for &p in parts {
            let width = known(cell.graph.width(p).unwrap_or(whole))?;
            all.extend((0..width).map(|i| lane(&values[p], i)));
        }
        Ok(all)
    };
    let next = cell.next.iter().zip(&cell.states);
    let next = next
        .map(|(parts, state)| side_by_side(parts, &state.size))
        .collect::<Result<_, _>>()?;
    let out = cell.out.iter().zip(&cell.outputs);
    let out = out
        .map(|(parts, output)| side_by_side(parts, &output.width))
        .collect::<Result<_, _>>()?;
    Ok((next, out))
}

/// A sum of vector–matrix products.
fn product(
    terms: &[(NodeId, MatrixPart)],
    weights: &[&[f64]],
    values: &[Lanes],
    width: usize,
) -> Result<Lanes, Wrong> {
    let mut sum = vec![0.0; width];
    for (operand, m) in terms {
        let (row, column, columns) = (known(&m.row)?, known(&m.column)?, known(&m.columns)?);
        let w = weights[m.param];
        for (k, x) in values[*operand].iter().enumerate() {
            for (j, sum) in sum.iter_mut().enumerate() {
                let (k, j) = if m.transposed { (j, k) } else { (k, j) };
                *sum += x * w[(row + k) * columns + column + j];
            }
        }
    }
    Ok(sum)
}
