//! `einsum("bij,ijkl->bkl", a, kernel)`: sums of products over named axes.
//!
//! The first letter of data is the batch. A parameter that data is contracted with is a matrix seen
//! through its letters (`einsum/product.rs`); everything else is lane-by-lane maths on slices
//! (`einsum/slices.rs`). A letter that neither can handle is looped over; its size has to be a
//! number.

mod equation;
mod product;
mod slices;

use std::collections::BTreeMap;

use proc_macro2::Span;

use super::{Builder, Built, Lanes, Meaning, Tensor};
use crate::{
    cell::{ast::Expr, graph::NodeId, size::Size},
    diagnostics::{Bug, Diagnostic, OrBug, Sound},
};
use equation::Equation;

/// How many products, or slices, one `einsum` may become.
const MAX_PARTS: usize = 256;

/// Data, or a parameter with one axis, and its letters without that of the batch.
struct Operand {
    letters: Vec<char>,
    value: Lanes,
}

/// A parameter with two or more axes and its letters.
struct Weights {
    letters: Vec<char>,
    tensor: Tensor,
}

/// What an operand is.
enum Value {
    Weights(Tensor),
    Data(Lanes),
}

/// Letters that stand for sizes, and the output, without the batch. Every letter has a size.
struct Axes {
    sizes: BTreeMap<char, Size>,
    output: Vec<char>,
    span: Span,
}

/// The value of each letter of a loop.
type At = BTreeMap<char, usize>;

impl Axes {
    /// The axes of operands with these letters.
    fn new(
        sizes: BTreeMap<char, Size>,
        output: Vec<char>,
        operands: &[&[char]],
        span: Span,
    ) -> Sound<Axes> {
        let mut all = operands.iter().copied().flatten().chain(&output);
        match all.find(|l| !sizes.contains_key(l)) {
            Some(l) => Err(Bug::new(format!("the letter `{l}` without a size"))),
            None => Ok(Axes {
                sizes,
                output,
                span,
            }),
        }
    }

    fn size(&self, letter: char) -> Size {
        self.sizes[&letter].clone()
    }

    /// Floats of a value with these axes.
    fn floats(&self, letters: &[char]) -> Size {
        letters
            .iter()
            .fold(Size::known(1), |n, &l| &n * &self.size(l))
    }

    /// The first float of the slice at `at` of a value with these axes.
    fn offset(&self, letters: &[char], at: &At) -> Size {
        let mut offset = Size::known(0);
        for (i, l) in letters.iter().enumerate() {
            if let Some(&n) = at.get(l) {
                offset = &offset + &(&Size::known(n) * &self.floats(&letters[i + 1..]));
            }
        }
        offset
    }

    /// How often loops over all of `letters` run, if their sizes are numbers.
    fn times(&self, letters: &[char]) -> Option<usize> {
        letters
            .iter()
            .try_fold(1usize, |n, &l| n.checked_mul(self.size(l).value()?))
    }

    /// Every value of `letters`, the last one changing fastest. Their sizes are numbers.
    fn every(&self, letters: &[char]) -> Sound<Vec<At>> {
        let mut all = vec![At::new()];
        for &l in letters {
            let n = self.size(l).value();
            let n = n.or_bug("a loop over an axis whose size is no number")?;
            let longer = |at: &At| {
                let at = at.clone();
                (0..n).map(move |i| {
                    let mut at = at.clone();
                    at.insert(l, i);
                    at
                })
            };
            all = all.iter().flat_map(longer).collect();
        }
        Ok(all)
    }
}

/// The letters of the product of all data, so that a parameter can be contracted with it: those of
/// the result first, then those of the parameter in its order.
fn joined(axes: &Axes, data: &[Operand], w: &Weights) -> Option<Vec<char>> {
    let has = |l: &char| data.iter().any(|o| o.letters.contains(l));
    let rows = w
        .letters
        .iter()
        .filter(|l| has(l) && !axes.output.contains(l));
    let rows: Vec<char> = rows.copied().collect();
    let kept = axes.output.iter().filter(|l| has(l)).copied();
    (!rows.is_empty()).then(|| kept.chain(rows).collect())
}

