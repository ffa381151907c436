//! `OpGraph → Plan`: phases, buffers and packed weights.

mod cost;
mod explain;

use std::collections::BTreeMap;

use crate::{
    cell::{
        forms,
        graph::{NodeId, Op as Node, Slot},
        size::Size,
        stages::{self, PackedVector, Place, Program, Sink},
    },
    ir::{
        CellOp, OpGraph, OpKind,
        plan::{
            Buffer, CellPlan, Extent, MatrixGradient, Mode, Phase, Phases, Plan, PlannedMatrix,
            PlannedVector, Ref, Segment, VectorGradient,
        },
    },
};

/// Which form of a cell is being planned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stream,
    Inference,
    Forward,
    Backward,
}

/// Where the values, states and kept nodes of one cell are, in one mode.
#[derive(Clone, Default)]
struct Places {
    input: Option<Ref>,
    output: Option<Ref>,
    states: Vec<Ref>,
    keep: BTreeMap<NodeId, Ref>,
    /// In training: gradients.
    d_input: Option<Ref>,
    d_output: Option<Ref>,
    d_states: Vec<Ref>,
    deltas: BTreeMap<NodeId, Ref>,
}

struct Planner {
    matrices: Vec<PlannedMatrix>,
    vectors: Vec<PlannedVector>,
}

impl Mode {
    fn add(&mut self, width: &Size, extent: Extent) -> Ref {
        self.buffers.push(Buffer {
            width: width.clone(),
            slack: false,
            extent,
        });
        Ref {
            buf: self.buffers.len() - 1,
            offset: Size::known(0),
            after: false,
            exact: false,
        }
    }
}

/// Plans a model.
pub fn plan(graph: OpGraph) -> Plan {
    let streams = !graph
        .ops
        .iter()
        .any(|op| matches!(op.kind, OpKind::Flatten | OpKind::Reverse));
    let mut p = Planner {
        matrices: Vec::new(),
        vectors: Vec::new(),
    };
    let extent = |sequence: bool, only_last: bool| match (sequence, only_last) {
        (true, _) => Extent::All,
        (false, true) => Extent::Last,
        (false, false) => Extent::One,
    };
    let (mut stream, mut inference, mut training) =
        (Mode::default(), Mode::default(), Mode::default());
    for v in &graph.values {
        let batch = extent(v.sequence, v.only_last);
        let r = stream.add(&v.width, Extent::One);
        stream.values.push(r);
        let r = inference.add(&v.width, batch);
        inference.values.push(r);
        let r = training.add(&v.width, batch);
        training.values.push(r);
    }
    alias_dropout(&graph, &mut stream);
    alias_dropout(&graph, &mut inference);
    let gradients: Vec<Ref> = graph
        .values
        .iter()
        .map(|v| training.add(&v.width, extent(v.sequence, v.only_last)))
        .collect();

    let mut cells: Vec<Option<CellPlan>> = Vec::new();
    // Inference first: its packed weights stand in front of those that only training needs.
    for (i, op) in graph.ops.iter().enumerate() {
        cells.push(match &op.kind {
            OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => {
                let mut plan = CellPlan::default();
                plan.stream = p.inference(
                    i,
                    c,
                    &mut stream,
                    Form::Stream,
                    op.input,
                    op.output,
                    &mut plan.states,
                );
                let mut states = Vec::new();
                plan.inference = p.inference(
                    i,
                    c,
                    &mut inference,
                    Form::Inference,
                    op.input,
                    op.output,
                    &mut states,
                );
                plan.states = states;
                plan.unroll = unroll(&graph, c, op.input);
                Some(plan)
            }
            _ => None,
        });
    }
    let (training_matrices, training_vectors) = (p.matrices.len(), p.vectors.len());
    let mut kept = vec![None; graph.ops.len()];
    for (i, op) in graph.ops.iter().enumerate() {
        match &op.kind {
            OpKind::Cell(c) => {
                if let Some(plan) = &mut cells[i] {
                    p.training(i, c, &mut training, &gradients, op.input, op.output, plan);
                }
            }
            OpKind::Normalize { cell, .. } => {
                kept[i] = Some(training.add(&cell.cell.inputs[0].width, Extent::All));
            }
            _ => {}
        }
    }
    let mut plan = Plan {
        graph,
        stream,
        inference,
        training,
        gradients,
        kept,
        cells,
        matrices: p.matrices,
        training_matrices,
        vectors: p.vectors,
        training_vectors,
        streams,
        text: String::new(),
    };
    plan.text = explain::explain(&plan);
    plan
}

/// In inference a dropout is its input.
fn alias_dropout(graph: &OpGraph, mode: &mut Mode) {
    for op in &graph.ops {
        if let OpKind::Dropout { .. } = op.kind {
            mode.values[op.output] = mode.values[op.input].clone();
        }
    }
}

