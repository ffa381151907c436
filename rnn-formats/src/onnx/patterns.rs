//! Several nodes that are one operator: a layer normalisation in parts, and steps that an exporter wrote out one by one.

use std::collections::HashMap;
use std::rc::Rc;

use super::array::{Array, Data};
use super::dim::Dim;
use super::graph::{self, Graph, Node};

/// The operator for steps that were written out: a sequence, the first state, a matrix, a bias. It gives all outputs, one
/// below the other, and the last.
pub(super) const UNROLLED: &str = "steps written out";

/// The graph as it is searched.
struct View<'g, 'f> {
    nodes: &'g [Node<'f>],
    maker: Vec<Option<usize>>,
    constants: HashMap<usize, Array>,
}

/// Replaces what is found by one node each.
pub(super) fn find(graph: &mut Graph<'_>) {
    let mut found = Vec::new();
    let view = View::new(graph);
    for (number, node) in graph.nodes.iter().enumerate() {
        if let Some((x, epsilon)) = view.normalization(node) {
            found.push((number, Change::Normalization(x, epsilon)));
        } else if let Some(steps) = view.steps(node) {
            found.push((number, Change::Steps(steps)));
        }
    }
    if found.is_empty() {
        return;
    }
    for (number, change) in found {
        match change {
            Change::Normalization(x, epsilon) => {
                if let Some(node) = graph.nodes.get_mut(number) {
                    let epsilon = flag("epsilon", epsilon);
                    node.becomes("LayerNormalization", vec![Some(x)], epsilon);
                }
            }
            Change::Steps(steps) => {
                let last = steps.maker;
                // The last output is given by the new node.
                let out = graph
                    .nodes
                    .get_mut(last)
                    .and_then(|n| n.outputs.first_mut()?.take());
                if let Some(node) = graph.nodes.get_mut(number) {
                    let inputs = vec![
                        Some(steps.sequence),
                        Some(steps.first),
                        Some(steps.matrix),
                        steps.bias,
                    ];
                    let mut tensors = flag("steps", steps.count as f32);
                    tensors.extend(flag("relu", f32::from(u8::from(steps.relu))));
                    tensors.extend(flag("turned", f32::from(u8::from(steps.turned))));
                    node.becomes(UNROLLED, inputs, tensors);
                    node.outputs.truncate(1);
                    node.outputs.push(out);
                }
            }
        }
    }
    graph::again(graph);
}

enum Change {
    Normalization(usize, f32),
    Steps(Steps),
}

/// Steps of a recurrence.
struct Steps {
    sequence: usize,
    first: usize,
    matrix: usize,
    bias: Option<usize>,
    relu: bool,
    /// The outputs are put together last step first.
    turned: bool,
    count: usize,
    /// The node that gives the last output.
    maker: usize,
}

/// One step.
#[derive(PartialEq)]
struct Step {
    sequence: usize,
    index: i64,
    before: usize,
    matrix: usize,
    bias: Option<usize>,
    relu: bool,
}

fn flag(name: &'static str, value: f32) -> Vec<(&'static str, Array)> {
    Array::new(vec![], Data::Floats(Rc::new(vec![value])))
        .map(|a| (name, a))
        .into_iter()
        .collect()
}

impl<'g, 'f> View<'g, 'f> {
    fn new(graph: &'g Graph<'f>) -> Self {
        let mut maker = vec![None; graph.names.len()];
        let mut constants: HashMap<usize, Array> = HashMap::new();
        for (value, array) in graph.constants.iter().filter(|(_, a)| a.data.len() < 8) {
            constants.insert(*value, array.clone());
        }
        for (number, node) in graph.nodes.iter().enumerate() {
            for out in node.outputs.iter().flatten() {
                if let Some(place) = maker.get_mut(*out) {
                    *place = Some(number);
                }
                if node.op == "Constant"
                    && let Ok(array) = graph::constant(node)
                {
                    constants.insert(*out, array);
                }
            }
        }
        View {
            nodes: &graph.nodes,
            maker,
            constants,
        }
    }

    fn made(&self, value: Option<usize>, op: &str) -> Option<&'g Node<'f>> {
        let number = (*self.maker.get(value?)?)?;
        self.nodes.get(number).filter(|n| n.op == op)
    }

    fn constant(&self, value: Option<usize>) -> Option<&Array> {
        self.constants.get(&value?)
    }

    fn float(&self, value: Option<usize>) -> Option<f32> {
        self.constant(value)?.one_float()
    }

