//! Several nodes that are one operator: a layer normalisation in parts, a GELU in parts, and steps that an exporter wrote out
//! one by one.

use std::collections::{BTreeMap, HashMap};
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
    /// The nodes that read a value.
    readers: Vec<Vec<usize>>,
}

/// Replaces what is found by one node each.
pub(super) fn find(graph: &mut Graph<'_>) {
    let mut found = Vec::new();
    let view = View::new(graph);
    for (number, node) in graph.nodes.iter().enumerate() {
        if let Some((x, epsilon)) = view.normalization(node) {
            found.push((number, Change::Normalization(x, epsilon)));
        }
        if let Some(x) = view.gelu(node) {
            found.push((number, Change::Gelu(x)));
        }
    }
    let steps = view.all_steps();
    found.extend(steps.into_iter().map(|s| (s.maker, Change::Steps(s))));
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
            Change::Gelu(x) => {
                if let Some(node) = graph.nodes.get_mut(number) {
                    node.becomes("Gelu", vec![Some(x)], Vec::new());
                }
            }
            Change::Steps(steps) => {
                // All outputs are given by the new node, in place of the node that puts them together.
                let joint = steps.joint.and_then(|j| graph.nodes.get_mut(j));
                let all = joint.and_then(|n| n.outputs.first_mut()?.take());
                if let Some(node) = graph.nodes.get_mut(number) {
                    let inputs = vec![
                        Some(steps.sequence),
                        steps.first,
                        Some(steps.matrix),
                        steps.bias,
                    ];
                    let mut tensors = flag("steps", steps.count as f32);
                    tensors.extend(flag("relu", f32::from(u8::from(steps.relu))));
                    tensors.extend(flag("turned", f32::from(u8::from(steps.turned))));
                    node.becomes(UNROLLED, inputs, tensors);
                    node.outputs.truncate(1);
                    node.outputs.insert(0, all);
                }
            }
        }
    }
    graph::again(graph);
}

enum Change {
    Normalization(usize, f32),
    Gelu(usize),
    Steps(Steps),
}

/// One side of a product.
#[derive(Clone, Copy)]
enum Factor {
    Number(f32),
    Value(usize),
}

/// Whether a constant is this one, as far as 16 bits can say it.
fn near(number: f32, wanted: f32) -> bool {
    (number - wanted).abs() < 5e-4 * wanted
}

/// Steps of a recurrence.
struct Steps {
    sequence: usize,
    /// `None`: zeros.
    first: Option<usize>,
    matrix: usize,
    bias: Option<usize>,
    relu: bool,
    /// The outputs are put together last step first.
    turned: bool,
    count: usize,
    /// The node that gives the last output.
    maker: usize,
    /// The node that puts all outputs together.
    joint: Option<usize>,
}

/// One step.
#[derive(Clone, Copy, PartialEq)]
struct Step {
    sequence: usize,
    index: i64,
    state: State,
    relu: bool,
}