/// Steps to unroll the sweep of inference by, if it pays.
fn unroll(graph: &OpGraph, c: &CellOp, input: usize) -> Option<usize> {
    use crate::ir::Time;
    if c.cell.states.is_empty() || !graph.values[input].sequence {
        return None;
    }
    let steps = graph
        .layers
        .layers
        .iter()
        .find_map(|l| match &l.shape.time {
            Time::Steps(t) => t.value(),
            _ => None,
        })?;
    cost::unroll(c, steps).then_some(steps)
}

impl Planner {
    #[allow(clippy::too_many_arguments)]
    fn inference(
        &mut self,
        op: usize,
        c: &CellOp,
        mode: &mut Mode,
        form: Form,
        input: usize,
        output: usize,
        states: &mut Vec<(Ref, Ref, Size)>,
    ) -> Phases {
        let mut places = Places {
            input: Some(mode.values[input].clone()),
            output: Some(mode.values[output].clone()),
            ..Places::default()
        };
        for s in &c.cell.states {
            let r = mode.add(&s.size, Extent::Ring);
            states.push((r.clone(), r.clone(), s.size.clone()));
            places.states.push(r);
        }
        let program = forms::inference(&c.cell, form == Form::Inference);
        self.phases(op, &program, mode, &places, form)
    }

    #[allow(clippy::too_many_arguments)]
    fn training(
        &mut self,
        op: usize,
        c: &CellOp,
        mode: &mut Mode,
        gradients: &[Ref],
        input: usize,
        output: usize,
        plan: &mut CellPlan,
    ) {
        let mut places = Places {
            input: Some(mode.values[input].clone()),
            output: Some(mode.values[output].clone()),
            d_input: Some(gradients[input].clone()),
            d_output: Some(gradients[output].clone()),
            ..Places::default()
        };
        for (i, s) in c.cell.states.iter().enumerate() {
            let r = mode.add(&s.size, Extent::All);
            plan.states[i].1 = r.clone();
            places.states.push(r);
            let d = mode.add(&s.size, Extent::Ring);
            let after = Ref {
                after: true,
                ..d.clone()
            };
            plan.state_gradients.push((after, s.size.clone()));
            places.d_states.push(d);
        }
        for &node in &c.backward.keep {
            let width = c
                .cell
                .graph
                .width(node)
                .cloned()
                .unwrap_or_else(|| Size::known(1));
            places.keep.insert(node, mode.add(&width, Extent::All));
        }
        let forward = forms::training(&c.cell, &c.backward);
        plan.forward = self.phases(op, &forward, mode, &places, Form::Forward);

        let backward = forms::gradient(&c.backward);
        for phase in backward
            .pre
            .iter()
            .chain(&backward.step)
            .chain(&backward.post)
        {
            for s in phase.stores.iter().chain(&phase.reductions) {
                if let Place::Sink(Sink::Keep(node)) = s.place {
                    places.deltas.entry(node).or_insert_with(|| {
                        let width = c
                            .backward
                            .graph
                            .width(node)
                            .cloned()
                            .unwrap_or_else(|| phase.width.clone());
                        mode.add(&width, Extent::All)
                    });
                }
            }
        }
        plan.backward = self.phases(op, &backward, mode, &places, Form::Backward);
        let delta = |node: NodeId, mode: &mut Mode| match &c.backward.graph.node(node).op {
            Node::Leaf(slot, offset) => self::place(
                &Place::Slot(*slot),
                offset,
                &places,
                &[],
                Form::Backward,
                mode,
            ),
            _ => places.deltas.get(&node).cloned(),
        };
        for m in &c.backward.matrices {
            let (slot, offset) = &m.operand;
            let operand = place(
                &Place::Slot(*slot),
                offset,
                &places,
                &[],
                Form::Backward,
                mode,
            );
            if let (Some(operand), Some(d)) = (operand, delta(m.delta, mode)) {
                plan.matrices.push(MatrixGradient {
                    operand: (operand, m.k.clone()),
                    delta: (d, m.width.clone()),
                    part: (
                        c.params[m.part.param],
                        m.part.columns.clone(),
                        m.part.row.clone(),
                        m.part.column.clone(),
                    ),
                });
            }
        }
        for v in &c.backward.vectors {
            if let Some(d) = delta(v.delta, mode) {
                plan.vectors.push(VectorGradient {
                    delta: (d, v.width.clone()),
                    part: (c.params[v.param], v.offset.clone()),
                });
            }
        }
    }

