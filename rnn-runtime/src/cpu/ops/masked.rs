//! Masked scans: a cell runs at the positions that its mask leaves, and at the others its states and
//! its output stay.
//!
//! Padding costs a copy of the states and no maths; the cell knows nothing of masks. As in Keras's
//! `backend.rnn`: the output of a masked step is the output before it, zeros before the first real
//! step, or zeros at every masked step with `zero_output_for_mask`.

use std::cell::Cell;

use rnn_tables::{BufferRef, CarryOver, Extent, Slice};

use super::{Scan, Times, on};
use crate::cpu::{
    kernel::{Memory, PanelFormat, Panels, ValidPositions},
    simd::{Isa, Op, Simd},
};

/// The working memory of a masked forward scan. Each thread keeps its own, so that only the first block of a size
/// allocates.
#[derive(Default)]
struct Scratch {
    valid: ValidPositions,
    /// The lines of all outputs that [`last_outputs`] found.
    carried: Vec<f32>,
    line: Vec<f32>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Runs a cell forwards for the rows of `m` at the positions that the mask leaves, on this thread.
///
/// `before`: how many steps the block before had; `None` in the first block of a sequence.
pub fn forward_masked<C: Scan, W: PanelFormat>(
    isa: Isa,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    times: Times,
    carry_over: &CarryOver,
    before: Option<usize>,
) {
    with_carried(m, times, carry_over, before, &|m, valid| {
        isa.dispatch(Forward::<W, C> {
            m,
            w,
            times,
            valid,
            carry_over,
            cell: std::marker::PhantomData,
        });
    });
}

/// Runs `scan` at the positions that the mask leaves, and fills in the outputs at the others.
fn with_carried(
    m: &mut Memory<'_>,
    times: Times,
    carry_over: &CarryOver,
    before: Option<usize>,
    scan: &dyn Fn(&mut Memory<'_>, &ValidPositions),
) {
    let mut m = on(m, times);
    // A thread that is ending has already dropped its own.
    let kept = SCRATCH.try_with(Cell::take).ok().flatten();
    let mut scratch = kept.unwrap_or_default();
    let Scratch {
        valid,
        carried,
        line,
    } = &mut *scratch;
    valid.set(&m, &carry_over.mask, times.first, times.steps);
    last_outputs(&mut m, carry_over, times, before, carried);
    scan(&mut m, valid);
    let (rows, mut at) = (m.rows().len(), 0);
    for Slice { at: output, width } in carry_over.outputs {
        let lines = &carried[at..at + width * rows];
        at += width * rows;
        line.clear();
        line.resize(*width, 0.0);
        hold(
            &mut m,
            valid,
            output,
            times,
            carry_over.zero_output,
            lines,
            line,
        );
    }
    let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
}

/// Outputs of the last step of the block before, output after output, row after row; zeros at the
/// start of a sequence. An output of which only the last step is read keeps the latest in its
/// first slot.
fn last_outputs(
    m: &mut Memory<'_>,
    carry_over: &CarryOver,
    times: Times,
    before: Option<usize>,
    carried: &mut Vec<f32>,
) {
    carried.clear();
    for Slice { at: output, width } in carry_over.outputs {
        let at = carried.len();
        carried.resize(at + width * m.rows().len(), 0.0);
        let lines = &mut carried[at..];
        match (m.buf(output).extent(), before) {
            (Extent::Last, None) if times.steps > 0 => {
                // On any axis of more than one step, time 0 is the first slot.
                m.total = usize::MAX;
                for row in m.rows() {
                    m.row_mut(output, *width, times.first, row).fill(0.0);
                }
                m.total = times.total;
            }
            (Extent::Last, _) | (_, None) => {}
            (_, Some(steps)) => {
                for (line, row) in lines.chunks_exact_mut((*width).max(1)).zip(m.rows()) {
                    line.copy_from_slice(m.row(output, *width, steps.saturating_sub(1), row));
                }
            }
        }
    }
}

/// Fills in an output at the masked steps; `line` has room for one.
fn hold(
    m: &mut Memory<'_>,
    valid: &ValidPositions,
    output: &BufferRef,
    times: Times,
    zero: bool,
    carried: &[f32],
    line: &mut [f32],
) {
    let width = line.len();
    if m.buf(output).extent() == Extent::Last {
        if !times.is_last() {
            return;
        }
        let last = times.end() - 1;
        for (t, row) in valid.padded(last) {
            if !zero {
                m.total = usize::MAX;
                line.copy_from_slice(m.row(output, width, t, row));
                m.total = times.total;
            }
            m.row_mut(output, width, t, row).copy_from_slice(line);
        }
        return;
    }
    let start = m.rows().start;
    for t in times.range() {
        for (t, row) in valid.padded(t) {
            if zero {
                line.fill(0.0);
            } else if t > times.first {
                line.copy_from_slice(m.row(output, width, t - 1, row));
            } else {
                let i = (row - start) * width;
                line.copy_from_slice(&carried[i..i + width]);
            }
            m.row_mut(output, width, t, row).copy_from_slice(line);
        }
    }
}

struct Forward<'a, 'b, W: PanelFormat, C> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    times: Times,
    valid: &'a ValidPositions,
    carry_over: &'a CarryOver,
    cell: std::marker::PhantomData<C>,
}

impl<W: PanelFormat, C: Scan> Op for Forward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.w, self.times, true, self.valid);
        for t in self.times.range() {
            C::step(s, self.m, self.w, t, self.valid);
            for Slice { at: state, width } in self.carry_over.states {
                for (t, row) in self.valid.padded(t) {
                    let after = BufferRef {
                        after: true,
                        ..*state
                    };
                    self.m.copy_row(state, t, &after, t, *width, row);
                }
            }
        }
        C::post(s, self.m, self.w, self.times, true, self.valid);
    }
}

