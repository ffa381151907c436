//! Cuts cells into kernels and gives their vectors buffers, for a stream, inference and both passes of
//! training. Lists the packed weights that the kernels read.

use std::collections::BTreeMap;

use proc_macro2::Span;
use rnn_tables::{
    Extent, Form, Kernel, MatrixGradient, MatrixSlice, PackedGate, Segment, Slice, VectorGradient,
    VectorSlice,
};

use super::{
    BufferPlan, CellPlan, Kernels, Plan, PlannedKernel, PlannedMatrix, PlannedVector, Schedules,
    buffers, cost,
};
use crate::{
    cell::{
        graph::{LeafSource, NodeId, NodeOp},
        size::Size,
    },
    diagnostics::{Bug, OrBug, Sound},
    ir::{
        AxisId, BufferRef, CellOp, Op, OpGraph, OpKind, Packed, ParamId, Symbolic, Time, ValueId,
        WholeSequence,
    },
    kernels::{self, CellProgram, Destination, KernelTarget, Location, PackedVectorSource, forms},
};

/// The buffers of the values, states and saved nodes of one cell, in one mode.
#[derive(Clone, Default)]
struct CellBuffers {
    inputs: Vec<BufferRef>,
    outputs: Vec<BufferRef>,
    states: Vec<BufferRef>,
    /// Whether each state starts from a value instead of zeros.
    given: Vec<bool>,
    dropout_masks: Vec<BufferRef>,
    saved: BTreeMap<NodeId, BufferRef>,
    /// In training: gradients.
    d_inputs: Vec<BufferRef>,
    d_outputs: Vec<BufferRef>,
    d_states: Vec<BufferRef>,
    /// Gradients of products, by their node of the backward graph.
    d_products: BTreeMap<NodeId, BufferRef>,
    /// Sums of gradients over the steps of each row.
    accumulators: BTreeMap<NodeId, BufferRef>,
}

struct Planner<'a> {
    target: &'a KernelTarget,
    matrices: Vec<PlannedMatrix>,
    vectors: Vec<PlannedVector>,
}

/// Buffers and kernels: a plan whose schedules are still empty.
pub(super) fn plan(graph: OpGraph, target: &KernelTarget) -> Sound<Plan> {
    let needs_whole_sequence = needs_all(&graph);
    let mut p = Planner {
        target,
        matrices: Vec::new(),
        vectors: Vec::new(),
    };
    let buffers::Buffers {
        mut stream,
        mut inference,
        mut training,
        gradients,
    } = buffers::buffers(&graph)?;
    let mut cells: Vec<Option<CellPlan>> = Vec::new();
    // Inference comes first, so that its packed weights stand before those that only training needs.
    for (i, op) in graph.ops.iter().enumerate() {
        cells.push(match &op.kind {
            OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => {
                let mut plan = CellPlan::default();
                (plan.stream, plan.stream_states) =
                    p.inference(i, c, &mut stream, Form::Stream, op)?;
                (plan.inference, plan.inference_states) =
                    p.inference(i, c, &mut inference, Form::Inference, op)?;
                plan.unroll = unroll(&graph, c, op.axis);
                Some(plan)
            }
            _ => None,
        });
    }
    let (training_matrices, training_vectors) = (p.matrices.len(), p.vectors.len());
    let mut saved = vec![None; graph.ops.len()];
    for (i, op) in graph.ops.iter().enumerate() {
        match &op.kind {
            OpKind::Cell(c) => {
                if let Some(plan) = &mut cells[i] {
                    p.training(&graph, i, c, &mut training, &gradients, op, plan)?;
                }
            }
            OpKind::Normalize { cell, .. } => {
                // Two rows: the mean and the deviation.
                saved[i] = Some(training.add(&cell.cell.inputs[0].width, Extent::Ring, None));
            }
            _ => {}
        }
    }
    let blocks = needs_whole_sequence.is_none() && in_blocks(&graph);
    Ok(Plan {
        graph,
        stream,
        inference,
        training,
        gradients,
        saved,
        cells,
        matrices: p.matrices,
        training_matrices,
        vectors: p.vectors,
        training_vectors,
        needs_whole_sequence,
        blocks,
        schedules: Schedules::default(),
        text: String::new(),
    })
}

