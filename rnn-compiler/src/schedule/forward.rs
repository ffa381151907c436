//! The instructions of inference over a batch and of the forward pass of training.

use rnn_tables::{CarryOver, Form, GradientCondition, Slice};

use super::{
    BufferPlan, CellPlan, Plan,
    directions::{Groups, Parts},
};
use crate::{
    cell::size::Size,
    diagnostics::{OrBug, Sound},
    ir::{
        BufferRef, CellOp, Instruction, Op, OpCall, OpKind, OpValue, ParamId, Pass, Symbolic,
        ValueId,
    },
};

/// A batch, or a block of its steps.
pub(super) fn inference(plan: &Plan) -> Sound<Vec<Instruction>> {
    let mode = &plan.inference;
    let mut list = inputs(plan, mode);
    let mut groups = Groups::new(plan, Form::Inference);
    let mut once = false;
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        if plan.blocks && op.axis.is_none() && !once {
            once = true;
            list.push(Instruction::AfterLastBlock);
        }
        let (OpKind::Cell(c) | OpKind::Normalize { cell: c, .. }, Some(cell)) = (&op.kind, cell)
        else {
            list.extend(without_cell(plan, mode, op, Pass::Inference)?);
            continue;
        };
        let parts = Parts {
            before: start(mode, c, &cell.inference_states),
            run: vec![scan(plan, mode, i, op, Form::Inference)?],
            after: finish(mode, op, c, &cell.inference_states),
        };
        list.extend(groups.forwards(i, parts));
    }
    Ok(list)
}

/// The forward pass of training.
pub(super) fn training(plan: &Plan) -> Sound<Vec<Instruction>> {
    let mode = &plan.training;
    let mut list = inputs(plan, mode);
    let mut groups = Groups::new(plan, Form::Forward);
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        match (&op.kind, cell) {
            (OpKind::Normalize { .. }, _) => list.push(Instruction::Normalize {
                layer: normalize(plan, i, op)?,
                axis: op.axis,
            }),
            (OpKind::Cell(c), Some(cell)) => {
                let mut before = dropout_masks(c, cell);
                before.extend(start(mode, c, &cell.training_states));
                let parts = Parts {
                    before,
                    run: vec![scan(plan, mode, i, op, Form::Forward)?],
                    after: finish(mode, op, c, &cell.training_states),
                };
                list.extend(groups.forwards(i, parts));
            }
            _ => list.extend(without_cell(plan, mode, op, Pass::Training)?),
        }
    }
    Ok(list)
}

pub(super) fn width(plan: &Plan, value: ValueId) -> Size {
    plan.graph.values[value].width.clone()
}

/// Copies the model's inputs into their buffers. Ids are not copied: the instructions that gather rows
/// of a table read them.
pub(super) fn inputs(plan: &Plan, mode: &BufferPlan) -> Vec<Instruction> {
    let layers = &plan.graph.layers;
    let all = layers.inputs.iter().zip(&plan.graph.inputs).enumerate();
    all.filter(|(_, ((_, id), _))| !layers.layers[*id].outputs[0].is_ids())
        .map(|(input, (_, &value))| Instruction::Input {
            input,
            to: mode.values[value].clone(),
            width: width(plan, value),
            axis: plan.graph.values[value].axis,
        })
        .collect()
}

/// What an operation without a cell does forwards.
pub(super) fn without_cell(
    plan: &Plan,
    mode: &BufferPlan,
    op: &Op,
    pass: Pass,
) -> Sound<Option<Instruction>> {
    match &op.kind {
        OpKind::Op(def) => def.forward(&call(plan, mode, op), pass),
        OpKind::Cell(_) | OpKind::Normalize { .. } => None.or_bug("a cell without kernels"),
    }
}

/// The values of an operation.
pub(super) fn call(plan: &Plan, mode: &BufferPlan, op: &Op) -> OpCall {
    let value = |&v: &ValueId| OpValue {
        at: mode.values[v].clone(),
        gradient: plan.gradients[v].clone(),
        trained: plan.training.values[v].clone(),
        width: width(plan, v),
        axis: plan.graph.values[v].axis,
    };
    OpCall {
        inputs: op.inputs.iter().map(value).collect(),
        outputs: op.outputs.iter().map(value).collect(),
        stream: op.stream,
    }
}

/// States before the first step.
pub(super) fn start(mode: &BufferPlan, c: &CellOp, states: &[Slice<Symbolic>]) -> Vec<Instruction> {
    let states = states.iter().zip(&c.initial);
    states
        .map(|(s, initial)| {
            let (state, width) = (s.at.clone(), s.width.clone());
            match initial {
                None => Instruction::StartState { state, width },
                Some(v) => Instruction::StartStateFrom {
                    state,
                    value: mode.values[*v].clone(),
                    width,
                },
            }
        })
        .collect()
}

