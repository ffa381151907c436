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
    diagnostics::Sound,
    ir::{
        AxisId, CellOp, Op, OpGraph, OpKind, Time, Value, ValueId,
        plan::{
            Buffer, CellPlan, Extent, MatrixGradient, Mode, Phase, Phases, Plan, PlannedMatrix,
            PlannedVector, Ref, Segment, VectorGradient,
        },
    },
    kernels::Target,
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
    inputs: Vec<Ref>,
    outputs: Vec<Ref>,
    states: Vec<Ref>,
    /// States that may be anything before the first step.
    given: Vec<bool>,
    noises: Vec<Ref>,
    keep: BTreeMap<NodeId, Ref>,
    /// In training: gradients.
    d_inputs: Vec<Ref>,
    d_outputs: Vec<Ref>,
    d_states: Vec<Ref>,
    deltas: BTreeMap<NodeId, Ref>,
    /// Sums of such over the steps of each row.
    totals: BTreeMap<NodeId, Ref>,
}

struct Planner<'a> {
    target: &'a Target,
    matrices: Vec<PlannedMatrix>,
    vectors: Vec<PlannedVector>,
}

impl Mode {
    fn add(&mut self, width: &Size, extent: Extent, axis: Option<AxisId>) -> Ref {
        self.buffers.push(Buffer {
            width: width.clone(),
            slack: false,
            extent,
            axis,
        });
        Ref {
            buf: self.buffers.len() - 1,
            offset: Size::known(0),
            after: false,
            exact: false,
        }
    }

    /// A buffer with a row for every step of an axis; without an axis there is one.
    fn every(&mut self, width: &Size, axis: Option<AxisId>) -> Ref {
        match axis {
            Some(_) => self.add(width, Extent::All, axis),
            None => self.add(width, Extent::One, None),
        }
    }

    /// A buffer for a value of a batch.
    fn value(&mut self, v: &Value) -> Ref {
        match (v.axis, v.only_last) {
            (None, true) => self.add(&v.width, Extent::Last, None),
            (axis, _) => self.every(&v.width, axis),
        }
    }
}

/// Plans a model.
///
/// # Errors
/// If the compiler made a mistake.
pub fn plan(graph: OpGraph, target: &Target) -> Sound<Plan> {
    let whole = needs_all(&graph);
    let mut p = Planner {
        matrices: Vec::new(),
        vectors: Vec::new(),
        target,
    };
    let (mut stream, mut inference, mut training) =
        (Mode::default(), Mode::default(), Mode::default());
    // A value that is another one has no buffer of its own.
    let same = aliases(&graph, |kind| {
        !matches!(
            kind,
            OpKind::Fork
                | OpKind::Penalty(_)
                | OpKind::Dropout { .. }
                | OpKind::GaussianNoise { .. }
        )
    });
    let same_trained = aliases(&graph, |kind| {
        !matches!(kind, OpKind::Fork | OpKind::Penalty(_))
    });
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
    let same_gradient = aliases(&graph, |kind| {
        !matches!(kind, OpKind::Penalty(_) | OpKind::GaussianNoise { .. })
    });
    // A gradient may be that of a value that comes later: forks put their values behind all others.
    let own: Vec<Option<Ref>> = graph
        .values
        .iter()
        .zip(&same_gradient)
        .map(|(v, same)| same.is_none().then(|| training.value(v)))
        .collect();
    let gradients: Vec<Ref> = (0..own.len())
        .filter_map(|i| own[same_gradient[i].unwrap_or(i)].clone())
        .collect();

    let mut cells: Vec<Option<CellPlan>> = Vec::new();
    // Inference first: its packed weights stand in front of those that only training needs.
    for (i, op) in graph.ops.iter().enumerate() {
        cells.push(match &op.kind {
            OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => {
                let mut plan = CellPlan::default();
                let mut states = Vec::new();
                plan.stream = p.inference(i, c, &mut stream, Form::Stream, op, &mut states)?;
                plan.stream_states = states.into_iter().map(|(r, _, s)| (r, s)).collect();
                let mut states = Vec::new();
                plan.inference =
                    p.inference(i, c, &mut inference, Form::Inference, op, &mut states)?;
                plan.states = states;
                plan.unroll = unroll(&graph, c, op.axis);
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
                    p.training(&graph, i, c, &mut training, &gradients, op, plan)?;
                }
            }
            OpKind::Normalize { cell, .. } => {
                // Two rows: the mean and the deviation.
                kept[i] = Some(training.add(&cell.cell.inputs[0].width, Extent::Ring, None));
            }
            _ => {}
        }
    }
    let blocks = whole.is_none() && in_blocks(&graph);
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
        whole,
        blocks,
        text: String::new(),
    };
    plan.text = explain::explain(&plan);
    Ok(plan)
}

