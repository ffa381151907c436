//! Expressions: vectors, rows and numbers.

use proc_macro2::Span;

use super::{Builder, Built, Lanes, Meaning, Reported, Tensor, product, show};
use crate::{
    cell::{
        ast::{Expr, ExprKind},
        cell_constant, functions,
        graph::{Binary, MatrixPart, NodeId, Unary},
        size::Size,
    },
    diagnostics::{Diagnostic, Sound},
};

impl Tensor {
    /// The matrix that a product multiplies by.
    fn part(&self, row: Size) -> MatrixPart {
        MatrixPart {
            param: self.param,
            columns: self.columns.clone(),
            row: &self.row + &row,
            column: self.column.clone(),
            transposed: false,
        }
    }

    /// Whether its floats lie side by side.
    pub(super) fn is_whole(&self) -> bool {
        self.shape.last() == Some(&self.columns)
    }
}

impl Builder<'_> {
    /// The vectors that an expression is.
    pub(super) fn parts(&mut self, e: &Expr) -> Built<Lanes> {
        match self.meaning(e)? {
            Meaning::Lanes(p) => Ok(p),
            Meaning::Number(x) => Ok(Lanes::number(self.cell.graph.number(x))),
            Meaning::Size(s) => Ok(Lanes::number(self.cell.graph.size_of(&s))),
            // A parameter with two axes takes part in lane-by-lane maths of values with two axes.
            Meaning::Tensor(t) if t.is_whole() => Ok(self.floats(&t)),
            Meaning::Tensor(t) => self.matrix_among_vectors(t.param, e.span),
            Meaning::Flag(_) => self.fail("RNN0220", e.span, "a flag where a value is needed"),
            Meaning::Function(f, _) => self.report(
                Diagnostic::new(
                    "RNN0220",
                    e.span,
                    format!("the function `{f}` where a value is needed"),
                )
                .help(format!("call it: {f}(x)")),
            ),
            Meaning::Mistake => Err(Reported),
        }
    }

    /// A whole parameter as a value of its shape.
    pub(super) fn floats(&mut self, t: &Tensor) -> Lanes {
        let from = &(&t.row * &t.columns) + &t.column;
        let node = self.cell.graph.param(t.param, from, product(&t.shape));
        Lanes::one(node, &t.shape)
    }

    /// The vectors of two expressions; mistakes in both are reported.
    fn both(&mut self, a: &Expr, b: &Expr) -> Built<(Lanes, Lanes)> {
        let (a, b) = (self.parts(a), self.parts(b));
        Ok((a?, b?))
    }

    pub(super) fn meaning(&mut self, e: &Expr) -> Built<Meaning> {
        Ok(Meaning::Lanes(match &e.kind {
            ExprKind::Number(x) => Lanes::number(self.cell.graph.number(*x)),
            ExprKind::Flag(f) => return Ok(Meaning::Flag(*f)),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Mistake) => return Err(Reported),
                Some(m) => return Ok(m.clone()),
                None if functions::is_activation(n) => {
                    return Ok(Meaning::Function(n.clone(), vec![]));
                }
                None => return self.unknown(n, e.span),
            },
            ExprKind::Path(path) => {
                let path = cell_constant::text(path);
                return self.report(
                    Diagnostic::new("RNN0218", e.span, format!("`{path}` is no value of a cell"))
                        .note("a `const` or a function of the program gives the numbers that a parameter starts with")
                        .help(format!("write `frozen param a: [units] = {path};`, and `a` here")),
                );
            }
            ExprKind::Negate(a) => {
                if let Ok(f) = self.quiet_flag(a) {
                    return Ok(Meaning::Flag(!f));
                }
                let a = self.parts(a)?;
                self.each(&a, |g, p| g.unary(Unary::Neg, p))
            }
            ExprKind::Binary('@', a, b) => self.matmul(a, b, e.span)?,
            ExprKind::Binary('&' | '|', ..) => return Ok(Meaning::Flag(self.flag(e)?)),
            ExprKind::Binary(op, a, b) => {
                let op = match op {
                    '+' => Binary::Add,
                    '-' => Binary::Sub,
                    '*' => Binary::Mul,
                    '/' => Binary::Div,
                    other => return self.bug(format!("the operator `{other}`"), e.span),
                };
                let (left, right) = self.both(a, b)?;
                if !left.shape.is_empty() && !right.shape.is_empty() && left.shape != right.shape {
                    return self.two_shapes((a, &left), (b, &right), e.span);
                }
                let names = ["the left side", "the right side"];
                self.lanes(&[left, right], &names, e.span, |g, p| {
                    g.binary(op, p[0], p[1])
                })?
            }
            ExprKind::Compare(..) => {
                return self.report(
                    Diagnostic::new("RNN0221", e.span, "a comparison is no value").help(format!(
                        "it chooses between two values: write `select({e}, 1, 0)`"
                    )),
                );
            }
            ExprKind::If(c, a, b) => {
                return if self.flag(c)? {
                    self.meaning(a)
                } else {
                    self.meaning(b)
                };
            }
            ExprKind::Index(a, i) => return self.row(a, *i, e.span),
            ExprKind::Einsum(equation, at, operands) => self.einsum(equation, *at, operands)?,
            ExprKind::Call(f, arguments) => self.call(f, arguments, e.span)?,
        }))
    }

    /// `f` of each vector.
    pub(super) fn each(
        &mut self,
        x: &Lanes,
        mut f: impl FnMut(&mut super::Graph, NodeId) -> NodeId,
    ) -> Lanes {
        let parts = x.parts.iter().map(|&p| f(&mut self.cell.graph, p));
        Lanes {
            parts: parts.collect(),
            shape: x.shape.clone(),
        }
    }

    /// `bias[0]`: a part of a parameter, by its first axis.
    fn row(&mut self, of: &Expr, i: usize, span: Span) -> Built<Meaning> {
        let Meaning::Tensor(t) = self.meaning(of)? else {
            let d = Diagnostic::new(
                "RNN0222",
                span,
                format!("`{of}` has no rows: only a parameter with two or more axes has"),
            );
            return self.report(d.help(format!(
                "write `{of}` alone; parts of a vector come from `let [a, b] = split({of});`"
            )));
        };
        let [rows, rest @ ..] = t.shape.as_slice() else {
            return self.fail("RNN0222", span, "this has no rows");
        };
        if rows.value().is_some_and(|rows| i >= rows) {
            return self.fail("RNN0222", span, format!("row {i} of {rows} rows"));
        }
        if let [one] = rest {
            let row = &t.row + &Size::known(i);
            let from = &(&row * &t.columns) + &t.column;
            let node = self.cell.graph.param(t.param, from, one.clone());
            return Ok(Meaning::Lanes(Lanes::one(node, rest)));
        }
        let rows = product(&rest[..rest.len() - 1]);
        Ok(Meaning::Tensor(Tensor {
            row: &t.row + &(&Size::known(i) * &rows),
            shape: rest.to_vec(),
            ..t
        }))
    }

    /// A size as it would be written in the cell: `input`, `units`, `4 * units`. With `input`, the size
    /// of the cell's input is tried before the arguments.
    pub(super) fn size_name(&self, size: &Size, input: bool) -> String {
        let known = |times: usize| {
            let all = self.names.iter().filter(move |(name, meaning)| {
                let same = matches!(meaning, Meaning::Size(s) if &Size::known(times) * s == *size);
                same && (input || *name != "input")
            });
            let all: Vec<&String> = all.map(|(name, _)| name).collect();
            let name = all.iter().find(|n| n.as_str() == "input").or(all.first());
            name.map(|n| match times {
                1 => n.to_string(),
                _ => format!("{times} * {n}"),
            })
        };
        (1..=8).find_map(known).unwrap_or(size.to_string())
    }

    pub(super) fn matmul(&mut self, a: &Expr, b: &Expr, span: Span) -> Built<Lanes> {
        let left = self.parts(a);
        let right = self.meaning(b)?;
        let left = left?;
        let t = match right {
            Meaning::Tensor(t) if t.shape.len() == 2 => t,
            // As papers write it.
            _ if matches!(self.quiet_name(a), Some(Meaning::Tensor(_))) => {
                return self.report(
                    Diagnostic::new(
                        "RNN0223",
                        span,
                        format!("the matrix stands on the right of `@`, found `{a} @ {b}`"),
                    )
                    .help(format!(
                        "write `{} @ {a}`; where the numbers of `{a}` come from a paper, it is the transposed matrix",
                        b.inside(4)
                    )),
                );
            }
            _ => {
                let d = Diagnostic::new(
                    "RNN0223",
                    b.span,
                    "the right side of `@` has to be a parameter with two axes",
                );
                let declare = "declare it: param kernel: [input, units] = glorot_uniform;";
                return self.report(match self.quiet_name(b) {
                    Some(Meaning::Lanes(_)) => d.note(format!("`{b}` is a vector")).help(format!(
                        "unit by unit the product is `{0} * {1}`, the scalar product `sum({0} * {1})`; for a product with a \
                         matrix {declare}",
                        a.inside(4),
                        b.inside(4)
                    )),
                    _ => d.help(declare),
                });
            }
        };
        let name = self.cell.params[t.param].name.clone();
        let Some(last) = left.shape.last().cloned() else {
            return self.fail(
                "RNN0223",
                a.span,
                "the left side of `@` is a single number; it has to be a vector",
            );
        };
        if !left.parts.iter().all(|&p| self.varies(p)) {
            return self.report(
                Diagnostic::new(
                    "RNN0231",
                    a.span,
                    "the left side of `@` does not depend on the input or a state",
                )
                .note("the product would be the same for all rows and steps")
                .help("make the result a parameter of its own"),
            );
        }
        let (rows, columns) = (t.shape[0].clone(), t.shape[1].clone());
        if last != rows {
            let d = Diagnostic::new(
                "RNN0224",
                span,
                format!(
                    "`{a}` has {}, and `{name}` of shape {} takes {rows}",
                    left.size(),
                    show(&t.shape)
                ),
            );
            let flat = left.shape.len() > 1 && left.width().as_ref() == Some(&rows);
            return self.report(if flat {
                d.help(format!("write flatten(…) @ {name}"))
            } else {
                let read = self.size_name(&last, reads(a, "x"));
                // The kernel may be transposed, as in other libraries.
                let turned = self.size_name(&rows, false);
                let made = match columns == last && turned.starts_with(char::is_alphabetic) {
                    true => turned,
                    false => self.size_name(&columns, false),
                };
                d.help(format!("param {name}: [{read}, {made}]"))
            });
        }
        if left.shape.len() > 1 {
            return self.matrix_product(&left, &t, span);
        }
        let left = Lanes {
            parts: self.vectors(&left),
            ..left
        };
        let terms = self.terms(&left.parts, &t);
        let terms = self.sound(terms, span)?;
        let node = self.cell.graph.product(terms, columns.clone());
        Ok(Lanes::one(node, &[columns]))
    }

    /// Vectors side by side, each with its rows of a matrix.
    fn terms(&self, parts: &[NodeId], t: &Tensor) -> Sound<Vec<(NodeId, MatrixPart)>> {
        let mut row = Size::known(0);
        let mut terms = Vec::new();
        for &p in parts {
            terms.push((p, t.part(row.clone())));
            row = &row + self.cell.graph.units(p)?;
        }
        Ok(terms)
    }
}

/// Whether an expression reads the name.
fn reads(e: &Expr, name: &str) -> bool {
    match &e.kind {
        ExprKind::Name(n) => n == name,
        ExprKind::Negate(a) | ExprKind::Index(a, _) => reads(a, name),
        ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) => reads(a, name) || reads(b, name),
        ExprKind::Call(_, all) | ExprKind::Einsum(_, _, all) => all.iter().any(|e| reads(e, name)),
        ExprKind::If(_, a, b) => reads(a, name) || reads(b, name),
        ExprKind::Number(_) | ExprKind::Flag(_) | ExprKind::Path(_) => false,
    }
}