    /// Gives every vector of a program its place.
    fn phases(
        &mut self,
        op: usize,
        program: &Program,
        mode: &mut Mode,
        places: &Places,
        form: Form,
    ) -> Phases {
        let temps: Vec<Ref> = program
            .temps
            .iter()
            .map(|t| {
                let every = t.every_step && form != Form::Stream;
                mode.add(&t.width, if every { Extent::All } else { Extent::One })
            })
            .collect();
        let matrices: Vec<usize> = program
            .matrices
            .iter()
            .map(|m| self.matrix(op, m))
            .collect();
        let vectors: Vec<usize> = program
            .vectors
            .iter()
            .map(|v| self.vector(op, form == Form::Backward, v))
            .collect();
        let mut list = |phases: &[stages::Phase]| -> Vec<Phase> {
            phases
                .iter()
                .map(|p| {
                    let mut all = |vs: &[stages::Vector]| -> Vec<Ref> {
                        vs.iter()
                            .map(|v| {
                                let mut r = place(&v.place, &v.offset, places, &temps, form, mode)
                                    .unwrap_or(nowhere());
                                r.exact = v.exact;
                                r
                            })
                            .collect()
                    };
                    let loads = all(&p.loads);
                    let scalars = all(&p.scalars);
                    let stores = all(&p.stores);
                    let reductions = all(&p.reductions);
                    let products = p
                        .products
                        .iter()
                        .map(|product| {
                            let segments = product
                                .segments
                                .iter()
                                .map(|(v, k, m)| Segment {
                                    src: place(&v.place, &v.offset, places, &temps, form, mode)
                                        .unwrap_or(nowhere()),
                                    k: k.clone(),
                                    matrix: matrices[*m],
                                    carried: matches!(v.place, Place::Slot(Slot::State(_)))
                                        && matches!(form, Form::Inference | Form::Forward),
                                })
                                .collect();
                            (segments, product.gates.len())
                        })
                        .collect();
                    Phase {
                        width: p.width.clone(),
                        products,
                        loads,
                        vectors: p.vectors.iter().map(|&v| vectors[v]).collect(),
                        scalars,
                        stores,
                        reductions,
                        body: p.body.clone(),
                        only_input_gradient: p.only_input_gradient,
                        only_state_gradients: p.only_state_gradients,
                    }
                })
                .collect()
        };
        let (pre, step, post) = (list(&program.pre), list(&program.step), list(&program.post));
        let mut pack = list(&program.pack);
        // In these, stores are packed vectors.
        for phase in &mut pack {
            for s in &mut phase.body {
                if let stages::Statement::Store(i, _) = s {
                    *i = vectors[*i];
                }
            }
        }
        Phases {
            graph: program.graph.clone(),
            pack,
            pre,
            step,
            post,
        }
    }

    fn matrix(&mut self, op: usize, packed: &stages::Packed) -> usize {
        let known = self
            .matrices
            .iter()
            .position(|m| m.op == op && m.packed == *packed);
        known.unwrap_or_else(|| {
            self.matrices.push(PlannedMatrix {
                op,
                packed: packed.clone(),
            });
            self.matrices.len() - 1
        })
    }

    fn vector(&mut self, op: usize, backward: bool, packed: &PackedVector) -> usize {
        let same = |v: &PlannedVector| {
            v.op == op
                && v.packed == *packed
                && (v.backward == backward || matches!(packed, PackedVector::Param(..)))
        };
        let known = self.vectors.iter().position(same);
        known.unwrap_or_else(|| {
            self.vectors.push(PlannedVector {
                op,
                backward,
                packed: packed.clone(),
            });
            self.vectors.len() - 1
        })
    }
}

/// A buffer that does not exist. A vector without a place would be a mistake of this compiler: the
/// first use of its phase then stops, where leaving it out would give wrong numbers.
fn nowhere() -> Ref {
    Ref {
        buf: usize::MAX,
        offset: Size::known(0),
        after: false,
        exact: false,
    }
}

/// The buffer that a place is in.
fn place(
    place: &Place,
    offset: &Size,
    places: &Places,
    temps: &[Ref],
    form: Form,
    mode: &mut Mode,
) -> Option<Ref> {
    let after = |r: &Ref| Ref {
        after: true,
        ..r.clone()
    };
    let mut r = match place {
        Place::Temp(i) => temps.get(*i).cloned(),
        Place::Slot(slot) => match slot {
            Slot::Input(_) => places.input.clone(),
            Slot::State(i) => places.states.get(*i).cloned(),
            Slot::NextState(i) => places.states.get(*i).map(after),
            Slot::Forward(n) => places.keep.get(n).cloned(),
            Slot::OutputGradient(_) => places.d_output.clone(),
            // No layer has masks of its own yet.
            Slot::Noise(_) => None,
            Slot::NextStateGradient(i) => places.d_states.get(*i).map(after),
        },
        Place::Sink(sink) => match sink {
            Sink::State(i) => places.states.get(*i).map(after),
            Sink::Output(_) => places.output.clone(),
            Sink::Keep(n) if form == Form::Backward => places.deltas.get(n).cloned(),
            Sink::Keep(n) => places.keep.get(n).cloned(),
            Sink::StateGradient(i) => places.d_states.get(*i).cloned(),
            Sink::InputGradient(_) => places.d_input.clone(),
        },
    }?;
    if *offset != Size::known(0) {
        mode.buffers[r.buf].slack = true;
        r.offset = &r.offset + offset;
    }
    Some(r)
}
