//! One step of a cell, node by node.

use super::{Wrong, maths};
use rnn_compiler::cell::{
    Cell,
    graph::{Graph, LeafSource, MatrixPart, NodeExtent, NodeId, NodeOp, Reduce},
    size::Size,
};

/// The value of a size.
pub(super) fn known(size: &Size) -> Result<usize, Wrong> {
    size.value()
        .ok_or_else(|| Wrong(format!("the size {size} is not a number")))
}

/// A value of a step: one number, or one for every unit.
pub(super) type Lanes = Vec<f64>;

/// The value of unit `i`; numbers and row scalars have one value for all units.
fn lane(v: &[f64], i: usize) -> f64 {
    if v.len() == 1 { v[0] } else { v[i] }
}

/// States after a step, and its outputs.
pub(super) type Stepped = (Vec<Vec<f64>>, Vec<Vec<f64>>);

/// Computes one step for one row: the states after it, and the outputs. `weights` are those of the
/// cell's parameters, row-major. `dropout_masks` are the cell's masks; without any they are 1, as in
/// inference.
pub(super) fn step(
    cell: &Cell,
    weights: &[&[f64]],
    states: &[Vec<f64>],
    inputs: &[&[f64]],
    dropout_masks: &[Vec<f64>],
) -> Result<Stepped, Wrong> {
    let ones = |width: &Size| Ok(vec![1.0; known(width)?]);
    let masks: Vec<Vec<f64>> = match dropout_masks {
        [] => (cell.dropout_masks.iter().map(|n| ones(&n.width))).collect::<Result<_, _>>()?,
        masks => masks.to_vec(),
    };
    let values = evaluate(&cell.graph, weights, |slot| match slot {
        LeafSource::Input(i) => inputs.get(i).copied(),
        LeafSource::State(i) => states.get(i).map(Vec::as_slice),
        LeafSource::DropoutMask(i) => masks.get(i).map(Vec::as_slice),
        _ => None,
    })?;
    let next = cell.next.iter().zip(&cell.states);
    let next = next
        .map(|(parts, state)| side_by_side(&cell.graph, &values, parts, &state.size))
        .collect::<Result<_, _>>()?;
    let out = cell.out.iter().zip(&cell.outputs);
    let out = out
        .map(|(parts, output)| side_by_side(&cell.graph, &values, parts, &output.width))
        .collect::<Result<_, _>>()?;
    Ok((next, out))
}

/// Parts of a vector of `whole` units. A single part without a width is the same in all units.
pub(super) fn side_by_side(
    graph: &Graph,
    values: &[Lanes],
    parts: &[NodeId],
    whole: &Size,
) -> Result<Vec<f64>, Wrong> {
    let mut all = Vec::new();
    for &p in parts {
        let width = known(graph.width(p).unwrap_or(whole))?;
        all.extend((0..width).map(|i| lane(&values[p], i)));
    }
    Ok(all)
}

/// The value of every node of a graph, for one row. `slot` gives the vectors from outside.
pub(super) fn evaluate<'a>(
    graph: &Graph,
    weights: &[&[f64]],
    slot: impl Fn(LeafSource) -> Option<&'a [f64]>,
) -> Result<Vec<Lanes>, Wrong> {
    let mut values: Vec<Lanes> = Vec::new();
    for node in graph.nodes() {
        let width = match &node.extent {
            NodeExtent::Number | NodeExtent::Row => 1,
            NodeExtent::Vector(w) => known(w)?,
        };
        let part = |whole: &[f64], offset: &Size| -> Result<Lanes, Wrong> {
            let from = known(offset)?;
            let part = whole.get(from..from + width);
            part.map(<[f64]>::to_vec)
                .ok_or_else(|| Wrong(format!("{width} from {from} of {}", whole.len())))
        };
        let value = match &node.op {
            NodeOp::Leaf(from, offset) => match slot(*from) {
                Some(whole) => part(whole, offset)?,
                None => return Err(Wrong(format!("there is no {from:?} here"))),
            },
            NodeOp::Param(p, offset) => part(weights[*p], offset)?,
            NodeOp::Product(terms) => product(terms, weights, &values, width)?,
            NodeOp::Reduce(how, a) => vec![reduce(*how, &values[*a])],
            op => pointwise(op, width, &|id| &values[id])?,
        };
        values.push(value);
    }
    Ok(values)
}

/// Maths that is done lane by lane.
pub(super) fn pointwise<'a>(
    op: &NodeOp,
    width: usize,
    values: &dyn Fn(NodeId) -> &'a [f64],
) -> Result<Lanes, Wrong> {
    let of = |id: NodeId, i: usize| lane(values(id), i);
    let each = |f: &dyn Fn(usize) -> f64| -> Lanes { (0..width).map(f).collect() };
    Ok(match op {
        NodeOp::Number(bits) => vec![f64::from_bits(*bits)],
        NodeOp::SizeOf(size) => vec![known(size)? as f64],
        NodeOp::Unary(u, a) => each(&|i| maths::unary(*u, of(*a, i))),
        NodeOp::Binary(b, x, y) => each(&|i| maths::binary(*b, of(*x, i), of(*y, i))),
        NodeOp::MulAdd(a, b, c) => each(&|i| of(*a, i) * of(*b, i) + of(*c, i)),
        NodeOp::NegMulAdd(a, b, c) => each(&|i| of(*c, i) - of(*a, i) * of(*b, i)),
        NodeOp::Select(how, a, b, x, y) => each(&|i| {
            if maths::compare(*how, of(*a, i), of(*b, i)) {
                of(*x, i)
            } else {
                of(*y, i)
            }
        }),
        NodeOp::Leaf(..) | NodeOp::Param(..) | NodeOp::Product(_) | NodeOp::Reduce(..) => {
            return Err(Wrong(format!("{op:?} is not done lane by lane")));
        }
    })
}

/// Reduces all units to one number.
pub(super) fn reduce(how: Reduce, x: &[f64]) -> f64 {
    match how {
        Reduce::Sum => x.iter().sum(),
        Reduce::Max => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
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
