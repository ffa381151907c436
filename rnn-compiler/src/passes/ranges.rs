//! What numbers an output can be, as far as the last operations tell. A loss of probabilities that is given logits would
//! train a wrong model without a word.

use rnn_tables::OutputRange;

use crate::{
    cell::graph::{Binary, Compare, Graph, LeafSource, NodeId, NodeOp, Reduce, Unary},
    ir::{Op, OpGraph, OpKind, ValueId},
};

/// The range of each output of a model.
pub fn output_ranges(graph: &OpGraph) -> Vec<OutputRange> {
    graph.outputs.iter().map(|&v| of_value(graph, v)).collect()
}

/// Of a value; operations that only move numbers are looked through.
fn of_value(graph: &OpGraph, value: ValueId) -> OutputRange {
    let makes = |op: &&Op| op.outputs.contains(&value);
    let Some(op) = graph.ops.iter().find(makes) else {
        return OutputRange::Unknown;
    };
    let inputs = || -> Vec<OutputRange> { op.inputs.iter().map(|&v| of_value(graph, v)).collect() };
    let (cell, index) = match &op.kind {
        OpKind::Op(def) if def.keeps_numbers() => {
            return inputs().first().copied().unwrap_or(OutputRange::Unknown);
        }
        OpKind::Op(_) => return OutputRange::Unknown,
        OpKind::Cell(cell) | OpKind::Normalize { cell, .. } => {
            let index = op.outputs.iter().position(|o| *o == value);
            (&cell.cell, index.unwrap_or(0))
        }
    };
    let nodes = nodes(&cell.graph, &inputs());
    let mut parts = cell.out.get(index).into_iter().flatten();
    let first = parts.next().map(|&n| nodes[n].range);
    match first {
        Some(range) if parts.all(|&n| nodes[n].range == range) => range,
        _ => OutputRange::Unknown,
    }
}

/// What is known of a node.
#[derive(Clone, Copy)]
struct Known {
    /// It is never less, and never more.
    bounds: (f64, f64),
    /// Neither inputs nor states change it: a weight or a number.
    is_fixed: bool,
    range: OutputRange,
}

/// What is known of every node of a cell, whose inputs are in these ranges.
fn nodes(graph: &Graph, inputs: &[OutputRange]) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    for node in graph.nodes() {
        let op = &node.op;
        let bounds = bounds(graph, op, &known, inputs);
        let operands = op.operands();
        let is_fixed = match op {
            NodeOp::Leaf(..) | NodeOp::Product(_) => false,
            _ => operands.iter().all(|&n| known[n].is_fixed),
        };
        let range = match op {
            _ if bounds.0 >= 0.0 && bounds.1 <= 1.0 => OutputRange::Probabilities,
            NodeOp::Unary(Unary::Tanh, _) => OutputRange::Signed,
            NodeOp::Unary(Unary::Flush, a) => known[*a].range,
            NodeOp::Leaf(LeafSource::Input(i), _) => {
                inputs.get(*i).copied().unwrap_or(OutputRange::Unknown)
            }
            _ if is_linear(op, &known) => OutputRange::Logits,
            _ => OutputRange::Unknown,
        };
        known.push(Known {
            bounds,
            is_fixed,
            range,
        });
    }
    known
}

/// Whether it is a product with weights and nothing after it but factors and terms that are weights or numbers: it can be
/// any number.
fn is_linear(op: &NodeOp, known: &[Known]) -> bool {
    let linear = |n: NodeId| known[n].range == OutputRange::Logits;
    let fixed = |n: NodeId| known[n].is_fixed;
    let scaled = |a: NodeId, b: NodeId| (linear(a) && fixed(b)) || (fixed(a) && linear(b));
    match *op {
        NodeOp::Product(_) => true,
        NodeOp::Unary(Unary::Neg | Unary::Detach | Unary::Flush, a) => linear(a),
        NodeOp::Binary(Binary::Add | Binary::Sub, a, b) => (linear(a) && linear(b)) || scaled(a, b),
        NodeOp::Binary(Binary::Mul, a, b) => scaled(a, b),
        NodeOp::Binary(Binary::Div, a, b) => linear(a) && fixed(b),
        NodeOp::MulAdd(a, b, c) | NodeOp::NegMulAdd(a, b, c) => {
            (scaled(a, b) && (linear(c) || fixed(c))) || (fixed(a) && fixed(b) && linear(c))
        }
        _ => false,
    }
}

