//! Packs weights as a program would, so that it has nothing to do when it starts.

use rnn_tables::{
    MatrixSlice, PORTABLE_UNITS, PackedGate, PackedOffset, PackedVector, READ_PAST, VectorSlice,
    WeightOffset, pack_matrix, pack_vector, packed_len, packed_start, padded, unpack_matrix,
    unpack_vector,
};

use super::{
    Sizes,
    compute::{Params, values},
};
use crate::{
    diagnostics::{OrBug as _, Sound},
    emit::KnownWeights,
    ir::{Instruction, OpKind, Packed, ParamId, Symbolic},
    kernels::PackedVectorSource,
    schedule::Plan,
};

/// Where everything lies.
struct Layout<'a> {
    plan: &'a Plan,
    sizes: &'a Sizes,
    /// The first weight of each parameter, and the end of the last.
    starts: Vec<usize>,
    matrices: Vec<usize>,
    vectors: Vec<usize>,
    /// Where computed vectors start.
    computed: usize,
    len: usize,
}

impl<'a> Layout<'a> {
    fn of(plan: &'a Plan, sizes: &'a Sizes) -> Sound<Self> {
        let mut starts = vec![0];
        for p in &plan.graph.params {
            let mut len = 1;
            for size in &p.shape {
                len *= sizes.of(size)?;
            }
            starts.push(starts.last().unwrap_or(&0) + len);
        }
        let mut layout = Layout {
            plan,
            sizes,
            starts,
            matrices: vec![0; plan.matrices.len()],
            vectors: vec![0; plan.vectors.len()],
            computed: 0,
            len: 0,
        };
        // As `emit/packing.rs` writes it.
        let mut at = 0;
        for id in plan.packed_order(false) {
            match id {
                Packed::Matrix(i) => {
                    let m = &plan.matrices[i];
                    let (k, width) = (sizes.of(&m.k)?, sizes.of(&m.width)?);
                    layout.matrices[i] = packed_start(at, width).0;
                    at = layout.matrices[i] + packed_len(k, m.gates.len(), width);
                }
                Packed::Vector(i) => {
                    let (_, width) = plan.vectors[i].given().or_bug("a computed vector")?;
                    layout.vectors[i] = packed_start(at, READ_PAST).0;
                    at = layout.vectors[i] + padded(sizes.of(width)?);
                }
            }
        }
        layout.computed = packed_start(at, READ_PAST).0 + READ_PAST;
        at = layout.computed;
        for (i, width) in plan.computed_vectors() {
            layout.vectors[i] = at;
            at += padded(sizes.of(width)?);
        }
        layout.len = at;
        Ok(layout)
    }

    fn start(&self, param: ParamId) -> Sound<usize> {
        self.starts
            .get(param.0)
            .copied()
            .or_bug("a parameter that does not exist")
    }

    fn gate(&self, matrix: usize, gate: &PackedGate<Symbolic>) -> Sound<PackedGate> {
        let of = |size| self.sizes.of(size);
        Ok(PackedGate {
            from: MatrixSlice {
                param: WeightOffset(self.start(gate.from.param)?),
                columns: of(&gate.from.columns)?,
                row: of(&gate.from.row)?,
                column: of(&gate.from.column)?,
            },
            k: of(&gate.k)?,
            width: of(&gate.width)?,
            transposed: gate.transposed,
            to: PackedOffset(self.matrices[matrix]),
            gate: gate.gate,
            gates: gate.gates,
        })
    }

    /// `None` if it is computed.
    fn vector(&self, index: usize) -> Sound<Option<PackedVector>> {
        let Some((from, width)) = self.plan.vectors[index].given() else {
            return Ok(None);
        };
        Ok(Some(PackedVector {
            from: VectorSlice {
                param: WeightOffset(self.start(from.param)?),
                offset: self.sizes.of(&from.offset)?,
            },
            width: self.sizes.of(width)?,
            to: PackedOffset(self.vectors[index]),
        }))
    }
}

