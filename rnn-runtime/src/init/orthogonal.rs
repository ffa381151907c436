//! A random orthogonal matrix, uniform over all of them.

use rayon::prelude::*;

/// Below this many multiplications threads cost more than they save.
const WORTH_THREADS: usize = 1 << 15;

/// Fills `values`, `[rows, columns]` row-major, with a matrix whose rows (if there are fewer of
/// them) or columns are orthonormal: the Q of the QR decomposition of a normal matrix, with the
/// signs that make R's diagonal positive, as in Keras. Without that sign the result would not be
/// uniform over the orthogonal matrices (Mezzadri, 2007).
///
/// A parameter with a single axis is one row. All numbers are multiplied with `gain`.
pub(super) fn fill(values: &mut [f32], columns: usize, gain: f64, mut normal: impl FnMut() -> f64) {
    if values.is_empty() {
        return;
    }
    let rows = values.len() / columns;
    let (long, short) = (rows.max(columns), rows.min(columns));
    // One basis vector after the other, so that every inner loop runs over adjacent numbers.
    let mut basis: Vec<f64> = (0..long * short).map(|_| normal()).collect();
    orthonormalise(&mut basis, long);
    for (row, values) in values.chunks_exact_mut(columns).enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            let (vector, component) = if rows <= columns {
                (row, column)
            } else {
                (column, row)
            };
            *value = (gain * basis[vector * long + component]) as f32;
        }
    }
}

/// Modified Gram-Schmidt on the vectors of `long` numbers each: exactly the QR decomposition with
/// a positive diagonal. Every vector is updated on its own, so threads do not change a bit.
fn orthonormalise(basis: &mut [f64], long: usize) {
    let norms: Vec<f64> = basis.chunks_exact(long).map(|v| dot(v, v).sqrt()).collect();
    for (index, &before) in norms.iter().enumerate() {
        let (done, rest) = basis.split_at_mut(index * long);
        let (vector, rest) = rest.split_at_mut(long);
        // Where nearly everything has cancelled, precision is lost as well: project once more
        // (Kahan's "twice is enough").
        if dot(vector, vector).sqrt() < 0.1 * before {
            for direction in done.chunks_exact(long) {
                subtract_projection(vector, direction);
            }
        }
        let scale = 1.0 / dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|v| *v *= scale);
        let vector = &*vector;
        if rest.len() >= WORTH_THREADS {
            rest.par_chunks_exact_mut(long)
                .for_each(|other| subtract_projection(other, vector));
        } else {
            rest.chunks_exact_mut(long)
                .for_each(|other| subtract_projection(other, vector));
        }
    }
}

/// Removes from `vector` its part along the unit vector `direction`.
fn subtract_projection(vector: &mut [f64], direction: &[f64]) {
    let along = dot(vector, direction);
    for (v, d) in vector.iter_mut().zip(direction) {
        *v -= along * d;
    }
}

/// Scalar product with eight sums in a fixed order, which the compiler can put in vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + tail
}
