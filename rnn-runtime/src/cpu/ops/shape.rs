//! `Reshape`, `Flatten` and `Permute`: the numbers of a row in another order of axes.

use super::{Times, on};
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// The numbers of each row, row-major, in another shape: `tf.steps` times `wf` floats become
/// `tt.steps` times `wt`. Its own inverse with the two sides exchanged.
///
/// # Panics
/// If the two shapes have not the same number of floats.
pub fn reshape(
    m: &mut Memory<'_>,
    from: &BufferRef,
    wf: usize,
    tf: Times,
    to: &BufferRef,
    wt: usize,
    tt: Times,
) {
    assert_eq!(wf * tf.steps, wt * tt.steps, "two shapes of other sizes");
    let mut flat = vec![0.0; wf * tf.steps];
    for row in m.rows() {
        read(m, from, wf, tf, row, &mut flat);
        write(m, to, wt, tt, row, &flat);
    }
}

/// Time and features exchanged: `to` has `wf` steps of `tf.steps` floats. Its own inverse with the
/// two sides exchanged.
pub fn permute(m: &mut Memory<'_>, from: &BufferRef, wf: usize, tf: Times, to: &BufferRef) {
    let (steps, tt) = (tf.steps, Times::all(wf));
    let mut flat = vec![0.0; wf * steps];
    for row in m.rows() {
        read(m, from, wf, tf, row, &mut flat);
        let mut m = on(m, tt);
        for t in tt.range() {
            let column = flat[t..].iter().step_by(wf);
            for (y, x) in m.row_mut(to, steps, t, row).iter_mut().zip(column) {
                *y = *x;
            }
        }
    }
}

fn read(
    m: &mut Memory<'_>,
    from: &BufferRef,
    width: usize,
    times: Times,
    row: usize,
    to: &mut [f32],
) {
    let m = on(m, times);
    for (t, line) in times.range().zip(to.chunks_exact_mut(width.max(1))) {
        line.copy_from_slice(m.row(from, width, t, row));
    }
}

fn write(m: &mut Memory<'_>, to: &BufferRef, width: usize, times: Times, row: usize, from: &[f32]) {
    let mut m = on(m, times);
    for (t, line) in times.range().zip(from.chunks_exact(width.max(1))) {
        m.row_mut(to, width, t, row).copy_from_slice(line);
    }
}
