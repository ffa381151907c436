//! Expressions: vectors, rows and numbers.

use proc_macro2::Span;

use super::{Builder, Built, Meaning, Reported};
use crate::{
    cell::{
        ast::{Expr, ExprKind},
        functions,
        graph::{Binary, Compare, Extent, Graph, MatrixPart, NodeId, Op, Reduce, Unary},
        size::Size,
    },
    diagnostics::Diagnostic,
    diagnostics::did_you_mean,
};

impl Builder<'_> {
    pub(super) fn parts(&mut self, e: &Expr) -> Built<Vec<NodeId>> {
        match self.meaning(e)? {
            Meaning::Parts(p) => Ok(p),
            Meaning::Number(x) => Ok(vec![self.cell.graph.number(x)]),
            Meaning::Size(s) => Ok(vec![self.cell.graph.size_of(&s)]),
            Meaning::Matrix(p) => {
                let name = self.cell.params[p].name.clone();
                self.report(
                    Diagnostic::new(
                        "RNN0219",
                        e.span,
                        format!("`{name}` is a matrix; lane-by-lane maths takes vectors"),
                    )
                    .help(format!(
                        "multiply by it: x @ {name}; or take a row: {name}[0]"
                    )),
                )
            }
            Meaning::Flag(_) => self.fail("RNN0220", e.span, "a flag where a value is needed"),
            Meaning::Function(f, _) => self.report(
                Diagnostic::new(
                    "RNN0220",
                    e.span,
                    format!("the function `{f}` where a value is needed"),
                )
                .help(format!("call it: {f}(x)")),
            ),
        }
    }

    pub(super) fn meaning(&mut self, e: &Expr) -> Built<Meaning> {
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
                a.into_iter()
                    .map(|p| self.cell.graph.unary(Unary::Neg, p))
                    .collect()
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
                return if self.flag(c)? {
                    self.meaning(a)
                } else {
                    self.meaning(b)
                };
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
    pub(super) fn quiet_flag(&self, e: &Expr) -> Built<bool> {
        match &e.kind {
            ExprKind::Flag(f) => Ok(*f),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Flag(f)) => Ok(*f),
                _ => Err(Reported),
            },
            _ => Err(Reported),
        }
    }

    pub(super) fn matmul(&mut self, a: &Expr, b: &Expr, span: Span) -> Built<Vec<NodeId>> {
        let left = self.parts(a)?;
        let Meaning::Matrix(param) = self.meaning(b)? else {
            return self.report(
                Diagnostic::new(
                    "RNN0223",
                    b.span,
                    "the right side of `@` has to be a parameter with two axes",
                )
                .help("declare it: param kernel: [input, units] = glorot_uniform;"),
            );
        };
        let shape = self.cell.params[param].shape.clone();
        let name = self.cell.params[param].name.clone();
        let Some(width) = self.width_of(&left) else {
            return self.fail(
                "RNN0223",
                a.span,
                "the left side of `@` is a single number; it has to be a vector",
            );
        };
        if !left.iter().all(|&p| self.varies(p)) {
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
        if width != shape[0] {
            return self.report(
                Diagnostic::new(
                    "RNN0224",
                    span,
                    format!(
                        "{width} units times `{name}` of shape [{}, {}]",
                        shape[0], shape[1]
                    ),
                )
                .help(format!("param {name}: [{width}, {}]", shape[1])),
            );
        }
        let mut row = Size::known(0);
        let mut terms = Vec::new();
        for p in left {
            let Some(w) = self.cell.graph.width(p).cloned() else {
                continue;
            };
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

    pub(super) fn call(&mut self, f: &str, arguments: &[Expr], span: Span) -> Built<Vec<NodeId>> {
        let (f, numbers) = match self.names.get(f) {
            Some(Meaning::Function(f, x)) => (f.clone(), x.clone()),
            _ => (f.to_owned(), vec![]),
        };
        let wrong = |b: &mut Self, takes: &str| {
            b.fail(
                "RNN0225",
                span,
                format!("`{f}` takes {takes}, found {}", arguments.len()),
            )
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
                        Diagnostic::new(
                            "RNN0227",
                            arguments[0].span,
                            "`select` takes a comparison first",
                        )
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
                return Ok(x
                    .iter()
                    .map(|&x| functions::leaky_relu(g, x, *slope))
                    .collect());
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
                return self.fail(
                    "RNN0225",
                    argument.span,
                    format!("`{f}` of a single number"),
                );
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

    pub(super) fn reduction(&mut self, f: &str, x: &[NodeId], width: &Size) -> NodeId {
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

    pub(super) fn no_function<T>(&mut self, f: &str, span: Span) -> Built<T> {
        let mut d = Diagnostic::new("RNN0228", span, format!("there is no function `{f}`"));
        if let Some(near) = did_you_mean(f, functions::names()) {
            d = d.help(format!("did you mean `{near}`?"));
        }
        self.report(d)
    }

    /// Applies `f` lane by lane; operands in several parts are cut alike.
    pub(super) fn lanes(
        &mut self,
        operands: &[Vec<NodeId>],
        span: Span,
        mut f: impl FnMut(&mut Graph, &[NodeId]) -> NodeId,
    ) -> Built<Vec<NodeId>> {
        let widths: Vec<Option<Size>> = operands.iter().map(|o| self.width_of(o)).collect();
        let mut known = widths.iter().flatten();
        if let Some(first) = known.next()
            && let Some(other) = known.find(|w| *w != first)
        {
            return self.report(
                Diagnostic::new(
                    "RNN0229",
                    span,
                    format!("vectors of {first} and of {other} units"),
                )
                .note("lane-by-lane maths takes vectors of one size, and single numbers"),
            );
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
                        _ => {
                            return self.fail(
                                "RNN0211",
                                span,
                                "these vectors are joined at different places",
                            );
                        }
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

    /// Whether a node depends on the input or a state.
    fn varies(&self, id: NodeId) -> bool {
        let mut reached = vec![false; id + 1];
        reached[id] = true;
        for n in (0..=id).rev() {
            if reached[n] {
                let op = &self.cell.graph.node(n).op;
                if matches!(op, Op::Leaf(..)) {
                    return true;
                }
                op.operands().into_iter().for_each(|o| reached[o] = true);
            }
        }
        false
    }

    /// Units of vectors side by side; `None` for a number.
    pub(super) fn width_of(&self, parts: &[NodeId]) -> Option<Size> {
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

    pub(super) fn expect_width(
        &mut self,
        parts: &[NodeId],
        size: &Size,
        span: Span,
        what: &str,
    ) -> Built<()> {
        match self.width_of(parts) {
            Some(w) if w != *size => self.report(Diagnostic::new(
                "RNN0230",
                span,
                format!("{what} has {size} units, found {w}"),
            )),
            _ => Ok(()),
        }
    }
}
