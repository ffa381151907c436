//! Nodes whose inputs are all known are computed while the model is read.

use std::rc::Rc;

use super::array::{Array, Budget, Data, strides};
use super::axes::{axes, axis, broadcast, in_front, index, with_ones};
use super::dim::{Dim, product};
use super::fold_maths::{both, choose, each, each_int, pair, reduce};
use super::graph::{self, Node};

type Done<T> = Result<T, String>;

/// What a node gives if all of its inputs are known; `None` for an operator that is not computed here.
pub(super) fn node(
    node: &Node<'_>,
    inputs: &[Option<&Array>],
    opset: i64,
    budget: &mut Budget,
) -> Option<Done<Vec<Array>>> {
    let get = |index: usize| {
        let found = inputs.get(index).copied().flatten();
        found.ok_or_else(|| format!("its input {index} is left out"))
    };
    let one = |array: Done<Array>| array.map(|a| vec![a]);
    Some(match node.op.as_str() {
        "Constant" => one(graph::constant(node)),
        "Identity" => one(get(0).cloned()),
        "Cast" | "CastLike" => one(get(0).and_then(|a| cast(node, a, budget))),
        "Shape" => one(get(0).and_then(|a| shape(node, &a.shape)).map(Array::sizes)),
        "Size" => one(get(0).and_then(|a| size(&a.shape))),
        "Transpose" => one(get(0).and_then(|a| a.transposed(&order(node, a.dims.len())?, budget))),
        "Reshape" => one(get(0).and_then(|a| reshape(node, a, get(1)?, budget))),
        "Flatten" => one(get(0).and_then(|a| {
            let to = flattened(node, &a.shape)?;
            reshaped(a, to, budget)
        })),
        "Squeeze" => one(get(0).and_then(|a| {
            let axes = squeezed(node, &a.shape, get(1).ok())?;
            Ok(without(a, &axes))
        })),
        "Unsqueeze" => one(get(0).and_then(|a| {
            let axes = unsqueezed(node, a.dims.len(), get(1).ok())?;
            Ok(with_ones(a, &axes))
        })),
        "Expand" => one(get(0).and_then(|a| {
            let to = get(1)?.ints().ok_or("its shape is no whole numbers")?;
            expand(a, to)
        })),
        "Tile" => one(get(0).and_then(|a| tile(a, get(1)?, budget))),
        "ConstantOfShape" => one(get(0).and_then(|a| constant_of_shape(node, a))),
        "Range" => one(range(&[get(0), get(1), get(2)], budget)),
        "Gather" => one(get(0).and_then(|a| gather(node, a, get(1)?, budget))),
        "Slice" => one(get(0).and_then(|a| {
            let mut out = a.clone();
            for cut in cuts(node, inputs, &a.shape, opset)? {
                let size = out.dims[cut.axis];
                if size == 1 && out.shape[cut.axis] != Dim::N(1) {
                    out.shape[cut.axis] = cut.count;
                    continue;
                }
                let indices = cut.indices(size, budget)?;
                out = out.taken(cut.axis, &indices, budget)?;
            }
            Ok(out)
        })),
        "Concat" => {
            let all: Vec<Array> = inputs.iter().flatten().map(|a| (*a).clone()).collect();
            let rank = all.first().map_or(0, |a| a.dims.len());
            one(axis(node.int("axis").unwrap_or(0), rank)
                .and_then(|at| Array::joined(&all, at, budget)))
        }
        "Split" => get(0).and_then(|a| {
            let at = axis(node.int("axis").unwrap_or(0), a.dims.len())?;
            let sizes = split(node, &a.shape[at], get(1).ok())?;
            let mut from = 0;
            let mut all = Vec::new();
            for size in sizes {
                budget.spend(size)?;
                let indices: Vec<usize> = (from..from + size).collect();
                all.push(a.taken(at, &indices, budget)?);
                from += size;
            }
            Ok(all)
        }),
        "Where" => one(choose(get(0), get(1), get(2), budget)),
        "Not" => {
            one(get(0).and_then(|a| each_int(a, |d| Some(Dim::N(i64::from(d.known()? == 0))))))
        }
        "Neg" => one(get(0).and_then(|a| each(a, |f| -f, |d| d.times(&Dim::N(-1))))),
        "Abs" => {
            one(get(0).and_then(|a| each(a, f32::abs, |d| d.known()?.checked_abs().map(Dim::N))))
        }
        "Sqrt" => one(get(0).and_then(|a| each(a, f32::sqrt, |_| None))),
        "Reciprocal" => one(get(0).and_then(|a| each(a, |f| 1.0 / f, |_| None))),
        "Exp" => one(get(0).and_then(|a| each(a, f32::exp, |_| None))),
        "Log" => one(get(0).and_then(|a| each(a, f32::ln, |_| None))),
        "Tanh" => one(get(0).and_then(|a| each(a, f32::tanh, |_| None))),
        "Sigmoid" => one(get(0).and_then(|a| each(a, |f| 1.0 / (1.0 + (-f).exp()), |_| None))),
        "Floor" => one(get(0).and_then(|a| each(a, f32::floor, |_| None))),
        "Ceil" => one(get(0).and_then(|a| each(a, f32::ceil, |_| None))),
        "ReduceProd" | "ReduceSum" => one(get(0).and_then(|a| reduce(node, a, get(1).ok()))),
        op => match pair(op) {
            Some(how) => one(get(0).and_then(|a| both(a, get(1)?, how, budget))),
            None => return None,
        },
    })
}