    /// The only whole number.
    fn whole(&self, value: Option<usize>) -> Option<i64> {
        match self.constant(value)?.numbers()?[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// What a mean over the last axis is of.
    fn mean(&self, value: Option<usize>) -> Option<usize> {
        let node = self.made(value, "ReduceMean")?;
        let axes = match node.ints("axes") {
            Some(axes) => axes.to_vec(),
            None => self.constant(node.input(1))?.numbers()?,
        };
        (axes == [-1] && node.int("keepdims").unwrap_or(1) == 1)
            .then(|| node.input(0))
            .flatten()
    }

    /// What a value is less its mean.
    fn centred(&self, value: Option<usize>) -> Option<usize> {
        let node = self.made(value, "Sub")?;
        let x = node.input(0)?;
        (self.mean(node.input(1))? == x).then_some(x)
    }

    /// `(x - mean) / sqrt(mean((x - mean)²) + epsilon)`.
    fn normalization(&self, node: &Node<'_>) -> Option<(usize, f32)> {
        if node.op != "Div" {
            return None;
        }
        let x = self.centred(node.input(0))?;
        let sum = self.made(self.made(node.input(1), "Sqrt")?.input(0), "Add")?;
        let (epsilon, variance) = match self.float(sum.input(1)) {
            Some(epsilon) => (epsilon, sum.input(0)),
            None => (self.float(sum.input(0))?, sum.input(1)),
        };
        let square = Some(self.mean(variance)?);
        let root = match self.made(square, "Pow") {
            Some(pow) if self.float(pow.input(1)) == Some(2.0) => pow.input(0),
            Some(_) => None,
            None => {
                let product = self.made(square, "Mul")?;
                product.input(0).filter(|a| product.input(1) == Some(*a))
            }
        };
        (self.centred(root)? == x).then_some((x, epsilon))
    }

    /// A step of a sequence along its first axis.
    fn taken(&self, value: Option<usize>) -> Option<(usize, i64)> {
        if let Some(at) = self.made(value, "SequenceAt") {
            let split = self.made(at.input(0), "SplitToSequence")?;
            let one_each = split.input(1).is_none()
                && split.int("keepdims") == Some(0)
                && split.int("axis").unwrap_or(0) == 0;
            return one_each.then_some((split.input(0)?, self.whole(at.input(1))?));
        }
        if let Some(gather) = self.made(value, "Gather") {
            let first = gather.int("axis").unwrap_or(0) == 0;
            return first.then_some((gather.input(0)?, self.whole(gather.input(1))?));
        }
        let squeeze = self.made(value, "Squeeze")?;
        let slice = self.made(squeeze.input(0), "Slice")?;
        let (from, to) = (self.whole(slice.input(1))?, self.whole(slice.input(2))?);
        let first = self.whole(slice.input(3)) == Some(0)
            && self.whole(squeeze.input(1)) == Some(0)
            && slice
                .input(4)
                .is_none_or(|s| self.whole(Some(s)) == Some(1));
        (first && to == from.checked_add(1)?).then_some((slice.input(0)?, from))
    }

    /// A state times a matrix, and a bias.
    fn projected(&self, value: Option<usize>) -> Option<(usize, usize, Option<usize>)> {
        if let Some(product) = self.made(value, "MatMul") {
            return Some((product.input(0)?, product.input(1)?, None));
        }
        let sum = self.made(value, "Add")?;
        for (product, bias) in [(0, 1), (1, 0)] {
            if let Some(product) = self.made(sum.input(product), "MatMul") {
                return Some((product.input(0)?, product.input(1)?, sum.input(bias)));
            }
        }
        None
    }

    fn step(&self, value: usize) -> Option<Step> {
        let (node, relu) = match self.made(Some(value), "Tanh") {
            Some(node) => (node, false),
            None => (self.made(Some(value), "Relu")?, true),
        };
        let sum = self.made(node.input(0), "Add")?;
        for (of_state, of_input) in [(0, 1), (1, 0)] {
            let projected = self.projected(sum.input(of_state));
            let taken = self.taken(sum.input(of_input));
            if let (Some((before, matrix, bias)), Some((sequence, index))) = (projected, taken) {
                return Some(Step {
                    sequence,
                    index,
                    before,
                    matrix,
                    bias,
                    relu,
                });
            }
        }
        None
    }

    /// The steps that a node puts together.
    fn steps(&self, node: &Node<'_>) -> Option<Steps> {
        if node.op != "Concat" || node.int("axis") != Some(0) || node.inputs.len() < 2 {
            return None;
        }
        let mut values: Vec<usize> = node.inputs.iter().copied().collect::<Option<_>>()?;
        let turned = self.step(values[0])?.before == values[1];
        if turned {
            values.reverse();
        }
        let first = self.step(*values.first()?)?;
        for (index, value) in values.iter().enumerate() {
            let step = self.step(*value)?;
            let before = match index.checked_sub(1) {
                Some(before) => *values.get(before)?,
                None => first.before,
            };
            let wanted = Step {
                index: index as i64,
                before,
                ..first
            };
            if step != wanted {
                return None;
            }
        }
        let maker = (*self.maker.get(*values.last()?)?)?;
        Some(Steps {
            sequence: first.sequence,
            first: first.before,
            matrix: first.matrix,
            bias: first.bias,
            relu: first.relu,
            turned,
            count: values.len(),
            maker,
        })
    }
}

/// A number that a node was given here.
pub(super) fn told(node: &Node<'_>, name: &str) -> f32 {
    node.tensor(name).and_then(Array::one_float).unwrap_or(0.0)
}

/// Whether a sequence may have as many steps.
pub(super) fn has_steps(size: &Dim, count: f32) -> bool {
    size.known().is_none_or(|n| n as f32 == count)
}