/// Why a model needs whole sequences, if it does: what a stream cannot give.
fn needs_all(graph: &OpGraph) -> Option<String> {
    if let Some((layer, why)) = graph.whole.first() {
        return Some(format!("{layer} needs the whole sequence: {why}"));
    }
    if graph.axes.len() > 1 {
        return Some("its values have several time axes".to_owned());
    }
    None
}

/// Whether what runs once stands behind all that runs over time: then a long sequence can be cut
/// into blocks, and what runs once runs behind the last one.
fn in_blocks(graph: &OpGraph) -> bool {
    let mut once = false;
    graph.axes.len() == 1
        && graph.ops.iter().all(|op| {
            once |= op.axis.is_none();
            !once || op.axis.is_none()
        })
}

/// For each value, the one that it is the same as: outputs of operations that `copies` is false for.
fn aliases(graph: &OpGraph, copies: impl Fn(&OpKind) -> bool) -> Vec<Option<ValueId>> {
    let mut same: Vec<Option<ValueId>> = vec![None; graph.values.len()];
    for op in graph.ops.iter().filter(|op| !copies(&op.kind)) {
        for &o in &op.outputs {
            same[o] = Some(op.inputs[0]);
        }
    }
    // A value may come before the one that it is the same as: forks are put in later.
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

/// Steps to unroll the sweep of inference by, if it pays.
fn unroll(graph: &OpGraph, c: &CellOp, axis: Option<AxisId>) -> Option<usize> {
    if c.cell.states.is_empty() || c.mask.is_some() {
        return None;
    }
    let Time::Steps(steps) = &graph.axes[axis?] else {
        return None;
    };
    let steps = steps.value()?;
    cost::unroll(c, steps).then_some(steps)
}

impl Planner<'_> {
    fn inference(
        &mut self,
        index: usize,
        c: &CellOp,
        mode: &mut Mode,
        form: Form,
        op: &Op,
        states: &mut Vec<(Ref, Ref, Size)>,
    ) -> Sound<Phases> {
        let mut places = Places {
            inputs: refs(&mode.values, &op.inputs),
            outputs: refs(&mode.values, &op.outputs),
            given: c.initial.iter().map(Option::is_some).collect(),
            ..Places::default()
        };
        for s in &c.cell.states {
            let r = mode.add(&s.size, Extent::Ring, None);
            states.push((r.clone(), r.clone(), s.size.clone()));
            places.states.push(r);
        }
        let program = forms::inference(&c.cell, form == Form::Inference, self.target)?;
        let at = (index, op.axis, c.params.as_slice());
        Ok(self.phases(at, &program, mode, &places, form))
    }

    #[allow(clippy::too_many_arguments)]
    fn training(
        &mut self,
        graph: &OpGraph,
        index: usize,
        c: &CellOp,
        mode: &mut Mode,
        gradients: &[Ref],
        op: &Op,
        plan: &mut CellPlan,
    ) -> Sound<()> {
        let axis = op.axis;
        let cell = c.trained();
        let mut places = Places {
            inputs: refs(&mode.values, &op.inputs),
            outputs: refs(&mode.values, &op.outputs),
            given: c.initial.iter().map(Option::is_some).collect(),
            d_inputs: refs(gradients, &op.inputs),
            d_outputs: refs(gradients, &op.outputs),
            ..Places::default()
        };
        for &o in &op.outputs {
            let value = &graph.values[o];
            let spread = (c.mask.is_some() && value.axis.is_none())
                .then(|| mode.add(&value.width, Extent::All, axis));
            plan.spread.push(spread);
        }
        for (d, spread) in places.d_outputs.iter_mut().zip(&plan.spread) {
            if let Some(spread) = spread {
                *d = spread.clone();
            }
        }
        for noise in &cell.noises {
            let r = mode.add(&noise.width, Extent::One, None);
            plan.noises.push(r.clone());
            places.noises.push(r);
        }
        for (i, s) in cell.states.iter().enumerate() {
            let r = mode.add(&s.size, Extent::All, axis);
            plan.states[i].1 = r.clone();
            places.states.push(r);
            let d = mode.add(&s.size, Extent::Ring, None);
            plan.state_gradients.push((d.clone(), s.size.clone()));
            places.d_states.push(d);
        }
        for &node in &c.backward.keep {
            let width = cell
                .graph
                .width(node)
                .cloned()
                .unwrap_or_else(|| Size::known(1));
            places.keep.insert(node, mode.every(&width, axis));
        }
        let at = (index, axis, c.params.as_slice());
        let forward = forms::training(cell, &c.backward, self.target)?;
        plan.forward = self.phases(at, &forward, mode, &places, Form::Forward);

        let backward = forms::gradient(&c.backward, self.target)?;
        for phase in backward
            .pre
            .iter()
            .chain(&backward.step)
            .chain(&backward.post)
        {
            for s in phase.stores.iter().chain(&phase.reductions) {
                let (Place::Sink(Sink::Keep(node)) | Place::Sink(Sink::Total(node))) = s.place
                else {
                    continue;
                };
                let width = c.backward.graph.width(node);
                let width = width.unwrap_or(&phase.width);
                if let Place::Sink(Sink::Total(_)) = s.place {
                    let total = mode.add(width, Extent::One, None);
                    plan.totals.push((total.clone(), width.clone()));
                    places.totals.insert(node, total);
                } else {
                    let every = |mode: &mut Mode| mode.every(width, axis);
                    places
                        .deltas
                        .entry(node)
                        .or_insert_with(|| every(&mut *mode));
                }
            }
        }
        plan.backward = self.phases(at, &backward, mode, &places, Form::Backward);
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
            let total = places.totals.get(&v.delta);
            if let Some(d) = total.cloned().or_else(|| delta(v.delta, mode)) {
                plan.vectors.push(VectorGradient {
                    delta: (d, v.width.clone()),
                    total: total.is_some(),
                    part: (c.params[v.param], v.offset.clone()),
                });
            }
        }
        Ok(())
    }

    /// Gives every vector of a program its place.
    fn phases(
        &mut self,
        (op, axis, params): (usize, Option<AxisId>, &[usize]),
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
                match every {
                    true => mode.every(&t.width, axis),
                    false => mode.add(&t.width, Extent::One, None),
                }
            })
            .collect();
        let matrices: Vec<usize> = program
            .matrices
            .iter()
            .map(|m| self.matrix(op, params, m))
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
                                    carried: matches!(v.place, Place::Slot(Slot::State(i)) if !places.given[i])
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
                        behind: p.behind.clone(),
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

    fn matrix(&mut self, op: usize, params: &[usize], packed: &stages::Packed) -> usize {
        // A layer that is used twice is packed once.
        let known = self
            .matrices
            .iter()
            .position(|m| m.params == params && m.packed == *packed);
        known.unwrap_or_else(|| {
            self.matrices.push(PlannedMatrix {
                op,
                params: params.to_vec(),
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

/// The places of some values.
fn refs(all: &[Ref], values: &[ValueId]) -> Vec<Ref> {
    values.iter().map(|&v| all[v].clone()).collect()
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
            Slot::Input(i) => places.inputs.get(*i).cloned(),
            Slot::State(i) => places.states.get(*i).cloned(),
            Slot::NextState(i) => places.states.get(*i).map(after),
            Slot::Forward(n) => places.keep.get(n).cloned(),
            Slot::OutputGradient(i) => places.d_outputs.get(*i).cloned(),
            Slot::Noise(i) => places.noises.get(*i).cloned(),
            Slot::NextStateGradient(i) => places.d_states.get(*i).map(after),
        },
        Place::Sink(sink) => match sink {
            Sink::State(i) => places.states.get(*i).map(after),
            Sink::Output(i) => places.outputs.get(*i).cloned(),
            Sink::Keep(n) if form == Form::Backward => places.deltas.get(n).cloned(),
            Sink::Keep(n) => places.keep.get(n).cloned(),
            Sink::Total(n) => places.totals.get(n).cloned(),
            Sink::StateGradient(i) => places.d_states.get(*i).cloned(),
            Sink::InputGradient(i) => places.d_inputs.get(*i).cloned(),
        },
    }?;
    if *offset != Size::known(0) {
        mode.buffers[r.buf].slack = true;
        r.offset = &r.offset + offset;
    }
    Some(r)
}