fn size(shape: &[Dim]) -> Done<Array> {
    let all = product(shape).ok_or("its size cannot be counted")?;
    Ok(Array::scalar(all))
}

/// The sizes that `Shape` gives.
pub(super) fn shape(node: &Node<'_>, shape: &[Dim]) -> Done<Vec<Dim>> {
    let rank = shape.len() as i64;
    let place = |at: i64| {
        let at = if at < 0 { at.saturating_add(rank) } else { at };
        at.clamp(0, rank) as usize
    };
    let from = place(node.int("start").unwrap_or(0));
    let to = place(node.int("end").unwrap_or(rank));
    Ok(shape.get(from..to.max(from)).unwrap_or_default().to_vec())
}

/// The order of axes of a `Transpose`.
pub(super) fn order(node: &Node<'_>, rank: usize) -> Done<Vec<usize>> {
    let Some(written) = node.ints("perm") else {
        return Ok((0..rank).rev().collect());
    };
    let mut order = Vec::new();
    for &a in written {
        let a = axis(a, rank)?;
        if order.contains(&a) {
            return Err("its order names an axis twice".to_owned());
        }
        order.push(a);
    }
    match order.len() == rank {
        true => Ok(order),
        false => Err(format!("its order is not that of {rank} axes")),
    }
}

/// The shape that `Reshape` makes of another.
pub(super) fn new_shape(node: &Node<'_>, from: &[Dim], to: &Array) -> Done<Vec<Dim>> {
    let written = to.ints().ok_or("its shape is no whole numbers")?;
    let zeros = node.int("allowzero").unwrap_or(0) != 0;
    let mut shape = Vec::new();
    let mut open = None;
    for (at, size) in written.iter().enumerate() {
        shape.push(match size {
            Dim::N(0) if !zeros => from
                .get(at)
                .cloned()
                .ok_or("its shape copies an axis that is not there")?,
            Dim::N(-1) if open.is_none() => {
                open = Some(at);
                Dim::N(1)
            }
            Dim::N(n) if *n < 0 => return Err(format!("{n} is no size")),
            other => other.clone(),
        });
    }
    if let Some(open) = open {
        let all = product(from).ok_or("its size cannot be counted")?;
        let rest = product(&shape).ok_or("its size cannot be counted")?;
        shape[open] = all
            .over(&rest)
            .ok_or("its new shape does not have as many numbers")?;
    }
    Ok(shape)
}

fn reshape(node: &Node<'_>, a: &Array, to: &Array, budget: &mut Budget) -> Done<Array> {
    let to = new_shape(node, &a.shape, to)?;
    reshaped(a, to, budget)
}

fn reshaped(a: &Array, to: Vec<Dim>, budget: &mut Budget) -> Done<Array> {
    if product(&to) != product(&a.shape) {
        return Err("its new shape does not have as many numbers".to_owned());
    }
    if let (1, false) = (a.data.len(), a.dims.contains(&0)) {
        // One value everywhere.
        return Ok(Array {
            dims: vec![1; to.len()],
            shape: to,
            data: a.data.clone(),
        });
    }
    let whole = a.whole(budget)?;
    let dims: Option<Vec<usize>> = to.iter().map(Dim::size).collect();
    dims.and_then(|dims| Array::new(dims, whole.data))
        .ok_or_else(|| "its new shape does not have as many numbers".to_owned())
}

