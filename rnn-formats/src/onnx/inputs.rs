//! The inputs of the graph: what their axes are, and what the model is given for them.

use std::collections::HashMap;

use super::dim::Dim;
use super::flow::{Axis, Flow, Kind, Part, Src};
use super::graph;
use super::net::{Net, Op, Shape};
use super::proto::Extent;

/// What an input holds for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Nobody has said.
    Open,
    Numbers,
    Ids,
    /// The lengths of the rows, which become a mask.
    Lengths,
}

/// An input of the model.
#[derive(Clone, Debug)]
pub(super) struct ModelInput {
    /// The input of the graph.
    pub of: usize,
    /// Which part of it, if it becomes several.
    pub part: Option<usize>,
    pub used: Use,
    /// Its steps.
    pub steps: Option<Dim>,
    pub width: usize,
}

/// All inputs.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub all: Vec<ModelInput>,
    symbols: HashMap<String, u32>,
    next: u32,
    /// Axes of inputs of which nobody knew that they are rows or steps: found out while the graph was read.
    pub learnt: Vec<((usize, usize), Kind)>,
}

impl Inputs {
    /// A size that is not known.
    pub fn fresh(&mut self) -> Dim {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Dim::symbol(number)
    }

    fn named(&mut self, name: &str) -> Dim {
        if let Some(number) = self.symbols.get(name) {
            return Dim::symbol(*number);
        }
        self.symbols.insert(name.to_owned(), self.next);
        self.fresh()
    }

    /// What flows from an input of the graph. `kinds` has what was learnt about its axes before.
    pub fn flow(
        &mut self,
        number: usize,
        input: &graph::Input<'_>,
        kinds: &HashMap<(usize, usize), Kind>,
        net: &mut Net,
    ) -> Result<Flow, String> {
        let Some(extents) = &input.shape else {
            return Err(format!(
                "input `{}`: the file does not say its shape",
                input.name
            ));
        };
        let mut axes = Vec::new();
        for (axis, extent) in extents.iter().enumerate() {
            let size = match extent {
                Extent::Known(n) if *n >= 1 && *n <= 1 << 32 => Dim::N(*n),
                Extent::Known(n) => {
                    return Err(format!("input `{}`: {n} is no size", input.name));
                }
                Extent::Named(name) if !name.is_empty() => self.named(name),
                Extent::Named(_) | Extent::Unknown => self.fresh(),
            };
            axes.push(Axis {
                kind: Kind::Feature,
                size,
                from: Some((number, axis)),
            });
        }
        if axes.is_empty() {
            return Err(format!(
                "input `{}`: a single number is no input of a layer",
                input.name
            ));
        }
        if axes.len() > 16 {
            return Err(format!("input `{}`: it has too many axes", input.name));
        }
        // Rows, then steps if there are any; features must have sizes.
        let rank = axes.len();
        let open: Vec<usize> = (1..rank)
            .filter(|a| axes[*a].size.known().is_none())
            .collect();
        let steps = match (&open[..], rank) {
            (&[one], _) => one,
            (_, 2) if !input.whole => rank,
            _ => 1,
        };
        // What was learnt comes first; a guess does not contradict it.
        let is_learnt = |kind: Kind| (0..rank).any(|at| kinds.get(&(number, at)) == Some(&kind));
        let (rows_known, steps_known) = (is_learnt(Kind::Batch), is_learnt(Kind::Time));
        for (at, axis) in axes.iter_mut().enumerate() {
            let guess = match at {
                0 if !rows_known => Kind::Batch,
                _ if (at == steps || axis.size.known().is_none()) && !steps_known => Kind::Time,
                _ => Kind::Feature,
            };
            axis.kind = kinds.get(&(number, at)).cloned().unwrap_or(guess);
        }
        for kind in [Kind::Batch, Kind::Time] {
            if axes.iter().filter(|a| a.kind == kind).count() > 1 {
                return Err(format!(
                    "input `{}`: two of its axes are rows, or steps",
                    input.name
                ));
            }
        }
        let mut width = 1_usize;
        for (at, axis) in axes.iter().enumerate() {
            if axis.kind == Kind::Feature {
                let size = axis.features().ok_or_else(|| {
                    format!(
                        "input `{}`: the size of its axis {at} has to be known",
                        input.name
                    )
                })?;
                width = width.saturating_mul(size);
            }
        }
        if width > 1 << 24 {
            return Err(format!(
                "input `{}`: {width} features are too many",
                input.name
            ));
        }
        let steps = axes.iter().find(|a| a.kind == Kind::Time);
        let steps = steps.map(|a| a.size.clone());
        let used = match input.whole {
            true => Use::Open,
            false => Use::Numbers,
        };
        // Vectors of several axes: states of several layers or directions. Each is an input of its own.
        let sizes: Vec<usize> = axes.iter().filter_map(Axis::features).collect();
        let outer: usize = sizes
            .split_last()
            .map_or(1, |(_, outer)| outer.iter().product());
        let several = if outer <= 64 && steps.is_none() {
            outer
        } else {
            1
        };
        // Ids and lengths have no axis of features.
        let kinds_only: Vec<&Kind> = axes.iter().map(|a| &a.kind).collect();
        let plain =
            input.whole && matches!(kinds_only[..], [Kind::Batch] | [Kind::Batch, Kind::Time]);
        if !plain && let Some(note) = super::names::layout("input", input.name, &axes, several > 1)
        {
            net.layouts.insert(input.name.to_owned(), note);
        }
        let mut parts = Vec::new();
        for part in 0..several {
            let own = ModelInput {
                of: number,
                part: (several > 1).then_some(part),
                used,
                steps: steps.clone(),
                width: width / several.max(1),
            };
            self.all.push(own);
            let shape = Shape {
                width: width / several.max(1),
                timed: steps.is_some(),
                mask: None,
            };
            let src: Src = net.add(Op::Input(self.all.len() - 1), vec![], shape);
            parts.push(Part {
                src,
                start: 0,
                len: width / several.max(1),
            });
        }
        Ok(Flow {
            axes,
            parts,
            whole: input.whole,
        })
    }

