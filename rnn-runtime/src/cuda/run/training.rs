//! What happens in training only: random numbers, penalties, statistics of the batch, gradients of weights.

use rnn_tables::{
    Axis, BufferRef, Form, Instruction, MatrixGradient, Perturbation, VectorGradient,
};

use super::{Pass, width_of};
use crate::{
    cuda::{
        layout::{NOTHING, int},
        parameters::{
            AddParts, Doubles, DropoutMask, Floats, Normalize, NormalizeBackward, NormalizeSums,
            Penalty, PenaltyBackward, Perturb, Statistics, VectorGradient as VectorSums,
        },
    },
    error::Error,
    precision::Precision,
};

impl Pass<'_> {
    /// Random changes of values, forwards or backwards.
    #[allow(clippy::too_many_arguments)]
    fn perturb(
        &self,
        how: Perturbation,
        from: &BufferRef,
        to: &BufferRef,
        width: usize,
        every_step: bool,
        stream: u64,
        axis: Axis,
        backward: bool,
    ) -> Result<(), Error> {
        let mut perturb = Perturb {
            from: self.view(from, axis),
            to: self.view(to, axis),
            seeds: self.seeds,
            stream,
            kind: 0,
            every_step: i32::from(every_step),
            rows: self.rows()?,
            steps: self.int_steps(axis)?,
            width: width_of(width)?,
            rate: 0.0,
            scale: 1.0,
            offset: 0.0,
            dropped: 0.0,
            stddev: 0.0,
        };
        match how {
            Perturbation::Bernoulli {
                rate,
                scale,
                offset,
                dropped,
            } => {
                (perturb.rate, perturb.scale) = (rate, scale);
                if !backward {
                    (perturb.offset, perturb.dropped) = (offset, dropped);
                }
            }
            Perturbation::Additive { stddev } => {
                perturb.kind = if backward { 3 } else { 1 };
                perturb.stddev = stddev;
            }
            Perturbation::Multiplicative { stddev } => {
                perturb.kind = 2;
                perturb.stddev = stddev;
            }
        }
        self.each(&perturb, width, axis)
    }

    /// What happens in training only: random numbers, penalties, statistics of the batch.
    pub(super) fn extras(&mut self, instruction: &Instruction) -> Result<(), Error> {
        match *instruction {
            Instruction::Perturb {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => self.perturb(how, from, to, width, every_step, stream, axis, false),
            Instruction::PerturbBackward {
                how,
                ref from,
                ref to,
                width,
                every_step,
                stream,
                axis,
            } => self.perturb(how, from, to, width, every_step, stream, axis, true),
            Instruction::DropoutMask {
                ref to,
                width,
                rate,
                stream,
            } => {
                let mask = DropoutMask {
                    to: self.view(to, None),
                    seeds: self.seeds,
                    stream,
                    rows: self.rows()?,
                    width: width_of(width)?,
                    rate,
                };
                self.each(&mask, width, None)
            }
            Instruction::Penalty {
                ref value,
                width,
                l1,
                l2,
                axis,
            } => {
                if self.penalties.0 == 0 {
                    return Ok(());
                }
                assert!(
                    self.penalties_seen < self.penalties_room,
                    "more penalties than were counted"
                );
                let place = self.penalties_seen * self.layout.rows;
                self.penalties_seen += 1;
                let penalty = Penalty {
                    value: self.view(value, axis),
                    to: Doubles(self.penalties.0 + 8 * place as u64),
                    rows: self.rows()?,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                    l1,
                    l2,
                };
                self.device.run(&penalty, (penalty.rows as u32, 1, 1))
            }
            Instruction::PenaltyBackward {
                ref value,
                ref gradient,
                width,
                l1,
                l2,
                axis,
            } => {
                let penalty = PenaltyBackward {
                    value: self.view(value, axis),
                    gradient: self.view(gradient, axis),
                    rows: self.rows()?,
                    steps: self.int_steps(axis)?,
                    width: width_of(width)?,
                    l1,
                    l2,
                };
                self.each(&penalty, width, axis)
            }
            Instruction::Normalize { ref layer, axis } => self.normalize(layer, axis),
            Instruction::NormalizeBackward {
                ref layer,
                axis,
                input_gradient,
            } => self.normalize_backward(layer, axis, self.wants(input_gradient)),
            ref other => self.moves(other),
        }
    }

    fn normalize(&self, n: &rnn_tables::Normalize, axis: Axis) -> Result<(), Error> {
        let (rows, steps, width) = (self.rows()?, self.int_steps(axis)?, width_of(n.width)?);
        let saved = self.state(&n.saved);
        let statistics = Statistics {
            input: self.view(&n.input, axis),
            saved,
            mask: self.mask(n.mask.as_ref(), axis),
            moving_mean: self.weights.after(n.moving_mean.0),
            moving_variance: self.weights.after(n.moving_variance.0),
            rows,
            steps,
            width,
            momentum: n.momentum,
            epsilon: n.epsilon,
        };
        self.device
            .run(&statistics, (n.width.div_ceil(32) as u32, 1, 1))?;
        let param =
            |p: Option<rnn_tables::WeightOffset>| p.map_or(Floats(0), |p| self.weights.after(p.0));
        let normalize = Normalize {
            input: self.view(&n.input, axis),
            output: self.view(&n.output, axis),
            saved,
            gamma: param(n.gamma),
            beta: param(n.beta),
            rows,
            steps,
            width,
        };
        self.each(&normalize, n.width, axis)
    }

    fn normalize_backward(
        &self,
        n: &rnn_tables::Normalize,
        axis: Axis,
        wanted: bool,
    ) -> Result<(), Error> {
        let (rows, steps, width) = (self.rows()?, self.int_steps(axis)?, width_of(n.width)?);
        let saved = self.state(&n.saved);
        let mask = self.mask(n.mask.as_ref(), axis);
        let gradient = |p: Option<rnn_tables::WeightOffset>| {
            p.map_or(Floats(0), |p| self.gradients.after(p.0))
        };
        assert!(2 * n.width <= self.scratch.1, "less room than was counted");
        let sums = NormalizeSums {
            input: self.view(&n.input, axis),
            d_output: self.view(&n.d_output, axis),
            saved,
            mask,
            gamma: gradient(n.gamma),
            beta: gradient(n.beta),
            means: self.scratch.0,
            rows,
            steps,
            width,
        };
        self.device
            .run(&sums, (n.width.div_ceil(32) as u32, 1, 1))?;
        if !wanted {
            return Ok(());
        }
        let backward = NormalizeBackward {
            input: self.view(&n.input, axis),
            d_output: self.view(&n.d_output, axis),
            d_input: self.view(&n.d_input, axis),
            saved,
            mask,
            gamma: n.gamma.map_or(Floats(0), |p| self.weights.after(p.0)),
            means: self.scratch.0,
            rows,
            steps,
            width,
        };
        self.each(&backward, n.width, axis)
    }

    /// Adds the terms of a gradient, which are in the scratch room, to it.
    fn add_parts(
        &self,
        to: Floats,
        columns: i32,
        k: i32,
        width: i32,
        parts: usize,
    ) -> Result<(), Error> {
        let add = AddParts {
            from: self.scratch.0,
            to,
            columns,
            k,
            width,
            parts: parts as i32,
        };
        self.device.each(&add, k as usize * width as usize, 1, 1)
    }

    /// The gradients of a cell's weights.
    pub(super) fn weight_gradients(
        &self,
        matrices: &[MatrixGradient],
        vectors: &[VectorGradient],
        axis: Axis,
        mask: Option<&BufferRef>,
    ) -> Result<(), Error> {
        let (rows, steps) = (self.rows()?, self.int_steps(axis)?);
        int(self.count(1, axis), "rows and steps")?;
        let mask = self.mask(mask, axis);
        for m in matrices {
            let tiles = m.k.div_ceil(32) * m.width.div_ceil(32);
            let parts = parts(self.count(1, axis), tiles, m.k * m.width, self.scratch.1);
            let whole = self.gradients.after(m.to.start());
            let columns = int(m.to.columns, "columns")?;
            let (k, width) = (int(m.k, "rows")?, width_of(m.width)?);
            let gradient = crate::cuda::parameters::MatrixGradient {
                operand: self.view(&m.operand, axis),
                gradient: self.view(&m.gradient, axis),
                mask,
                to: if parts == 1 { whole } else { self.scratch.0 },
                columns,
                rows,
                steps,
                k,
                width,
                parts: parts as i32,
            };
            let blocks = (
                m.k.div_ceil(32) as u32,
                m.width.div_ceil(32) as u32,
                parts as u32,
            );
            match self.precision.of(Form::Backward) {
                Precision::Float32 => self.device.run(&gradient, blocks)?,
                Precision::Bf16 => {
                    self.device
                        .run_as("matrix_gradient_bf16", &gradient, blocks)?;
                }
                Precision::Tf32 | Precision::F16 => {
                    self.device
                        .run_as("matrix_gradient_tf32", &gradient, blocks)?;
                }
            }
            if parts > 1 {
                self.add_parts(whole, columns, k, width, parts)?;
            }
        }
        for v in vectors {
            // What was accumulated has one row without time, and nothing of masked steps.
            let (axis, mask) = if v.accumulated {
                (None, NOTHING)
            } else {
                (axis, mask)
            };
            let blocks = v.width.div_ceil(32);
            let parts = parts(self.count(1, axis), blocks, v.width, self.scratch.1);
            let whole = self.gradients.after(v.to.start());
            let width = width_of(v.width)?;
            let sums = VectorSums {
                gradient: self.view(&v.gradient, axis),
                mask,
                to: if parts == 1 { whole } else { self.scratch.0 },
                rows,
                steps: self.int_steps(axis)?,
                width,
                parts: parts as i32,
            };
            self.device.run(&sums, (blocks as u32, parts as u32, 1))?;
            if parts > 1 {
                self.add_parts(whole, width, 1, width, parts)?;
            }
        }
        Ok(())
    }
}