/// The two axes that `Flatten` makes.
pub(super) fn flattened(node: &Node<'_>, shape: &[Dim]) -> Done<Vec<Dim>> {
    let written = node.int("axis").unwrap_or(1);
    let at = match usize::try_from(written) {
        Ok(at) if at == shape.len() => at,
        _ => axis(written, shape.len())?,
    };
    let side = |dims: &[Dim]| product(dims).ok_or("its size cannot be counted");
    Ok(vec![side(&shape[..at])?, side(&shape[at..])?])
}

/// The axes that `Squeeze` takes away.
pub(super) fn squeezed(node: &Node<'_>, shape: &[Dim], input: Option<&Array>) -> Done<Vec<usize>> {
    let Some(written) = axes(node, input)? else {
        return Ok((0..shape.len())
            .filter(|a| shape[*a] == Dim::N(1))
            .collect());
    };
    let mut all = Vec::new();
    for a in written {
        let a = axis(a, shape.len())?;
        if shape[a] != Dim::N(1) {
            return Err(format!("its axis {a} does not have the size 1"));
        }
        all.push(a);
    }
    Ok(all)
}

/// The axes that `Unsqueeze` adds, in order, counted in the result.
pub(super) fn unsqueezed(node: &Node<'_>, rank: usize, input: Option<&Array>) -> Done<Vec<usize>> {
    let written = axes(node, input)?.ok_or("its axes are not known")?;
    let after = rank.saturating_add(written.len());
    if after > 64 {
        return Err("its result has too many axes".to_owned());
    }
    let mut all = Vec::new();
    for a in written {
        all.push(axis(a, after)?);
    }
    all.sort_unstable();
    match all.windows(2).any(|w| w[0] == w[1]) {
        true => Err("its axes name one twice".to_owned()),
        false => Ok(all),
    }
}

fn without(a: &Array, axes: &[usize]) -> Array {
    let keep = |k: &usize| !axes.contains(k);
    Array {
        shape: (0..a.shape.len())
            .filter(keep)
            .map(|k| a.shape[k].clone())
            .collect(),
        dims: (0..a.dims.len()).filter(keep).map(|k| a.dims[k]).collect(),
        data: a.data.clone(),
    }
}

fn expand(a: &Array, to: &[Dim]) -> Done<Array> {
    if to.len() > 64 || to.iter().any(|d| d.known().is_some_and(|n| n < 0)) {
        return Err("its shape is none".to_owned());
    }
    let shape = broadcast(&a.shape, to)?;
    Ok(Array {
        shape,
        ..in_front(a, to.len())
    })
}

fn tile(a: &Array, times: &Array, budget: &mut Budget) -> Done<Array> {
    let times = times.ints().ok_or("its repeats are no whole numbers")?;
    if times.len() != a.dims.len() {
        return Err("it does not have as many repeats as axes".to_owned());
    }
    let mut out = a.clone();
    for (at, times) in times.iter().enumerate() {
        if out.dims[at] == 1 {
            out.shape[at] = out.shape[at]
                .times(times)
                .ok_or("its size cannot be counted")?;
        } else {
            let n = times.size().ok_or("its repeats are not known")?;
            let size = out.dims[at];
            budget.spend(n.saturating_mul(size))?;
            let indices: Vec<usize> = (0..n).flat_map(|_| 0..size).collect();
            out = out.taken(at, &indices, budget)?;
        }
    }
    Ok(out)
}

fn constant_of_shape(node: &Node<'_>, a: &Array) -> Done<Array> {
    let shape = a.ints().ok_or("its shape is no whole numbers")?.to_vec();
    if shape.len() > 64 || shape.iter().any(|d| d.known().is_some_and(|n| n < 0)) {
        return Err("its shape is none".to_owned());
    }
    let data = match node.tensor("value") {
        Some(t) if t.data.len() == 1 => t.data.clone(),
        Some(_) => return Err("its value is not one number".to_owned()),
        None => Data::Floats(Rc::new(vec![0.0])),
    };
    Ok(Array {
        dims: vec![1; shape.len()],
        shape,
        data,
    })
}

