//! A cell for given sizes and arguments: statements become graph nodes, every size is checked.

use std::collections::BTreeMap;

use proc_macro2::Span;

use super::{
    ast::{CellAst, Expr, ExprKind, Item},
    functions,
    graph::{Binary, Compare, Extent, Graph, MatrixPart, NodeId, Reduce, Slot, Unary},
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
    /// Units.
    pub size: Size,
}

/// A cell for given sizes and arguments.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The cell's name.
    pub name: String,
    /// Features of its input.
    pub input: Size,
    /// Parameters, in the order written.
    pub params: Vec<Param>,
    /// States, in the order written.
    pub states: Vec<State>,
    /// Units of its output.
    pub output: Size,
    /// What it computes.
    pub graph: Graph,
    /// The value of each state after the step, in parts that stand side by side.
    pub next: Vec<Vec<NodeId>>,
    /// The output, in parts that stand side by side.
    pub out: Vec<NodeId>,
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
    /// How the user names the cell, for messages.
    label: String,
}

/// A mistake that has been reported.
struct Reported;
type Built<T> = Result<T, Reported>;

impl Cell {
    /// Builds the cell of a layer whose input has `input` features. Every mistake is reported.
    pub fn build(layer: &CellUse, input: &Size, found: &mut Diagnostics) -> Option<Cell> {
        let name = layer.cell.name.to_string();
        let mut graph = Graph::default();
        let x = graph.leaf(Slot::Input, Size::known(0), input.clone());
        let mut b = Builder {
            names: BTreeMap::new(),
            label: name.clone(),
            cell: Cell {
                name,
                input: input.clone(),
                params: Vec::new(),
                states: Vec::new(),
                output: Size::known(0),
                graph,
                next: Vec::new(),
                out: Vec::new(),
            },
            found,
        };
        b.names.insert("input".into(), Meaning::Size(input.clone()));
        b.names.insert("x".into(), Meaning::Parts(vec![x]));
        let mut good = b.arguments(layer).is_ok();
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
            if let Meaning::Function(f, _) = &meaning {
                if !functions::is_activation(f) && !INITIALIZERS.contains(&f.as_str()) {
                    let near = did_you_mean(
                        f,
                        functions::names().chain(INITIALIZERS.iter().copied()),
                    );
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
            Item::Param { name, shape, init, trainable } => {
                let init = self.initializer(init)?;
                let shape: Vec<Size> =
                    shape.iter().map(|e| self.size(e)).collect::<Built<_>>()?;
                if let ([_], Some(needs)) = (shape.as_slice(), needs_matrix(&init)) {
                    return self.report(
                        Diagnostic::new(
                            "RNN0132",
                            name.span(),
                            format!("`{needs}` makes a matrix, and `{name}` of {} is a vector", self.label),
                        )
                        .help("write zeros, ones, constant(0.5) or random_uniform"),
                    );
                }
                let index = self.cell.params.len();
                let meaning = match shape.len() {
                    1 => {
                        let node = self.cell.graph.param(index, Size::known(0), shape[0].clone());
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
                Ok(())
            }
            Item::State { name, size } => {
                let size = self.size(size)?;
                let index = self.cell.states.len();
                let node =
                    self.cell.graph.leaf(Slot::State(index), Size::known(0), size.clone());
                if self.cell.states.iter().any(|s| name == &s.name) {
                    return self.fail(
                        "RNN0204",
                        name.span(),
                        format!("there are two states named `{name}`"),
                    );
                }
                self.cell.states.push(State { name: name.to_string(), size });
                self.cell.next.push(Vec::new());
                self.names.insert(name.to_string(), Meaning::Parts(vec![node]));
                Ok(())
            }
            Item::Let { names, parts, value } => self.bind(names, *parts, value),
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
                self.cell.next[index] = parts.clone();
                self.names.insert(name.to_string(), Meaning::Parts(parts));
                Ok(())
            }
            Item::Output { value, span } => {
                let parts = self.parts(value)?;
                match self.width_of(&parts) {
                    Some(w) => self.cell.output = w,
                    None => {
                        return self.fail(
                            "RNN0206",
                            *span,
                            "the output is a single number; it has to be a vector",
                        );
                    }
                }
                if !self.cell.out.is_empty() {
                    return self.fail("RNN0207", *span, "there are two outputs; a cell has one");
                }
                self.cell.out = parts;
                Ok(())
            }
            Item::If { condition, then, otherwise } => {
                if self.flag(condition)? {
                    self.items(then)
                } else {
                    self.items(otherwise)
                }
            }
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
                Diagnostic::new("RNN0208", value.span, "`let [a, b] = …` takes parts of a vector")
                    .help("write let [a, b] = split(…);"),
            );
        };
        if f != "split" || arguments.len() != 1 {
            return self.report(
                Diagnostic::new("RNN0208", value.span, "`let [a, b] = …` takes parts of a vector")
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
                    format!("cannot split {width} units into {} equal parts", names.len()),
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
    fn cut(&mut self, whole: &[NodeId], offset: &Size, width: &Size, span: Span) -> Built<Vec<NodeId>> {
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
        self.fail("RNN0211", span, "this cuts a part of a `concat` in two; split it before")
    }

    fn finish(&mut self, layer: &CellUse) -> Built<()> {
        let span = layer.cell.name.span();
        for i in 0..self.cell.states.len() {
            if self.cell.next[i].is_empty() {
                let name = self.cell.states[i].name.clone();
                return self.report(
                    Diagnostic::new("RNN0212", span, format!("state `{name}` has no `next {name} = …;`"))
                        .help(format!("write next {name} = …; or let {name} be a parameter")),
                );
            }
        }
        if self.cell.out.is_empty() {
            return self.report(
                Diagnostic::new("RNN0213", span, format!("cell {} has no output", self.label))
                    .help("end it with output h;"),
            );
        }
        Ok(())
    }

    // Sizes, flags and initialisers: known when the model is compiled.

    fn size(&mut self, e: &Expr) -> Built<Size> {
        match &e.kind {
            ExprKind::Number(x) if *x >= 0.0 && x.fract() == 0.0 && *x < 1e15 => {
                Ok(Size::known(*x as usize))
            }
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Size(s)) => Ok(s.clone()),
                Some(_) => self.fail("RNN0214", e.span, format!("`{n}` is not a size")),
                None => self.unknown(n, e.span),
            },
            ExprKind::Binary('+', a, b) => Ok(&self.size(a)? + &self.size(b)?),
            ExprKind::Binary('*', a, b) => Ok(&self.size(a)? * &self.size(b)?),
            ExprKind::Binary('/', a, b) => {
                let (a, b) = (self.size(a)?, self.size(b)?);
                match b.value().and_then(|b| a.divide(b)) {
                    Some(s) => Ok(s),
                    None => self.fail("RNN0215", e.span, format!("{a} is not a multiple of {b}")),
                }
            }
            _ => self.report(
                Diagnostic::new("RNN0214", e.span, "this is not a size")
                    .help("sizes are whole numbers, `input`, arguments such as `units`, sums and products"),
            ),
        }
    }

    fn flag(&mut self, e: &Expr) -> Built<bool> {
        match &e.kind {
            ExprKind::Flag(f) => Ok(*f),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Flag(f)) => Ok(*f),
                Some(_) => self.not_a_flag(e.span),
                None => self.unknown(n, e.span),
            },
            ExprKind::Negate(a) => Ok(!self.flag(a)?),
            ExprKind::Binary('&', a, b) => Ok(self.flag(a)? & self.flag(b)?),
            ExprKind::Binary('|', a, b) => Ok(self.flag(a)? | self.flag(b)?),
            ExprKind::Compare(how, a, b) => {
                let (x, y) = (self.known_number(a)?, self.known_number(b)?);
                Ok(match *how {
                    "<" => x < y,
                    "<=" => x <= y,
                    ">" => x > y,
                    ">=" => x >= y,
                    "!=" => x != y,
                    _ => x == y,
                })
            }
            _ => self.not_a_flag(e.span),
        }
    }

