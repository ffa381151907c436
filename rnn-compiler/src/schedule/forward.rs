//! The instructions of inference over a batch and of the forward pass of training.

use rnn_tables::{CarryOver, Direction, Perturbation, Slice, Wanted};

use super::{
    CellPlan, Mode, Plan,
    directions::{Groups, Parts},
};
use crate::{
    cell::size::Size,
    diagnostics::{OrBug, Sound},
    ir::{BufferRef, CellOp, Instruction, Op, OpKind, ParamId, Symbolic, ValueId},
};

/// A batch, or a block of its steps.
pub(super) fn inference(plan: &Plan) -> Sound<Vec<Instruction>> {
    let mode = &plan.inference;
    let mut list = inputs(plan, mode);
    let mut groups = Groups::new(plan, Direction::Inference);
    let mut once = false;
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        if plan.blocks && op.axis.is_none() && !once {
            once = true;
            list.push(Instruction::AfterLastBlock);
        }
        let (OpKind::Cell(c) | OpKind::Normalize { cell: c, .. }, Some(cell)) = (&op.kind, cell)
        else {
            list.extend(without_cell(plan, mode, op)?);
            continue;
        };
        let parts = Parts {
            before: start(mode, c, &cell.inference_states),
            run: vec![scan(plan, mode, i, op, Direction::Inference)?],
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
    let mut groups = Groups::new(plan, Direction::Forward);
    for (i, (op, cell)) in plan.graph.ops.iter().zip(&plan.cells).enumerate() {
        match (&op.kind, cell) {
            (
                OpKind::Dropout {
                    rate,
                    every_step,
                    stream,
                },
                _,
            ) => list.push(Instruction::Perturb {
                how: dropout(*rate),
                from: mode.values[op.inputs[0]].clone(),
                to: mode.values[op.outputs[0]].clone(),
                width: width(plan, op.inputs[0]),
                every_step: *every_step,
                stream: *stream,
                axis: op.axis,
            }),
            (OpKind::GaussianNoise { stddev, stream }, _) => list.push(Instruction::Perturb {
                how: Perturbation::Additive {
                    stddev: *stddev as f32,
                },
                from: mode.values[op.inputs[0]].clone(),
                to: mode.values[op.outputs[0]].clone(),
                width: width(plan, op.inputs[0]),
                every_step: true,
                stream: *stream,
                axis: op.axis,
            }),
            (OpKind::Normalize { .. }, _) => list.push(Instruction::Normalize {
                layer: normalize(plan, i, op)?,
                axis: op.axis,
            }),
            (OpKind::Cell(c), Some(cell)) => {
                let mut before = dropout_masks(c, cell);
                before.extend(start(mode, c, &cell.training_states));
                let parts = Parts {
                    before,
                    run: vec![scan(plan, mode, i, op, Direction::Forward)?],
                    after: finish(mode, op, c, &cell.training_states),
                };
                list.extend(groups.forwards(i, parts));
            }
            _ => list.extend(without_cell(plan, mode, op)?),
        }
    }
    Ok(list)
}

pub(super) fn width(plan: &Plan, value: ValueId) -> Size {
    plan.graph.values[value].width.clone()
}

pub(super) fn dropout(rate: f64) -> Perturbation {
    let rate = rate as f32;
    Perturbation::Bernoulli {
        rate,
        scale: if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 },
        offset: 0.0,
        dropped: 0.0,
    }
}

/// Copies of the model's inputs. Ids are read where a table's rows are copied.
pub(super) fn inputs(plan: &Plan, mode: &Mode) -> Vec<Instruction> {
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

/// What an operation without a cell does forwards: the same in a stream, in inference and in training.
pub(super) fn without_cell(plan: &Plan, mode: &Mode, op: &Op) -> Sound<Option<Instruction>> {
    let output = *op.outputs.first().or_bug("an operation without a result")?;
    let axis = |v: ValueId| plan.graph.values[v].axis;
    let to = mode.values[output].clone();
    let input = || {
        let input = *op
            .inputs
            .first()
            .or_bug("an operation that reads nothing")?;
        Ok((mode.values[input].clone(), input))
    };
    Ok(Some(match &op.kind {
        OpKind::Gather {
            input,
            table,
            vocabulary,
        } => Instruction::Gather {
            input: *input,
            table: ParamId(*table),
            vocabulary: vocabulary.clone(),
            to,
            width: width(plan, output),
            axis: axis(output),
        },
        OpKind::MaskIds { input } => Instruction::MaskIds {
            input: *input,
            to,
            axis: axis(output),
        },
        OpKind::Reshape => {
            let (from, input) = input()?;
            Instruction::Reshape {
                from,
                from_width: width(plan, input),
                from_axis: axis(input),
                to,
                to_width: width(plan, output),
                to_axis: axis(output),
            }
        }
        OpKind::Permute => {
            let (from, input) = input()?;
            Instruction::Permute {
                from,
                width: width(plan, input),
                axis: axis(input),
                to,
            }
        }
        OpKind::Repeat => {
            let (from, input) = input()?;
            Instruction::Repeat {
                from,
                to,
                width: width(plan, input),
                axis: axis(output),
            }
        }
        OpKind::Reverse => {
            let (from, input) = input()?;
            Instruction::Reverse {
                from,
                to,
                width: width(plan, input),
                axis: axis(output),
            }
        }
        OpKind::Penalty(r) => {
            let (value, input) = input()?;
            Instruction::Penalty {
                value,
                width: width(plan, input),
                l1: r.l1 as f32,
                l2: r.l2 as f32,
                axis: axis(input),
            }
        }
        // These are the value that they read.
        OpKind::Fork | OpKind::Dropout { .. } | OpKind::GaussianNoise { .. } => return Ok(None),
        OpKind::Cell(_) | OpKind::Normalize { .. } => return Ok(None),
    }))
}

/// States before the first step.
fn start(mode: &Mode, c: &CellOp, states: &[Slice<Symbolic>]) -> Vec<Instruction> {
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
    mode: &Mode,
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
    mode: &Mode,
    i: usize,
    op: &Op,
    direction: Direction,
) -> Sound<Instruction> {
    let cell = plan.cells[i].as_ref().or_bug("a cell without kernels")?;
    let (kernels, states) = match direction {
        Direction::Stream => (&cell.stream, &cell.stream_states),
        Direction::Inference => (&cell.inference, &cell.inference_states),
        Direction::Forward => (&cell.forward, &cell.training_states),
        Direction::Backward => (&cell.backward, &cell.state_gradients),
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
            let (outputs, inputs) = match direction {
                Direction::Backward => (
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
        direction,
        axis: op.axis,
        carry,
        input_gradient: match trained {
            true => Wanted::Always,
            false => Wanted::IfInputGradient,
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
