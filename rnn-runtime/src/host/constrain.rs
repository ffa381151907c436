//! Keras's constraints, which weights are projected onto after a step.

use std::ops::Range;

use crate::{
    error::Error,
    params::{Constraint, ParamSpec},
};

/// Keras's `epsilon()`, which is added to a norm that is divided by.
const EPSILON: f64 = 1e-7;

/// The constrained parameters of a model.
pub struct Constraints {
    parameters: Vec<Constrained>,
    /// Norms of the current parameter. The buffer is kept so that a step allocates nothing.
    norms: Vec<f64>,
}

struct Constrained {
    weights: Range<usize>,
    constraint: Constraint,
    shape: &'static [usize],
}

impl Constraints {
    /// The constraints of the trainable parameters, as in Keras.
    ///
    /// # Errors
    /// [`Error::Argument`] if a constraint is for an axis that its parameter does not have.
    pub fn new(specs: &[ParamSpec]) -> Result<Constraints, Error> {
        let mut end = 0;
        let mut parameters = Vec::new();
        for spec in specs {
            let weights = end..end + spec.len();
            end = weights.end;
            let Some(constraint) = spec.constraint.filter(|_| spec.trainable) else {
                continue;
            };
            if let Some(axis) = axes(&constraint).iter().find(|a| **a >= spec.shape.len()) {
                return Err(Error::Argument(format!(
                    "{}: a constraint is for axis {axis}, but the shape is {:?}",
                    spec.name, spec.shape
                )));
            }
            parameters.push(Constrained {
                weights,
                constraint,
                shape: spec.shape,
            });
        }
        Ok(Constraints {
            parameters,
            norms: Vec::new(),
        })
    }

    /// Projects all constrained parameters.
    pub fn apply(&mut self, weights: &mut [f32]) {
        for parameter in &self.parameters {
            let weights = &mut weights[parameter.weights.clone()];
            match parameter.constraint {
                // `f32::max` would turn NaN into 0.
                Constraint::NonNeg => weights
                    .iter_mut()
                    .filter(|w| **w < 0.0)
                    .for_each(|w| *w = 0.0),
                Constraint::MaxNorm { max, axis } => {
                    parameter.rescale(weights, axis, &mut self.norms, |norm| norm.min(max.into()));
                }
                Constraint::MinMaxNorm {
                    min,
                    max,
                    rate,
                    axis,
                } => {
                    let rate = f64::from(rate);
                    parameter.rescale(weights, axis, &mut self.norms, |norm| {
                        // Not `clamp`, which panics where `min` is above `max`.
                        let inside = norm.max(min.into()).min(max.into());
                        rate * inside + (1.0 - rate) * norm
                    });
                }
                Constraint::UnitNorm { axis } => {
                    parameter.rescale(weights, axis, &mut self.norms, |_| 1.0);
                }
            }
        }
    }
}

/// The axes that norms are taken over.
fn axes(constraint: &Constraint) -> &'static [usize] {
    match constraint {
        Constraint::NonNeg => &[],
        Constraint::MaxNorm { axis, .. }
        | Constraint::MinMaxNorm { axis, .. }
        | Constraint::UnitNorm { axis } => axis,
    }
}

impl Constrained {
    /// Multiplies all weights that share a norm with `wanted(norm) / (epsilon + norm)`.
    fn rescale(
        &self,
        weights: &mut [f32],
        axis: &[usize],
        norms: &mut Vec<f64>,
        wanted: impl Fn(f64) -> f64,
    ) {
        let kept = |(place, size): (usize, &usize)| if axis.contains(&place) { 1 } else { *size };
        norms.clear();
        norms.resize(self.shape.iter().enumerate().map(kept).product(), 0.0);
        self.rows(weights, axis, |row, start, step| {
            for (index, w) in row.iter().enumerate() {
                norms[start + index * step] += f64::from(*w) * f64::from(*w);
            }
        });
        for norm in norms.iter_mut() {
            let length = norm.sqrt();
            *norm = wanted(length) / (EPSILON + length);
        }
        self.rows(weights, axis, |row, start, step| {
            for (index, w) in row.iter_mut().enumerate() {
                *w = (f64::from(*w) * norms[start + index * step]) as f32;
            }
        });
    }

