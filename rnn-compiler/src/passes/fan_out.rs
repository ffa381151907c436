//! Gives each reader of a value with several readers a value of its own, so that each reader writes a
//! gradient of its own. The fan-out sums these gradients.

use std::rc::Rc;

use crate::{
    ir::{Op, OpGraph, OpKind, ValueId},
    ops::FanOut,
};

/// Puts a [`FanOut`] after every value that several operations or outputs read, and notes the values
/// that nothing reads.
pub fn fan_out(g: &mut OpGraph) {
    let first = readers(g);
    // From the last operation to the first, so that the indices of earlier ones stay valid; then the
    // inputs.
    for at in (0..g.ops.len()).rev() {
        for value in written(&g.ops[at]) {
            if first[value] > 1 {
                split(g, value, at + 1);
            }
        }
    }
    let inputs: Vec<ValueId> = g.inputs.clone();
    for value in inputs.into_iter().rev() {
        if first[value] > 1 {
            split(g, value, 0);
        }
    }
    let last = readers(g);
    g.unread = g
        .ops
        .iter()
        .flat_map(written)
        .filter(|&v| last[v] == 0)
        .collect();
}

/// Everything that an operation writes.
fn written(op: &Op) -> Vec<ValueId> {
    let mut all = op.outputs.clone();
    if let OpKind::Cell(c) = &op.kind {
        all.extend(c.finals.iter().flatten());
    }
    all
}

/// How many readers of each value write a gradient of it. Operations that make masks write none.
fn readers(g: &OpGraph) -> Vec<usize> {
    let mut count = vec![0; g.values.len()];
    for op in g.ops.iter().filter(|op| !g.makes_masks(op)) {
        for &v in &op.inputs {
            count[v] += 1;
        }
        if let OpKind::Cell(c) = &op.kind {
            for &v in c.initial.iter().flatten() {
                count[v] += 1;
            }
        }
    }
    for &v in g.outputs.iter().chain(g.states.iter().map(|s| &s.output)) {
        count[v] += 1;
    }
    count
}

/// Gives each reader of `value` from operation `at` on a value of its own.
fn split(g: &mut OpGraph, value: ValueId, at: usize) {
    let mut copies = Vec::new();
    let mut values = std::mem::take(&mut g.values);
    let mut copy = |v: &mut ValueId| {
        if *v == value {
            values.push(values[value].clone());
            *v = values.len() - 1;
            copies.push(*v);
        }
    };
    for op in &mut g.ops[at..] {
        op.inputs.iter_mut().for_each(&mut copy);
        if let OpKind::Cell(c) = &mut op.kind {
            c.initial.iter_mut().flatten().for_each(&mut copy);
        }
    }
    g.outputs.iter_mut().for_each(&mut copy);
    g.states
        .iter_mut()
        .map(|s| &mut s.output)
        .for_each(&mut copy);
    g.values = values;
    let (span, name, text) = match g.ops.get(at.saturating_sub(1)) {
        Some(op) => (op.span, op.name.clone(), op.text.clone()),
        None => (proc_macro2::Span::call_site(), String::new(), String::new()),
    };
    let fan_out = Op {
        kind: OpKind::Op(Rc::new(FanOut)),
        stream: 0,
        inputs: vec![value],
        outputs: copies,
        axis: g.values[value].axis,
        span,
        name,
        text,
        half: None,
    };
    g.ops.insert(at, fan_out);
    g.op_states.insert(at, Vec::new());
}