/// The part of a step that the state has.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// A state times a matrix, and a bias.
    Product {
        before: usize,
        matrix: usize,
        bias: Option<usize>,
    },
    /// A constant: what an exporter made of a state of zeros.
    Constant(usize),
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
        let mut readers = vec![Vec::new(); graph.names.len()];
        // Arrays share their numbers.
        for (value, array) in &graph.constants {
            constants.insert(*value, array.clone());
        }
        for (number, node) in graph.nodes.iter().enumerate() {
            for value in node.inputs.iter().flatten() {
                if let Some(all) = readers.get_mut(*value) {
                    all.push(number);
                }
            }
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
            readers,
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

    /// A product, or what is divided by a constant: its two factors. Exporters write both in either order.
    fn factors(&self, value: Option<usize>) -> Option<[Factor; 2]> {
        if let Some(node) = self.made(value, "Mul") {
            return Some([self.factor(node.input(0))?, self.factor(node.input(1))?]);
        }
        let node = self.made(value, "Div")?;
        let by = self.float(node.input(1))?;
        Some([self.factor(node.input(0))?, Factor::Number(1.0 / by)])
    }

    fn factor(&self, value: Option<usize>) -> Option<Factor> {
        Some(match self.float(value) {
            Some(number) => Factor::Number(number),
            None => Factor::Value(value?),
        })
    }

    /// `x * (1 + erf(x / √2)) / 2`, whose factors stand in any order.
    fn gelu(&self, node: &Node<'_>) -> Option<usize> {
        let root = node.outputs.first().copied().flatten();
        let pair = self.factors(root)?;
        pair.iter().enumerate().find_map(|(at, inner)| {
            let Factor::Value(inner) = inner else {
                return None;
            };
            let [a, b] = self.factors(Some(*inner))?;
            let mut values = Vec::new();
            for factor in [a, b, *pair.get(1 - at)?] {
                match factor {
                    Factor::Value(value) => values.push(value),
                    Factor::Number(number) if near(number, 0.5) => {}
                    Factor::Number(_) => return None,
                }
            }
            let [a, b] = values[..] else { return None };
            let is = |x: usize, sum: usize| self.error_of(sum) == Some(x);
            match (is(a, b), is(b, a)) {
                (true, _) => Some(a),
                (_, true) => Some(b),
                _ => None,
            }
        })
    }

    /// The x of `1 + erf(x / √2)`.
    fn error_of(&self, sum: usize) -> Option<usize> {
        let sum = self.made(Some(sum), "Add")?;
        let (one, erf) = match self.float(sum.input(1)) {
            Some(one) => (one, sum.input(0)),
            None => (self.float(sum.input(0))?, sum.input(1)),
        };
        let scaled = self.made(erf, "Erf")?.input(0);
        let pair = self.factors(scaled)?;
        match (near(one, 1.0), pair) {
            (true, [Factor::Value(x), Factor::Number(by)])
            | (true, [Factor::Number(by), Factor::Value(x)])
                if near(by, std::f32::consts::FRAC_1_SQRT_2) =>
            {
                Some(x)
            }
            _ => None,
        }
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
    fn projected(&self, value: Option<usize>) -> Option<State> {
        if self.constant(value).is_some() {
            return value.map(State::Constant);
        }
        if let Some(product) = self.made(value, "MatMul") {
            return Some(State::Product {
                before: product.input(0)?,
                matrix: product.input(1)?,
                bias: None,
            });
        }
        let sum = self.made(value, "Add")?;
        for (product, bias) in [(0, 1), (1, 0)] {
            if let Some(product) = self.made(sum.input(product), "MatMul") {
                return Some(State::Product {
                    before: product.input(0)?,
                    matrix: product.input(1)?,
                    bias: Some(sum.input(bias)?),
                });
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
            let state = self.projected(sum.input(of_state));
            let taken = self.taken(sum.input(of_input));
            if let (Some(state), Some((sequence, index))) = (state, taken) {
                return Some(Step {
                    sequence,
                    index,
                    state,
                    relu,
                });
            }
        }
        None
    }

    /// All recurrences whose steps are written out.
    fn all_steps(&self) -> Vec<Steps> {
        let mut steps: BTreeMap<usize, Step> = BTreeMap::new();
        for node in self.nodes {
            if let Some(value) = node.outputs.first().copied().flatten()
                && let Some(step) = self.step(value)
            {
                steps.insert(value, step);
            }
        }
        // The step after each.
        let mut after: BTreeMap<usize, usize> = BTreeMap::new();
        for (value, step) in &steps {
            if let State::Product { before, .. } = step.state {
                after.insert(before, *value);
            }
        }
        let mut found = Vec::new();
        for (value, first) in &steps {
            if first.index == 0 {
                let mut chain = vec![*value];
                while let Some(next) = chain.last().and_then(|v| after.get(v)) {
                    if chain.len() > steps.len() {
                        break;
                    }
                    chain.push(*next);
                }
                found.extend(self.recurrence(&chain, &steps));
            }
        }
        found
    }

    /// What steps in a row are.
    fn recurrence(&self, chain: &[usize], steps: &BTreeMap<usize, Step>) -> Option<Steps> {
        let first = *steps.get(chain.first()?)?;
        let second = *steps.get(chain.get(1)?)?;
        let State::Product { matrix, bias, .. } = second.state else {
            return None;
        };
        for (index, value) in chain.iter().enumerate().skip(1) {
            let wanted = Step {
                index: index as i64,
                state: State::Product {
                    before: *chain.get(index - 1)?,
                    matrix,
                    bias,
                },
                ..first
            };
            if *steps.get(value)? != wanted {
                return None;
            }
        }
        let state = match first.state {
            State::Product {
                before,
                matrix: m,
                bias: b,
            } if (m, b) == (matrix, bias) => Some(before),
            State::Product { .. } => return None,
            // A state of zeros leaves the bias.
            State::Constant(value) => {
                let rows = self.constant(Some(value))?.floats()?;
                let zero = match bias {
                    None => rows.iter().all(|v| *v == 0.0),
                    Some(bias) => {
                        let bias = self.constant(Some(bias))?.floats()?;
                        !bias.is_empty() && rows.chunks(bias.len()).all(|row| row == &bias[..])
                    }
                };
                match zero {
                    true => None,
                    false => return None,
                }
            }
        };
        let last = *chain.last()?;
        let turned: Vec<usize> = chain.iter().rev().copied().collect();
        let joins = |number: &&usize| {
            self.nodes.get(**number).is_some_and(|n| {
                if n.inputs.len() != chain.len() {
                    return false;
                }
                let all: Option<Vec<usize>> = n.inputs.iter().copied().collect();
                let ours = all.is_some_and(|all| all == chain || all == turned);
                n.op == "Concat" && n.int("axis") == Some(0) && ours
            })
        };
        let joint = self.readers.get(last)?.iter().find(joins).copied();
        let is_turned = joint
            .and_then(|j| self.nodes.get(j))
            .is_some_and(|n| n.input(0) == Some(last));
        Some(Steps {
            sequence: first.sequence,
            first: state,
            matrix,
            bias,
            relu: first.relu,
            turned: is_turned,
            count: chain.len(),
            maker: (*self.maker.get(last)?)?,
            joint,
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
