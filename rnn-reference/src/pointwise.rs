//! Layers that work on every row and step: cells without states, and normalisation over all rows and steps.

use super::{
    Wrong,
    build::Ready,
    cell::{known, step},
    value::Value,
};
use rnn_compiler::cell::Cell;

/// Keras's `backend.epsilon()`, which its masked statistics add to the number of valid steps.
const EPSILON: f64 = 1e-7;

/// A cell without states and masks of its own for every row and step.
pub(super) fn apply(
    cell: &Cell,
    weights: &[&[f64]],
    inputs: &[&Value],
) -> Result<Vec<Value>, Wrong> {
    let Some(first) = inputs.first() else {
        return Err(Wrong(format!("{} reads nothing", cell.name)));
    };
    let mut results = Vec::new();
    for o in &cell.outputs {
        results.push(Value {
            width: known(&o.width)?,
            data: Vec::new(),
            ..**first
        });
    }
    for row in 0..first.rows {
        for t in 0..first.time() {
            let x: Vec<&[f64]> = inputs.iter().map(|i| i.at(row, t)).collect();
            let (_, out) = step(cell, weights, &[], &x, &[])?;
            for (result, out) in results.iter_mut().zip(out) {
                result.data.extend(out);
            }
        }
    }
    Ok(results)
}

/// By the statistics of all rows and steps, or of the valid ones (`_moments` in
/// `keras/src/layers/normalization/batch_normalization.py`).
pub(super) fn normalize(
    x: &Value,
    mask: Option<&Value>,
    epsilon: f64,
    cells: &[Ready],
    weights: &[&[f64]],
) -> Result<Value, Wrong> {
    let Some(cell) = cells.first() else {
        return Err(Wrong("a normalisation has a cell".into()));
    };
    let mut valid = Vec::new();
    for row in 0..x.rows {
        for t in 0..x.time() {
            if mask.is_none_or(|m| m.is_valid(row, t)) {
                valid.push(x.at(row, t));
            }
        }
    }
    let count = valid.len() as f64 + if mask.is_some() { EPSILON } else { 0.0 };
    let mean = |f: &dyn Fn(&[f64], usize) -> f64| -> Vec<f64> {
        let of = |i: usize| valid.iter().map(|x| f(x, i)).sum::<f64>() / count;
        (0..x.width).map(of).collect()
    };
    let means = mean(&|x, i| x[i]);
    let variances = mean(&|x, i| (x[i] - means[i]).powi(2));
    let of = |name: &str, i: usize, otherwise: f64| {
        let at = cell.cell.params.iter().position(|p| p.name == name);
        at.map_or(otherwise, |at| weights[cell.params[at]][i])
    };
    x.map(x.width, |_, _, x| {
        let normal = |(i, x): (usize, &f64)| {
            let x = (x - means[i]) / (variances[i] + epsilon).sqrt();
            x * of("gamma", i, 1.0) + of("beta", i, 0.0)
        };
        Ok(x.iter().enumerate().map(normal).collect())
    })
}
