//! What flows through the graph at run time: which of its axes are rows, steps and features, and which numbers of which
//! layers its features are. So a transpose, a slice or a reshape is no layer: it changes these words about a value.

use super::array::{Budget, places, strides};
use super::dim::{Dim, product};

/// What an axis is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// The rows of a batch.
    Batch,
    /// The steps.
    Time,
    /// Rows and steps in one, in this order of sizes: `true` for rows first.
    Both(bool, Dim, Dim),
    /// Features; an axis of one element is one of these, too.
    Feature,
}

/// An axis of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub kind: Kind,
    pub size: Dim,
    /// The axis of the graph's input that this is.
    pub from: Option<(usize, usize)>,
}

/// A result of a layer, by the numbers of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Src {
    pub layer: usize,
    pub result: usize,
}

/// Some of the features of a result of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub src: Src,
    pub start: usize,
    pub len: usize,
}

/// A value at run time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flow {
    /// The axes in ONNX's order.
    pub axes: Vec<Axis>,
    /// The features, row-major over the axes of features in ONNX's order.
    pub parts: Vec<Part>,
    /// Whether it has whole numbers: ids, lengths.
    pub whole: bool,
}

type Done<T> = Result<T, String>;

impl Axis {
    /// An axis of features.
    pub fn feature(size: usize) -> Axis {
        Axis {
            kind: Kind::Feature,
            size: Dim::N(size as i64),
            from: None,
        }
    }

    /// How many features; `None` for rows and steps.
    pub fn features(&self) -> Option<usize> {
        match self.kind {
            Kind::Feature => self.size.size(),
            _ => None,
        }
    }
}

impl Flow {
    /// The sizes of all axes.
    pub fn shape(&self) -> Vec<Dim> {
        self.axes.iter().map(|a| a.size.clone()).collect()
    }

    /// The sizes of the axes of features.
    pub fn features(&self) -> Vec<usize> {
        self.axes.iter().filter_map(Axis::features).collect()
    }

    /// How many features there are.
    pub fn width(&self) -> usize {
        self.parts.iter().map(|p| p.len).sum()
    }

    /// Whether an axis is of this kind.
    pub fn has(&self, kind: &Kind) -> bool {
        self.axes.iter().any(|a| a.kind == *kind)
    }

    /// Whether there are steps.
    pub fn timed(&self) -> bool {
        self.axes
            .iter()
            .any(|a| matches!(a.kind, Kind::Time | Kind::Both(..)))
    }

    /// Whether the rows are an axis; they may be left out of a value of one row.
    pub fn rowed(&self) -> bool {
        self.axes
            .iter()
            .any(|a| matches!(a.kind, Kind::Batch | Kind::Both(..)))
    }

    /// The place of an axis among those of features.
    fn place(&self, axis: usize) -> usize {
        let before = self.axes.get(..axis).unwrap_or_default();
        before.iter().filter(|a| a.kind == Kind::Feature).count()
    }

    /// The features at these places, in this order.
    pub fn pick(
        &self,
        wanted: impl Iterator<Item = usize>,
        budget: &mut Budget,
    ) -> Done<Vec<Part>> {
        let mut starts = Vec::with_capacity(self.parts.len());
        let mut total = 0;
        for part in &self.parts {
            starts.push(total);
            total += part.len;
        }
        let mut parts: Vec<Part> = Vec::new();
        for at in wanted {
            budget.spend(1)?;
            let which = starts.partition_point(|s| *s <= at).saturating_sub(1);
            let (Some(part), Some(start)) = (self.parts.get(which), starts.get(which)) else {
                return Err("it has no such feature".to_owned());
            };
            let within = at - start;
            if within >= part.len {
                return Err(format!("there is no feature {at} of {total}"));
            }
            join(
                &mut parts,
                Part {
                    src: part.src,
                    start: part.start + within,
                    len: 1,
                },
            );
        }
        Ok(parts)
    }

