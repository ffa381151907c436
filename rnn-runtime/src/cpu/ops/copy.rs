//! Moving values between the user's arrays and buffers, and between buffers.

use super::{Times, on};
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// Copies steps `from..from + times.steps` of `x` (`[rows][time][width]`, tight) to the times
/// `times` of `to`, for the rows of `m`.
pub fn copy_in(
    m: &mut Memory<'_>,
    to: &BufferRef,
    width: usize,
    x: &[f32],
    time: usize,
    from: usize,
    times: Times,
) {
    let mut m = on(m, times);
    for row in m.rows() {
        for (i, t) in times.range().enumerate() {
            let start = (row * time + from + i) * width;
            m.row_mut(to, width, t, row)
                .copy_from_slice(&x[start..start + width]);
        }
    }
}

/// Copies the times `times` of `from` to steps `to..` of `y` (`[rows][time][width]`, tight; the
/// first row of `y` is the first row of `m`).
pub fn copy_out(
    m: &mut Memory<'_>,
    from: &BufferRef,
    width: usize,
    y: &mut [f32],
    time: usize,
    to: usize,
    times: Times,
) {
    let m = on(m, times);
    for (i, row) in m.rows().enumerate() {
        for (j, t) in times.range().enumerate() {
            let start = (i * time + to + j) * width;
            y[start..start + width].copy_from_slice(m.row(from, width, t, row));
        }
    }
}

/// Copies time `a.first` of `from` to time `b.first` of `to`, each on its own axis.
pub fn copy(
    m: &mut Memory<'_>,
    from: &BufferRef,
    a: Times,
    to: &BufferRef,
    b: Times,
    width: usize,
) {
    let mut line = vec![0.0; width];
    for row in m.rows() {
        line.copy_from_slice(on(m, a).row(from, width, a.first, row));
        on(m, b)
            .row_mut(to, width, b.first, row)
            .copy_from_slice(&line);
    }
}

/// Sets the times `times` of `to` to 0.
pub fn zero(m: &mut Memory<'_>, to: &BufferRef, width: usize, times: Times) {
    let mut m = on(m, times);
    for row in m.rows() {
        for t in times.range() {
            m.row_mut(to, width, t, row).fill(0.0);
        }
    }
}

/// `to[first + i] = from[last - i]`: the steps the other way round.
pub fn reverse(m: &mut Memory<'_>, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
    let mut m = on(m, times);
    for row in m.rows() {
        for i in 0..times.steps {
            let turned = times.first + times.steps - 1 - i;
            m.copy_row(from, times.first + i, to, turned, width, row);
        }
    }
}
