//! The instructions of the backward pass of training.

use rnn_tables::{Form, GradientCondition};

use super::{
    CellPlan, Plan,
    directions::{Groups, Parts},
    forward::{call, normalize, scan, width},
};
use crate::{
    diagnostics::{OrBug, Sound},
    ir::{CellOp, Instruction, Op, OpKind, ValueId},
};

/// From the last operation to the first. Each reads the gradients of its results and writes those of
/// what it read.
pub(super) fn backward(plan: &Plan) -> Sound<Vec<Instruction>> {
    let graph = &plan.graph;
    let mut list = Vec::new();
    // Values that nobody reads, and states that go on to the next call, have no gradient: zero.
    let silent = graph.unread.iter().copied();
    for v in silent.chain(graph.states.iter().map(|s| s.output)) {
        list.push(Instruction::Clear {
            to: plan.gradients[v].clone(),
            width: width(plan, v),
            axis: graph.values[v].axis,
        });
    }
    let mut groups = Groups::new(plan, Form::Backward);
    for (i, (op, cell)) in graph.ops.iter().zip(&plan.cells).enumerate().rev() {
        if graph.makes_masks(op) {
            continue;
        }
        let parts = match (&op.kind, cell) {
            (OpKind::Cell(c), Some(cell)) => cell_parts(plan, i, op, c, cell)?,
            _ => Parts {
                run: without_cell(plan, i, op)?.into_iter().collect(),
                ..Parts::default()
            },
        };
        // Without a trained parameter before an operation, its gradients serve only the gradients of
        // the model's inputs.
        let trained = op.outputs.iter().any(|&o| graph.values[o].trained);
        list.extend(groups.backwards(i, parts, trained));
    }
    Ok(list)
}

/// Whether the gradient of an operation's inputs is always wanted.
fn gradient_condition(plan: &Plan, op: &Op) -> GradientCondition {
    match op.inputs.iter().any(|&v| plan.graph.values[v].trained) {
        true => GradientCondition::Always,
        false => GradientCondition::IfInputGradient,
    }
}

fn without_cell(plan: &Plan, i: usize, op: &Op) -> Sound<Option<Instruction>> {
    match &op.kind {
        OpKind::Op(def) => def.backward(&call(plan, &plan.training, op)),
        OpKind::Normalize { .. } => Ok(Some(Instruction::NormalizeBackward {
            layer: normalize(plan, i, op)?,
            axis: op.axis,
            input_gradient: gradient_condition(plan, op),
        })),
        OpKind::Cell(_) => None.or_bug("a cell without kernels"),
    }
}

fn cell_parts(plan: &Plan, i: usize, op: &Op, c: &CellOp, cell: &CellPlan) -> Sound<Parts> {
    let graph = &plan.graph;
    let axis = op.axis;
    let d = |v: ValueId| plan.gradients[v].clone();
    let mut before = Vec::new();
    for (k, &v) in op.outputs.iter().enumerate() {
        match cell.broadcast.get(k) {
            Some(Some(broadcast)) => before.push(Instruction::BroadcastLastGradient {
                to: broadcast.clone(),
                from: d(v),
                width: width(plan, v),
                axis,
            }),
            _ if graph.values[v].only_last => before.push(Instruction::OnlyLastGradient {
                gradient: d(v),
                width: width(plan, v),
                axis,
            }),
            _ => {}
        }
    }
    for (state, end) in cell.state_gradients.iter().zip(&c.finals) {
        let (at, width) = (state.at.clone(), state.width.clone());
        before.push(match end {
            None => Instruction::EndGradient {
                state: at,
                width,
                axis,
            },
            Some(v) => Instruction::EndGradientFrom {
                state: at,
                value: d(*v),
                width,
                axis,
            },
        });
    }
    for (&v, parts) in op.inputs.iter().zip(&c.backward.inputs) {
        let whole = parts.len() == 1 && parts[0].width == graph.values[v].width;
        if !whole {
            before.push(Instruction::Clear {
                to: d(v),
                width: width(plan, v),
                axis,
            });
        }
    }
    for accumulator in &cell.accumulators {
        before.push(Instruction::ClearAccumulator {
            to: accumulator.at.clone(),
            width: accumulator.width.clone(),
        });
    }
    let mut after = Vec::new();
    for (state, v) in cell.state_gradients.iter().zip(&c.initial) {
        if let Some(v) = v {
            after.push(Instruction::StartGradient {
                value: d(*v),
                state: state.at.clone(),
                width: state.width.clone(),
            });
        }
    }
    if !cell.matrices.is_empty() || !cell.vectors.is_empty() {
        after.push(Instruction::WeightGradients {
            matrices: cell.matrices.clone(),
            vectors: cell.vectors.clone(),
            axis,
            mask: c.mask.map(|m| plan.training.values[m].clone()),
        });
    }
    Ok(Parts {
        before,
        run: vec![scan(plan, &plan.training, i, op, Form::Backward)?],
        after,
    })
}