fn range(given: &[Done<&Array>; 3], budget: &mut Budget) -> Done<Array> {
    let mut numbers = [0; 3];
    for (to, from) in numbers.iter_mut().zip(given) {
        let found = from.clone()?.numbers().and_then(|n| n.first().copied());
        *to = found.ok_or("its limits are not known whole numbers")?;
    }
    let [from, to, by] = numbers.map(i128::from);
    if by == 0 {
        return Err("its step is 0".to_owned());
    }
    let n = ((to - from) / by + i128::from((to - from) % by != 0)).max(0);
    budget.spend(usize::try_from(n).unwrap_or(usize::MAX))?;
    let all = (0..n).map(|k| Dim::N((from + k * by) as i64));
    Ok(Array::sizes(all.collect()))
}

fn gather(node: &Node<'_>, a: &Array, indices: &Array, budget: &mut Budget) -> Done<Array> {
    let at = axis(node.int("axis").unwrap_or(0), a.dims.len())?;
    let wanted = indices.whole(budget)?;
    let wanted = wanted.numbers().ok_or("its indices are not known")?;
    let size = a.dims[at];
    let repeats = size == 1 && a.shape[at] != Dim::N(1);
    let mut places = Vec::new();
    for i in wanted {
        places.push(if repeats { 0 } else { index(i, size)? });
    }
    let taken = a.taken(at, &places, budget)?;
    // The axis becomes the axes of the indices.
    let mut out = taken.clone();
    out.shape.splice(at..=at, indices.shape.iter().cloned());
    let dims: Vec<usize> = match repeats {
        true => vec![1; indices.dims.len()],
        false => indices.shape.iter().filter_map(Dim::size).collect(),
    };
    out.dims.splice(at..=at, dims);
    Ok(out)
}

/// A part of an axis.
pub(super) struct Cut {
    pub axis: usize,
    pub from: Dim,
    pub step: i64,
    /// How many are left.
    pub count: Dim,
}

impl Cut {
    /// Whether it leaves all as it is.
    pub fn is_all(&self, size: &Dim) -> bool {
        self.step == 1 && self.count == *size
    }

    /// The indices, of an axis whose size is known.
    pub fn indices(&self, size: usize, budget: &mut Budget) -> Done<Vec<usize>> {
        let unknown = || "its limits are not known".to_owned();
        let n = self.count.size().ok_or_else(unknown)?;
        budget.spend(n)?;
        let from = self.from.known().ok_or_else(unknown)?;
        (0..n as i64)
            .map(|k| {
                let at = k.checked_mul(self.step).and_then(|k| k.checked_add(from));
                at.and_then(|at| usize::try_from(at).ok())
                    .filter(|at| *at < size)
                    .ok_or_else(unknown)
            })
            .collect()
    }
}

/// The cuts of a `Slice`.
pub(super) fn cuts(
    node: &Node<'_>,
    inputs: &[Option<&Array>],
    shape: &[Dim],
    opset: i64,
) -> Done<Vec<Cut>> {
    let list = |attribute: &str, index: usize| -> Done<Option<Vec<Dim>>> {
        if opset < 10 && node.has(attribute) {
            let all = node.ints(attribute).unwrap_or_default();
            return Ok(Some(all.iter().map(|&n| Dim::N(n)).collect()));
        }
        match inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(a) => match a.ints() {
                Some(all) => Ok(Some(all.to_vec())),
                None => Err("its limits are no whole numbers".to_owned()),
            },
        }
    };
    let from = list("starts", 1)?.ok_or("its limits are not known")?;
    let to = list("ends", 2)?.ok_or("its limits are not known")?;
    let axes = list("axes", 3)?;
    let steps = list("steps", 4)?;
    let mut cuts = Vec::new();
    for (k, (from, to)) in from.iter().zip(&to).enumerate() {
        let at = match &axes {
            None => k as i64,
            Some(axes) => axes
                .get(k)
                .and_then(Dim::known)
                .ok_or("its axes are not known")?,
        };
        let at = axis(at, shape.len())?;
        let step = match &steps {
            None => 1,
            Some(steps) => steps
                .get(k)
                .and_then(Dim::known)
                .ok_or("its steps are not known")?,
        };
        cuts.push(cut(at, from, to, step, &shape[at])?);
    }
    Ok(cuts)
}

