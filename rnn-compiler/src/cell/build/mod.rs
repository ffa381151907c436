//! A cell for given sizes and arguments: statements become graph nodes, every size is checked.

use std::collections::BTreeMap;

use proc_macro2::Span;

mod known;
mod values;

use super::{
    ast::{CellAst, Expr, ExprKind, Item},
    functions,
    graph::{Extent, Graph, NodeId, Op, Slot},
    optimize::live,
    size::Size,
    value::{INITIALIZERS, Initializer, Value},
};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};

/// A parameter of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name in the cell; the layer's name and a slash go in front.
    pub name: String,
    /// Its shape, one or two axes.
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
pub struct Noise {
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
    pub noises: Vec<Noise>,
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

/// What a name stands for.
#[derive(Clone)]
enum Meaning {
    /// Vectors side by side, numbers and rows.
    Parts(Vec<NodeId>),
    /// A parameter with two axes.
    Matrix(usize),
    /// A number that is known now.
    Number(f64),
    Flag(bool),
    /// A size: usable in shapes, and as a number.
    Size(Size),
    /// An activation or an initialiser, with its numbers.
    Function(String, Vec<f64>),
}

struct Builder<'a> {
    names: BTreeMap<String, Meaning>,
    cell: Cell,
    found: &'a mut Diagnostics,
    /// Where the arguments stand that the user gave.
    given: BTreeMap<String, Span>,
    /// How the user names the cell, for messages.
    label: String,
}

/// A mistake that has been reported.
struct Reported;
type Built<T> = Result<T, Reported>;

impl Cell {
    /// Builds the cell of a layer whose inputs have these shapes at a step. Every mistake is
    /// reported.
    pub fn build(layer: &CellUse, inputs: &[Vec<Size>], found: &mut Diagnostics) -> Option<Cell> {
        let name = layer.cell.name.to_string();
        let mut graph = Graph::default();
        let shape = inputs.first().cloned().unwrap_or_default();
        let input = product(&shape);
        let x = graph.leaf(Slot::Input(0), Size::known(0), input.clone());
        let mut b = Builder {
            names: BTreeMap::new(),
            label: name.clone(),
            cell: Cell {
                name,
                inputs: vec![CellInput {
                    name: "x".into(),
                    shape,
                    width: input.clone(),
                }],
                params: Vec::new(),
                states: Vec::new(),
                outputs: Vec::new(),
                noises: Vec::new(),
                graph,
                next: Vec::new(),
                out: Vec::new(),
            },
            found,
            given: layer
                .arguments
                .iter()
                .map(|(name, _, span)| (name.clone(), *span))
                .collect(),
        };
        b.names.insert("input".into(), Meaning::Size(input));
        b.names.insert("x".into(), Meaning::Parts(vec![x]));
        let mut good = b.arguments(layer).is_ok();
        good &= b.items(&layer.cell.items).is_ok();
        good &= good && b.finish(layer).is_ok();
        good.then_some(b.cell)
    }