impl Builder<'_> {
    pub(super) fn einsum(&mut self, text: &str, at: Span, operands: &[Expr]) -> Built<Lanes> {
        let values: Vec<Built<Value>> = operands.iter().map(|e| self.operand(e)).collect();
        let values: Vec<Value> = values.into_iter().collect::<Built<_>>()?;
        let equation = match Equation::parse(text) {
            Ok(e) => e,
            Err((words, help)) => {
                return self.report(Diagnostic::new("RNN0241", at, words).help(help));
            }
        };
        if equation.operands.len() != values.len() {
            return self.report(
                Diagnostic::new(
                    "RNN0241",
                    at,
                    format!(
                        "`{text}` is about {} values, found {}",
                        equation.operands.len(),
                        values.len()
                    ),
                )
                .help("the letters of values are divided by commas: \"bi,ij->bj\""),
            );
        }
        let batch = self.batch(&equation, &values, at)?;
        let mut sizes = BTreeMap::new();
        let (mut data, mut weights) = (Vec::new(), Vec::new());
        for ((letters, value), e) in equation.operands.iter().zip(values).zip(operands) {
            match value {
                Value::Weights(tensor) => {
                    self.bind_sizes(&mut sizes, letters, &tensor.shape, e)?;
                    let letters = letters.clone();
                    weights.push(Weights { letters, tensor });
                }
                Value::Data(value) => {
                    let letters = letters.iter().copied().filter(|&l| l != batch);
                    let letters: Vec<char> = letters.collect();
                    self.bind_sizes(&mut sizes, &letters, &value.shape, e)?;
                    data.push(Operand { letters, value });
                }
            }
        }
        let letters = data.iter().map(|d: &Operand| d.letters.as_slice());
        let letters = letters.chain(weights.iter().map(|w| w.letters.as_slice()));
        let letters: Vec<&[char]> = letters.collect();
        let axes = Axes::new(sizes, equation.output[1..].to_vec(), &letters, at);
        let axes = self.sound(axes, at)?;
        if let ([d], [w]) = (data.as_slice(), weights.as_slice())
            && let Some(product) = product::plan(&axes, &d.letters, w)
            && product.beats(slices::times(&axes, &data, &weights))
        {
            return self.product(&axes, d, w, &product);
        }
        if let ([_, _, ..], [w]) = (data.as_slice(), weights.as_slice())
            && let Some(joined) = joined(&axes, &data, w)
        {
            // Multiplies data by data first, so that `"bi,bj,ijk->bk"` becomes one product.
            let before = Axes::new(axes.sizes.clone(), joined.clone(), &letters, at);
            let before = self.sound(before, at)?;
            let operand = Operand {
                value: self.slices(&before, &data)?,
                letters: joined,
            };
            if let Some(product) = product::plan(&axes, &operand.letters, w) {
                return self.product(&axes, &operand, w, &product);
            }
        }
        for w in weights {
            if !w.tensor.is_whole() {
                return self.matrix_among_vectors(w.tensor.param, at);
            }
            data.push(Operand {
                value: self.floats(&w.tensor),
                letters: w.letters,
            });
        }
        self.slices(&axes, &data)
    }

    /// `x @ kernel` where `x` has several axes: the last one is contracted.
    pub(super) fn matrix_product(&mut self, x: &Lanes, t: &Tensor, span: Span) -> Built<Lanes> {
        let data: Vec<char> = ('a'..='y').take(x.shape.len()).collect();
        if data.len() < x.shape.len() {
            // There are not enough letters for this many axes.
            return self.not_a_vector("@", x, span);
        }
        let [rest @ .., last] = data.as_slice() else {
            return self.bug("a product with a value without axes", span);
        };
        let columns = ['z'];
        let sizes = x.shape.iter().chain(t.shape.get(1)).cloned();
        let sizes = data.iter().chain(&columns).copied().zip(sizes).collect();
        let letters = [data.as_slice(), &columns];
        let axes = Axes::new(sizes, [rest, &columns].concat(), &letters, span);
        let axes = self.sound(axes, span)?;
        let last = *last;
        let operand = Operand {
            letters: data,
            value: x.clone(),
        };
        let weights = Weights {
            letters: vec![last, 'z'],
            tensor: t.clone(),
        };
        match product::plan(&axes, &operand.letters, &weights) {
            Some(product) => self.product(&axes, &operand, &weights, &product),
            None => self.not_a_vector("@", x, span),
        }
    }

    /// A tensor, or vectors.
    fn operand(&mut self, e: &Expr) -> Built<Value> {
        match self.meaning(e)? {
            Meaning::Tensor(t) => Ok(Value::Weights(t)),
            _ => Ok(Value::Data(self.parts(e)?)),
        }
    }

    /// The letter of the batch; every operand has as many letters as it has axes.
    fn batch(&mut self, e: &Equation, values: &[Value], at: Span) -> Built<char> {
        let mut batch = None;
        for (i, (letters, value)) in e.operands.iter().zip(values).enumerate() {
            let (axes, data) = match value {
                Value::Data(v) => (v.shape.len(), v.parts.iter().any(|&p| self.varies(p))),
                Value::Weights(t) => (t.shape.len(), false),
            };
            let word: String = letters.iter().collect();
            if letters.len() != axes + usize::from(data) {
                let what = if data {
                    format!("its {axes} axes and the batch, which comes first")
                } else {
                    format!("its {axes} axes; it is a parameter, so it has no batch")
                };
                return self.report(
                    Diagnostic::new(
                        "RNN0242",
                        at,
                        format!(
                            "value {} of `einsum` has the letters `{word}`; it needs {}",
                            i + 1,
                            axes + usize::from(data)
                        ),
                    )
                    .help(format!("write one letter for each of {what}")),
                );
            }
            match (data, batch, letters.first()) {
                (true, None, Some(&first)) => batch = Some(first),
                (true, Some(b), Some(&first)) if b != first => {
                    return self.report(
                        Diagnostic::new(
                            "RNN0244",
                            at,
                            format!("the first letter of data is the batch: here it is `{b}` and `{first}`"),
                        )
                        .help("write the same letter first for all data: \"bi,bi->b\""),
                    );
                }
                _ => {}
            }
        }
        let Some(b) = batch else {
            return self.report(
                Diagnostic::new(
                    "RNN0244",
                    at,
                    "no value of this `einsum` depends on an input or a state",
                )
                .note("the result would be the same for all rows and steps")
                .help("make the result a parameter of its own"),
            );
        };
        let again = e.operands.iter().zip(values).any(|(letters, value)| {
            let of_data =
                matches!(value, Value::Data(v) if v.parts.iter().any(|&p| self.varies(p)));
            letters.iter().skip(usize::from(of_data)).any(|&l| l == b)
        });
        if e.output.first() != Some(&b) || again {
            return self.report(
                Diagnostic::new(
                    "RNN0244",
                    at,
                    format!("`{b}` is the batch: it stands first in data and in the result, and nowhere else"),
                )
                .help("write it like \"bij,jk->bik\""),
            );
        }
        Ok(b)
    }

    fn bind_sizes(
        &mut self,
        sizes: &mut BTreeMap<char, Size>,
        letters: &[char],
        shape: &[Size],
        e: &Expr,
    ) -> Built<()> {
        for (&l, size) in letters.iter().zip(shape) {
            let known = sizes.entry(l).or_insert_with(|| size.clone());
            if known != size {
                let words =
                    format!("`{l}` is {known} in one value of `einsum` and {size} in another");
                return self.report(
                    Diagnostic::new("RNN0243", e.span, words)
                        .help("a letter stands for axes of one size"),
                );
            }
        }
        Ok(())
    }

    /// Whether loops over these letters are possible and not too many.
    fn can_loop(&mut self, axes: &Axes, letters: &[char]) -> Built<()> {
        let named: Vec<String> = letters.iter().map(|l| format!("`{l}`")).collect();
        match axes.times(letters) {
            Some(n) if n <= MAX_PARTS => Ok(()),
            Some(n) => self.report(
                Diagnostic::new(
                    "RNN0245",
                    axes.span,
                    format!("this `einsum` would become {n} parts; at most {MAX_PARTS} are possible"),
                )
                .note(format!("one for each value of {}", named.join(" and ")))
                .help("give the axes that are summed over one order in all values, at the end of data and in front of the parameter's others: \"bij,ijk->bk\""),
            ),
            None => self.open_size(axes, letters),
        }
    }

    /// The result; there has to be one.
    fn of_parts(&mut self, axes: &Axes, parts: Vec<NodeId>, shape: Vec<Size>) -> Built<Lanes> {
        if parts.is_empty() {
            return self.report(
                Diagnostic::new(
                    "RNN0245",
                    axes.span,
                    "the result of this `einsum` has no floats",
                )
                .help("one of its axes has the size 0: give it another"),
            );
        }
        Ok(Lanes { parts, shape })
    }

    fn open_size<T>(&mut self, axes: &Axes, letters: &[char]) -> Built<T> {
        let open = letters.iter().filter(|&&l| axes.size(l).value().is_none());
        let named: Vec<String> = open.map(|l| format!("`{l}`")).collect();
        self.report(
            Diagnostic::new(
                "RNN0245",
                axes.span,
                format!(
                    "the size of {} has to be a number here, not a `const`",
                    named.join(" and ")
                ),
            )
            .note("there is one part of the computation for each of its values")
            .help("give the size as a number"),
        )
    }
}