fn cut(axis: usize, from: &Dim, to: &Dim, step: i64, size: &Dim) -> Done<Cut> {
    let unknown = || "its limits are not known".to_owned();
    if step == 0 || step == i64::MIN {
        return Err("its step is no step".to_owned());
    }
    if let (Some(n), Some(from), Some(to)) = (size.known(), from.known(), to.known()) {
        let within = |at: i64, low: i64, high: i64| {
            let at = if at < 0 { at.saturating_add(n) } else { at };
            at.clamp(low, high.max(low))
        };
        let (from, to) = match step > 0 {
            true => (within(from, 0, n), within(to, 0, n)),
            // One before the first is where a walk backwards ends.
            false => (within(from, 0, n - 1), within(to, -1, n - 1)),
        };
        let distance = match (n, step > 0) {
            (0, _) => 0,
            (_, true) => to - from,
            (_, false) => from - to,
        };
        let count = distance.max(0).div_euclid(step.abs())
            + i64::from(distance.max(0).rem_euclid(step.abs()) != 0);
        return Ok(Cut {
            axis,
            from: Dim::N(from),
            step,
            count: Dim::N(count),
        });
    }
    // An axis whose size is a symbol: from the start or a place before the end, up to the end or a place before it.
    let place = |at: &Dim| -> Option<Dim> {
        match at.known() {
            Some(n) if n < 0 && n > -1000 => size.plus(&Dim::N(n)),
            Some(n) if n > 1_000_000 => Some(size.clone()),
            _ => Some(at.clone()),
        }
    };
    if step < 0 {
        let all = from.known() == Some(-1) || place(from) == size.minus(&Dim::N(1));
        let to_start = to.known().is_some_and(|n| n < -1000);
        return match step == -1 && all && to_start {
            true => Ok(Cut {
                axis,
                from: Dim::N(-1),
                step,
                count: size.clone(),
            }),
            false => Err(unknown()),
        };
    }
    let (from, to) = (
        place(from).ok_or_else(unknown)?,
        place(to).ok_or_else(unknown)?,
    );
    let count = to.minus(&from).ok_or_else(unknown)?;
    match step == 1 {
        true => Ok(Cut {
            axis,
            from,
            step,
            count,
        }),
        false => Err(unknown()),
    }
}

/// The sizes of the parts of a `Split`.
pub(super) fn split(node: &Node<'_>, size: &Dim, input: Option<&Array>) -> Done<Vec<usize>> {
    let size = size
        .size()
        .ok_or("the size of what it splits is not known")?;
    let written = match (node.ints("split"), input) {
        (Some(all), _) => Some(all.to_vec()),
        (None, Some(a)) => Some(a.numbers().ok_or("its sizes are not known")?),
        (None, None) => None,
    };
    let sizes: Vec<usize> = match written {
        Some(all) => {
            let all: Option<Vec<usize>> = all.iter().map(|&n| usize::try_from(n).ok()).collect();
            all.ok_or("its sizes are none")?
        }
        None => {
            let count = match node.int("num_outputs") {
                Some(n) => usize::try_from(n).unwrap_or(0),
                None => node.outputs.len(),
            };
            if count == 0 || count > size.max(1) {
                return Err(format!("{size} cannot be split into {count}"));
            }
            let each = size.div_ceil(count);
            (0..count)
                .map(|k| each.min(size.saturating_sub(k * each)))
                .collect()
        }
    };
    let sum = sizes.iter().try_fold(0_usize, |a, n| a.checked_add(*n));
    match sum == Some(size) {
        true => Ok(sizes),
        false => Err(format!("its sizes are not those of {size}")),
    }
}

fn cast(node: &Node<'_>, a: &Array, budget: &mut Budget) -> Done<Array> {
    let to = node.int("to").and_then(|t| i32::try_from(t).ok());
    let whole = to.and_then(super::decode::is_whole);
    let mut out = a.clone();
    match (&a.data, whole) {
        (Data::Floats(f), Some(true)) => {
            budget.spend(f.len())?;
            out.data = Data::Ints(Rc::new(f.iter().map(|v| Dim::N(*v as i64)).collect()));
        }
        (Data::Ints(_), Some(false)) => {
            budget.spend(a.data.len())?;
            out.data = Data::Floats(a.floats().ok_or("a size becomes a float")?);
        }
        (_, None) if node.op == "Cast" => return Err("its type is not understood".to_owned()),
        _ => {}
    }
    Ok(out)
}

/// A matrix with rows and columns exchanged, of an array whose first axes are left out.
pub(super) fn matrix(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let by = strides(&[rows, columns]);
    let order = super::array::places(&[columns, rows], 0, &[by[1], by[0]]);
    order.filter_map(|p| values.get(p).copied()).collect()
}
