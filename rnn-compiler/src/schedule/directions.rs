//! The two directions of a `Bidirectional` layer as one group that may run at once.
//!
//! Only the scans run at once. States before the first step and after the last, dropout masks and
//! gradients of weights may be read by both directions, so they stay outside of the group.

use std::collections::{BTreeMap, BTreeSet};

use rnn_tables::{Form, Slice};

use super::{CellPlan, Kernels, Plan};
use crate::{
    cell::size::Size,
    ir::{AxisId, Between, BufferRef, CellOp, Instruction, LayerId, OpKind, Symbolic, ValueId},
};

/// The instructions of one operation.
#[derive(Default)]
pub(super) struct Parts {
    /// What comes before the scan.
    pub before: Vec<Instruction>,
    /// The scan.
    pub run: Vec<Instruction>,
    /// What comes after it.
    pub after: Vec<Instruction>,
}

/// Two directions whose scans have no buffer in common.
struct Group {
    first: Vec<usize>,
    second: Vec<usize>,
    /// Fan-outs of results of the directions: backwards they run first.
    fan_outs: Vec<usize>,
    /// The buffers of the second direction.
    buffers: Vec<usize>,
    axis: Option<AxisId>,
    cost: Size,
    /// The members' instructions so far.
    parts: BTreeMap<usize, Parts>,
    /// Backwards: instructions that have to run after both directions.
    late: Vec<Instruction>,
}

/// All groups of a run.
pub(super) struct Groups(Vec<Group>);

impl Groups {
    pub(super) fn new(plan: &Plan, form: Form) -> Groups {
        let mut halves: BTreeMap<LayerId, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (i, op) in plan.graph.ops.iter().enumerate() {
            if let Some(half) = op.half {
                let (first, second) = halves.entry(half.layer).or_default();
                if half.second { second } else { first }.push(i);
            }
        }
        let halves = halves.into_values();
        let groups = halves.filter_map(|(first, second)| group(plan, form, first, second));
        Groups(groups.collect())
    }

    /// The instructions of cell `i`. A cell of a group gives none until the group's last cell, which
    /// gives those of both directions.
    pub(super) fn forwards(&mut self, i: usize, parts: Parts) -> Vec<Instruction> {
        let Some(group) = self.0.iter_mut().find(|g| g.has(i)) else {
            return parts.in_order();
        };
        group.parts.insert(i, parts);
        match group.second.last() == Some(&i) {
            true => group.instructions(|list| list.to_vec()),
            false => Vec::new(),
        }
    }

    /// The instructions of operation `i`; operations are visited from the last to the first. Without
    /// `trained` they run only if the gradients of the model's inputs are wanted.
    pub(super) fn backwards(&mut self, i: usize, parts: Parts, trained: bool) -> Vec<Instruction> {
        let Some(group) = self.0.iter_mut().find(|g| g.spans(i)) else {
            return parts.backwards(trained);
        };
        if group.fan_outs.contains(&i) {
            return parts.backwards(trained);
        }
        if !group.has(i) {
            group.late.extend(parts.backwards(trained));
            return Vec::new();
        }
        let parts = match trained {
            true => parts,
            false => Parts {
                before: if_wanted(parts.before),
                run: if_wanted(parts.run),
                after: if_wanted(parts.after),
            },
        };
        group.parts.insert(i, parts);
        if group.first.first() != Some(&i) {
            return Vec::new();
        }
        let mut list = group.instructions(|list| list.iter().rev().copied().collect());
        list.append(&mut group.late);
        list
    }
}

fn group(plan: &Plan, form: Form, first: Vec<usize>, second: Vec<usize>) -> Option<Group> {
    let (&from, &to) = (first.first()?, second.last()?);
    let mut written: BTreeSet<ValueId> = BTreeSet::new();
    let (mut a, mut b) = (BTreeSet::new(), BTreeSet::new());
    let mut cost = Size::known(0);
    for (list, buffers) in [(&first, &mut a), (&second, &mut b)] {
        for &i in list {
            let (OpKind::Cell(c), Some(cell)) = (&plan.graph.ops[i].kind, &plan.cells[i]) else {
                return None;
            };
            written.extend(&plan.graph.ops[i].outputs);
            written.extend(c.finals.iter().flatten());
            buffers.extend(touched(plan, form, i, c, cell));
            cost = &cost + &kernels(cell, form).cost();
        }
    }
    if !a.is_disjoint(&b) {
        return None;
    }
    let mut fan_outs = Vec::new();
    for i in from..=to {
        let op = &plan.graph.ops[i];
        let between = match &op.kind {
            // A parameter that a state starts with is known before both.
            _ if op.half.is_some() || op.is_parameter_alone() => continue,
            OpKind::Op(def) => def.between_directions(),
            _ => Between::Never,
        };
        match between {
            Between::Never => return None,
            Between::FansOut if written.contains(&op.inputs[0]) => fan_outs.push(i),
            // It fans out or moves the sequence that the second direction reads.
            Between::FansOut | Between::Moves => {}
        }
    }
    Some(Group {
        axis: plan.graph.ops[from].axis,
        first,
        second,
        fan_outs,
        buffers: b.into_iter().collect(),
        cost,
        parts: BTreeMap::new(),
        late: Vec::new(),
    })
}

