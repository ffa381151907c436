//! `BatchNormalization` in training: statistics over all rows and steps of the batch
//! (Ioffe and Szegedy, 2015), as Keras computes them.

use rayon::prelude::*;

use super::{COPY, Times, WORTH_A_THREAD, on, parallel};
use crate::cpu::kernel::Memory;
use rnn_tables::{Normalize, WeightOffset};

/// Features that one task sums up: a line of the cache.
const COLUMNS: usize = 16;

/// Normalises by the statistics of the batch and updates the moving ones in `weights`.
///
/// The variance is the population's, for the moving statistics too, as in Keras.
pub fn normalize_forward(m: &mut Memory<'_>, n: &Normalize, weights: &mut [f32], times: Times) {
    let m = &mut on(m, times);
    let w = n.width;
    let count = count(m, n, times);
    // Two passes in f64: no cancellation, and the order is fixed.
    let mut mean = vec![0.0f64; w];
    columns(m, times, &mut mean, |first, mean| {
        for_each(m, n, times, |x| {
            for (s, &x) in mean.iter_mut().zip(&x[first..]) {
                *s += f64::from(x);
            }
        });
    });
    mean.iter_mut().for_each(|s| *s /= count);
    let mut variance = vec![0.0f64; w];
    columns(m, times, &mut variance, |first, variance| {
        for_each(m, n, times, |x| {
            let x = x[first..].iter().zip(&mean[first..]);
            for (s, (&x, mean)) in variance.iter_mut().zip(x) {
                let d = f64::from(x) - mean;
                *s += d * d;
            }
        });
    });
    variance.iter_mut().for_each(|s| *s /= count);

    let keep = 1.0 - f64::from(n.momentum);
    for i in 0..w {
        let moving = &mut weights[n.moving_mean.0 + i];
        *moving += ((mean[i] - f64::from(*moving)) * keep) as f32;
        let moving = &mut weights[n.moving_variance.0 + i];
        *moving += ((variance[i] - f64::from(*moving)) * keep) as f32;
    }
    let inverse: Vec<f32> = variance
        .iter()
        .map(|v| (1.0 / (v + f64::from(n.epsilon)).sqrt()) as f32)
        .collect();
    let mean: Vec<f32> = mean.iter().map(|&x| x as f32).collect();
    let first = m.rows().start;
    m.row_mut(&n.saved, w, 0, first).copy_from_slice(&mean);
    m.row_mut(&n.saved, w, 1, first).copy_from_slice(&inverse);

    let gamma: Vec<f32> = (0..w).map(|i| at(weights, n.gamma, i, 1.0)).collect();
    let beta: Vec<f32> = (0..w).map(|i| at(weights, n.beta, i, 0.0)).collect();
    parallel(m.reborrow(), cost(w, times), &|mut m| {
        for row in m.rows() {
            for t in times.range() {
                m.copy_row(&n.input, t, &n.output, t, w, row);
                for (i, y) in m.row_mut(&n.output, w, t, row).iter_mut().enumerate() {
                    *y = (*y - mean[i]) * inverse[i] * gamma[i] + beta[i];
                }
            }
        }
    });
}

/// Sums over all rows and steps, each feature's in order, features divided among threads if that
/// pays: `f` is given the first feature of its part.
fn columns<T: Send>(
    m: &Memory<'_>,
    times: Times,
    sums: &mut [T],
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    let all = cost(sums.len(), times).saturating_mul(m.rows().len());
    if all < 2 * WORTH_A_THREAD || rayon::current_num_threads() < 2 {
        return f(0, sums);
    }
    let parts = sums.par_chunks_mut(COLUMNS).enumerate();
    parts.for_each(|(i, part)| f(i * COLUMNS, part));
}

/// The work of going over a row once.
fn cost(width: usize, times: Times) -> usize {
    (width * COPY).saturating_mul(times.steps)
}

