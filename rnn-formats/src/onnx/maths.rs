//! Nodes that compute: products with constant matrices, sums, activations, normalisations.

use std::rc::Rc;

use super::activation::number;
use super::array::{Array, Budget, places, strides};
use super::axes;
use super::flow::{Axis, Flow, Kind, Part, Src};
use super::fold;
use super::graph::Node;
use super::inputs::{Inputs, Use};
use super::net::{Net, Op, Shape};

type Done<T> = Result<T, String>;

/// An input of a node.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Const(Array),
    Flow(Flow),
}

/// What these nodes need.
pub(super) struct Maths<'m> {
    pub net: &'m mut Net,
    pub budget: &'m mut Budget,
    pub inputs: &'m mut Inputs,
}

/// The activation that a node without other inputs is.
fn activation(node: &Node<'_>) -> Option<Done<String>> {
    let alpha = |default: f32| node.float("alpha").unwrap_or(default);
    let named = |name: &str, alpha: f32| match alpha.is_finite() && alpha >= 0.0 {
        true => Ok(format!("{name}({})", number(alpha))),
        false => Err(format!("its alpha is {alpha}")),
    };
    Some(Ok(match node.op.as_str() {
        "Tanh" => "tanh",
        "Sigmoid" => "sigmoid",
        "Relu" => "relu",
        "Softplus" => "softplus",
        "Softsign" => "softsign",
        "Exp" => "exponential",
        "Mish" => "mish",
        "HardSwish" => "hard_silu",
        "Selu" => {
            let usual =
                |name: &str, value: f32| node.float(name).is_none_or(|v| (v - value).abs() < 1e-4);
            match usual("alpha", 1.673_263_2) && usual("gamma", 1.050_701) {
                true => "selu",
                false => return Some(Err("its alpha and gamma are not the usual ones".to_owned())),
            }
        }
        "Gelu" => match node.string("approximate").as_deref() {
            None | Some("none") => "gelu",
            Some(_) => return Some(Err("its approximation is not understood".to_owned())),
        },
        "Elu" => return Some(named("elu", alpha(1.0))),
        "LeakyRelu" => return Some(named("leaky_relu", alpha(0.01))),
        "HardSigmoid" => {
            let (a, b) = (alpha(0.2), node.float("beta").unwrap_or(0.5));
            match b == 0.5 {
                true if (a - 1.0 / 6.0).abs() < 1e-6 => "hard_sigmoid",
                true => return Some(named("hard_sigmoid", a)),
                false => {
                    return Some(Err(format!(
                        "its beta {b} is not that of `hard_sigmoid`, 1/2"
                    )));
                }
            }
        }
        _ => return None,
    }
    .to_owned()))
}