    /// The cell as inference computes it: its masks are 1.
    pub fn without_noise(&self) -> Cell {
        let mut cell = self.clone();
        if cell.noises.is_empty() {
            return cell;
        }
        cell.rewrite(|g, roots| {
            let (order, _) = live(g, roots);
            let (mut out, mut map) = (Graph::default(), BTreeMap::new());
            for id in order {
                let node = g.node(id);
                let new = match &node.op {
                    Op::Leaf(Slot::Noise(_), _) => out.number(1.0),
                    op => out.rebuild(op, &node.extent, |o| map[&o]),
                };
                map.insert(id, new);
            }
            (out, map)
        });
        cell.noises.clear();
        cell
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

    fn arguments(&mut self, layer: &CellUse) -> Built<()> {
        let mut good = Ok(());
        for a in &layer.cell.arguments {
            let name = a.name.to_string();
            let given = layer.arguments.iter().find(|(n, ..)| *n == name);
            let (value, span) = match (given, &a.default) {
                (Some((_, v, span)), _) => (v.clone(), *span),
                (None, Some(v)) => (v.clone(), a.name.span()),
                (None, None) => {
                    good = self.report(
                        Diagnostic::new(
                            "RNN0201",
                            a.name.span(),
                            format!("{} needs its argument `{name}`", self.label),
                        )
                        .help(format!("write {}({name} = 32)", self.label)),
                    );
                    continue;
                }
            };
            let meaning = match value {
                Value::Size(s) => Meaning::Size(s),
                Value::Number(x) => Meaning::Number(x),
                Value::Flag(f) => Meaning::Flag(f),
                Value::Name(n) => Meaning::Function(n, vec![]),
                Value::Call(n, x) => Meaning::Function(n, x),
            };
            if let Meaning::Function(f, _) = &meaning
                && !functions::is_activation(f)
                && !INITIALIZERS.contains(&f.as_str())
            {
                let near = did_you_mean(f, functions::names().chain(INITIALIZERS.iter().copied()));
                let mut d = Diagnostic::new(
                    "RNN0202",
                    span,
                    format!("`{name}` of {}: there is no `{f}`", self.label),
                );
                if let Some(near) = near {
                    d = d.help(format!("did you mean `{near}`?"));
                }
                good = self.report(d);
            }
            self.names.insert(name, meaning);
        }
        good
    }

    fn items(&mut self, items: &[Item]) -> Built<()> {
        let mut good = Ok(());
        for item in items {
            let names = match item {
                Item::Let { names, .. } => names.iter().map(ToString::to_string).collect(),
                _ => vec![],
            };
            if self.item(item).is_err() {
                good = Err(Reported);
                // Names of a failed `let` stay unknown; what uses them would only repeat it.
                if !names.is_empty() {
                    return good;
                }
            }
        }
        good
    }

    fn item(&mut self, item: &Item) -> Built<()> {
        match item {
            Item::Param {
                name,
                shape,
                init,
                trainable,
            } => {
                let written = init;
                let init = self.initializer(written)?;
                let mut good = Ok(());
                let shape: Vec<Size> = shape.iter().map(|e| self.size(e)).collect::<Built<_>>()?;
                if let ([_], Some(needs)) = (shape.as_slice(), needs_matrix(&init)) {
                    // The parameter is there all the same, else all that uses it would complain.
                    good = self.report(
                        Diagnostic::new(
                            "RNN0132",
                            self.given_in(written).unwrap_or(name.span()),
                            format!(
                                "`{needs}` makes a matrix, and `{name}` of {} is a vector",
                                self.label
                            ),
                        )
                        .help("write zeros, ones, constant(0.5) or random_uniform"),
                    );
                }
                let index = self.cell.params.len();
                let meaning = match shape.len() {
                    1 => {
                        let node = self
                            .cell
                            .graph
                            .param(index, Size::known(0), shape[0].clone());
                        Meaning::Parts(vec![node])
                    }
                    2 => Meaning::Matrix(index),
                    n => {
                        return self.report(
                            Diagnostic::new(
                                "RNN0203",
                                name.span(),
                                format!("parameter `{name}` has {n} axes; 1 or 2 are supported"),
                            )
                            .help("a vector [units] or a matrix [rows, columns]"),
                        );
                    }
                };
                if self.cell.params.iter().any(|p| name == &p.name) {
                    return self.fail(
                        "RNN0204",
                        name.span(),
                        format!("there are two parameters named `{name}`"),
                    );
                }
                self.cell.params.push(Param {
                    name: name.to_string(),
                    shape,
                    init,
                    trainable: *trainable,
                });
                self.names.insert(name.to_string(), meaning);
                good
            }
            Item::State { name, shape } => {
                let shape: Vec<Size> = shape.iter().map(|e| self.size(e)).collect::<Built<_>>()?;
                let size = product(&shape);
                let index = self.cell.states.len();
                let node = self
                    .cell
                    .graph
                    .leaf(Slot::State(index), Size::known(0), size.clone());
                if self.cell.states.iter().any(|s| name == &s.name) {
                    return self.fail(
                        "RNN0204",
                        name.span(),
                        format!("there are two states named `{name}`"),
                    );
                }
                self.cell.states.push(State {
                    name: name.to_string(),
                    shape,
                    size,
                });
                self.cell.next.push(Vec::new());
                self.names
                    .insert(name.to_string(), Meaning::Parts(vec![node]));
                Ok(())
            }
            Item::Let {
                names,
                parts,
                value,
            } => self.bind(names, *parts, value),
            Item::Next { name, value } => {
                let parts = self.parts(value)?;
                let Some(index) = self.cell.states.iter().position(|s| name == &s.name) else {
                    let near =
                        did_you_mean(&name.to_string(), self.cell.states.iter().map(|s| &*s.name))
                            .map(str::to_owned);
                    let mut d = Diagnostic::new(
                        "RNN0205",
                        name.span(),
                        format!("`next {name}`: there is no state `{name}`"),
                    );
                    d = match near {
                        Some(near) => d.help(format!("did you mean `{near}`?")),
                        None => d.help(format!("declare it: state {name}: [units];")),
                    };
                    return self.report(d);
                };
                let size = self.cell.states[index].size.clone();
                self.expect_width(&parts, &size, value.span, &format!("state `{name}`"))?;
                let parts = match (self.width_of(&parts), parts.as_slice()) {
                    (None, [one]) => vec![self.cell.graph.spread(*one, size)],
                    _ => parts,
                };
                self.cell.next[index] = parts.clone();
                self.names.insert(name.to_string(), Meaning::Parts(parts));
                Ok(())
            }
            Item::Output { value, span } => {
                let parts = self.parts(value)?;
                let width = match (self.width_of(&parts), parts.as_slice()) {
                    (Some(w), _) => w,
                    (None, [one]) if self.cell.graph.node(*one).extent == Extent::Row => {
                        Size::known(1)
                    }
                    _ => {
                        return self.fail(
                            "RNN0206",
                            *span,
                            "the output is a single number; it has to be a vector",
                        );
                    }
                };
                if !self.cell.out.is_empty() {
                    return self.fail("RNN0207", *span, "there are two outputs; a cell has one");
                }
                self.cell.outputs.push(CellOutput {
                    name: None,
                    shape: vec![width.clone()],
                    width,
                });
                self.cell.out.push(parts);
                Ok(())
            }
            Item::If {
                condition,
                then,
                otherwise,
            } => {
                if self.flag(condition)? {
                    self.items(then)
                } else {
                    self.items(otherwise)
                }
            }
        }
    }

    /// Where the user's argument stands that the initialiser `e` names.
    fn given_in(&self, e: &Expr) -> Option<Span> {
        match &e.kind {
            ExprKind::Name(name) => self.given.get(name).copied(),
            // The last of `ones_in`; the others are columns.
            ExprKind::Call(_, parts) => self.given_in(parts.last()?),
            ExprKind::If(_, a, b) => self.given_in(a).or_else(|| self.given_in(b)),
            _ => None,
        }
    }

    fn bind(&mut self, names: &[syn::Ident], parts: bool, value: &Expr) -> Built<()> {
        if !parts {
            let meaning = self.meaning(value)?;
            self.names.insert(names[0].to_string(), meaning);
            return Ok(());
        }
        let ExprKind::Call(f, arguments) = &value.kind else {
            return self.report(
                Diagnostic::new(
                    "RNN0208",
                    value.span,
                    "`let [a, b] = …` takes parts of a vector",
                )
                .help("write let [a, b] = split(…);"),
            );
        };
        if f != "split" || arguments.len() != 1 {
            return self.report(
                Diagnostic::new(
                    "RNN0208",
                    value.span,
                    "`let [a, b] = …` takes parts of a vector",
                )
                .help("write let [a, b] = split(…);"),
            );
        }
        let whole = self.parts(&arguments[0])?;
        let Some(width) = self.width_of(&whole) else {
            return self.fail("RNN0209", value.span, "`split` of a single number");
        };
        let Some(part) = width.divide(names.len()) else {
            return self.report(
                Diagnostic::new(
                    "RNN0210",
                    value.span,
                    format!(
                        "cannot split {width} units into {} equal parts",
                        names.len()
                    ),
                )
                .help("make the size a multiple: [input, n * units]"),
            );
        };
        let mut offset = Size::known(0);
        for name in names {
            let cut = self.cut(&whole, &offset, &part, value.span)?;
            self.names.insert(name.to_string(), Meaning::Parts(cut));
            offset = &offset + &part;
        }
        Ok(())
    }

    /// Units `offset..offset + width` of vectors side by side.
    fn cut(
        &mut self,
        whole: &[NodeId],
        offset: &Size,
        width: &Size,
        span: Span,
    ) -> Built<Vec<NodeId>> {
        if let [one] = whole {
            return Ok(vec![self.cell.graph.slice(*one, offset, width)]);
        }
        let mut start = Size::known(0);
        let (mut taken, mut inside) = (Vec::new(), false);
        let end = offset + width;
        for &p in whole {
            inside |= start == *offset;
            if start == end {
                break;
            }
            if inside {
                taken.push(p);
            }
            if let Some(w) = self.cell.graph.width(p) {
                start = &start + w;
            }
        }
        if inside && start == end {
            return Ok(taken);
        }
        self.fail(
            "RNN0211",
            span,
            "this cuts a part of a `concat` in two; split it before",
        )
    }

    fn finish(&mut self, layer: &CellUse) -> Built<()> {
        let span = layer.cell.name.span();
        for i in 0..self.cell.states.len() {
            if self.cell.next[i].is_empty() {
                let name = self.cell.states[i].name.clone();
                return self.report(
                    Diagnostic::new(
                        "RNN0212",
                        span,
                        format!("state `{name}` has no `next {name} = …;`"),
                    )
                    .help(format!(
                        "write next {name} = …; or let {name} be a parameter"
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
                .help("end it with output h;"),
            );
        }
        Ok(())
    }
}

/// The floats of a value of this shape.
fn product(shape: &[Size]) -> Size {
    shape.iter().fold(Size::known(1), |n, size| &n * size)
}

/// The initialiser's name, if it makes matrices only.
fn needs_matrix(init: &Initializer) -> Option<&str> {
    match init {
        Initializer::Named(name, _) => ["orthogonal", "identity"]
            .contains(&name.as_str())
            .then_some(name),
        Initializer::OnesIn(_, _, rest) => needs_matrix(rest),
    }
}