/// Between what it always is.
fn bounds(graph: &Graph, op: &NodeOp, known: &[Known], inputs: &[OutputRange]) -> (f64, f64) {
    const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
    let of = |n: NodeId| known[n].bounds;
    match *op {
        NodeOp::Number(bits) => (f64::from_bits(bits), f64::from_bits(bits)),
        NodeOp::Unary(Unary::Sigmoid, _) => (0.0, 1.0),
        NodeOp::Unary(Unary::Tanh, _) => (-1.0, 1.0),
        NodeOp::Unary(Unary::Exp | Unary::Softplus, _) => (0.0, f64::INFINITY),
        NodeOp::Unary(Unary::Detach | Unary::Broadcast | Unary::Flush, a) => of(a),
        NodeOp::Binary(Binary::Min, a, b) => smaller(of(a), of(b)),
        NodeOp::Binary(Binary::Max, a, b) => larger(of(a), of(b)),
        NodeOp::Binary(Binary::Mul, a, b) => {
            let (a, b) = (of(a), of(b));
            match a.0 >= 0.0 && b.0 >= 0.0 && a.1.is_finite() && b.1.is_finite() {
                true => (a.0 * b.0, a.1 * b.1),
                false => ANY,
            }
        }
        // A share of a sum, as in a softmax.
        NodeOp::Binary(Binary::Div, a, b) if of(a).0 >= 0.0 && sums(graph, known, b, a) => {
            (0.0, 1.0)
        }
        // `if a <= b { b } else { a }`, and its kind.
        NodeOp::Select(Compare::Le | Compare::Lt, a, b, x, y) if (x, y) == (b, a) => {
            larger(of(a), of(b))
        }
        NodeOp::Select(Compare::Ge | Compare::Gt, a, b, x, y) if (x, y) == (b, a) => {
            smaller(of(a), of(b))
        }
        NodeOp::Select(_, _, _, x, y) => (of(x).0.min(of(y).0), of(x).1.max(of(y).1)),
        NodeOp::Leaf(LeafSource::Input(i), _) => match inputs.get(i) {
            Some(OutputRange::Probabilities) => (0.0, 1.0),
            Some(OutputRange::Signed) => (-1.0, 1.0),
            _ => ANY,
        },
        _ => ANY,
    }
}

/// The bounds of the smaller of two numbers.
fn smaller(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.min(b.1))
}

/// The bounds of the larger of two numbers.
fn larger(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.max(b.0), a.1.max(b.1))
}

/// Whether a node is a sum over units with `part` among its terms, none of which is negative.
fn sums(graph: &Graph, known: &[Known], node: NodeId, part: NodeId) -> bool {
    let mut open = vec![node];
    let mut found = false;
    // A sum of sums with themselves has more terms than anybody can look at.
    for _ in 0..256 {
        let Some(n) = open.pop() else {
            return found;
        };
        match graph.node(n).op {
            NodeOp::Unary(Unary::Broadcast | Unary::Detach, a) => open.push(a),
            NodeOp::Binary(Binary::Add, a, b) => open.extend([a, b]),
            NodeOp::Reduce(Reduce::Sum, a) if known[a].bounds.0 >= 0.0 => found |= a == part,
            _ if known[n].bounds.0 >= 0.0 => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use rnn_tables::OutputRange::{self, Logits, Probabilities, Signed, Unknown};

    use crate::{diagnostics::Diagnostics, layers::classes, passes::run, syntax::ModelAst};

    fn ranges(model: &str) -> Vec<OutputRange> {
        let mut found = Diagnostics::new();
        let ast = ModelAst::parse(model.parse().unwrap(), &classes(), &mut found);
        let graph = run(&ast, &mut found).unwrap_or_else(|| {
            panic!(
                "{model}: {:?}",
                found
                    .take()
                    .iter()
                    .map(crate::diagnostics::Diagnostic::text)
                    .collect::<Vec<_>>()
            )
        });
        graph.output_ranges
    }

    #[test]
    fn the_last_operations_tell() {
        for (model, range) in [
            ("Input(4) -> Dense(3)", Logits),
            ("Input(4) -> Dense(3, use_bias = false)", Logits),
            ("Input(4) -> Dense(1, activation = sigmoid)", Probabilities),
            ("Input(4) -> Dense(3, activation = softmax)", Probabilities),
            (
                "Input(4) -> Dense(3, activation = hard_sigmoid)",
                Probabilities,
            ),
            (
                "Input(4) -> Dense(3, activation = hard_sigmoid(0.2))",
                Probabilities,
            ),
            ("Input(4) -> Dense(3) -> Activation(softmax)", Probabilities),
            ("Input(4) -> Dense(3, activation = tanh)", Signed),
            ("Input(4) -> Dense(3, activation = relu)", Unknown),
            ("Input(4) -> Dense(3) -> BatchNormalization", Logits),
            ("Input(4) -> Dense(3) -> LayerNormalization", Unknown),
            // What only moves numbers, or drops some of them in training, is looked through.
            (
                "Input(4) -> Dense(6) -> Dropout(0.5) -> Reshape(2, 3)",
                Logits,
            ),
            (
                "Input(4) -> Dense(6, activation = sigmoid) -> RepeatVector(2) -> Permute(2, 1)",
                Probabilities,
            ),
            (
                "Input(_, 4) -> LSTM(3, return_sequences) -> TimeDistributed(Dense(2))",
                Logits,
            ),
            (
                "Input(_, 4) -> TimeDistributed(Dense(2, activation = softmax))",
                Probabilities,
            ),
            ("Input(_, 4) -> LSTM(3)", Unknown),
            ("Input(_, 4) -> GRU(3, activation = sigmoid)", Unknown),
            ("Input(4) -> Reshape(2, 2)", Unknown),
            ("Embedding(5, 3)", Unknown),
        ] {
            assert_eq!(ranges(model), [range], "{model}");
        }
    }

    #[test]
    fn each_output_has_its_own() {
        let model = "
            input x: [4];
            let y = x -> Dense(3);
            output logits = y;
            output shares = y -> Activation(softmax);
            let gate = x -> Dense(3, activation = sigmoid);
            let other = x -> Dense(3, activation = hard_sigmoid);
            output gated = (gate, other) -> Multiply;
            output sum = (y, gate) -> Add;
        ";
        assert_eq!(
            ranges(model),
            [Logits, Probabilities, Probabilities, Unknown]
        );
    }
}