/// Why a model needs whole sequences, if it does; a stream cannot run such a model.
fn needs_all(graph: &OpGraph) -> Option<WholeSequence> {
    let several = || {
        let input = graph.layers.inputs.first();
        WholeSequence {
            class: "SeveralTimeAxes".to_owned(),
            span: input.map_or_else(Span::call_site, |(_, id)| graph.layers.layers[*id].span),
            why: "its values have several time axes".to_owned(),
            starts: false,
        }
    };
    let first = graph.needs_whole_sequence.first().cloned();
    first.or_else(|| (graph.axes.len() > 1).then(several))
}

/// Whether all operations that run once stand after those that run over time. A long sequence can
/// then be cut into blocks; what runs once runs after the last block.
fn in_blocks(graph: &OpGraph) -> bool {
    let mut once = false;
    graph.axes.len() == 1
        && graph.ops.iter().all(|op| {
            once |= op.axis.is_none();
            !once || op.axis.is_none()
        })
}

/// Steps to unroll the scan of inference by, if it pays.
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
    /// The kernels of a stream or of inference, and the states that they read and write.
    fn inference(
        &mut self,
        index: usize,
        c: &CellOp,
        mode: &mut BufferPlan,
        form: Form,
        op: &Op,
    ) -> Sound<(Kernels, Vec<Slice<Symbolic>>)> {
        let mut buffers = CellBuffers {
            inputs: refs(&mode.values, &op.inputs),
            outputs: refs(&mode.values, &op.outputs),
            given: c.initial.iter().map(Option::is_some).collect(),
            ..CellBuffers::default()
        };
        let mut states = Vec::new();
        for s in &c.cell.states {
            let at = mode.add(&s.size, Extent::Ring, None);
            buffers.states.push(at.clone());
            states.push(slice(at, &s.size));
        }
        let program = forms::inference(&c.cell, form == Form::Inference, self.target)?;
        let of = (index, op.axis, c.params.as_slice());
        Ok((self.kernels(of, &program, mode, &buffers, form)?, states))
    }

    /// The kernels of both passes of training, and everything that the passes need beside them.
    #[allow(clippy::too_many_arguments)]
    fn training(
        &mut self,
        graph: &OpGraph,
        index: usize,
        c: &CellOp,
        mode: &mut BufferPlan,
        gradients: &[BufferRef],
        op: &Op,
        plan: &mut CellPlan,
    ) -> Sound<()> {
        let axis = op.axis;
        let cell = c.trained();
        let mut buffers = CellBuffers {
            inputs: refs(&mode.values, &op.inputs),
            outputs: refs(&mode.values, &op.outputs),
            given: c.initial.iter().map(Option::is_some).collect(),
            d_inputs: refs(gradients, &op.inputs),
            d_outputs: refs(gradients, &op.outputs),
            ..CellBuffers::default()
        };
        for (&o, d) in op.outputs.iter().zip(&mut buffers.d_outputs) {
            let value = &graph.values[o];
            let broadcast = (c.mask.is_some() && value.axis.is_none())
                .then(|| mode.add(&value.width, Extent::All, axis));
            if let Some(at) = &broadcast {
                *d = at.clone();
            }
            plan.broadcast.push(broadcast);
        }
        for mask in &cell.dropout_masks {
            let at = mode.add(&mask.width, Extent::One, None);
            plan.dropout_masks.push(at.clone());
            buffers.dropout_masks.push(at);
        }
        for s in &cell.states {
            let at = mode.add(&s.size, Extent::All, axis);
            plan.training_states.push(slice(at.clone(), &s.size));
            buffers.states.push(at);
            let d = mode.add(&s.size, Extent::Ring, None);
            plan.state_gradients.push(slice(d.clone(), &s.size));
            buffers.d_states.push(d);
        }
        for &node in &c.backward.saved {
            // A node without a width is a row scalar.
            let one = Size::known(1);
            let width = cell.graph.width(node).unwrap_or(&one);
            buffers.saved.insert(node, mode.every(width, axis));
        }
        let of = (index, axis, c.params.as_slice());
        let forward = forms::training(cell, &c.backward, self.target)?;
        plan.forward = self.kernels(of, &forward, mode, &buffers, Form::Forward)?;

        let backward = forms::gradient(&c.backward, self.target)?;
        for kernel in (backward.prologue.iter())
            .chain(&backward.step)
            .chain(&backward.post_loop)
        {
            for s in kernel.stores.iter().chain(&kernel.reductions) {
                let (Location::Destination(Destination::Saved(node))
                | Location::Destination(Destination::Accumulator(node))) = s.location
                else {
                    continue;
                };
                let width = c.backward.graph.width(node);
                let width = width.unwrap_or(&kernel.width);
                if let Location::Destination(Destination::Accumulator(_)) = s.location {
                    let at = mode.add(width, Extent::One, None);
                    plan.accumulators.push(slice(at.clone(), width));
                    buffers.accumulators.insert(node, at);
                } else {
                    let new = || mode.every(width, axis);
                    buffers.d_products.entry(node).or_insert_with(new);
                }
            }
        }
        plan.backward = self.kernels(of, &backward, mode, &buffers, Form::Backward)?;
        self.weight_gradients(c, mode, &buffers, plan)
    }

    /// The products and sums that give the gradients of weights.
    fn weight_gradients(
        &self,
        c: &CellOp,
        mode: &mut BufferPlan,
        buffers: &CellBuffers,
        plan: &mut CellPlan,
    ) -> Sound<()> {
        let slot = |slot: LeafSource, offset: &Size, mode: &mut BufferPlan| {
            buffer_of(
                &Location::Leaf(slot),
                offset,
                buffers,
                &[],
                Form::Backward,
                mode,
            )
        };
        let gradient = |node: NodeId, mode: &mut BufferPlan| match &c.backward.graph.node(node).op {
            NodeOp::Leaf(from, offset) => slot(*from, offset, mode),
            _ => buffers
                .d_products
                .get(&node)
                .cloned()
                .or_bug("the gradient of a product has no buffer"),
        };
        for m in &c.backward.matrices {
            let (from, offset) = &m.operand;
            plan.matrices.push(MatrixGradient {
                operand: slot(*from, offset, mode)?,
                k: m.k.clone(),
                gradient: gradient(m.delta, mode)?,
                width: m.width.clone(),
                to: MatrixSlice {
                    param: ParamId(c.params[m.part.param]),
                    columns: m.part.columns.clone(),
                    row: m.part.row.clone(),
                    column: m.part.column.clone(),
                },
            });
        }
        for v in &c.backward.vectors {
            let accumulator = buffers.accumulators.get(&v.delta).cloned();
            let accumulated = accumulator.is_some();
            plan.vectors.push(VectorGradient {
                gradient: match accumulator {
                    Some(at) => at,
                    None => gradient(v.delta, mode)?,
                },
                width: v.width.clone(),
                accumulated,
                to: VectorSlice {
                    param: ParamId(c.params[v.param]),
                    offset: v.offset.clone(),
                },
            });
        }
        Ok(())
    }

    /// Gives every vector of a program its buffer.
    fn kernels(
        &mut self,
        (op, axis, params): (usize, Option<AxisId>, &[usize]),
        program: &CellProgram,
        mode: &mut BufferPlan,
        buffers: &CellBuffers,
        form: Form,
    ) -> Sound<Kernels> {
        let temps: Vec<BufferRef> = program
            .temps
            .iter()
            .map(|t| match t.every_step && form != Form::Stream {
                true => mode.every(&t.width, axis),
                false => mode.add(&t.width, Extent::One, None),
            })
            .collect();
        let matrices = (program.matrices.iter()).map(|m| self.matrix(params, m));
        let matrices: Vec<usize> = matrices.collect();
        let vectors =
            (program.vectors.iter()).map(|v| self.vector(op, form == Form::Backward, params, v));
        let vectors: Vec<usize> = vectors.collect();
        let mut cut = Cut {
            matrices: &matrices,
            vectors: &vectors,
            temps: &temps,
            buffers,
            form,
            mode,
        };
        let mut list = |kernels: &[kernels::FusedKernel]| -> Sound<Vec<PlannedKernel>> {
            kernels.iter().map(|p| cut.kernel(p)).collect()
        };
        let (prologue, step, post_loop) = (
            list(&program.prologue)?,
            list(&program.step)?,
            list(&program.post_loop)?,
        );
        let mut weight_time = list(&program.weight_time)?;
        // In these, stores are packed vectors.
        for kernel in &mut weight_time {
            for s in &mut kernel.body {
                if let kernels::Statement::Store(i, _) = s {
                    *i = vectors[*i];
                }
            }
        }
        Ok(Kernels {
            graph: program.graph.clone(),
            weight_time,
            prologue,
            step,
            post_loop,
        })
    }

    /// The index of a packed matrix. A layer that is used twice is packed once.
    fn matrix(&mut self, params: &[usize], packed: &kernels::PackedGates) -> usize {
        let gates = packed.gates.len();
        let gate = |(gate, part): (usize, &crate::cell::graph::MatrixPart), to: usize| PackedGate {
            from: MatrixSlice {
                param: ParamId(params[part.param]),
                columns: part.columns.clone(),
                row: part.row.clone(),
                column: part.column.clone(),
            },
            k: packed.k.clone(),
            width: packed.width.clone(),
            transposed: part.transposed,
            to: Packed::Matrix(to),
            gate,
            gates,
        };
        let planned = |to: usize| PlannedMatrix {
            gates: (packed.gates.iter().enumerate())
                .map(|one| gate(one, to))
                .collect(),
            k: packed.k.clone(),
            width: packed.width.clone(),
        };
        let known = (0..self.matrices.len()).find(|&i| self.matrices[i] == planned(i));
        known.unwrap_or_else(|| {
            self.matrices.push(planned(self.matrices.len()));
            self.matrices.len() - 1
        })
    }

    /// The index of a packed vector.
    fn vector(
        &mut self,
        op: usize,
        backward: bool,
        params: &[usize],
        packed: &PackedVectorSource,
    ) -> usize {
        let same = |v: &PlannedVector| {
            v.op == op
                && v.packed == *packed
                && (v.backward == backward || matches!(packed, PackedVectorSource::Param(..)))
        };
        let known = self.vectors.iter().position(same);
        known.unwrap_or_else(|| {
            self.vectors.push(PlannedVector {
                op,
                backward,
                param: match packed {
                    PackedVectorSource::Param(param, ..) => Some(ParamId(params[*param])),
                    PackedVectorSource::Computed(..) => None,
                },
                packed: packed.clone(),
            });
            self.vectors.len() - 1
        })
    }
}