/// Gradients of gamma, beta and, if it is wanted, the input.
pub fn normalize_backward(
    m: &mut Memory<'_>,
    n: &Normalize,
    weights: &[f32],
    gradients: &mut [f32],
    times: Times,
    input_gradient: bool,
) {
    let m = &mut on(m, times);
    let w = n.width;
    let count = count(m, n, times);
    let first = m.rows().start;
    let mean = m.row(&n.saved, w, 0, first).to_vec();
    let inverse = m.row(&n.saved, w, 1, first).to_vec();
    // Gradients of gamma and beta.
    let mut sums = vec![(0.0f64, 0.0f64); w];
    let all: &Memory<'_> = m;
    columns(all, times, &mut sums, |first, sums| {
        for row in all.rows() {
            for t in times.range() {
                let x = all.row(&n.input, w, t, row);
                let d = all.row(&n.d_output, w, t, row);
                for (i, (d_gamma, d_beta)) in (first..).zip(&mut *sums) {
                    let normal = (x[i] - mean[i]) * inverse[i];
                    *d_gamma += f64::from(d[i] * normal);
                    *d_beta += f64::from(d[i]);
                }
            }
        }
    });
    let (d_gamma, d_beta): (Vec<f64>, Vec<f64>) = sums.into_iter().unzip();
    for i in 0..w {
        if let Some(gamma) = n.gamma {
            gradients[gamma.0 + i] += d_gamma[i] as f32;
        }
        if let Some(beta) = n.beta {
            gradients[beta.0 + i] += d_beta[i] as f32;
        }
    }
    if !input_gradient {
        return;
    }
    let scale: Vec<f32> = (0..w)
        .map(|i| at(weights, n.gamma, i, 1.0) * inverse[i])
        .collect();
    // A masked step moves no statistic: only valid steps get a share of the gradient through mean and variance.
    let mean_d: Vec<f32> = d_beta.iter().map(|s| (s / count) as f32).collect();
    let mean_dx: Vec<f32> = d_gamma.iter().map(|s| (s / count) as f32).collect();
    parallel(m.reborrow(), cost(w, times), &|mut m| {
        let mut line = vec![0.0; w];
        for row in m.rows() {
            for t in times.range() {
                let counts = counts(&m, n, t, row);
                let x = m.row(&n.input, w, t, row);
                let d = m.row(&n.d_output, w, t, row);
                for i in 0..w {
                    let normal = (x[i] - mean[i]) * inverse[i];
                    let share = if counts {
                        mean_d[i] + normal * mean_dx[i]
                    } else {
                        0.0
                    };
                    line[i] = scale[i] * (d[i] - share);
                }
                m.row_mut(&n.d_input, w, t, row).copy_from_slice(&line);
            }
        }
    });
}

/// Unit `i` of a parameter, or `otherwise` for a layer without it.
fn at(weights: &[f32], param: Option<WeightOffset>, i: usize, otherwise: f32) -> f32 {
    param.map_or(otherwise, |p| weights[p.0 + i])
}

/// Whether a step counts in the statistics.
fn counts(m: &Memory<'_>, n: &Normalize, t: usize, row: usize) -> bool {
    n.mask
        .as_ref()
        .is_none_or(|mask| m.row(mask, 1, t, row)[0] != 0.0)
}

/// How many steps go into the statistics. With a mask Keras adds its epsilon, so that there is
/// always something to divide by.
fn count(m: &Memory<'_>, n: &Normalize, times: Times) -> f64 {
    let all = m.rows().len() * times.steps;
    if n.mask.is_none() {
        return all as f64;
    }
    let real = m
        .rows()
        .flat_map(|row| times.range().map(move |t| (t, row)))
        .filter(|&(t, row)| counts(m, n, t, row));
    real.count() as f64 + 1e-7
}

/// The inputs that go into the statistics.
fn for_each(m: &Memory<'_>, n: &Normalize, times: Times, mut f: impl FnMut(&[f32])) {
    for row in m.rows() {
        for t in times.range() {
            if counts(m, n, t, row) {
                f(m.row(&n.input, n.width, t, row));
            }
        }
    }
}