    /// Says that an axis is of another kind than was thought.
    pub fn learn(&mut self, axis: &Axis, kind: Kind) {
        let possible = kind != Kind::Feature || axis.size.size().is_some();
        if let (Some(from), true) = (axis.from, possible) {
            self.learnt.push((from, kind));
        }
    }

    /// Says of what kinds the axes of a value have to be.
    ///
    /// # Errors
    /// If they are not; what an input's axes have to be in place of what was thought is learnt.
    pub fn demand(&mut self, flow: &Flow, wanted: &[Kind]) -> Result<(), String> {
        if flow.axes.len() != wanted.len() {
            return Err(format!(
                "its value has {} axes in place of {}",
                flow.axes.len(),
                wanted.len()
            ));
        }
        let mut good = true;
        for (axis, kind) in flow.axes.iter().zip(wanted) {
            let one = axis.kind == Kind::Feature && axis.size == Dim::N(1);
            let fits = axis.kind == *kind
                || (*kind == Kind::Batch && one && !flow.rowed())
                || (*kind == Kind::Time && one && !flow.timed());
            if !fits {
                good = false;
                self.learn(axis, kind.clone());
            }
        }
        match good {
            true => Ok(()),
            false => Err("the axes of its value are not its rows, steps and features".to_owned()),
        }
    }

    /// Says what an input that flows as it is holds.
    pub fn uses(&mut self, flow: &Flow, net: &Net, used: Use) -> Result<(), String> {
        for part in &flow.parts {
            let Some(Op::Input(number)) = net.layers.get(part.src.layer).map(|l| &l.op) else {
                return Err("its whole numbers are computed in the graph".to_owned());
            };
            let Some(input) = self.all.get_mut(*number) else {
                continue;
            };
            if input.used != Use::Open && input.used != used {
                return Err("one input is read as numbers, ids or lengths at once".to_owned());
            }
            input.used = used;
        }
        Ok(())
    }
}