/// Where the vectors of a program's kernels are looked up.
struct Cut<'a> {
    matrices: &'a [usize],
    vectors: &'a [usize],
    temps: &'a [BufferRef],
    buffers: &'a CellBuffers,
    form: Form,
    mode: &'a mut BufferPlan,
}

impl Cut<'_> {
    fn kernel(&mut self, p: &kernels::FusedKernel) -> Sound<PlannedKernel> {
        let loads = self.all(&p.loads)?;
        let scalars = self.all(&p.scalars)?;
        let stores = match p.stores.is_empty() {
            // Kernels at weight-time store packed vectors, which are in no buffer.
            true => Vec::new(),
            false => self.all(&p.stores)?,
        };
        let reductions = self.all(&p.reductions)?;
        let mut products = Vec::new();
        for product in &p.products {
            let mut segments = Vec::new();
            for (v, k, m) in &product.segments {
                segments.push(Segment {
                    operand: self.at(v)?,
                    k: k.clone(),
                    matrix: Packed::Matrix(self.matrices[*m]),
                    gates: product.gates.len(),
                    carried: matches!(v.location, Location::Leaf(LeafSource::State(i)) if !self.buffers.given[i])
                        && matches!(self.form, Form::Inference | Form::Forward),
                });
            }
            products.push(segments);
        }
        let vectors = p.vectors.iter();
        Ok(PlannedKernel {
            tables: Kernel {
                width: p.width.clone(),
                products,
                loads,
                vectors: vectors.map(|&v| Packed::Vector(self.vectors[v])).collect(),
                scalars,
                stores,
                reductions,
            },
            body: p.body.clone(),
            epilogue: p.epilogue.clone(),
            only_input_gradient: p.only_input_gradient,
            only_state_gradients: p.only_state_gradients,
        })
    }

    fn all(&mut self, vectors: &[kernels::Vector]) -> Sound<Vec<BufferRef>> {
        let one = |v: &kernels::Vector| {
            let at = self.at(v)?;
            Ok(BufferRef {
                exact: v.exact,
                ..at
            })
        };
        vectors.iter().map(one).collect()
    }

    fn at(&mut self, v: &kernels::Vector) -> Sound<BufferRef> {
        buffer_of(
            &v.location,
            &v.offset,
            self.buffers,
            self.temps,
            self.form,
            self.mode,
        )
    }
}

