//! A cell for given sizes and arguments: statements become graph nodes, every size is checked.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};

mod bind;
mod calls;
mod einsum;
mod heads;
mod known;
mod lanes;
mod mismatch;
mod statements;
#[cfg(test)]
mod tests;
mod values;

use super::{
    ast::{CellAst, Expr, Item},
    graph::{Graph, NodeId},
    size::Size,
    value::{Initializer, Value},
};
use crate::diagnostics::{Bug, Diagnostic, Diagnostics, Sound};

/// A parameter of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name in the cell; the layer's name and a slash go in front.
    pub name: String,
    /// Its shape; the floats are row-major.
    pub shape: Vec<Size>,
    /// How it starts.
    pub init: Initializer,
    /// Whether an optimizer changes it.
    pub trainable: bool,
}

/// A state of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its shape; the floats are row-major.
    pub shape: Vec<Size>,
    /// Floats: the product of the shape.
    pub size: Size,
    /// The parameter that it starts with; `None`: zeros.
    pub start: Option<usize>,
}

/// An input of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellInput {
    /// Its name; `x` in a cell without `input` statements.
    pub name: String,
    /// Its shape at one step; the floats are row-major.
    pub shape: Vec<Size>,
    /// Floats: the product of the shape.
    pub width: Size,
}

/// An output of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellOutput {
    /// Its name, if the outputs have names.
    pub name: Option<String>,
    /// Its shape at one step; the floats are row-major.
    pub shape: Vec<Size>,
    /// Floats: the product of the shape.
    pub width: Size,
}

/// A mask that training draws once a batch: each float is 0 with probability `rate`, and
/// `1 / (1 - rate)` otherwise. It is the same at all steps.
#[derive(Clone, Debug, PartialEq)]
pub struct DropoutMask {
    /// What part of the floats is 0.
    pub rate: f64,
    /// Floats.
    pub width: Size,
}

/// A cell for given sizes and arguments.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The cell's name.
    pub name: String,
    /// Its inputs, in the order written.
    pub inputs: Vec<CellInput>,
    /// Parameters, in the order written.
    pub params: Vec<Param>,
    /// States, in the order written.
    pub states: Vec<State>,
    /// Its outputs, in the order written.
    pub outputs: Vec<CellOutput>,
    /// Its masks, one for each `dropout(v, rate)`.
    pub dropout_masks: Vec<DropoutMask>,
    /// What it computes.
    pub graph: Graph,
    /// The value of each state after the step, in parts that stand side by side.
    pub next: Vec<Vec<NodeId>>,
    /// Each output, in parts that stand side by side.
    pub out: Vec<Vec<NodeId>>,
}

/// A cell with its arguments: what a layer computes at a step.
#[derive(Clone, Debug)]
pub struct CellUse {
    /// The cell.
    pub cell: CellAst,
    /// The arguments given, by name; the others have their defaults.
    pub arguments: Vec<(String, Value, Span)>,
}

/// Vectors that stand side by side, with the shape that they are the floats of.
#[derive(Clone, Debug)]
struct Lanes {
    /// The vectors. A number or a row scalar among them stands for a vector with that value in every
    /// unit.
    parts: Vec<NodeId>,
    /// The shape; none for a number or a row scalar.
    shape: Vec<Size>,
}

impl Lanes {
    fn one(node: NodeId, shape: &[Size]) -> Self {
        Lanes {
            parts: vec![node],
            shape: shape.to_vec(),
        }
    }

    /// A number, or a row scalar.
    fn number(node: NodeId) -> Self {
        Lanes::one(node, &[])
    }

    /// Units; `None` for a number.
    fn width(&self) -> Option<Size> {
        (!self.shape.is_empty()).then(|| product(&self.shape))
    }

    /// `8 units`, `the shape [2, 4]`
    fn size(&self) -> String {
        match self.shape.as_slice() {
            [one] => format!("{one} units"),
            shape => format!("the shape {}", show(shape)),
        }
    }
}

/// A parameter with two or more axes, or a part of one: rows that lie apart by `columns` floats.
#[derive(Clone)]
struct Tensor {
    /// Index of the parameter.
    param: usize,
    /// Its shape.
    shape: Vec<Size>,
    /// Floats from one row to the next, a row being the last axis.
    columns: Size,
    /// First row.
    row: Size,
    /// First column of every row.
    column: Size,
}

/// What a name stands for.
#[derive(Clone)]
enum Meaning {
    /// Vectors side by side, numbers and rows.
    Lanes(Lanes),
    /// A parameter with two or more axes.
    Tensor(Tensor),
    /// A number that is known now.
    Number(f64),
    Flag(bool),
    /// A size: usable in shapes, and as a number.
    Size(Size),
    /// An activation or an initialiser, with its numbers.
    Function(String, Vec<f64>),
    /// Its statement has a mistake that has been reported; its uses are not reported.
    Mistake,
}

