//! Where values lie: every value has a buffer, or shares the buffer of the value that it equals.

use rnn_tables::{Buffer, Extent};

use super::BufferPlan;
use crate::{
    cell::size::Size,
    diagnostics::{OrBug as _, Sound},
    ir::{AxisId, BufferRef, OpGraph, OpKind, Shares, ValueId, ValueInfo},
};

impl BufferPlan {
    /// A new buffer.
    pub(super) fn add(&mut self, width: &Size, extent: Extent, axis: Option<AxisId>) -> BufferRef {
        self.buffers.push(Buffer {
            width: width.clone(),
            unaligned: false,
            extent,
            axis: axis.unwrap_or(0),
        });
        BufferRef {
            buffer: self.buffers.len() - 1,
            offset: Size::known(0),
            after: false,
            exact: false,
        }
    }

    /// A buffer with a row for every step of an axis; without an axis there is one.
    pub(super) fn every(&mut self, width: &Size, axis: Option<AxisId>) -> BufferRef {
        match axis {
            Some(_) => self.add(width, Extent::All, axis),
            None => self.add(width, Extent::One, None),
        }
    }

    /// A buffer for a value of a batch.
    fn value(&mut self, v: &ValueInfo) -> BufferRef {
        match (v.axis, v.only_last) {
            (None, true) => self.add(&v.width, Extent::Last, None),
            (axis, _) => self.every(&v.width, axis),
        }
    }
}

/// The buffers of all values.
pub(super) struct Buffers {
    pub(super) stream: BufferPlan,
    pub(super) inference: BufferPlan,
    pub(super) training: BufferPlan,
    /// The gradient of each value, in training.
    pub(super) gradients: Vec<BufferRef>,
}

/// Hands out buffers.
///
/// # Errors
/// If the graph contradicts itself, which is a mistake of the compiler.
pub(super) fn buffers(graph: &OpGraph) -> Sound<Buffers> {
    let (mut stream, mut inference, mut training) = (
        BufferPlan::default(),
        BufferPlan::default(),
        BufferPlan::default(),
    );
    let same = aliases(graph, |shares| shares.inference);
    let same_trained = aliases(graph, |shares| shares.training);
    for (i, v) in graph.values.iter().enumerate() {
        let r = match same[i] {
            Some(other) => stream.values[other].clone(),
            None => stream.add(&v.width, Extent::One, None),
        };
        stream.values.push(r);
        let r = match same[i] {
            Some(other) => inference.values[other].clone(),
            None => inference.value(v),
        };
        inference.values.push(r);
        let r = match same_trained[i] {
            Some(other) => training.values[other].clone(),
            None => training.value(v),
        };
        training.values.push(r);
    }
    let same_gradient = aliases(graph, |shares| shares.gradient);
    // A gradient may alias that of a later value: fan-outs append their values to the list.
    let own: Vec<Option<BufferRef>> = graph
        .values
        .iter()
        .zip(&same_gradient)
        .map(|(v, same)| same.is_none().then(|| training.value(v)))
        .collect();
    let gradient = |i: usize| {
        let own = own[same_gradient[i].unwrap_or(i)].clone();
        own.or_bug("a gradient shares the buffer of one that shares another's")
    };
    let gradients = (0..own.len()).map(gradient).collect::<Sound<_>>()?;
    Ok(Buffers {
        stream,
        inference,
        training,
        gradients,
    })
}

/// For each value, the value whose buffer it shares.
fn aliases(graph: &OpGraph, is_same: impl Fn(Shares) -> bool) -> Vec<Option<ValueId>> {
    let mut same: Vec<Option<ValueId>> = vec![None; graph.values.len()];
    for op in &graph.ops {
        if let OpKind::Op(def) = &op.kind
            && is_same(def.shares())
        {
            for &o in &op.outputs {
                same[o] = Some(op.inputs[0]);
            }
        }
    }
    // A value may alias a later one: fan-outs append their values to the list.
    (0..same.len())
        .map(|v| {
            let mut root = same[v]?;
            while let Some(next) = same[root] {
                root = next;
            }
            Some(root)
        })
        .collect()
}