fn kernels(cell: &CellPlan, form: Form) -> &Kernels {
    match form {
        Form::Stream => &cell.stream,
        Form::Inference => &cell.inference,
        Form::Forward => &cell.forward,
        Form::Backward => &cell.backward,
    }
}

/// The buffers that a scan reads and writes.
fn touched(plan: &Plan, form: Form, i: usize, c: &CellOp, cell: &CellPlan) -> BTreeSet<usize> {
    let op = &plan.graph.ops[i];
    let values = match form {
        Form::Stream => &plan.stream.values,
        Form::Inference => &plan.inference.values,
        Form::Forward | Form::Backward => &plan.training.values,
    };
    let mut all = BTreeSet::new();
    let mut add = |r: &BufferRef| {
        all.insert(r.buffer);
    };
    for kernel in kernels(cell, form).running() {
        let k = &kernel.tables;
        let operands = k.products.iter().flatten().map(|s| &s.operand);
        operands
            .chain(k.loads.iter().chain(&k.stores))
            .chain(k.scalars.iter().chain(&k.reductions))
            .for_each(&mut add);
    }
    // What a masked scan carries over.
    c.mask.iter().for_each(|&m| add(&values[m]));
    let states: &[Slice<Symbolic>] = match form {
        Form::Stream => &cell.stream_states,
        Form::Inference => &cell.inference_states,
        Form::Forward => &cell.training_states,
        Form::Backward => &cell.state_gradients,
    };
    states.iter().for_each(|s| add(&s.at));
    let own = op.inputs.iter().chain(&op.outputs);
    match form {
        Form::Backward => {
            cell.broadcast.iter().flatten().for_each(&mut add);
            own.for_each(|&v| add(&plan.gradients[v]));
        }
        _ => own.for_each(|&v| add(&values[v])),
    }
    all
}

/// Makes instructions run only if the gradients of the model's inputs are wanted.
fn if_wanted(list: Vec<Instruction>) -> Vec<Instruction> {
    let instructions = list.len();
    match instructions {
        0 => list,
        _ => std::iter::once(Instruction::IfInputGradient { instructions })
            .chain(list)
            .collect(),
    }
}

impl Parts {
    fn in_order(self) -> Vec<Instruction> {
        [self.before, self.run, self.after].concat()
    }

    fn backwards(self, trained: bool) -> Vec<Instruction> {
        match trained {
            true => self.in_order(),
            false => if_wanted(self.in_order()),
        }
    }
}

impl Group {
    fn has(&self, i: usize) -> bool {
        self.first.contains(&i) || self.second.contains(&i)
    }

    /// Whether `i` stands between the first cell of the first and the last of the second.
    fn spans(&self, i: usize) -> bool {
        self.first.first() <= Some(&i) && Some(&i) <= self.second.last()
    }

    /// The instructions of all members, in this order within a direction.
    fn instructions(&self, order: impl Fn(&[usize]) -> Vec<usize>) -> Vec<Instruction> {
        let (first, second) = (order(&self.first), order(&self.second));
        let all = |part: fn(&Parts) -> &Vec<Instruction>, of: &[usize]| -> Vec<Instruction> {
            let parts = of.iter().filter_map(|i| self.parts.get(i));
            parts.flat_map(|p| part(p).iter().cloned()).collect()
        };
        let members = [first.as_slice(), &second].concat();
        let (a, b) = (all(|p| &p.run, &first), all(|p| &p.run, &second));
        let mut list = all(|p| &p.before, &members);
        list.push(Instruction::Concurrent {
            first: a.len(),
            second: b.len(),
            buffers: self.buffers.clone(),
            axis: self.axis,
            cost: self.cost.clone(),
        });
        list.extend(a);
        list.extend(b);
        list.extend(all(|p| &p.after, &members));
        list
    }
}