struct Builder<'a> {
    names: BTreeMap<String, Meaning>,
    /// What each `let` has named: the value, and of how many equal parts of it the name is one.
    made: BTreeMap<String, (Expr, usize)>,
    cell: Cell,
    found: &'a mut Diagnostics,
    /// The cell as it was written, for reports of the compiler's own mistakes.
    tokens: &'a TokenStream,
    /// Where the user's arguments stand.
    given: BTreeMap<String, Span>,
    /// How the user names the cell, for messages.
    label: String,
    /// How the program names it.
    path: syn::Path,
    /// Shapes that the layer gives to the inputs.
    inputs: Vec<Vec<Size>>,
    /// The names of the cell's arguments, in order.
    arguments: Vec<String>,
}

/// A mistake that has been reported.
struct Reported;
type Built<T> = Result<T, Reported>;

impl Cell {
    /// A cell that gives one of the parameters, and reads nothing. `None` if there is no such parameter.
    pub fn parameter_alone(&self, index: usize) -> Option<Cell> {
        let param = self.params.get(index)?.clone();
        let width = product(&param.shape);
        let mut graph = Graph::default();
        let node = graph.param(0, Size::known(0), width.clone());
        Some(Cell {
            name: param.name.clone(),
            inputs: vec![],
            params: vec![param],
            states: vec![],
            outputs: vec![CellOutput {
                name: None,
                shape: vec![width.clone()],
                width,
            }],
            dropout_masks: vec![],
            graph,
            next: vec![],
            out: vec![vec![node]],
        })
    }

    /// Builds the cell of a layer whose inputs have these shapes at a step. Every mistake is
    /// reported.
    pub fn build(layer: &CellUse, inputs: &[Vec<Size>], found: &mut Diagnostics) -> Option<Cell> {
        let name = layer.cell.name.to_string();
        let mut b = Builder {
            names: BTreeMap::new(),
            made: BTreeMap::new(),
            label: name.clone(),
            path: layer.cell.path.clone(),
            cell: Cell {
                name,
                inputs: Vec::new(),
                params: Vec::new(),
                states: Vec::new(),
                outputs: Vec::new(),
                dropout_masks: Vec::new(),
                graph: Graph::default(),
                next: Vec::new(),
                out: Vec::new(),
            },
            found,
            tokens: &layer.cell.tokens,
            given: layer
                .arguments
                .iter()
                .map(|(name, _, span)| (name.clone(), *span))
                .collect(),
            inputs: inputs.to_vec(),
            arguments: layer
                .cell
                .arguments
                .iter()
                .map(|a| a.name.to_string())
                .collect(),
        };
        let mut good = b.arguments(layer).is_ok();
        good &= b.inputs(layer).is_ok();
        good &= b.items(&layer.cell.items).is_ok();
        good &= good && b.finish(layer).is_ok();
        good.then_some(b.cell)
    }
}

impl Builder<'_> {
    fn report<T>(&mut self, d: Diagnostic) -> Built<T> {
        self.found.push(d);
        Err(Reported)
    }

    fn fail<T>(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Built<T> {
        self.report(Diagnostic::new(code, span, message))
    }

    /// The value, or a report of the compiler's own mistake.
    fn sound<T>(&mut self, value: Sound<T>, span: Span) -> Built<T> {
        value.or_else(|bug| self.report(bug.diagnostic(span, &self.tokens.to_string())))
    }

    fn bug<T>(&mut self, what: impl Into<String>, span: Span) -> Built<T> {
        self.sound(Err(Bug::new(what)), span)
    }

    fn finish(&mut self, layer: &CellUse) -> Built<()> {
        let span = layer.cell.name.span();
        for i in 0..self.cell.states.len() {
            if self.cell.next[i].is_empty() {
                let name = self.cell.states[i].name.clone();
                let declared = layer.cell.items.iter().find_map(|item| match item {
                    Item::State { name: own, .. } if own == &name => Some(own.span()),
                    _ => None,
                });
                return self.report(
                    Diagnostic::new(
                        "RNN0212",
                        declared.unwrap_or(span),
                        format!("state `{name}` has no `next {name} = …;`"),
                    )
                    .help(format!(
                        "write `next {name} = …;` before the output, with what `{name}` is after the step"
                    )),
                );
            }
        }
        if self.cell.out.is_empty() {
            return self.report(
                Diagnostic::new(
                    "RNN0213",
                    span,
                    format!("cell {} has no output", self.label),
                )
                .help(format!(
                    "end it with output {};",
                    self.cell.states.first().map_or("h", |s| s.name.as_str())
                )),
            );
        }
        Ok(())
    }
}

/// The floats of a value of this shape.
pub(super) fn product(shape: &[Size]) -> Size {
    shape.iter().fold(Size::known(1), |n, size| &n * size)
}

/// `[4, units]`
fn show(shape: &[Size]) -> String {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}