    /// The axes in another order.
    pub fn transposed(&self, order: &[usize], budget: &mut Budget) -> Done<Flow> {
        let mut seen = vec![false; self.axes.len()];
        for &axis in order {
            match seen.get_mut(axis) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err("its order of axes is none".to_owned()),
            }
        }
        if order.len() != self.axes.len() {
            return Err(format!(
                "its order of axes is not that of {}",
                self.axes.len()
            ));
        }
        let axes = order.iter().map(|&a| self.axes[a].clone()).collect();
        let sizes = self.features();
        let moved: Vec<usize> = order
            .iter()
            .filter(|&&a| self.axes[a].kind == Kind::Feature)
            .map(|&a| self.place(a))
            .collect();
        let same = moved.windows(2).all(|w| w[0] < w[1]);
        // Axes of one element move nothing.
        let order_of_many: Vec<usize> = moved.iter().copied().filter(|&m| sizes[m] != 1).collect();
        let parts = match same || order_of_many.windows(2).all(|w| w[0] < w[1]) {
            true => self.parts.clone(),
            false => {
                let own = strides(&sizes);
                let dims: Vec<usize> = moved.iter().map(|&m| sizes[m]).collect();
                let by: Vec<isize> = moved.iter().map(|&m| own[m]).collect();
                self.pick(places(&dims, 0, &by), budget)?
            }
        };
        Ok(Flow {
            axes,
            parts,
            whole: self.whole,
        })
    }

    /// Along an axis of features those at these indices.
    pub fn taken(&self, axis: usize, indices: &[usize], budget: &mut Budget) -> Done<Flow> {
        let place = self.place(axis);
        let sizes = self.features();
        let (Some(&len), Some(old)) = (sizes.get(place), self.axes.get(axis)) else {
            return Err("it has no such axis of features".to_owned());
        };
        if old.kind != Kind::Feature {
            return Err("it takes some of the rows or steps, which no layer does".to_owned());
        }
        if indices.is_empty() {
            return Err("it takes no features at all".to_owned());
        }
        if let Some(bad) = indices.iter().find(|&&i| i >= len) {
            return Err(format!("its index {bad} is not below {len}"));
        }
        let mut out = self.clone();
        if indices.iter().copied().eq(0..len) {
            return Ok(out);
        }
        out.axes[axis] = Axis::feature(indices.len());
        let outer: usize = sizes[..place].iter().product();
        let inner: usize = sizes[place + 1..].iter().product();
        let wanted = (0..outer).flat_map(|o| {
            indices
                .iter()
                .flat_map(move |i| (0..inner).map(move |k| (o * len + i) * inner + k))
        });
        out.parts = self.pick(wanted, budget)?;
        Ok(out)
    }

    /// Several side by side along an axis of features.
    pub fn joined(all: &[Flow], axis: usize, budget: &mut Budget) -> Done<Flow> {
        let Some(first) = all.first() else {
            return Err("it joins nothing".to_owned());
        };
        let mut out = first.clone();
        let mut along = 0;
        for flow in all {
            if flow.axes.len() != first.axes.len() {
                return Err("it joins values of different axes".to_owned());
            }
            for (k, (a, b)) in flow.axes.iter().zip(&first.axes).enumerate() {
                if k == axis && a.kind == Kind::Feature && b.kind == Kind::Feature {
                    along += a.size.size().unwrap_or(0);
                } else if k == axis {
                    return Err("it joins rows or steps, which no layer does".to_owned());
                } else if a.kind != b.kind || a.size != b.size {
                    return Err("it joins values of different axes".to_owned());
                }
            }
        }
        if axis >= out.axes.len() {
            return Err(format!("it has no axis {axis}"));
        }
        out.axes[axis] = Axis::feature(along);
        let outer: usize = first.features()[..first.place(axis)].iter().product();
        out.parts = Vec::new();
        for o in 0..outer {
            for flow in all {
                let inner = flow.width() / outer.max(1);
                let parts = match outer {
                    1 => flow.parts.clone(),
                    _ => flow.pick(o * inner..(o + 1) * inner, budget)?,
                };
                budget.spend(parts.len())?;
                for part in parts {
                    join(&mut out.parts, part);
                }
            }
        }
        Ok(out)
    }

    /// Features repeated so that the axes of one feature have these sizes.
    pub fn stretched(&self, features: &[usize], budget: &mut Budget) -> Done<Vec<Part>> {
        let own = self.features();
        if own == features {
            return Ok(self.parts.clone());
        }
        let by = strides(&own);
        let by: Vec<isize> = own
            .iter()
            .zip(by)
            .map(|(n, s)| if *n == 1 { 0 } else { s })
            .collect();
        if own.len() != features.len() || own.iter().zip(features).any(|(a, b)| *a != 1 && a != b) {
            return Err("its values have different features".to_owned());
        }
        if features.contains(&0) {
            return Err("it takes no features at all".to_owned());
        }
        budget.shape(features)?;
        self.pick(places(features, 0, &by), budget)
    }

    /// Other axes with the same numbers in the same order. Rows and steps stay axes of their own, or become one of both.
    pub fn reshaped(&self, target: &[Dim]) -> Done<Flow> {
        let mut axes = Vec::new();
        let (mut from, mut to) = (0, 0);
        let wrong = || {
            "its new shape joins or cuts rows, steps and features in a way that no layer does"
                .to_owned()
        };
        while from < self.axes.len() || to < target.len() {
            // The smallest group of axes that has as many elements on both sides.
            let (start, first) = (from, to);
            let mut left = Dim::N(1);
            let mut right = Dim::N(1);
            if from < self.axes.len() {
                left = self.axes[from].size.clone();
                from += 1;
            }
            if to < target.len() {
                right = target[to].clone();
                to += 1;
            }
            while left != right {
                let more = |side: &Dim, other: &Dim| other.over(side).is_some();
                if from < self.axes.len() && more(&left, &right) {
                    left = left.times(&self.axes[from].size).ok_or_else(wrong)?;
                    from += 1;
                } else if to < target.len() && more(&right, &left) {
                    right = right.times(&target[to]).ok_or_else(wrong)?;
                    to += 1;
                } else {
                    return Err(wrong());
                }
            }
            group(&self.axes[start..from], &target[first..to], &mut axes).ok_or_else(wrong)?;
        }
        let out = Flow {
            axes,
            parts: self.parts.clone(),
            whole: self.whole,
        };
        let features: usize = out.features().iter().product();
        match features == self.width() {
            true => Ok(out),
            false => Err(wrong()),
        }
    }
}

