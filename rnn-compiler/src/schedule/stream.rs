//! The instructions of one step of a stream.

use rnn_tables::Form;

use super::{Plan, forward};
use crate::{
    diagnostics::Sound,
    ir::{Instruction, Op, OpKind, Pass},
};

/// Before the first step, where everything is zero: what depends on parameters alone, and the states that start with it.
pub(super) fn start(plan: &Plan) -> Sound<Vec<Instruction>> {
    let mode = &plan.stream;
    let mut list = Vec::new();
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        let (OpKind::Cell(c), Some(cell)) = (&op.kind, cell) else {
            continue;
        };
        if op.is_parameter_alone() {
            list.push(forward::scan(plan, mode, i, op, Form::Stream)?);
        }
        let states = forward::start(mode, c, &cell.stream_states).into_iter();
        list.extend(states.filter(|i| !matches!(i, Instruction::StartState { .. })));
    }
    Ok(list)
}

/// One step: inputs, then every operation once.
pub(super) fn stream(plan: &Plan) -> Sound<Vec<Instruction>> {
    let mode = &plan.stream;
    let mut list = forward::inputs(plan, mode);
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        // A stream has no time axis: each call is one step.
        let op = Op {
            axis: None,
            ..op.clone()
        };
        let Some(cell) = cell else {
            let one = forward::without_cell(plan, mode, &op, Pass::Inference)?;
            // Penalties are reported for batches only.
            list.extend(one.filter(|i| !matches!(i, Instruction::Penalty { .. })));
            continue;
        };
        if op.is_parameter_alone() {
            continue;
        }
        list.push(forward::scan(plan, mode, i, &op, Form::Stream)?);
        if let OpKind::Cell(c) = &op.kind {
            list.extend(forward::finish(mode, &op, c, &cell.stream_states));
        }
    }
    Ok(list)
}
