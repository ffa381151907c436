//! Layers over a whole batch.

use super::{
    Input, Model, Weights, Wrong,
    cell::{known, step},
};
use crate::{
    cell::Cell,
    ir::{Layer, LayerKind, Time},
};

/// The value of a layer: `rows * steps * width` numbers, row-major.
struct Value {
    rows: usize,
    steps: usize,
    width: usize,
    data: Vec<f64>,
}

impl Value {
    fn at(&self, row: usize, step: usize) -> &[f64] {
        let from = (row * self.steps + step) * self.width;
        &self.data[from..from + self.width]
    }

    /// A vector for every row and step of this value.
    fn map(
        &self,
        width: usize,
        mut f: impl FnMut(&[f64]) -> Result<Vec<f64>, Wrong>,
    ) -> Result<Value, Wrong> {
        let mut data = Vec::new();
        for row in 0..self.rows {
            for t in 0..self.steps {
                data.extend(f(self.at(row, t))?);
            }
        }
        Ok(Value {
            width,
            data,
            ..*self
        })
    }
}

pub(super) fn run(
    model: &Model,
    weights: &Weights,
    x: &Input,
    training: bool,
) -> Result<Vec<f64>, Wrong> {
    for s in &model.specs {
        let len: usize = s.shape.iter().product();
        match weights.get(&s.name) {
            Some(w) if w.len() == len => {}
            Some(w) => return Err(Wrong(format!("{} has {} of {len}", s.name, w.len()))),
            None => return Err(Wrong(format!("{} is missing", s.name))),
        }
    }
    let mut values: Vec<Value> = Vec::new();
    for (l, cell) in model.graph.layers.iter().zip(&model.cells) {
        let value = match (&l.kind, l.inputs.first()) {
            (LayerKind::Input, _) | (_, None) => input(l, x)?,
            (kind, Some(&from)) => {
                let own: Vec<&[f64]> = (model.specs.iter())
                    .filter(|s| s.name.rsplit_once('/').is_some_and(|(of, _)| of == l.name))
                    .map(|s| weights[&s.name].as_slice())
                    .collect();
                let layer = Running {
                    layer: l,
                    cell: cell.as_ref(),
                    weights: own,
                    training,
                };
                layer.run(kind, &values[from], x)?
            }
        };
        values.push(value);
    }
    Ok(values.swap_remove(model.graph.output).data)
}

/// The model's input, checked.
fn input(l: &Layer, x: &Input) -> Result<Value, Wrong> {
    let width = known(&l.shape.features)?;
    let steps = match &l.shape.time {
        Time::None => 1,
        Time::Any => x.time,
        Time::Steps(t) => known(t)?,
    };
    let data = if l.shape.ids {
        x.ids.iter().map(|&id| f64::from(id)).collect()
    } else {
        x.floats.clone()
    };
    if steps != x.time || data.len() != x.batch * x.time * width {
        return Err(Wrong(format!("{} does not fit the input", l.shape)));
    }
    Ok(Value {
        rows: x.batch,
        steps,
        width,
        data,
    })
}

/// A layer with what it needs.
struct Running<'a> {
    layer: &'a Layer,
    cell: Option<&'a Cell>,
    weights: Vec<&'a [f64]>,
    training: bool,
}

impl Running<'_> {
    fn cell(&self) -> Result<&Cell, Wrong> {
        let none = || Wrong(format!("{} has no cell", self.layer.text));
        self.cell.ok_or_else(none)
    }

    fn run(&self, kind: &LayerKind, x: &Value, input: &Input) -> Result<Value, Wrong> {
        let width = known(&self.layer.shape.features)?;
        match kind {
            LayerKind::Input => Err(Wrong("an input reads nothing".into())),
            LayerKind::Embedding { .. } => {
                let mut data = Vec::new();
                for &id in &input.ids {
                    let from = id as usize * width;
                    let row = self.weights[0].get(from..from + width);
                    let row = row.ok_or_else(|| Wrong(format!("there is no id {id}")))?;
                    data.extend_from_slice(row);
                }
                Ok(Value { width, data, ..*x })
            }
            LayerKind::Rnn {
                return_sequences,
                go_backwards,
                ..
            } => self.sweep(x, width, *return_sequences, *go_backwards),
            LayerKind::BatchNormalization { epsilon, .. } if self.training => {
                self.normalize(x, *epsilon)
            }
            LayerKind::Pointwise { .. } | LayerKind::BatchNormalization { .. } => {
                let cell = self.cell()?;
                x.map(width, |x| {
                    Ok(step(cell, &self.weights, &[], &[x], &[])?.1.swap_remove(0))
                })
            }
            LayerKind::Dropout { rate } if self.training && *rate != 0.0 => {
                Err(Wrong(format!("{} draws a mask", self.layer.text)))
            }
            LayerKind::Dropout { .. } => x.map(width, |x| Ok(x.to_vec())),
            // Row-major already: the steps of a row stand side by side.
            LayerKind::Flatten => Ok(Value {
                rows: x.rows,
                steps: 1,
                width,
                data: x.data.clone(),
            }),
        }
    }

    /// A cell over time. As in Keras, the outputs of `go_backwards` are in the order in which they
    /// are computed: last step first.
    fn sweep(&self, x: &Value, width: usize, all: bool, backwards: bool) -> Result<Value, Wrong> {
        let cell = self.cell()?;
        let mut data = Vec::new();
        for row in 0..x.rows {
            let mut states = Vec::new();
            for s in &cell.states {
                states.push(vec![0.0; known(&s.size)?]);
            }
            for t in 0..x.steps {
                let from = if backwards { x.steps - 1 - t } else { t };
                let (next, mut out) = step(cell, &self.weights, &states, &[x.at(row, from)], &[])?;
                states = next;
                if all || t + 1 == x.steps {
                    data.extend(out.swap_remove(0));
                }
            }
        }
        Ok(Value {
            rows: x.rows,
            steps: if all { x.steps } else { 1 },
            width,
            data,
        })
    }

    /// By the statistics of all rows and steps.
    fn normalize(&self, x: &Value, epsilon: f64) -> Result<Value, Wrong> {
        let count = (x.rows * x.steps) as f64;
        let column = |i: usize| x.data.iter().skip(i).step_by(x.width);
        let mean: Vec<f64> = (0..x.width)
            .map(|i| column(i).sum::<f64>() / count)
            .collect();
        let variance: Vec<f64> = (0..x.width)
            .map(|i| column(i).map(|x| (x - mean[i]).powi(2)).sum::<f64>() / count)
            .collect();
        let params = &self.cell()?.params;
        let of = |name: &str, i: usize, otherwise: f64| {
            let at = params.iter().position(|p| p.name == name);
            at.map_or(otherwise, |at| self.weights[at][i])
        };
        x.map(x.width, |x| {
            let normal = |(i, x): (usize, &f64)| {
                let x = (x - mean[i]) / (variance[i] + epsilon).sqrt();
                x * of("gamma", i, 1.0) + of("beta", i, 0.0)
            };
            Ok(x.iter().enumerate().map(normal).collect())
        })
    }
}