/// Runs a cell's backward form for the rows of `m` at the positions that the mask leaves, on this
/// thread. Changes the gradients of the outputs: those of repeated outputs move to where the
/// output came from.
pub fn backward_masked<C: Scan, W: PanelFormat>(
    isa: Isa,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    times: Times,
    input_gradient: bool,
    carry_over: &CarryOver,
) {
    with_released(m, times, input_gradient, carry_over, &|m, valid| {
        isa.dispatch(Backward::<W, C> {
            m,
            w,
            times,
            valid,
            carry_over,
            input_gradient,
            cell: std::marker::PhantomData,
        });
    });
}

/// Moves the gradients of repeated outputs, runs `scan` at the positions that the mask leaves, and clears the gradient
/// of the input at the others.
fn with_released(
    m: &mut Memory<'_>,
    times: Times,
    input_gradient: bool,
    carry_over: &CarryOver,
    scan: &dyn Fn(&mut Memory<'_>, &ValidPositions),
) {
    let mut m = on(m, times);
    let valid = ValidPositions::new(&m, &carry_over.mask, times.first, times.steps);
    if !carry_over.zero_output {
        for Slice { at: output, width } in carry_over.outputs {
            release(&mut m, &valid, output, *width, times);
        }
    }
    scan(&mut m, &valid);
    if input_gradient {
        for Slice { at: input, width } in carry_over.inputs {
            for t in times.range() {
                for (t, row) in valid.padded(t) {
                    m.row_mut(input, *width, t, row).fill(0.0);
                }
            }
        }
    }
}

/// Moves the gradient of each masked step's output to the step before.
fn release(
    m: &mut Memory<'_>,
    valid: &ValidPositions,
    output: &BufferRef,
    width: usize,
    times: Times,
) {
    assert!(
        times.total == 1 || m.buf(output).extent() == Extent::All,
        "the gradient of a masked output needs all its steps"
    );
    let mut line = vec![0.0; width];
    for t in times.range().rev() {
        if t == times.first {
            break;
        }
        for (t, row) in valid.padded(t) {
            line.copy_from_slice(m.row(output, width, t, row));
            let to = m.row_mut(output, width, t - 1, row);
            to.iter_mut().zip(&line).for_each(|(d, l)| *d += l);
        }
    }
}

struct Backward<'a, 'b, W: PanelFormat, C> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    times: Times,
    valid: &'a ValidPositions,
    carry_over: &'a CarryOver,
    input_gradient: bool,
    cell: std::marker::PhantomData<C>,
}

impl<W: PanelFormat, C: Scan> Op for Backward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(
            s,
            self.m,
            self.w,
            self.times,
            self.input_gradient,
            self.valid,
        );
        for t in self.times.range().rev() {
            C::step(s, self.m, self.w, t, self.valid);
            for Slice { at: state, width } in self.carry_over.states {
                for (t, row) in self.valid.padded(t) {
                    let after = BufferRef {
                        after: true,
                        ..*state
                    };
                    self.m.copy_row(&after, t, state, t, *width, row);
                }
            }
        }
        C::post(
            s,
            self.m,
            self.w,
            self.times,
            self.input_gradient,
            self.valid,
        );
    }
}