/// In how many parts the places of a gradient are added up, so that enough blocks are at work: each has 256 places or
/// more, and there is room for the terms of all. It depends on sizes alone, and so does the order of the sum.
fn parts(places: usize, tiles: usize, floats: usize, room: usize) -> usize {
    const BLOCKS: usize = 256;
    let wanted = (BLOCKS / tiles.max(1)).min(places / 256);
    wanted.min(room / floats.max(1)).clamp(1, 64)
}

/// Floats of room that a schedule needs for the terms of gradients.
pub(in crate::cuda) fn scratch_floats(schedule: &[Instruction]) -> usize {
    let of = |instruction: &Instruction| match instruction {
        Instruction::WeightGradients { matrices, .. } => matrices
            .iter()
            .map(|m| m.k * m.width)
            .max()
            .unwrap_or(0)
            .saturating_mul(16),
        Instruction::NormalizeBackward { layer, .. } => 2 * layer.width,
        _ => 0,
    };
    let most = schedule.iter().map(of).max().unwrap_or(0);
    // Small gradients may have many parts.
    most.max(1 << 16)
}

/// How many penalties a schedule has.
pub(in crate::cuda) fn penalties(schedule: &[Instruction]) -> usize {
    let is_penalty = |i: &&Instruction| matches!(i, Instruction::Penalty { .. });
    schedule.iter().filter(is_penalty).count()
}