    fn not_a_flag<T>(&mut self, span: Span) -> Built<T> {
        self.report(
            Diagnostic::new("RNN0216", span, "`if` in a cell is decided when the model is compiled, so it needs a flag")
                .help("for a choice by value write select(a > b, x, y)"),
        )
    }

    fn known_number(&mut self, e: &Expr) -> Built<f64> {
        let parts = self.parts(e)?;
        match parts.as_slice() {
            [one] => match self.cell.graph.number_of(*one) {
                Some(x) => Ok(x),
                None => self.not_a_flag(e.span),
            },
            _ => self.not_a_flag(e.span),
        }
    }

    fn initializer(&mut self, e: &Expr) -> Built<Initializer> {
        let (name, numbers) = match &e.kind {
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Function(f, x)) => (f.clone(), x.clone()),
                _ => (n.clone(), vec![]),
            },
            ExprKind::Call(n, arguments) if n == "ones_in" => {
                let [from, to, rest] = arguments.as_slice() else {
                    return self.fail("RNN0217", e.span, "`ones_in` takes the first and one past the last column, and an initialiser for the rest");
                };
                let rest = Box::new(self.initializer(rest)?);
                return Ok(Initializer::OnesIn(self.size(from)?, self.size(to)?, rest));
            }
            ExprKind::Call(n, arguments) => {
                let numbers = arguments.iter().map(|a| self.known_number(a)).collect::<Built<_>>()?;
                (n.clone(), numbers)
            }
            ExprKind::If(c, a, b) => {
                return if self.flag(c)? { self.initializer(a) } else { self.initializer(b) };
            }
            _ => return self.fail("RNN0217", e.span, "this is not an initialiser"),
        };
        if !INITIALIZERS.contains(&name.as_str()) {
            let mut d = Diagnostic::new("RNN0217", e.span, format!("there is no initialiser `{name}`"));
            d = match did_you_mean(&name, INITIALIZERS.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("there are {}", INITIALIZERS.join(", "))),
            };
            return self.report(d);
        }
        match (name.as_str(), numbers.len()) {
            ("constant", 1) => Ok(Initializer::Named(name, Some(numbers[0]))),
            ("constant", _) => self.fail("RNN0217", e.span, "`constant` takes a number: constant(0.5)"),
            (_, 0) => Ok(Initializer::Named(name, None)),
            _ => self.fail("RNN0217", e.span, format!("`{name}` takes no numbers")),
        }
    }

    fn unknown<T>(&mut self, name: &str, span: Span) -> Built<T> {
        let d = Diagnostic::new("RNN0218", span, format!("there is no `{name}` in cell {}", self.label));
        let near = did_you_mean(name, self.names.keys().map(String::as_str)).map(str::to_owned);
        let d = match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help(format!(
                "known here: {}",
                self.names.keys().cloned().collect::<Vec<_>>().join(", ")
            )),
        };
        self.report(d)
    }

    // Values.

    fn parts(&mut self, e: &Expr) -> Built<Vec<NodeId>> {
        match self.meaning(e)? {
            Meaning::Parts(p) => Ok(p),
            Meaning::Number(x) => Ok(vec![self.cell.graph.number(x)]),
            Meaning::Size(s) => Ok(vec![self.cell.graph.size_of(&s)]),
            Meaning::Matrix(p) => {
                let name = self.cell.params[p].name.clone();
                self.report(
                    Diagnostic::new("RNN0219", e.span, format!("`{name}` is a matrix; lane-by-lane maths takes vectors"))
                        .help(format!("multiply by it: x @ {name}; or take a row: {name}[0]")),
                )
            }
            Meaning::Flag(_) => self.fail("RNN0220", e.span, "a flag where a value is needed"),
            Meaning::Function(f, _) => self.report(
                Diagnostic::new("RNN0220", e.span, format!("the function `{f}` where a value is needed"))
                    .help(format!("call it: {f}(x)")),
            ),
        }
    }

    fn meaning(&mut self, e: &Expr) -> Built<Meaning> {
        Ok(Meaning::Parts(match &e.kind {
            ExprKind::Number(x) => vec![self.cell.graph.number(*x)],
            ExprKind::Flag(f) => return Ok(Meaning::Flag(*f)),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(m) => return Ok(m.clone()),
                None if functions::is_activation(n) => {
                    return Ok(Meaning::Function(n.clone(), vec![]));
                }
                None => return self.unknown(n, e.span),
            },
            ExprKind::Negate(a) => {
                if let Ok(f) = self.quiet_flag(a) {
                    return Ok(Meaning::Flag(!f));
                }
                let a = self.parts(a)?;
                a.into_iter().map(|p| self.cell.graph.unary(Unary::Neg, p)).collect()
            }
            ExprKind::Binary('@', a, b) => self.matmul(a, b, e.span)?,
            ExprKind::Binary('&' | '|', ..) => return Ok(Meaning::Flag(self.flag(e)?)),
            ExprKind::Binary(op, a, b) => {
                let op = match op {
                    '+' => Binary::Add,
                    '-' => Binary::Sub,
                    '*' => Binary::Mul,
                    _ => Binary::Div,
                };
                let (a, b) = (self.parts(a)?, self.parts(b)?);
                self.lanes(&[a, b], e.span, |g, p| g.binary(op, p[0], p[1]))?
            }
            ExprKind::Compare(..) => {
                return self.report(
                    Diagnostic::new("RNN0221", e.span, "a comparison is no value")
                        .help("write select(a > b, x, y)"),
                );
            }
            ExprKind::If(c, a, b) => {
                return if self.flag(c)? { self.meaning(a) } else { self.meaning(b) };
            }
            ExprKind::Index(a, i) => {
                let Meaning::Matrix(p) = self.meaning(a)? else {
                    return self.fail("RNN0222", e.span, "only a parameter with two axes has rows");
                };
                let shape = self.cell.params[p].shape.clone();
                if shape[0].value().is_some_and(|rows| *i >= rows) {
                    return self.fail("RNN0222", e.span, format!("row {i} of {} rows", shape[0]));
                }
                let offset = &Size::known(*i) * &shape[1];
                vec![self.cell.graph.param(p, offset, shape[1].clone())]
            }
            ExprKind::Call(f, arguments) => self.call(f, arguments, e.span)?,
        }))
    }

    /// The flag that an expression is, if it is the name of one; reports nothing.
    fn quiet_flag(&self, e: &Expr) -> Built<bool> {
        match &e.kind {
            ExprKind::Flag(f) => Ok(*f),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Flag(f)) => Ok(*f),
                _ => Err(Reported),
            },
            _ => Err(Reported),
        }
    }

    fn matmul(&mut self, a: &Expr, b: &Expr, span: Span) -> Built<Vec<NodeId>> {
        let left = self.parts(a)?;
        let Meaning::Matrix(param) = self.meaning(b)? else {
            return self.report(
                Diagnostic::new("RNN0223", b.span, "the right side of `@` has to be a parameter with two axes")
                    .help("declare it: param kernel: [input, units] = glorot_uniform;"),
            );
        };
        let shape = self.cell.params[param].shape.clone();
        let name = self.cell.params[param].name.clone();
        let Some(width) = self.width_of(&left) else {
            return self.fail("RNN0223", a.span, "the left side of `@` is a single number; it has to be a vector");
        };
        if width != shape[0] {
            return self.report(
                Diagnostic::new(
                    "RNN0224",
                    span,
                    format!("{width} units times `{name}` of shape [{}, {}]", shape[0], shape[1]),
                )
                .help(format!("param {name}: [{width}, {}]", shape[1])),
            );
        }
        let mut row = Size::known(0);
        let mut terms = Vec::new();
        for p in left {
            let Some(w) = self.cell.graph.width(p).cloned() else { continue };
            terms.push((
                p,
                MatrixPart {
                    param,
                    columns: shape[1].clone(),
                    row: row.clone(),
                    column: Size::known(0),
                    transposed: false,
                },
            ));
            row = &row + &w;
        }
        Ok(vec![self.cell.graph.product(terms, shape[1].clone())])
    }

    fn call(&mut self, f: &str, arguments: &[Expr], span: Span) -> Built<Vec<NodeId>> {
        let (f, numbers) = match self.names.get(f) {
            Some(Meaning::Function(f, x)) => (f.clone(), x.clone()),
            _ => (f.to_owned(), vec![]),
        };
        let wrong = |b: &mut Self, takes: &str| {
            b.fail("RNN0225", span, format!("`{f}` takes {takes}, found {}", arguments.len()))
        };
        match (f.as_str(), arguments.len()) {
            ("concat", 1..) => {
                let mut all = Vec::new();
                for a in arguments {
                    let parts = self.parts(a)?;
                    if self.width_of(&parts).is_none() {
                        return self.fail("RNN0226", a.span, "`concat` of a single number");
                    }
                    all.extend(parts);
                }
                return Ok(all);
            }
            ("split", _) => {
                return self.report(
                    Diagnostic::new("RNN0208", span, "`split` gives several vectors")
                        .help("write let [a, b] = split(…);"),
                );
            }
            ("min" | "max" | "pow", 2) => {
                let op = match f.as_str() {
                    "min" => Binary::Min,
                    "max" => Binary::Max,
                    _ => Binary::Pow,
                };
                let (a, b) = (self.parts(&arguments[0])?, self.parts(&arguments[1])?);
                return self.lanes(&[a, b], span, |g, p| g.binary(op, p[0], p[1]));
            }
            ("min" | "max" | "pow", _) => return wrong(self, "two arguments"),
            ("select", 3) => {
                let ExprKind::Compare(how, a, b) = &arguments[0].kind else {
                    return self.report(
                        Diagnostic::new("RNN0227", arguments[0].span, "`select` takes a comparison first")
                            .help("write select(a > b, x, y)"),
                    );
                };
                let mut all = Vec::new();
                for e in [a.as_ref(), b.as_ref(), &arguments[1], &arguments[2]] {
                    all.push(self.parts(e)?);
                }
                let (how, swap) = match *how {
                    "<" => (Compare::Lt, false),
                    "<=" => (Compare::Le, false),
                    ">" => (Compare::Gt, false),
                    ">=" => (Compare::Ge, false),
                    "!=" => (Compare::Eq, true),
                    _ => (Compare::Eq, false),
                };
                if swap {
                    all.swap(2, 3);
                }
                return self.lanes(&all, span, |g, p| g.select(how, p[0], p[1], p[2], p[3]));
            }
            ("select", _) => return wrong(self, "a comparison and two values"),
            _ => {}
        }
        let [argument] = arguments else {
            return if functions::names().any(|n| n == f) {
                wrong(self, "one argument")
            } else {
                self.no_function(&f, span)
            };
        };
        let x = self.parts(argument)?;
        let g = &mut self.cell.graph;
        match (f.as_str(), numbers.as_slice()) {
            ("softmax", []) => return Ok(functions::softmax(g, &x)),
            ("leaky_relu", [slope]) => {
                return Ok(x.iter().map(|&x| functions::leaky_relu(g, x, *slope)).collect());
            }
            ("elu", [alpha]) => {
                return Ok(x.iter().map(|&x| functions::elu(g, x, *alpha)).collect());
            }
            (_, [_, ..]) => {
                return self.fail("RNN0225", span, format!("`{f}` takes no numbers"));
            }
            _ => {}
        }
        if let "sum" | "mean" | "variance" | "max_of" | "min_of" = f.as_str() {
            let Some(width) = self.width_of(&x) else {
                return self.fail("RNN0225", argument.span, format!("`{f}` of a single number"));
            };
            return Ok(vec![self.reduction(&f, &x, &width)]);
        }
        let mut out = Vec::new();
        for part in x {
            match functions::apply(&mut self.cell.graph, &f, part) {
                Some(y) => out.push(y),
                None => return self.no_function(&f, span),
            }
        }
        Ok(out)
    }

    fn reduction(&mut self, f: &str, x: &[NodeId], width: &Size) -> NodeId {
        let g = &mut self.cell.graph;
        match f {
            "max_of" => functions::fold_rows(g, Reduce::Max, Binary::Max, x),
            "min_of" => {
                let negative: Vec<_> = x.iter().map(|&x| g.unary(Unary::Neg, x)).collect();
                let max = functions::fold_rows(g, Reduce::Max, Binary::Max, &negative);
                g.unary(Unary::Neg, max)
            }
            "sum" => functions::fold_rows(g, Reduce::Sum, Binary::Add, x),
            _ => {
                let n = g.size_of(width);
                let sum = functions::fold_rows(g, Reduce::Sum, Binary::Add, x);
                let mean = g.binary(Binary::Div, sum, n);
                if f == "mean" {
                    return mean;
                }
                let squares: Vec<_> = x
                    .iter()
                    .map(|&x| {
                        let d = g.binary(Binary::Sub, x, mean);
                        g.binary(Binary::Mul, d, d)
                    })
                    .collect();
                let sum = functions::fold_rows(g, Reduce::Sum, Binary::Add, &squares);
                g.binary(Binary::Div, sum, n)
            }
        }
    }

    fn no_function<T>(&mut self, f: &str, span: Span) -> Built<T> {
        let mut d = Diagnostic::new("RNN0228", span, format!("there is no function `{f}`"));
        if let Some(near) = did_you_mean(f, functions::names()) {
            d = d.help(format!("did you mean `{near}`?"));
        }
        self.report(d)
    }

    /// Applies `f` lane by lane; operands in several parts are cut alike.
    fn lanes(
        &mut self,
        operands: &[Vec<NodeId>],
        span: Span,
        mut f: impl FnMut(&mut Graph, &[NodeId]) -> NodeId,
    ) -> Built<Vec<NodeId>> {
        let widths: Vec<Option<Size>> = operands.iter().map(|o| self.width_of(o)).collect();
        let mut known = widths.iter().flatten();
        if let Some(first) = known.next() {
            if let Some(other) = known.find(|w| *w != first) {
                return self.report(
                    Diagnostic::new("RNN0229", span, format!("vectors of {first} and of {other} units"))
                        .note("lane-by-lane maths takes vectors of one size, and single numbers"),
                );
            }
        }
        let Some(model) = operands.iter().max_by_key(|o| o.len()).cloned() else {
            return Ok(vec![]);
        };
        let mut offset = Size::known(0);
        let mut out = Vec::new();
        for &part in &model {
            let width = self.cell.graph.width(part).cloned();
            let mut cut = Vec::new();
            for o in operands {
                cut.push(match (&width, self.width_of(o)) {
                    (Some(w), Some(_)) => match self.cut(o, &offset, w, span)?.as_slice() {
                        [one] => *one,
                        _ => return self.fail("RNN0211", span, "these vectors are joined at different places"),
                    },
                    _ => o[0],
                });
            }
            out.push(f(&mut self.cell.graph, &cut));
            if let Some(w) = width {
                offset = &offset + &w;
            }
        }
        Ok(out)
    }

    /// Units of vectors side by side; `None` for a number.
    fn width_of(&self, parts: &[NodeId]) -> Option<Size> {
        let mut total: Option<Size> = None;
        for &p in parts {
            if let Extent::Vector(w) = &self.cell.graph.node(p).extent {
                total = Some(match total {
                    None => w.clone(),
                    Some(t) => &t + w,
                });
            }
        }
        total
    }

    fn expect_width(&mut self, parts: &[NodeId], size: &Size, span: Span, what: &str) -> Built<()> {
        match self.width_of(parts) {
            Some(w) if w != *size => self.report(
                Diagnostic::new("RNN0230", span, format!("{what} has {size} units, found {w}")),
            ),
            _ => Ok(()),
        }
    }
}

/// The initialiser's name, if it makes matrices only.
fn needs_matrix(init: &Initializer) -> Option<&str> {
    match init {
        Initializer::Named(name, _) => {
            ["orthogonal", "identity"].contains(&name.as_str()).then_some(name)
        }
        Initializer::OnesIn(_, _, rest) => needs_matrix(rest),
    }
}
