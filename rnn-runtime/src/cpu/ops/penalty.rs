//! Activity regularisers: what the size of a layer's output costs.

use super::{Times, on};
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// Adds `l1 * Σ|v| + l2 * Σv²` of each row to its number in `to` (the first is that of the first
/// row of `m`). Keras divides the sum over all rows by the number of rows.
pub fn penalty(
    m: &mut Memory<'_>,
    value: &BufferRef,
    width: usize,
    l1: f32,
    l2: f32,
    times: Times,
    to: &mut [f64],
) {
    let m = on(m, times);
    for (row, to) in m.rows().zip(to) {
        for t in times.range() {
            for &v in m.row(value, width, t, row) {
                let v = f64::from(v);
                *to += f64::from(l1) * v.abs() + f64::from(l2) * v * v;
            }
        }
    }
}

/// Adds the gradient of the penalty of a batch of `batch` rows to `d_value`; 0 where the value is 0.
#[allow(clippy::too_many_arguments)]
pub fn penalty_gradient(
    m: &mut Memory<'_>,
    value: &BufferRef,
    d_value: &BufferRef,
    width: usize,
    l1: f32,
    l2: f32,
    times: Times,
    batch: usize,
) {
    let mut m = on(m, times);
    let share = 1.0 / batch.max(1) as f32;
    let mut line = vec![0.0; width];
    for row in m.rows() {
        for t in times.range() {
            line.copy_from_slice(m.row(value, width, t, row));
            for (d, &v) in m.row_mut(d_value, width, t, row).iter_mut().zip(&line) {
                let sign = if v == 0.0 { 0.0 } else { v.signum() };
                *d += share * (l1 * sign + 2.0 * l2 * v);
            }
        }
    }
}
