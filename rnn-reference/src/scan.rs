//! Cells over time.

use super::{
    Wrong,
    build::Ready,
    cell::{known, step},
    value::Value,
};
use rnn_compiler::ir::Rnn;

/// A recurrent layer with what it needs for one call.
pub(super) struct Scan<'a> {
    pub rnn: &'a Rnn,
    pub cells: &'a [Ready],
    /// All of the model's weights.
    pub weights: &'a [&'a [f64]],
    /// All of the model's draws, `[batch, width]`; none in inference.
    pub draws: &'a [Vec<f64>],
    /// Which steps are valid; all without.
    pub mask: Option<&'a Value>,
}

/// The states of all cells for one row.
type States = Vec<Vec<Vec<f64>>>;

impl Scan<'_> {
    /// The outputs of the last cell, and the states of all cells after the last step.
    ///
    /// As in Keras, the outputs of `go_backwards` are in the order in which they are computed: last
    /// step first.
    pub fn run(
        &self,
        inputs: &[&Value],
        initial: &[Value],
    ) -> Result<(Vec<Value>, Vec<Value>), Wrong> {
        let (Some(first), Some(last)) = (inputs.first(), self.cells.last()) else {
            return Err(Wrong("a recurrent layer has an input and a cell".into()));
        };
        let steps = first.time();
        let (mut outputs, mut states) = (Vec::new(), Vec::new());
        for o in &last.cell.outputs {
            outputs.push(Value {
                rows: first.rows,
                steps: self.rnn.return_sequences.then_some(steps),
                width: known(&o.width)?,
                data: Vec::new(),
            });
        }
        for s in self.cells.iter().flat_map(|c| &c.cell.states) {
            states.push(Value {
                rows: first.rows,
                steps: None,
                width: known(&s.size)?,
                data: Vec::new(),
            });
        }
        for row in 0..first.rows {
            let widths = states.iter().map(|s| s.width).collect::<Vec<_>>();
            let mut now = self.start(row, initial, &widths)?;
            let dropout_masks = self.dropout_masks(row)?;
            let mut out: Vec<Vec<f64>> = outputs.iter().map(|o| vec![0.0; o.width]).collect();
            for t in 0..steps {
                let at = match self.rnn.go_backwards {
                    true => steps - 1 - t,
                    false => t,
                };
                if self.mask.is_none_or(|m| m.is_valid(row, at)) {
                    let x: Vec<Vec<f64>> = inputs.iter().map(|i| i.at(row, at).to_vec()).collect();
                    out = self.step(&mut now, x, &dropout_masks)?;
                } else if self.rnn.zero_output_for_mask {
                    out.iter_mut().for_each(|o| o.fill(0.0));
                }
                if self.rnn.return_sequences || t + 1 == steps {
                    for (all, out) in outputs.iter_mut().zip(&out) {
                        all.data.extend(out);
                    }
                }
            }
            for (all, state) in states.iter_mut().zip(now.iter().flatten()) {
                all.data.extend(state);
            }
        }
        Ok((outputs, states))
    }

    /// The states of one row before the first step.
    fn start(&self, row: usize, initial: &[Value], widths: &[usize]) -> Result<States, Wrong> {
        if !initial.is_empty() && initial.len() != widths.len() {
            let words = format!("{} states for {}", initial.len(), widths.len());
            return Err(Wrong(words));
        }
        let mut flat = Vec::new();
        let starts = self
            .cells
            .iter()
            .flat_map(|c| c.cell.states.iter().map(move |s| (c, s.start)));
        for ((i, &width), (cell, start)) in widths.iter().enumerate().zip(starts) {
            let learned = start.and_then(|s| self.weights.get(*cell.params.get(s)?));
            flat.push(match initial.get(i) {
                None => learned.map_or(vec![0.0; width], |w| w.to_vec()),
                Some(v) if v.width == width && v.time() == 1 => v.at(row, 0).to_vec(),
                Some(v) => return Err(Wrong(format!("state {i} has {} of {width}", v.width))),
            });
        }
        let mut flat = flat.into_iter();
        let cells = self.cells.iter();
        Ok(cells
            .map(|c| flat.by_ref().take(c.cell.states.len()).collect())
            .collect())
    }

    /// The masks of all cells for one row; those that drop nothing are ones.
    fn dropout_masks(&self, row: usize) -> Result<States, Wrong> {
        let mut all = Vec::new();
        for c in self.cells {
            let mut of_cell = Vec::new();
            for (noise, draw) in c.cell.dropout_masks.iter().zip(&c.draws) {
                let width = known(&noise.width)?;
                of_cell.push(match draw.and_then(|d| self.draws.get(d)) {
                    Some(drawn) => drawn[row * width..(row + 1) * width].to_vec(),
                    None => vec![1.0; width],
                });
            }
            all.push(of_cell);
        }
        Ok(all)
    }

    /// One valid step of all cells for one row.
    fn step(
        &self,
        states: &mut States,
        mut x: Vec<Vec<f64>>,
        dropout_masks: &States,
    ) -> Result<Vec<Vec<f64>>, Wrong> {
        for ((c, states), dropout_masks) in self.cells.iter().zip(states).zip(dropout_masks) {
            let weights: Vec<&[f64]> = c.params.iter().map(|&p| self.weights[p]).collect();
            let read: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
            let (next, out) = step(&c.cell, &weights, states, &read, dropout_masks)?;
            *states = next;
            x = out;
        }
        Ok(x)
    }
}
