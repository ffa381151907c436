//! Inputs, and values that change their positions: the same in inference and in training.

use rnn_tables::{Axis, Instruction};

use crate::{
    cpu::{
        kernel::Memory,
        ops::{self, Times},
    },
    learner::{InputView, Values},
};

/// The parts of these instructions that differ between executors.
pub(super) trait Moves<'a> {
    /// All times of an axis that run now, or the one of a value without.
    fn times(&self, axis: Axis) -> Times;

    /// An input, and the first of its steps that run now.
    fn input(&self, input: usize) -> (InputView<'a>, usize);

    /// Runs `f` on the rows, with all weights as the user sees them. Rows may be divided among threads; `cost` is the work
    /// of one row.
    fn rows(&mut self, cost: usize, f: impl Fn(&mut Memory<'_>, &[f32]) + Sync);
}

/// Runs one of these instructions.
///
/// # Panics
/// For any other. The executors list all instructions, so that rustc finds one that they forgot.
pub(super) fn moves<'a>(run: &mut impl Moves<'a>, instruction: &Instruction) {
    match *instruction {
        Instruction::Input {
            input,
            ref to,
            width,
            axis,
        } => {
            let ((x, from), times) = (run.input(input), run.times(axis));
            if let Values::Floats(values) = x.values {
                run.rows(copies(width, times), |m, _| {
                    ops::copy_in(m, to, width, values, x.time, from, times);
                });
            }
        }
        Instruction::Gather {
            input,
            table,
            ref to,
            width,
            axis,
            ..
        } => {
            let ((x, from), times) = (run.input(input), run.times(axis));
            if let Values::Ids(ids) = x.values {
                run.rows(copies(width, times), |m, weights| {
                    ops::gather(m, to, width, &weights[table.0..], ids, x.time, from, times);
                });
            }
        }
        Instruction::MaskIds {
            input,
            ref to,
            axis,
        } => {
            let ((x, from), times) = (run.input(input), run.times(axis));
            if let Values::Ids(ids) = x.values {
                run.rows(copies(1, times), |m, _| {
                    ops::mask_ids(m, to, ids, x.time, from, times);
                });
            }
        }
        Instruction::Reshape {
            ref from,
            from_width,
            from_axis,
            ref to,
            to_width,
            to_axis,
        } => {
            let (a, b) = (run.times(from_axis), run.times(to_axis));
            run.rows(copies(from_width, a), |m, _| {
                ops::reshape(m, from, from_width, a, to, to_width, b);
            });
        }
        Instruction::Permute {
            ref from,
            width,
            axis,
            ref to,
        } => {
            let times = run.times(axis);
            run.rows(copies(width, times), |m, _| {
                ops::permute(m, from, width, times, to);
            });
        }
        Instruction::Reverse {
            ref from,
            ref to,
            width,
            axis,
        } => {
            let times = run.times(axis);
            run.rows(copies(width, times), |m, _| {
                ops::reverse(m, from, to, width, times);
            });
        }
        Instruction::Repeat {
            ref from,
            ref to,
            width,
            axis,
        } => {
            let times = run.times(axis);
            run.rows(copies(width, times), |m, _| {
                ops::repeat(m, from, to, width, times);
            });
        }
        ref other => unreachable!("{other:?} moves nothing"),
    }
}

/// The work of copying so many numbers at every time, for one row.
pub(super) fn copies(width: usize, times: Times) -> usize {
    (width * ops::COPY).saturating_mul(times.steps)
}
