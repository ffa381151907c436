//! Data times a parameter, as vector–matrix products.
//!
//! Axes of the parameter that lie side by side are rows or columns of a matrix: the *run* is the
//! operand's last axes, contracted in the order that the parameter has them; the *columns* are the
//! result's last axes, which are the parameter's last ones. All other letters are looped over.

use super::{At, Axes, Builder, Built, Lanes, MAX_PARTS, Operand, Weights};
use crate::cell::{
    graph::{MatrixPart, Reduce},
    size::Size,
};

/// Which letters are the rows and the columns of the matrix, and which are looped over.
pub(super) struct Product {
    run: Vec<char>,
    columns: Vec<char>,
    /// A vector of the result for each of these.
    outer: Vec<char>,
    /// A term of the sum for each of these.
    summed: Vec<char>,
    times: Option<usize>,
}

impl Product {
    /// Whether it takes no more products than the other way takes slices.
    pub fn beats(&self, other: Option<usize>) -> bool {
        match (self.times, other) {
            (Some(own), Some(other)) => own <= other,
            (None, Some(other)) => other > MAX_PARTS,
            (_, None) => true,
        }
    }
}

/// How to contract data with a parameter; `None` if the equation does not contract them.
pub(super) fn plan(axes: &Axes, data: &[char], w: &Weights) -> Option<Product> {
    let contracted =
        |l: &char| data.contains(l) && w.letters.contains(l) && !axes.output.contains(l);
    if !data.iter().any(contracted) {
        return None;
    }
    let strides = strides(axes, w);
    let suffixes =
        |of: &[char]| -> Vec<Vec<char>> { (0..of.len()).map(|i| of[i..].to_vec()).collect() };
    let run = suffixes(data).into_iter().find(|run| {
        let start = w.letters.windows(run.len()).position(|p| p == run);
        run.iter().all(contracted)
            && start.is_some_and(|at| uniform(axes, w, &strides, at, at + run.len()))
    });
    let columns = suffixes(&axes.output).into_iter().find(|columns| {
        let end = w.letters.len();
        w.letters.ends_with(columns)
            && !columns.iter().any(|l| data.contains(l))
            && uniform(axes, w, &strides, end - columns.len(), end)
    });
    let (run, columns) = (run.unwrap_or_default(), columns.unwrap_or_default());
    let outer: Vec<char> = (axes.output.iter().copied())
        .filter(|l| !columns.contains(l))
        .collect();
    let mut summed: Vec<char> = Vec::new();
    for &l in data.iter().chain(&w.letters) {
        if !axes.output.contains(&l) && !run.contains(&l) && !summed.contains(&l) {
            summed.push(l);
        }
    }
    let all: Vec<char> = outer.iter().chain(&summed).copied().collect();
    Some(Product {
        times: axes.times(&all),
        run,
        columns,
        outer,
        summed,
    })
}

/// Floats from one value of each letter of the parameter to the next.
fn strides(axes: &Axes, w: &Weights) -> Vec<Size> {
    let n = w.letters.len();
    let stride = |i: usize| match (n - i, w.tensor.is_whole()) {
        // A part of the columns of a matrix.
        (2, false) => w.tensor.columns.clone(),
        _ => axes.floats(&w.letters[i + 1..]),
    };
    (0..n).map(stride).collect()
}

/// Whether letters `from..to` of the parameter are like one axis.
fn uniform(axes: &Axes, w: &Weights, strides: &[Size], from: usize, to: usize) -> bool {
    (from..to.saturating_sub(1))
        .all(|i| strides[i] == &strides[i + 1] * &axes.size(w.letters[i + 1]))
}

impl Builder<'_> {
    pub(super) fn product(
        &mut self,
        axes: &Axes,
        data: &Operand,
        w: &Weights,
        p: &Product,
    ) -> Built<Lanes> {
        let all: Vec<char> = p.outer.iter().chain(&p.summed).copied().collect();
        self.can_loop(axes, &all)?;
        let (length, width) = (axes.floats(&p.run), axes.floats(&p.columns));
        let value = Lanes {
            parts: self.vectors(&data.value),
            shape: data.value.shape.clone(),
        };
        let mut parts = Vec::new();
        let outer = axes.every(&p.outer);
        let summed = axes.every(&p.summed);
        let (outer, summed) = (
            self.sound(outer, axes.span)?,
            self.sound(summed, axes.span)?,
        );
        for outer in &outer {
            let mut terms = Vec::new();
            for summed in &summed {
                let at: At = outer.iter().chain(summed).map(|(l, i)| (*l, *i)).collect();
                let from = axes.offset(&data.letters, &at);
                let operand = self.cut(&value, &from, &length, axes.span)?;
                let matrix = self.matrix(axes, w, p, &at)?;
                let mut row = Size::known(0);
                for node in operand {
                    let part = MatrixPart {
                        row: &matrix.row + &row,
                        ..matrix.clone()
                    };
                    terms.push((node, part));
                    let k = self.cell.graph.units(node).cloned();
                    row = &row + &self.sound(k, axes.span)?;
                }
            }
            parts.push(self.cell.graph.product(terms, width.clone()));
        }
        if let (true, [one]) = (axes.output.is_empty(), parts.as_slice()) {
            let row = self.cell.graph.reduce(Reduce::Sum, *one);
            return Ok(Lanes::number(row));
        }
        let shape = axes.output.iter().map(|&l| axes.size(l)).collect();
        self.of_parts(axes, parts, shape)
    }

    /// The parameter as a matrix whose rows are the run and whose columns are the columns.
    fn matrix(&mut self, axes: &Axes, w: &Weights, p: &Product, at: &At) -> Built<MatrixPart> {
        let (letters, strides) = (&w.letters, strides(axes, w));
        let end = letters.len() - p.columns.len();
        // The letter whose stride is that of the rows.
        let rows = match p.run.last() {
            Some(last) => letters.iter().position(|l| l == last),
            None => end.checked_sub(1),
        };
        let stride = match rows {
            // Nothing is left but the columns: the matrix is one row.
            None => axes.floats(&p.columns),
            // A width of one: every position is the first of a row.
            Some(_) if p.run.is_empty() && p.columns.is_empty() => Size::known(1),
            Some(i) => strides[i].clone(),
        };
        let t = &w.tensor;
        let base = &(&t.row * &t.columns) + &t.column;
        let (mut row, mut column) = if stride == t.columns {
            (t.row.clone(), t.column.clone())
        } else if stride == Size::known(1) || base == Size::known(0) {
            (base, Size::known(0))
        } else {
            match (base.value(), stride.value()) {
                (Some(base), Some(n)) if n > 0 => (Size::known(base / n), Size::known(base % n)),
                _ => return self.open_size(axes, &p.run),
            }
        };
        for (i, l) in letters.iter().enumerate() {
            let Some(&n) = at.get(l) else {
                continue;
            };
            let n = Size::known(n);
            match rows {
                Some(last) if i <= last && stride == strides[last] => {
                    let step = letters[i + 1..=last]
                        .iter()
                        .fold(Size::known(1), |s, &l| &s * &axes.size(l));
                    row = &row + &(&n * &step);
                }
                _ if stride == Size::known(1) => row = &row + &(&n * &strides[i]),
                _ => column = &column + &(&n * &strides[i]),
            }
        }
        Ok(MatrixPart {
            param: t.param,
            columns: stride,
            row,
            column,
            transposed: false,
        })
    }
}
