//! `Embedding`: rows of a table, and their gradient.

use super::{Times, on};
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// Copies row `ids[row][from + i]` of `table` (`[vocabulary][width]`) to time `times.first + i` of
/// `to`, for the rows of `m`. `ids` is `[rows][time]`; all ids are within the vocabulary.
#[allow(clippy::too_many_arguments)]
pub fn gather(
    m: &mut Memory<'_>,
    to: &BufferRef,
    width: usize,
    table: &[f32],
    ids: &[u32],
    time: usize,
    from: usize,
    times: Times,
) {
    let mut m = on(m, times);
    for row in m.rows() {
        for (i, t) in times.range().enumerate() {
            let start = ids[row * time + from + i] as usize * width;
            m.row_mut(to, width, t, row)
                .copy_from_slice(&table[start..start + width]);
        }
    }
}

/// Adds the gradient of each step to the row of `gradient` that its id took. In the order of rows
/// and steps, on one thread: an id may come often, and the sum must not depend on threads.
pub fn scatter(
    m: &mut Memory<'_>,
    delta: &BufferRef,
    width: usize,
    gradient: &mut [f32],
    ids: &[u32],
    time: usize,
    times: Times,
) {
    let m = on(m, times);
    for row in m.rows() {
        for (i, t) in times.range().enumerate() {
            let start = ids[row * time + i] as usize * width;
            let from = m.row(delta, width, t, row);
            for (g, d) in gradient[start..start + width].iter_mut().zip(from) {
                *g += d;
            }
        }
    }
}

/// The mask of `mask_zero`: 1 where the id of step `from + i` is not 0, else 0, at time
/// `times.first + i` of `to`, a sequence of width 1.
pub fn mask_ids(
    m: &mut Memory<'_>,
    to: &BufferRef,
    ids: &[u32],
    time: usize,
    from: usize,
    times: Times,
) {
    let mut m = on(m, times);
    for row in m.rows() {
        for (i, t) in times.range().enumerate() {
            let real = ids[row * time + from + i] != 0;
            m.row_mut(to, 1, t, row)[0] = f32::from(real);
        }
    }
}
