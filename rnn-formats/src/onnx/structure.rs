//! Nodes that move what flows and compute nothing: transposes, slices, reshapes. Most become no layer.

use super::array::{Array, Budget};
use super::axes;
use super::dim::Dim;
use super::flow::{Axis, Flow, Kind};
use super::fold;
use super::graph::Node;
use super::inputs::Inputs;
use super::net::{Net, Op, Shape};

type Done<T> = Result<T, String>;

/// What these nodes need.
pub(super) struct Moves<'m> {
    pub net: &'m mut Net,
    pub budget: &'m mut Budget,
    pub inputs: &'m mut Inputs,
    pub opset: i64,
}

impl Moves<'_> {
    /// What a node gives whose first input flows and whose others are known; `None` if the node is none of these.
    pub fn node(
        &mut self,
        node: &Node<'_>,
        flow: &Flow,
        others: &[Option<&Array>],
    ) -> Option<Done<Vec<Flow>>> {
        let other = |index: usize| others.get(index).copied().flatten();
        let one = |flow: Done<Flow>| flow.map(|f| vec![f]);
        Some(match node.op.as_str() {
            "Identity" => Ok(vec![flow.clone()]),
            // What training drops, inference keeps.
            "Dropout" => match other(2).map(Array::one_float) {
                None | Some(Some(0.0)) => Ok(vec![flow.clone()]),
                Some(_) => Err("it drops numbers, as in training".to_owned()),
            },
            "Transpose" => one(fold::order(node, flow.axes.len())
                .and_then(|order| flow.transposed(&order, self.budget))),
            "Reshape" => one(match other(1) {
                Some(to) => {
                    fold::new_shape(node, &flow.shape(), to).and_then(|to| self.reshaped(flow, &to))
                }
                None => Err("its new shape is not known".to_owned()),
            }),
            "Flatten" => {
                one(fold::flattened(node, &flow.shape()).and_then(|to| self.reshaped(flow, &to)))
            }
            "Squeeze" => one(fold::squeezed(node, &flow.shape(), other(1))
                .and_then(|axes| self.squeezed(flow, &axes))),
            "Unsqueeze" => one(
                fold::unsqueezed(node, flow.axes.len(), other(1)).map(|axes| {
                    let mut out = flow.clone();
                    for at in axes {
                        out.axes.insert(at.min(out.axes.len()), Axis::feature(1));
                    }
                    out
                }),
            ),
            "Expand" => one(match other(1).and_then(Array::ints) {
                Some(to) => self.expanded(flow, to),
                None => Err("its shape is not known".to_owned()),
            }),
            "Slice" => one(self.sliced(node, flow, others)),
            "Gather" => one(match other(1) {
                Some(indices) => self.gathered(node, flow, indices),
                None => Err("its indices are not known".to_owned()),
            }),
            "Split" => self.split(node, flow, other(1)),
            _ => return None,
        })
    }

    fn squeezed(&mut self, flow: &Flow, axes: &[usize]) -> Done<Flow> {
        let mut out = flow.clone();
        for at in (0..flow.axes.len()).rev().filter(|a| axes.contains(a)) {
            if out.axes[at].kind == Kind::Time {
                out = self.edge(&out, at, true, false)?;
            } else {
                out.axes.remove(at);
            }
        }
        Ok(out)
    }

    /// The first or the last step; the axis stays with one step, or goes.
    fn edge(&mut self, flow: &Flow, at: usize, last: bool, stays: bool) -> Done<Flow> {
        let mut out = flow.clone();
        // Each part has an edge of its own: states of both directions stay apart.
        for part in &mut out.parts {
            part.src = self.net.edge(part.src, last)?;
        }
        match stays {
            true => out.axes[at] = Axis::feature(1),
            false => {
                out.axes.remove(at);
            }
        }
        Ok(out)
    }

    fn reshaped(&mut self, flow: &Flow, to: &[Dim]) -> Done<Flow> {
        let told = match flow.reshaped(to) {
            Ok(out) => return Ok(out),
            Err(told) => told,
        };
        // `[batch, steps, features]` side by side in one vector.
        let kinds: Vec<&Kind> = flow.axes.iter().map(|a| &a.kind).collect();
        let is_flat = matches!(kinds[..], [Kind::Batch, Kind::Time, Kind::Feature]);
        let steps = flow.axes.get(1).and_then(|a| a.size.size());
        let (true, Some(steps), [rows, features]) = (is_flat, steps, to) else {
            return Err(told);
        };
        let width = flow
            .width()
            .checked_mul(steps)
            .ok_or_else(|| told.clone())?;
        if *rows != flow.axes[0].size || features.size() != Some(width) {
            return Err(told);
        }
        let src = self.net.whole(&flow.parts, self.budget)?;
        if self.net.shape(src).mask.is_some() {
            return Err("it cuts padded rows".to_owned());
        }
        let shape = Shape {
            width,
            timed: false,
            mask: None,
        };
        let src = self.net.add(Op::Plain("Flatten"), vec![src], shape);
        Ok(Flow {
            axes: vec![flow.axes[0].clone(), Axis::feature(width)],
            parts: vec![super::flow::Part {
                src,
                start: 0,
                len: width,
            }],
            whole: false,
        })
    }

    fn expanded(&mut self, flow: &Flow, to: &[Dim]) -> Done<Flow> {
        let shape = axes::broadcast(&flow.shape(), to)?;
        let mut out = flow.clone();
        while out.axes.len() < shape.len() {
            out.axes.insert(0, Axis::feature(1));
        }
        let mut features = Vec::new();
        for (axis, size) in out.axes.iter_mut().zip(&shape) {
            if axis.kind == Kind::Feature {
                let size = size
                    .size()
                    .ok_or("it repeats a value over rows or steps, which no layer does")?;
                features.push(size);
            } else if axis.size != *size {
                return Err("it repeats a value over rows or steps, which no layer does".to_owned());
            }
        }
        out.parts = out.stretched(&features, self.budget)?;
        let mut features = features.into_iter();
        for axis in out.axes.iter_mut().filter(|a| a.kind == Kind::Feature) {
            if let Some(size) = features.next().filter(|s| Dim::N(*s as i64) != axis.size) {
                *axis = Axis::feature(size);
            }
        }
        Ok(out)
    }

    fn sliced(&mut self, node: &Node<'_>, flow: &Flow, others: &[Option<&Array>]) -> Done<Flow> {
        let mut out = flow.clone();
        for cut in fold::cuts(node, others, &flow.shape(), self.opset)? {
            let axis = out.axes[cut.axis].clone();
            if cut.is_all(&axis.size) {
                continue;
            }
            match axis.kind {
                Kind::Feature => {
                    let size = axis.size.size().ok_or("its limits are not known")?;
                    let indices = cut.indices(size, self.budget)?;
                    out = out.taken(cut.axis, &indices, self.budget)?;
                }
                Kind::Time if cut.step == -1 && cut.count == axis.size => {
                    for part in &mut out.parts {
                        let shape = self.net.shape(part.src);
                        if shape.mask.is_some() {
                            return Err("it reverses padded rows".to_owned());
                        }
                        part.src = self.net.add(Op::Reverse, vec![part.src], shape);
                    }
                }
                Kind::Time if cut.count == Dim::N(1) => {
                    let last = axis.size.minus(&Dim::N(1)) == Some(cut.from.clone());
                    if !last && cut.from != Dim::N(0) {
                        return Err(self.some_rows(&axis));
                    }
                    out = self.edge(&out, cut.axis, last, true)?;
                }
                _ => return Err(self.some_rows(&axis)),
            }
        }
        Ok(out)
    }

    fn gathered(&mut self, node: &Node<'_>, flow: &Flow, indices: &Array) -> Done<Flow> {
        let at = axes::axis(node.int("axis").unwrap_or(0), flow.axes.len())?;
        let whole = indices.whole(self.budget)?;
        let axis = &flow.axes[at];
        let all = whole.ints().ok_or("its indices are no whole numbers")?;
        match (&axis.kind, all) {
            (Kind::Feature, _) => {
                let size = axis.size.size().unwrap_or(0);
                let mut places = Vec::new();
                for i in all {
                    let i = i.known().ok_or("its indices are not known")?;
                    places.push(axes::index(i, size)?);
                }
                let mut out = flow.taken(at, &places, self.budget)?;
                let sizes = whole.dims.iter().map(|d| Axis::feature(*d));
                match &whole.dims[..] {
                    [_] => {}
                    _ => {
                        out.axes.splice(at..=at, sizes);
                    }
                }
                Ok(out)
            }
            (Kind::Time, [step]) if whole.dims.len() < 2 => {
                let last =
                    *step == Dim::N(-1) || axis.size.minus(&Dim::N(1)).as_ref() == Some(step);
                if !last && *step != Dim::N(0) {
                    return Err(self.some_rows(axis));
                }
                self.edge(flow, at, last, whole.dims.len() == 1)
            }
            (Kind::Batch, [row]) if axis.size == Dim::N(1) && whole.dims.is_empty() => {
                axes::index(row.known().unwrap_or(1), 1)?;
                let mut out = flow.clone();
                out.axes.remove(at);
                Ok(out)
            }
            _ => Err(self.some_rows(axis)),
        }
    }

    /// Some of the rows or steps: of an input they may be features.
    fn some_rows(&mut self, axis: &Axis) -> String {
        self.inputs.learn(axis, Kind::Feature);
        "it takes some of the rows or steps, which no layer does".to_owned()
    }

    fn split(&mut self, node: &Node<'_>, flow: &Flow, sizes: Option<&Array>) -> Done<Vec<Flow>> {
        let at = axes::axis(node.int("axis").unwrap_or(0), flow.axes.len())?;
        let axis = &flow.axes[at];
        let sizes = fold::split(node, &axis.size, sizes)?;
        if sizes.len() != node.outputs.len() {
            return Err("it does not have as many outputs as sizes".to_owned());
        }
        if sizes.len() == 1 {
            return Ok(vec![flow.clone()]);
        }
        if axis.kind != Kind::Feature {
            return Err(self.some_rows(axis));
        }
        let mut from = 0;
        let mut all = Vec::new();
        for size in sizes {
            let indices: Vec<usize> = (from..from + size).collect();
            self.budget.spend(size)?;
            all.push(flow.taken(at, &indices, self.budget)?);
            from += size;
        }
        Ok(all)
    }
}