/// States after the last step, where somebody reads them.
pub(super) fn finish(
    mode: &BufferPlan,
    op: &Op,
    c: &CellOp,
    states: &[Slice<Symbolic>],
) -> Vec<Instruction> {
    let states = states.iter().zip(&c.finals);
    states
        .filter_map(|(s, to)| {
            Some(Instruction::FinishState {
                value: mode.values[(*to)?].clone(),
                state: s.at.clone(),
                width: s.width.clone(),
                axis: op.axis,
            })
        })
        .collect()
}

fn dropout_masks(c: &CellOp, cell: &CellPlan) -> Vec<Instruction> {
    let masks = cell.dropout_masks.iter().zip(&c.trained().dropout_masks);
    masks
        .enumerate()
        .map(|(i, (to, mask))| Instruction::DropoutMask {
            to: to.clone(),
            width: mask.width.clone(),
            rate: mask.rate as f32,
            stream: c.stream.wrapping_add((i as u64) << 40),
        })
        .collect()
}

/// A cell over time.
pub(super) fn scan(
    plan: &Plan,
    mode: &BufferPlan,
    i: usize,
    op: &Op,
    form: Form,
) -> Sound<Instruction> {
    let cell = plan.cells[i].as_ref().or_bug("a cell without kernels")?;
    let (kernels, states) = match form {
        Form::Stream => (&cell.stream, &cell.stream_states),
        Form::Inference => (&cell.inference, &cell.inference_states),
        Form::Forward => (&cell.forward, &cell.training_states),
        Form::Backward => (&cell.backward, &cell.state_gradients),
    };
    let carry = match &op.kind {
        OpKind::Cell(c) => c.mask.map(|mask| {
            let slices = |at: &dyn Fn(usize, ValueId) -> BufferRef, values: &[ValueId]| {
                let values = values.iter().enumerate();
                let slice = |(k, &v): (usize, &ValueId)| Slice {
                    at: at(k, v),
                    width: width(plan, v),
                };
                values.map(slice).collect::<Vec<_>>()
            };
            let gradient = |_, v: ValueId| plan.gradients[v].clone();
            let (outputs, inputs) = match form {
                Form::Backward => (
                    slices(&|k, v| output_gradient(plan, cell, k, v), &op.outputs),
                    slices(&gradient, &op.inputs),
                ),
                _ => (
                    slices(&|_, v| mode.values[v].clone(), &op.outputs),
                    Vec::new(),
                ),
            };
            CarryOver {
                mask: mode.values[mask].clone(),
                states: states.clone(),
                outputs,
                inputs,
                zero_output: c.zero_output,
            }
        }),
        _ => None,
    };
    let trained = op.inputs.iter().any(|&v| plan.graph.values[v].trained);
    Ok(Instruction::Scan {
        cell: i,
        form,
        axis: op.axis,
        carry,
        input_gradient: match trained {
            true => GradientCondition::Always,
            false => GradientCondition::IfInputGradient,
        },
        cost: kernels.cost(),
    })
}

/// Where a cell reads the gradient of an output.
fn output_gradient(plan: &Plan, cell: &CellPlan, output: usize, value: ValueId) -> BufferRef {
    match cell.broadcast.get(output) {
        Some(Some(broadcast)) => broadcast.clone(),
        _ => plan.gradients[value].clone(),
    }
}

/// `BatchNormalization` in training.
pub(super) fn normalize(plan: &Plan, i: usize, op: &Op) -> Sound<rnn_tables::Normalize<Symbolic>> {
    let (
        OpKind::Normalize {
            cell,
            momentum,
            epsilon,
            mask,
        },
        [input],
        [output],
    ) = (&op.kind, op.inputs.as_slice(), op.outputs.as_slice())
    else {
        return None.or_bug("a normalisation of several values");
    };
    let param = |name: &str| {
        let found = cell.cell.params.iter().position(|p| p.name == name);
        found.map(|p| ParamId(cell.params[p]))
    };
    let values = &plan.training.values;
    Ok(rnn_tables::Normalize {
        input: values[*input].clone(),
        output: values[*output].clone(),
        d_output: plan.gradients[*output].clone(),
        d_input: plan.gradients[*input].clone(),
        saved: plan.saved[i].clone().or_bug("no room for the statistics")?,
        mask: mask.map(|m| values[m].clone()),
        width: cell.cell.inputs[0].width.clone(),
        gamma: param("gamma"),
        beta: param("beta"),
        moving_mean: param("moving_mean").or_bug("no moving mean")?,
        moving_variance: param("moving_variance").or_bug("no moving variance")?,
        momentum: *momentum as f32,
        epsilon: *epsilon as f32,
    })
}