/// Packs `weights`, which are in the order of the model's parameters.
pub(super) fn pack(plan: &Plan, sizes: &Sizes, weights: &[f32]) -> Sound<KnownWeights> {
    let layout = Layout::of(plan, sizes)?;
    let whole = *layout.starts.last().unwrap_or(&0);
    if whole != weights.len() {
        return None.or_bug("as many weights as parameters have");
    }
    let mut packed = vec![0.0; layout.len];
    // What can be read again from what the program has.
    let mut kept = vec![0.0; whole];
    let ones = vec![1.0; layout.len];
    for id in plan.packed_order(false) {
        match id {
            Packed::Matrix(i) => {
                for gate in &plan.matrices[i].gates {
                    let gate = layout.gate(i, gate)?;
                    pack_matrix(PORTABLE_UNITS, &gate, weights, &mut packed);
                    unpack_matrix(PORTABLE_UNITS, &gate, &ones, &mut kept);
                }
            }
            Packed::Vector(i) => {
                if let Some(vector) = layout.vector(i)? {
                    pack_vector(&vector, weights, &mut packed);
                    unpack_vector(&vector, &ones, &mut kept);
                }
            }
        }
    }
    compute(&layout, weights, &mut packed)?;
    let tables = tables(&layout)?;
    kept[tables.clone()].fill(1.0);
    Ok(KnownWeights {
        packed,
        others: others(&kept, weights),
        tables: (tables.start, weights[tables].to_vec()),
        start_states: start_states(&layout, weights)?,
        ..KnownWeights::default()
    })
}

/// Computes the vectors that depend on weights alone.
fn compute(layout: &Layout<'_>, weights: &[f32], packed: &mut [f32]) -> Sound<()> {
    let plan = layout.plan;
    for (op, cell) in plan.cells.iter().enumerate() {
        let (Some(cell), OpKind::Cell(c) | OpKind::Normalize { cell: c, .. }) =
            (cell, &plan.graph.ops[op].kind)
        else {
            continue;
        };
        let mut wanted = Vec::new();
        for (i, v) in plan.vectors.iter().enumerate() {
            if let PackedVectorSource::Computed(node, _) = v.packed
                && v.op == op
                // Those of the backward pass are computed when training packs.
                && !v.backward
            {
                wanted.push((i, node));
            }
        }
        if wanted.is_empty() {
            continue;
        }
        let mut starts = Vec::new();
        for &param in &c.params {
            starts.push(layout.start(ParamId(param))?);
        }
        let params = Params {
            starts: &starts,
            weights,
            sizes: layout.sizes,
        };
        let nodes: Vec<_> = wanted.iter().map(|(_, node)| *node).collect();
        let all = values(&cell.inference.graph, &nodes, &params)?;
        for ((i, _), values) in wanted.iter().zip(all) {
            let at = layout.vectors[*i];
            packed[at..at + values.len()].copy_from_slice(&values);
        }
    }
    Ok(())
}

/// The states of a stream that start with parameters, by their numbers among all of its states.
fn start_states(layout: &Layout<'_>, weights: &[f32]) -> Sound<Vec<(usize, Vec<f32>)>> {
    let (mut number, mut found) = (0, Vec::new());
    for op in &layout.plan.graph.ops {
        let OpKind::Cell(c) = &op.kind else { continue };
        for state in &c.cell.states {
            if let Some(param) = state.start {
                let param = c
                    .params
                    .get(param)
                    .or_bug("a state starts with no parameter")?;
                let (start, end) = (
                    layout.start(ParamId(*param))?,
                    layout.start(ParamId(param + 1))?,
                );
                found.push((number, weights[start..end].to_vec()));
            }
            number += 1;
        }
    }
    Ok(found)
}

/// The weights from the first table of a stream to the end of the last.
fn tables(layout: &Layout<'_>) -> Sound<std::ops::Range<usize>> {
    let mut all: Option<(usize, usize)> = None;
    for instruction in &layout.plan.schedules.stream {
        if let Instruction::Gather { table, .. } = instruction {
            let (start, end) = (layout.start(*table)?, layout.start(ParamId(table.0 + 1))?);
            let (first, last) = all.unwrap_or((start, end));
            all = Some((first.min(start), last.max(end)));
        }
    }
    let (first, end) = all.unwrap_or((0, 0));
    Ok(first..end)
}

/// The runs of weights that are kept nowhere.
fn others(kept: &[f32], weights: &[f32]) -> Vec<(usize, Vec<f32>)> {
    let mut runs: Vec<(usize, Vec<f32>)> = Vec::new();
    for (i, &w) in weights.iter().enumerate() {
        if kept[i] != 0.0 {
            continue;
        }
        match runs.last_mut() {
            Some((start, run)) if *start + run.len() == i => run.push(w),
            _ => runs.push((i, vec![w])),
        }
    }
    runs
}
