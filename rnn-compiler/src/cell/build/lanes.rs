//! Vectors side by side: how they are cut, and lane-by-lane maths on them.

use proc_macro2::Span;

use super::{Builder, Built, Lanes};
use crate::{
    cell::{
        graph::{Graph, NodeExtent, NodeId, NodeOp},
        size::{Size, by_name},
    },
    diagnostics::Diagnostic,
};

impl Builder<'_> {
    /// The vectors of a value. A number or a row scalar is broadcast to a vector.
    pub(super) fn vectors(&mut self, value: &Lanes) -> Vec<NodeId> {
        match (value.width(), value.parts.as_slice()) {
            (Some(width), [one]) if self.cell.graph.width(*one).is_none() => {
                vec![self.cell.graph.broadcast(*one, width)]
            }
            _ => value.parts.clone(),
        }
    }

    fn part_width(&self, value: &Lanes, part: NodeId) -> Option<Size> {
        match (self.cell.graph.width(part), value.parts.as_slice()) {
            (Some(w), _) => Some(w.clone()),
            (None, [_]) => value.width(),
            (None, _) => None,
        }
    }

    /// Units `offset..offset + width` of vectors side by side.
    pub(super) fn cut(
        &mut self,
        whole: &Lanes,
        offset: &Size,
        width: &Size,
        span: Span,
    ) -> Built<Vec<NodeId>> {
        if let [one] = whole.parts.as_slice() {
            return Ok(vec![self.cell.graph.slice(*one, offset, width)]);
        }
        let mut start = Size::known(0);
        let (mut taken, mut inside) = (Vec::new(), false);
        let end = offset + width;
        for &p in &whole.parts {
            inside |= start == *offset;
            if start == end {
                break;
            }
            if inside {
                taken.push(p);
            }
            if let Some(w) = self.part_width(whole, p) {
                start = &start + &w;
            }
        }
        if inside && start == end {
            return Ok(taken);
        }
        if let (Some(offset), Some(end)) = (offset.value(), end.value())
            && let Some(taken) = self.cut_across(whole, offset, end)
        {
            return Ok(taken);
        }
        self.fail(
            "RNN0211",
            span,
            "this cuts a part of a `concat` in two; split it before",
        )
    }

    /// The same for sizes that are numbers, wherever the parts end.
    fn cut_across(&mut self, whole: &Lanes, from: usize, to: usize) -> Option<Vec<NodeId>> {
        let mut start = 0;
        let mut taken = Vec::new();
        for &p in &whole.parts {
            let end = start + self.part_width(whole, p)?.value()?;
            let (a, b) = (from.max(start), to.min(end));
            if a < b {
                let (offset, width) = (Size::known(a - start), Size::known(b - a));
                taken.push(self.cell.graph.slice(p, &offset, &width));
            }
            start = end;
        }
        Some(taken)
    }

    /// Applies `f` lane by lane; operands in several parts are cut alike. `names` are the operands
    /// as messages call them.
    pub(super) fn lanes(
        &mut self,
        operands: &[Lanes],
        names: &[&str],
        span: Span,
        mut f: impl FnMut(&mut Graph, &[NodeId]) -> NodeId,
    ) -> Built<Lanes> {
        let mut sized = operands
            .iter()
            .enumerate()
            .filter(|(_, o)| !o.shape.is_empty());
        let shape = match sized.next() {
            None => Vec::new(),
            Some((first, a)) => {
                if let Some((other, b)) = sized.find(|(_, b)| b.shape != a.shape) {
                    let name = |i: usize| names.get(i).copied().unwrap_or("a value").to_owned();
                    return self.unequal((name(first), a), (name(other), b), span);
                }
                a.shape.clone()
            }
        };
        let widths = self.common_parts(operands);
        let mut offset = Size::known(0);
        let mut parts = Vec::new();
        let alone = widths.len() == 1;
        for width in &widths {
            let mut cut = Vec::new();
            for o in operands {
                cut.push(match width {
                    Some(w) if !o.shape.is_empty() => {
                        match self.cut(o, &offset, w, span)?.as_slice() {
                            [one] => *one,
                            _ => {
                                return self.fail(
                                    "RNN0211",
                                    span,
                                    "these vectors are joined at different places",
                                );
                            }
                        }
                    }
                    _ => o.parts[0],
                });
            }
            let mut part = f(&mut self.cell.graph, &cut);
            if let Some(w) = width {
                // The maths may give one number for all units; beside other parts it keeps its width.
                if !alone && self.cell.graph.width(part).is_none() {
                    part = self.cell.graph.broadcast(part, w.clone());
                }
                offset = &offset + w;
            }
            parts.push(part);
        }
        Ok(Lanes { parts, shape })
    }

    /// Widths of the parts that all operands can be cut into.
    fn common_parts(&self, operands: &[Lanes]) -> Vec<Option<Size>> {
        let widths = |o: &Lanes| -> Vec<Option<Size>> {
            o.parts.iter().map(|&p| self.part_width(o, p)).collect()
        };
        let several: Vec<Vec<Option<Size>>> = operands
            .iter()
            .filter(|o| o.parts.len() > 1)
            .map(widths)
            .collect();
        let Some(most) = several.iter().max_by_key(|w| w.len()) else {
            let sized = operands.iter().find(|o| !o.shape.is_empty());
            return vec![sized.and_then(Lanes::width)];
        };
        if several.iter().all(|w| w == most) {
            return most.clone();
        }
        let mut ends = std::collections::BTreeSet::new();
        for widths in &several {
            let mut end = 0;
            for w in widths {
                match w.as_ref().and_then(Size::value) {
                    Some(w) => end += w,
                    None => return most.clone(),
                }
                ends.insert(end);
            }
        }
        let mut start = 0;
        let mut common = Vec::new();
        for end in ends {
            common.push(Some(Size::known(end - start)));
            start = end;
        }
        common
    }

    fn unequal<T>(&mut self, a: (String, &Lanes), b: (String, &Lanes), span: Span) -> Built<T> {
        for (_, o) in [&a, &b] {
            if let ([_, _, ..], [one]) = (o.shape.as_slice(), o.parts.as_slice())
                && let NodeOp::Param(p, _) = self.cell.graph.node(*one).op
            {
                return self.matrix_among_vectors(p, span);
            }
        }
        self.report(
            Diagnostic::new(
                "RNN0229",
                span,
                format!("{} has {}, {} has {}", a.0, a.1.size(), b.0, b.1.size()),
            )
            .note(by_name(&a.1.shape, &b.1.shape).unwrap_or(
                "lane-by-lane maths takes values of one shape, and single numbers".to_owned(),
            )),
        )
    }

    pub(super) fn matrix_among_vectors<T>(&mut self, param: usize, span: Span) -> Built<T> {
        let name = self.cell.params[param].name.clone();
        let shape = &self.cell.params[param].shape;
        let help = match shape.as_slice() {
            // As PyTorch and NumPy broadcast.
            [one, size] if one.value() == Some(1) => {
                format!("a vector has one axis: declare `{name}: [{size}]`")
            }
            _ => format!("multiply by it: x @ {name}; a row is {name}[0]"),
        };
        self.report(
            Diagnostic::new(
                "RNN0219",
                span,
                format!("`{name}` is a matrix; lane-by-lane maths takes vectors"),
            )
            .help(help),
        )
    }

    /// Whether a node is the same for all rows and steps unless it depends on the input or a state.
    pub(super) fn varies(&self, id: NodeId) -> bool {
        let mut reached = vec![false; id + 1];
        reached[id] = true;
        for n in (0..=id).rev() {
            if reached[n] {
                let op = &self.cell.graph.node(n).op;
                if matches!(op, NodeOp::Leaf(..)) {
                    return true;
                }
                op.operands().into_iter().for_each(|o| reached[o] = true);
            }
        }
        false
    }

    /// Whether the value is one row scalar, rather than a number that is the same for all rows.
    pub(super) fn is_row(&self, value: &Lanes) -> bool {
        value.shape.is_empty()
            && matches!(value.parts.as_slice(), [one] if self.cell.graph.node(*one).extent == NodeExtent::Row)
    }
}
