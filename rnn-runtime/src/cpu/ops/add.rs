//! Sums: of values with several readers' gradients, of steps, and the repetition that is its
//! transpose.

use super::{Times, on};
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// `to = Σ from` at every time; `to` may be one of them. Without any, zeros.
pub fn add(m: &mut Memory<'_>, from: &[BufferRef], to: &BufferRef, width: usize, times: Times) {
    let mut m = on(m, times);
    if let [from] = from {
        for row in m.rows() {
            for t in times.range() {
                m.copy_row(from, t, to, t, width, row);
            }
        }
        return;
    }
    let mut line = vec![0.0; width];
    for row in m.rows() {
        for t in times.range() {
            line.fill(0.0);
            for (i, from) in from.iter().enumerate() {
                let from = m.row(from, width, t, row);
                if i == 0 {
                    line.copy_from_slice(from);
                } else {
                    line.iter_mut().zip(from).for_each(|(l, x)| *l += x);
                }
            }
            m.row_mut(to, width, t, row).copy_from_slice(&line);
        }
    }
}

/// A vector at every time: `to[t] = from`, where `from` has no axis.
pub fn repeat(m: &mut Memory<'_>, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
    let mut line = vec![0.0; width];
    for row in m.rows() {
        line.copy_from_slice(on(m, Times::ONE).row(from, width, 0, row));
        let mut m = on(m, times);
        for t in times.range() {
            m.row_mut(to, width, t, row).copy_from_slice(&line);
        }
    }
}

/// The sum over time, in order: `to = Σ from[t]`, where `to` has no axis. The gradient of
/// [`repeat`].
pub fn sum(m: &mut Memory<'_>, from: &BufferRef, to: &BufferRef, width: usize, times: Times) {
    let mut line = vec![0.0; width];
    for row in m.rows() {
        line.fill(0.0);
        let n = on(m, times);
        for t in times.range() {
            let from = n.row(from, width, t, row);
            line.iter_mut().zip(from).for_each(|(l, x)| *l += x);
        }
        on(m, Times::ONE)
            .row_mut(to, width, 0, row)
            .copy_from_slice(&line);
    }
}
