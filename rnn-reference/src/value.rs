//! A value of the whole batch.

use super::Wrong;

/// A result of a layer: `rows * steps * width` numbers, row-major.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub rows: usize,
    /// `None` without a time axis.
    pub steps: Option<usize>,
    pub width: usize,
    pub data: Vec<f64>,
}

impl Value {
    /// Steps; 1 without a time axis.
    pub fn time(&self) -> usize {
        self.steps.unwrap_or(1)
    }

    /// The vector of one row and step.
    pub fn at(&self, row: usize, step: usize) -> &[f64] {
        let from = (row * self.time() + step) * self.width;
        &self.data[from..from + self.width]
    }

    /// A vector for every row and step of this value.
    pub fn map(
        &self,
        width: usize,
        mut f: impl FnMut(usize, usize, &[f64]) -> Result<Vec<f64>, Wrong>,
    ) -> Result<Value, Wrong> {
        let mut data = Vec::new();
        for row in 0..self.rows {
            for t in 0..self.time() {
                data.extend(f(row, t, self.at(row, t))?);
            }
        }
        Ok(Value {
            width,
            data,
            ..*self
        })
    }

    /// The steps the other way round.
    pub fn reversed(&self) -> Value {
        let mut data = Vec::new();
        for row in 0..self.rows {
            for t in (0..self.time()).rev() {
                data.extend_from_slice(self.at(row, t));
            }
        }
        Value { data, ..*self }
    }

    /// Whether a step of a mask is valid.
    pub fn is_valid(&self, row: usize, step: usize) -> bool {
        self.at(row, step)[0] != 0.0
    }
}