    /// Calls `visit(row, start, step)` for every row of the last axis: weight `i` of it has norm
    /// number `start + i * step`.
    fn rows(
        &self,
        weights: &mut [f32],
        axis: &[usize],
        mut visit: impl FnMut(&mut [f32], usize, usize),
    ) {
        let Some((&columns, outer)) = self.shape.split_last() else {
            return visit(weights, 0, 0);
        };
        if weights.is_empty() {
            return;
        }
        let step = usize::from(!axis.contains(&outer.len()));
        for (number, row) in weights.chunks_exact_mut(columns).enumerate() {
            let (mut rest, mut start) = (number, 0);
            let mut stride = if step == 1 { columns } else { 1 };
            for (place, &size) in outer.iter().enumerate().rev() {
                if !axis.contains(&place) {
                    start += rest % size * stride;
                    stride *= size;
                }
                rest /= size;
            }
            visit(row, start, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Init;

    fn constrained(shape: &'static [usize], constraint: Constraint, weights: &[f32]) -> Vec<f32> {
        let spec = ParamSpec {
            constraint: Some(constraint),
            ..ParamSpec::new("w", shape, Init::Zeros)
        };
        let mut weights = weights.to_vec();
        let mut constraints = Constraints::new(&[spec]).unwrap();
        constraints.apply(&mut weights);
        weights
    }

    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-6, "{found}, {expected}");
        }
    }

    #[test]
    fn axes_are_those_of_keras() {
        let weights = [3.0, 0.0, 0.5, 4.0, 2.0, 0.0];
        let unit = |axis| constrained(&[2, 3], Constraint::UnitNorm { axis }, &weights);
        close(&unit(&[0]), &[0.6, 0.0, 1.0, 0.8, 1.0, 0.0]);
        let long = (9.25f32.sqrt(), 20f32.sqrt());
        let by_row = [
            3.0 / long.0,
            0.0,
            0.5 / long.0,
            4.0 / long.1,
            2.0 / long.1,
            0.0,
        ];
        close(&unit(&[1]), &by_row);
        let all = 29.25f32.sqrt();
        close(&unit(&[0, 1]), &weights.map(|w| w / all));
        close(
            &constrained(&[3], Constraint::UnitNorm { axis: &[0] }, &[0.0, 3.0, 4.0]),
            &[0.0, 0.6, 0.8],
        );
    }

    /// Against a loop over indices, for every choice of axes of a block of three.
    #[test]
    fn every_choice_of_axes_of_a_block() {
        let weights: Vec<f32> = (0..24).map(|i| (i * 7 % 11) as f32 - 4.5).collect();
        for axis in [
            &[0][..],
            &[1],
            &[2],
            &[0, 1],
            &[0, 2],
            &[1, 2],
            &[0, 1, 2],
            &[],
        ] {
            let place = |i: usize| [i / 12, i / 4 % 3, i % 4];
            let same = |i: usize, j: usize| {
                (0..3).all(|k| axis.contains(&k) || place(i)[k] == place(j)[k])
            };
            let expected: Vec<f32> = (0..24)
                .map(|i| {
                    let group = (0..24).filter(|&j| same(i, j));
                    weights[i] / group.map(|j| weights[j] * weights[j]).sum::<f32>().sqrt()
                })
                .collect();
            let axis = axis.to_vec().leak();
            let found = constrained(&[2, 3, 4], Constraint::UnitNorm { axis }, &weights);
            close(&found, &expected);
        }
    }

    #[test]
    fn bounds() {
        let max = Constraint::MaxNorm {
            max: 2.0,
            axis: &[0],
        };
        close(
            &constrained(&[2, 3], max, &[3.0, 1.0, 0.0, 4.0, 1.0, 0.0]),
            &[1.2, 1.0, 0.0, 1.6, 1.0, 0.0],
        );
        let between = |rate| Constraint::MinMaxNorm {
            min: 1.0,
            max: 2.0,
            rate,
            axis: &[0],
        };
        let weights = [4.0, 0.5, 1.5];
        close(
            &constrained(&[1, 3], between(1.0), &weights),
            &[2.0, 1.0, 1.5],
        );
        close(
            &constrained(&[1, 3], between(0.5), &weights),
            &[3.0, 0.75, 1.5],
        );
        let non_neg = constrained(&[3], Constraint::NonNeg, &[-1.0, 2.0, f32::NAN]);
        assert!(non_neg[..2] == [0.0, 2.0] && non_neg[2].is_nan());
    }

    #[test]
    fn an_axis_that_is_not_there_is_an_error() {
        let spec = ParamSpec {
            constraint: Some(Constraint::UnitNorm { axis: &[1] }),
            ..ParamSpec::new("dense/bias", &[3], Init::Zeros)
        };
        let error = Constraints::new(&[spec]).err().unwrap().to_string();
        assert_eq!(
            error,
            "dense/bias: a constraint is for axis 1, but the shape is [3]"
        );
        assert!(Constraints::new(&[spec.frozen()]).is_ok());
    }
}