/// Appends a part, as one with the last if it goes on there.
fn join(parts: &mut Vec<Part>, part: Part) {
    match parts.last_mut() {
        Some(last) if last.src == part.src && last.start + last.len == part.start => {
            last.len += part.len;
        }
        _ if part.len == 0 => {}
        _ => parts.push(part),
    }
}

/// The axes that a group of axes becomes.
fn group(from: &[Axis], to: &[Dim], axes: &mut Vec<Axis>) -> Option<()> {
    let (rows, features): (Vec<&Axis>, Vec<&Axis>) =
        from.iter().partition(|a| a.kind != Kind::Feature);
    let ones = |all: &[&Axis]| all.iter().all(|a| a.size == Dim::N(1));
    let feature = |size: &Dim| Some(Axis::feature(size.size()?));
    // Batches of one row need no axis; neither do steps that are one feature.
    let named: Vec<&Axis> = match rows.len() {
        0 | 1 => rows,
        _ => rows
            .into_iter()
            .filter(|a| !(a.kind == Kind::Batch && a.size == Dim::N(1)))
            .collect(),
    };
    match &named[..] {
        [] => {
            for size in to {
                axes.push(feature(size)?);
            }
        }
        [one] if to.is_empty() && one.kind == Kind::Batch && one.size == Dim::N(1) => {}
        [one] if ones(&features) => {
            // The first target of its size is the axis, or both parts of it.
            if let (Kind::Both(rows_first, rows, steps), false) =
                (&one.kind, to.contains(&one.size))
            {
                let sizes = match rows_first {
                    true => [(Kind::Batch, rows), (Kind::Time, steps)],
                    false => [(Kind::Time, steps), (Kind::Batch, rows)],
                };
                let mut sizes = sizes.into_iter().peekable();
                for size in to {
                    match sizes.peek() {
                        Some((_, wanted)) if *wanted == size => {
                            let (kind, _) = sizes.next()?;
                            axes.push(Axis {
                                kind,
                                size: size.clone(),
                                from: None,
                            });
                        }
                        _ => axes.push(feature(size).filter(|a| a.size == Dim::N(1))?),
                    }
                }
                return sizes.peek().is_none().then_some(());
            }
            let at = to.iter().position(|s| *s == one.size)?;
            for (k, size) in to.iter().enumerate() {
                axes.push(match k == at {
                    true => (*one).clone(),
                    false => feature(size)?,
                });
            }
        }
        // A batch of one row before features.
        [one] if one.kind == Kind::Batch && one.size == Dim::N(1) => {
            for size in to {
                axes.push(feature(size)?);
            }
        }
        [first, second] if ones(&features) => {
            let rows_first = match (&first.kind, &second.kind) {
                (Kind::Batch, Kind::Time) => true,
                (Kind::Time, Kind::Batch) => false,
                _ => return None,
            };
            let (rows, steps) = match rows_first {
                true => (&first.size, &second.size),
                false => (&second.size, &first.size),
            };
            let both = product([rows, steps])?;
            let at = to.iter().position(|s| *s == both)?;
            for (k, size) in to.iter().enumerate() {
                axes.push(match k == at {
                    true => Axis {
                        kind: Kind::Both(rows_first, rows.clone(), steps.clone()),
                        size: both.clone(),
                        from: None,
                    },
                    false => feature(size)?,
                });
            }
        }
        _ => return None,
    }
    Some(())
}