impl Maths<'_> {
    /// What a node gives; `None` if it is none of these.
    pub fn node(
        &mut self,
        node: &Node<'_>,
        inputs: &[Option<Val>],
        opset: i64,
    ) -> Option<Done<Vec<Flow>>> {
        let get = |index: usize| inputs.get(index).and_then(Option::as_ref);
        let flow = |index: usize| match get(index) {
            Some(Val::Flow(f)) => Ok(f),
            _ => Err(format!(
                "its input {index} has to be computed from the model's inputs"
            )),
        };
        let constant = |index: usize| match get(index) {
            Some(Val::Const(a)) => Ok(a),
            _ => Err(format!("its input {index} has to be a constant")),
        };
        if let Some(name) = activation(node) {
            return Some(flow(0).and_then(|f| self.plain(f, Op::Activation(name?))));
        }
        let one = |flow: Done<Flow>| flow.map(|f| vec![f]);
        if node.has("broadcast") {
            let why = "its way to broadcast is that of versions before 7";
            return Some(Err(why.to_owned()));
        }
        Some(match node.op.as_str() {
            "Add" => one(match (get(0), get(1)) {
                (Some(Val::Flow(f)), Some(Val::Const(c)))
                | (Some(Val::Const(c)), Some(Val::Flow(f))) => {
                    self.with_constant(f, c, |v| Ok(Op::Shift(v)))
                }
                _ => self.merged("Add", &[flow(0), flow(1)]),
            }),
            "Mul" => one(match (get(0), get(1)) {
                (Some(Val::Flow(f)), Some(Val::Const(c)))
                | (Some(Val::Const(c)), Some(Val::Flow(f))) => {
                    self.with_constant(f, c, |v| Ok(Op::Scale(v)))
                }
                _ => self.merged("Multiply", &[flow(0), flow(1)]),
            }),
            "Sub" => one(match (get(0), get(1)) {
                (Some(Val::Flow(f)), Some(Val::Const(c))) => {
                    self.with_constant(f, c, |v| Ok(Op::Shift(v.iter().map(|x| -x).collect())))
                }
                (Some(Val::Const(c)), Some(Val::Flow(f))) => {
                    let negative = self.scaled(f, -1.0);
                    negative.and_then(|f| self.with_constant(&f, c, |v| Ok(Op::Shift(v))))
                }
                _ => self.merged("Subtract", &[flow(0), flow(1)]),
            }),
            "Div" => one(match (get(0), get(1)) {
                (Some(Val::Flow(f)), Some(Val::Const(c))) => {
                    self.with_constant(f, c, |v| match v.contains(&0.0) {
                        true => Err("it divides by 0".to_owned()),
                        false => Ok(Op::Scale(v.iter().map(|x| 1.0 / x).collect())),
                    })
                }
                _ => Err("it divides by what is computed, which no layer does".to_owned()),
            }),
            "Neg" => one(flow(0).and_then(|f| self.scaled(f, -1.0))),
            "Max" | "Min" | "Mean" | "Sum" => {
                let class = match node.op.as_str() {
                    "Max" => "Maximum",
                    "Min" => "Minimum",
                    "Mean" => "Average",
                    _ => "Add",
                };
                let all: Vec<Done<&Flow>> = (0..inputs.len()).map(flow).collect();
                one(match all.len() {
                    1 => flow(0).cloned(),
                    _ => self.merged(class, &all),
                })
            }
            "Pow" => one(flow(0).and_then(|f| match constant(1)?.one_float() {
                Some(1.0) => Ok(f.clone()),
                Some(2.0) => self.merged("Multiply", &[Ok(f), Ok(f)]),
                _ => Err("its power is not 1 or 2".to_owned()),
            })),
            "Clip" => one(flow(0).and_then(|f| {
                let limit = |index: usize, name: &str| match get(index) {
                    Some(Val::Const(a)) => a.one_float().map(Some),
                    Some(Val::Flow(_)) => None,
                    None => Some(node.float(name)),
                };
                let (Some(low), Some(high)) = (limit(1, "min"), limit(2, "max")) else {
                    return Err("its limits are not two numbers".to_owned());
                };
                let name = match (low, high.filter(|h| *h < f32::MAX)) {
                    (Some(0.0), Some(6.0)) => "relu6",
                    (Some(-1.0), Some(1.0)) => "hard_tanh",
                    (Some(0.0), None) => "relu",
                    _ => {
                        return Err(format!(
                            "its limits {low:?} and {high:?} are not those of relu, relu6 or hard_tanh"
                        ));
                    }
                };
                self.plain(f, Op::Activation(name.to_owned())).map(first)
            })),
            "PRelu" => one(flow(0).and_then(|f| match constant(1)?.one_float() {
                Some(a) if a >= 0.0 && a.is_finite() => {
                    let op = Op::Activation(format!("leaky_relu({})", number(a)));
                    self.plain(f, op).map(first)
                }
                _ => Err("it has several slopes, or one below 0".to_owned()),
            })),
            op @ ("Softmax" | "LogSoftmax") => one(flow(0).and_then(|f| {
                let name = match op {
                    "Softmax" => "softmax",
                    _ => "log_softmax",
                };
                let usual = if opset < 13 { 1 } else { -1 };
                let at = axes::axis(node.int("axis").unwrap_or(usual), f.axes.len())?;
                let last = at + 1 == f.axes.len() && f.axes[at].features() == Some(f.width());
                // Before version 13 it was over all axes from this one on.
                match last {
                    true => self
                        .plain(f, Op::Activation(name.to_owned()))
                        .map(first),
                    false => Err("it is not over all features".to_owned()),
                }
            })),
            "MatMul" => one(flow(0).and_then(|f| {
                let c = constant(1)?.whole(self.budget)?;
                let (rows, columns, values) = matrix(&c)?;
                self.product(f, rows, columns, Rc::new(values))
            })),
            "Gemm" => one(flow(0).and_then(|f| self.gemm(node, f, constant(1)?, get(2)))),
            "BatchNormalization" => one(flow(0).and_then(|f| {
                let vectors = [constant(1)?, constant(2)?, constant(3)?, constant(4)?];
                self.batch_norm(node, f, vectors)
            })),
            "LayerNormalization" => {
                one(flow(0).and_then(|f| self.layer_norm(node, f, get(1), get(2))))
            }
            "ReduceMean" | "ReduceMax" => one(flow(0).and_then(|f| {
                let axes = match get(1) {
                    Some(Val::Const(a)) => axes::axes(node, Some(a))?,
                    Some(Val::Flow(_)) => return Err("its axes are not known".to_owned()),
                    None => axes::axes(node, None)?,
                };
                self.pooled(node, f, axes)
            })),
            "GlobalAveragePool" | "GlobalMaxPool" => {
                one(flow(0).and_then(|f| self.pooled(node, f, Some(vec![2]))))
            }
            "Concat" => {
                let all: Vec<Done<&Flow>> = (0..inputs.len()).map(flow).collect();
                one(self.concat(node, &all))
            }
            "Gather" => one(match (get(0), get(1)) {
                (Some(Val::Const(table)), Some(Val::Flow(ids))) => self.embedding(node, table, ids),
                _ => Err("it takes rows of a value by numbers that are computed".to_owned()),
            }),
            "Cast" => one(flow(0).and_then(|f| self.cast(node, f))),
            _ => return None,
        })
    }

    /// The same axes with the features of one layer.
    fn of(&self, flow: &Flow, src: Src) -> Flow {
        Flow {
            axes: flow.axes.clone(),
            parts: vec![Part {
                src,
                start: 0,
                len: flow.width(),
            }],
            whole: false,
        }
    }

    fn plain(&mut self, flow: &Flow, op: Op) -> Done<Vec<Flow>> {
        if flow.whole {
            return Err("it computes with whole numbers".to_owned());
        }
        let src = self.net.whole(&flow.parts, self.budget)?;
        let src = self.net.after(src, op, flow.width());
        Ok(vec![self.of(flow, src)])
    }

    fn scaled(&mut self, flow: &Flow, by: f32) -> Done<Flow> {
        self.budget.spend(flow.width())?;
        self.plain(flow, Op::Scale(vec![by; flow.width()]))
            .map(first)
    }

    /// The vector over all features that a constant is for a value.
    fn vector(&mut self, flow: &Flow, c: &Array) -> Done<(Flow, Vec<f32>)> {
        let mut flow = flow.clone();
        while flow.axes.len() < c.dims.len() {
            flow.axes.insert(0, Axis::feature(1));
        }
        let skip = flow.axes.len() - c.dims.len();
        let mut features = Vec::new();
        let mut steps = Vec::new();
        let own = strides(&c.dims);
        for (at, axis) in flow.axes.iter_mut().enumerate() {
            let size = at.checked_sub(skip).map_or(1, |k| c.dims[k]);
            let step = at.checked_sub(skip).map_or(0, |k| own[k]);
            match axis.kind {
                Kind::Feature => {
                    let n = axis.size.size().unwrap_or(1);
                    if size != 1 && n != 1 && n != size {
                        return Err("its constant has other features".to_owned());
                    }
                    features.push(n.max(size));
                    steps.push(if size == 1 { 0 } else { step });
                    if n == 1 && size != 1 {
                        *axis = Axis::feature(size);
                    }
                }
                _ if size == 1 => {}
                _ => return Err("its constant is not the same for all rows and steps".to_owned()),
            }
        }
        let n = self.budget.shape(&features)?;
        let values = c.floats().ok_or("its constant is not known")?;
        let vector: Vec<f32> = places(&features, 0, &steps)
            .filter_map(|p| values.get(p).copied())
            .collect();
        if vector.len() != n {
            return Err("its constant has other features".to_owned());
        }
        Ok((flow, vector))
    }

    fn with_constant(
        &mut self,
        flow: &Flow,
        c: &Array,
        op: impl FnOnce(Vec<f32>) -> Done<Op>,
    ) -> Done<Flow> {
        let (wide, vector) = self.vector(flow, c)?;
        let features = wide.features();
        let mut narrow = flow.clone();
        while narrow.axes.len() < wide.axes.len() {
            narrow.axes.insert(0, Axis::feature(1));
        }
        let parts = narrow.stretched(&features, self.budget)?;
        let wide = Flow {
            parts,
            whole: flow.whole,
            ..wide
        };
        // A sum with zeros, or a product with ones, is the value itself.
        match op(vector)? {
            Op::Shift(v) if v.iter().all(|x| *x == 0.0) => Ok(wide),
            Op::Scale(v) if v.iter().all(|x| *x == 1.0) => Ok(wide),
            op => self.plain(&wide, op).map(first),
        }
    }

    /// Values of the same axes number by number.
    fn merged(&mut self, class: &'static str, all: &[Done<&Flow>]) -> Done<Flow> {
        let mut flows = Vec::new();
        for flow in all {
            flows.push((*flow.as_ref().map_err(Clone::clone)?).clone());
        }
        let rank = flows.iter().map(|f| f.axes.len()).max().unwrap_or(0);
        for flow in &mut flows {
            while flow.axes.len() < rank {
                flow.axes.insert(0, Axis::feature(1));
            }
        }
        let Some(mut out) = flows.first().cloned() else {
            return Err("it reads nothing".to_owned());
        };
        let mut features = Vec::new();
        for at in 0..rank {
            let axes: Vec<&Axis> = flows.iter().map(|f| &f.axes[at]).collect();
            // Rows or steps meet themselves, or one element.
            let main = axes.iter().find(|a| a.kind != Kind::Feature);
            if let Some(main) = main {
                if axes
                    .iter()
                    .any(|a| a.kind != main.kind || a.size != main.size)
                {
                    return Err("its values have different rows or steps".to_owned());
                }
                out.axes[at] = (*main).clone();
            } else {
                let n = axes.iter().filter_map(|a| a.features()).max().unwrap_or(1);
                features.push(n);
                if out.axes[at].features() != Some(n) {
                    out.axes[at] = Axis::feature(n);
                }
            }
        }
        let mut sources = Vec::new();
        for flow in &flows {
            if flow.whole {
                return Err("it computes with whole numbers".to_owned());
            }
            let parts = flow.stretched(&features, self.budget)?;
            sources.push(self.net.whole(&parts, self.budget)?);
        }
        let src = self.net.merge(class, sources)?;
        let width = features.iter().product();
        out.parts = vec![Part {
            src,
            start: 0,
            len: width,
        }];
        Ok(out)
    }

    /// A product of the last axis with a constant matrix.
    fn product(
        &mut self,
        flow: &Flow,
        rows: usize,
        columns: usize,
        kernel: Rc<Vec<f32>>,
    ) -> Done<Flow> {
        let Some(last) = flow.axes.last().and_then(Axis::features) else {
            return Err("its last axis is not that of features".to_owned());
        };
        if last != rows {
            return Err(format!(
                "its value has {last} features and its matrix {rows} rows"
            ));
        }
        if flow.width() != last {
            return Err("its value has several axes of features".to_owned());
        }
        if columns == 0 || rows == 0 || flow.whole {
            return Err("it computes nothing".to_owned());
        }
        let src = self.net.whole(&flow.parts, self.budget)?;
        let op = Op::Dense {
            kernel,
            bias: None,
            activation: None,
        };
        let src = self.net.after(src, op, columns);
        let mut out = flow.clone();
        out.axes.pop();
        out.axes.push(Axis::feature(columns));
        out.parts = vec![Part {
            src,
            start: 0,
            len: columns,
        }];
        Ok(out)
    }

    fn gemm(&mut self, node: &Node<'_>, flow: &Flow, b: &Array, c: Option<&Val>) -> Done<Flow> {
        if node.int("transA").unwrap_or(0) != 0 {
            return Err("it exchanges rows and features of its value".to_owned());
        }
        if flow.axes.len() != 2 {
            return Err("its value is no matrix".to_owned());
        }
        let (mut rows, mut columns, mut values) = matrix(&b.whole(self.budget)?)?;
        if node.int("transB").unwrap_or(0) != 0 {
            values = fold::matrix(&values, rows, columns);
            std::mem::swap(&mut rows, &mut columns);
        }
        let alpha = node.float("alpha").unwrap_or(1.0);
        if alpha != 1.0 {
            values.iter_mut().for_each(|v| *v *= alpha);
        }
        let out = self.product(flow, rows, columns, Rc::new(values))?;
        match c {
            None => Ok(out),
            Some(Val::Const(c)) => {
                let beta = node.float("beta").unwrap_or(1.0);
                self.with_constant(&out, c, |mut v| {
                    v.iter_mut().for_each(|x| *x *= beta);
                    Ok(Op::Shift(v))
                })
            }
            Some(Val::Flow(_)) => Err("its third input has to be a constant".to_owned()),
        }
    }

    fn batch_norm(&mut self, node: &Node<'_>, flow: &Flow, vectors: [&Array; 4]) -> Done<Flow> {
        if node.int("training_mode").unwrap_or(0) != 0 {
            return Err("it normalises by the batch, as in training".to_owned());
        }
        if node.int("spatial") == Some(0) {
            return Err("it normalises each place by itself".to_owned());
        }
        let width = flow.width();
        if flow.axes.get(1).and_then(Axis::features) != Some(width) {
            return Err("its axis 1 is not that of all features".to_owned());
        }
        let mut all = Vec::new();
        for v in vectors {
            let v = v
                .whole(self.budget)?
                .floats()
                .ok_or("its constants are not known")?;
            if v.len() != width {
                return Err(format!("it has {} numbers for {width} features", v.len()));
            }
            all.push(v.to_vec());
        }
        let epsilon = positive(node.float("epsilon").unwrap_or(1e-5))?;
        let mut all = all.into_iter();
        let mut next = || all.next().unwrap_or_default();
        let op = Op::BatchNorm {
            gamma: next(),
            beta: next(),
            mean: next(),
            variance: next(),
            epsilon,
        };
        self.plain(flow, op).map(first)
    }

    fn layer_norm(
        &mut self,
        node: &Node<'_>,
        flow: &Flow,
        gamma: Option<&Val>,
        beta: Option<&Val>,
    ) -> Done<Flow> {
        let width = flow.width();
        let at = axes::axis(node.int("axis").unwrap_or(-1), flow.axes.len())?;
        let over: Option<usize> = flow.axes[at..].iter().map(Axis::features).product();
        if over != Some(width) || node.gives(1) || node.gives(2) {
            return Err("it is not over all features, or gives more than the value".to_owned());
        }
        let mut vectors = Vec::new();
        for given in [gamma, beta] {
            vectors.push(match given {
                None => None,
                Some(Val::Const(c)) => {
                    let (wide, vector) = self.vector(flow, c)?;
                    match wide.features() == flow.features() {
                        true => Some(vector),
                        false => return Err("its constants have other features".to_owned()),
                    }
                }
                Some(Val::Flow(_)) => return Err("its scale has to be a constant".to_owned()),
            });
        }
        let told = node.tensor("epsilon").and_then(Array::one_float);
        let epsilon = positive(told.or(node.float("epsilon")).unwrap_or(1e-5))?;
        let beta = vectors.pop().flatten();
        let op = Op::LayerNorm {
            gamma: vectors.pop().flatten(),
            beta,
            epsilon,
        };
        self.plain(flow, op).map(first)
    }

    /// The mean or the largest of all steps.
    fn pooled(&mut self, node: &Node<'_>, flow: &Flow, axes: Option<Vec<i64>>) -> Done<Flow> {
        let time = flow.axes.iter().position(|a| a.kind == Kind::Time);
        let only = match &axes.as_deref() {
            Some([one]) => Some(axes::axis(*one, flow.axes.len())?),
            _ => None,
        };
        let (Some(time), true) = (time, time == only && !flow.whole) else {
            return Err("it is not over the steps".to_owned());
        };
        let src = self.net.whole(&flow.parts, self.budget)?;
        if self.net.shape(src).mask.is_some() {
            return Err("it is over padded rows".to_owned());
        }
        let class = match node.op.as_str() {
            "ReduceMax" | "GlobalMaxPool" => "GlobalMaxPooling1D",
            _ => "GlobalAveragePooling1D",
        };
        let shape = Shape {
            width: flow.width(),
            timed: false,
            mask: None,
        };
        let src = self.net.add(Op::Plain(class), vec![src], shape);
        let mut out = self.of(flow, src);
        match node.int("keepdims").unwrap_or(1) {
            0 => {
                out.axes.remove(time);
            }
            _ => out.axes[time] = Axis::feature(1),
        }
        Ok(out)
    }

    fn concat(&mut self, node: &Node<'_>, all: &[Done<&Flow>]) -> Done<Flow> {
        let mut flows = Vec::new();
        for flow in all {
            flows.push((*flow.as_ref().map_err(Clone::clone)?).clone());
        }
        let rank = flows.first().map_or(0, |f| f.axes.len());
        let at = axes::axis(node.int("axis").unwrap_or(1), rank)?;
        match &flows[..] {
            [only] => Ok(only.clone()),
            all => Flow::joined(all, at, self.budget),
        }
    }

    fn embedding(&mut self, node: &Node<'_>, table: &Array, ids: &Flow) -> Done<Flow> {
        let at = axes::axis(node.int("axis").unwrap_or(0), table.dims.len())?;
        let table = table.whole(self.budget)?;
        let (rows, width, values) = matrix(&table)?;
        if at != 0 || rows == 0 || width == 0 {
            return Err("its table is not one row for each id".to_owned());
        }
        if ids.axes.len() == 1 {
            // The steps of one row.
            self.inputs.demand(ids, &[Kind::Time])?;
        }
        if !ids.has(&Kind::Time) || ids.width() != 1 || ids.parts.len() != 1 {
            return Err("its ids are not one for each step".to_owned());
        }
        self.inputs.uses(ids, self.net, Use::Ids)?;
        let shape = Shape {
            width,
            timed: true,
            mask: None,
        };
        let from: Vec<Src> = ids.parts.iter().map(|p| p.src).collect();
        let op = Op::Embedding {
            rows,
            table: Rc::new(values),
        };
        let src = self.net.add(op, from, shape);
        let mut out = ids.clone();
        out.axes.push(Axis::feature(width));
        out.parts = vec![Part {
            src,
            start: 0,
            len: width,
        }];
        out.whole = false;
        Ok(out)
    }

    fn cast(&mut self, node: &Node<'_>, flow: &Flow) -> Done<Flow> {
        let to = node.int("to").and_then(|t| i32::try_from(t).ok());
        let whole = to
            .and_then(super::decode::is_whole)
            .ok_or("its type is not understood")?;
        let mut out = flow.clone();
        match (flow.whole, whole) {
            (false, true) => return Err("it rounds numbers".to_owned()),
            (true, false) => {
                self.inputs.uses(flow, self.net, Use::Numbers)?;
                out.whole = false;
            }
            _ => {}
        }
        Ok(out)
    }
}

fn first(all: Vec<Flow>) -> Flow {
    let mut all = all;
    match all.is_empty() {
        false => all.swap_remove(0),
        true => Flow {
            axes: vec![],
            parts: vec![],
            whole: false,
        },
    }
}

fn positive(epsilon: f32) -> Done<f32> {
    match epsilon > 0.0 && epsilon.is_finite() {
        true => Ok(epsilon),
        false => Err(format!("its epsilon is {epsilon}")),
    }
}

/// Rows, columns and numbers of a constant matrix.
fn matrix(c: &Array) -> Done<(usize, usize, Vec<f32>)> {
    let axes: Vec<usize> = c.dims.clone();
    let (rows, columns) = match axes[..] {
        [rows, columns] | [1, rows, columns] => (rows, columns),
        _ => return Err(format!("its constant {axes:?} is no matrix")),
    };
    let values = c.floats().ok_or("its matrix is not known")?;
    Ok((rows, columns, values.to_vec()))
}