/// The buffers of some values.
fn refs(all: &[BufferRef], values: &[ValueId]) -> Vec<BufferRef> {
    values.iter().map(|&v| all[v].clone()).collect()
}

fn slice(at: BufferRef, width: &Size) -> Slice<Symbolic> {
    Slice {
        at,
        width: width.clone(),
    }
}

/// The buffer of a vector.
fn buffer_of(
    location: &Location,
    offset: &Size,
    buffers: &CellBuffers,
    temps: &[BufferRef],
    form: Form,
    mode: &mut BufferPlan,
) -> Sound<BufferRef> {
    let after = |r: &BufferRef| BufferRef {
        after: true,
        ..r.clone()
    };
    let found = match location {
        Location::Temp(i) => temps.get(*i).cloned(),
        Location::Leaf(slot) => match slot {
            LeafSource::Input(i) => buffers.inputs.get(*i).cloned(),
            LeafSource::State(i) => buffers.states.get(*i).cloned(),
            LeafSource::NextState(i) => buffers.states.get(*i).map(after),
            LeafSource::Forward(n) => buffers.saved.get(n).cloned(),
            LeafSource::OutputGradient(i) => buffers.d_outputs.get(*i).cloned(),
            LeafSource::DropoutMask(i) => buffers.dropout_masks.get(*i).cloned(),
            LeafSource::NextStateGradient(i) => buffers.d_states.get(*i).map(after),
        },
        Location::Destination(to) => match to {
            Destination::State(i) => buffers.states.get(*i).map(after),
            Destination::Output(i) => buffers.outputs.get(*i).cloned(),
            Destination::Saved(n) if form == Form::Backward => buffers.d_products.get(n).cloned(),
            Destination::Saved(n) => buffers.saved.get(n).cloned(),
            Destination::Accumulator(n) => buffers.accumulators.get(n).cloned(),
            Destination::StateGradient(i) => buffers.d_states.get(*i).cloned(),
            Destination::InputGradient(i) => buffers.d_inputs.get(*i).cloned(),
        },
    };
    let mut at = found.ok_or_else(|| Bug::new(format!("{location:?} has no buffer")))?;
    if *offset != Size::known(0) {
        mode.buffers[at.buffer].unaligned = true;
        at.offset = &at.offset + offset;
    }
    Ok(at)
}
