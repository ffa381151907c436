//! Calls of functions.

use proc_macro2::Span;

use super::{Builder, Built, DropoutMask, Lanes, Meaning};
use crate::{
    cell::{
        ast::{Expr, ExprKind},
        functions,
        graph::{Binary, Compare, LeafSource, NodeExtent, NodeId, NodeOp, Reduce, Unary},
        size::Size,
    },
    diagnostics::{Diagnostic, Sound, did_you_mean},
};

impl Builder<'_> {
    pub(super) fn call(&mut self, f: &str, arguments: &[Expr], span: Span) -> Built<Lanes> {
        let (f, numbers) = match self.names.get(f) {
            Some(Meaning::Function(f, x)) => (f.clone(), x.clone()),
            _ => (f.to_owned(), vec![]),
        };
        let takes = match (f.as_str(), arguments.len()) {
            ("concat", 1..) => return self.concat(arguments),
            ("concat", _) => "at least one argument",
            ("split", _) => {
                let value = arguments
                    .first()
                    .map_or("…".to_owned(), ToString::to_string);
                return self.report(
                    Diagnostic::new("RNN0208", span, "`split` gives several vectors")
                        .help(format!("write let [a, b] = split({value});")),
                );
            }
            ("min", 2) => return self.binary(Binary::Min, arguments, span),
            ("max", 2) => return self.binary(Binary::Max, arguments, span),
            ("pow", 2) => return self.binary(Binary::Pow, arguments, span),
            ("min" | "max" | "pow", _) => "two arguments",
            ("select", 3) => return self.select(arguments, span),
            ("select", _) => "a comparison and two values",
            ("dropout", 2) => return self.dropout(&arguments[0], &arguments[1]),
            ("dropout", _) => "a value and a rate",
            (_, 1) => return self.one_argument(&f, &numbers, &arguments[0], span),
            _ if functions::names().any(|n| n == f) => "one argument",
            _ => return self.no_function(&f, arguments, span),
        };
        let d = Diagnostic::new(
            "RNN0225",
            span,
            format!("`{f}` takes {takes}, found {}", arguments.len()),
        );
        self.report(d.help(match (f.as_str(), arguments) {
            ("select", _) => "write `select(a > b, x, y)`".to_owned(),
            ("min" | "max", [one]) => format!("the {f} over all units is `{f}_of({one})`"),
            ("pow", [one]) => format!("write `pow({one}, 2)`"),
            (_, [first, ..]) => format!("write `{f}({first})`"),
            _ => format!("write `{f}(x)`"),
        }))
    }

    /// The values of arguments; mistakes in all of them are reported.
    fn all(&mut self, arguments: &[&Expr]) -> Built<Vec<Lanes>> {
        let all: Vec<Built<Lanes>> = arguments.iter().map(|a| self.parts(a)).collect();
        all.into_iter().collect()
    }

    fn concat(&mut self, arguments: &[Expr]) -> Built<Lanes> {
        let values = self.all(&arguments.iter().collect::<Vec<_>>())?;
        let mut parts = Vec::new();
        let mut width = Size::known(0);
        for (a, v) in arguments.iter().zip(&values) {
            match v.shape.as_slice() {
                [one] => width = &width + one,
                [] => return self.fail("RNN0226", a.span, "`concat` of a single number"),
                _ => return self.not_a_vector("concat", v, a.span),
            }
            parts.extend(self.vectors(v));
        }
        Ok(Lanes {
            parts,
            shape: vec![width],
        })
    }

    fn binary(&mut self, op: Binary, arguments: &[Expr], span: Span) -> Built<Lanes> {
        let both = self.all(&[&arguments[0], &arguments[1]])?;
        let names = ["the first argument", "the second argument"];
        self.lanes(&both, &names, span, |g, p| g.binary(op, p[0], p[1]))
    }

    fn select(&mut self, arguments: &[Expr], span: Span) -> Built<Lanes> {
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
        let mut all = self.all(&[a.as_ref(), b.as_ref(), &arguments[1], &arguments[2]])?;
        let mut names = [
            "the left side of the comparison",
            "the right side of the comparison",
            "the second argument",
            "the third argument",
        ];
        let how = match *how {
            "<" => Compare::Lt,
            "<=" => Compare::Le,
            ">" => Compare::Gt,
            ">=" => Compare::Ge,
            "!=" => {
                all.swap(2, 3);
                names.swap(2, 3);
                Compare::Eq
            }
            "==" => Compare::Eq,
            other => return self.bug(format!("the comparison `{other}`"), span),
        };
        self.lanes(&all, &names, span, |g, p| {
            g.select(how, p[0], p[1], p[2], p[3])
        })
    }

    /// `dropout(v, rate)`: each call has a mask of its own, which is the same at all steps.
    fn dropout(&mut self, value: &Expr, rate: &Expr) -> Built<Lanes> {
        let x = self.parts(value);
        let p = self.number(rate);
        let (x, p) = (x?, p?);
        let Some(p) = p else {
            return self.report(
                Diagnostic::new(
                    "RNN0248",
                    rate.span,
                    "the rate of `dropout` has to be known when the model is compiled",
                )
                .help("write a number, or an argument of the cell: dropout(h, rate)"),
            );
        };
        if !(0.0..1.0).contains(&p) {
            return self.report(
                Diagnostic::new(
                    "RNN0248",
                    rate.span,
                    format!("the rate of `dropout` has to be at least 0 and below 1, found {p}"),
                )
                .help(match p > 1.0 && p < 100.0 {
                    true => format!("{p} percent is `dropout({value}, {})`", p / 100.0),
                    false => {
                        format!("write `dropout({value}, 0.2)`, which drops a fifth of the values")
                    }
                }),
            );
        }
        if x.shape.is_empty() && !self.is_row(&x) {
            return self.fail("RNN0248", value.span, "`dropout` of a single number");
        }
        if p == 0.0 {
            return Ok(x);
        }
        let slot = LeafSource::DropoutMask(self.cell.dropout_masks.len());
        let (width, extent) = match x.width() {
            Some(w) => (w.clone(), NodeExtent::Vector(w)),
            None => (Size::known(1), NodeExtent::Row),
        };
        self.cell.dropout_masks.push(DropoutMask { rate: p, width });
        let leaf = NodeOp::Leaf(slot, Size::known(0));
        let mask = Lanes::one(self.cell.graph.add_node(leaf, extent), &x.shape);
        self.lanes(&[x, mask], &[], value.span, |g, p| {
            g.binary(Binary::Mul, p[0], p[1])
        })
    }

    fn one_argument(
        &mut self,
        f: &str,
        numbers: &[f64],
        argument: &Expr,
        span: Span,
    ) -> Built<Lanes> {
        let reduces = matches!(f, "sum" | "mean" | "variance" | "max_of" | "min_of");
        if !reduces && f != "flatten" && !functions::is_activation(f) {
            return self.no_function(f, std::slice::from_ref(argument), span);
        }
        let x = self.parts(argument)?;
        if let (Some(over), []) = (functions::over_units(f), numbers) {
            if x.shape.is_empty() {
                let words = format!("`{f}` of a single number");
                return self.report(
                    Diagnostic::new("RNN0225", argument.span, words)
                        .note(format!("`{argument}` is one number a row"))
                        .help(format!("it takes a vector, such as a state: `{f}(h)`")),
                );
            }
            if x.shape.len() > 1 {
                return self.not_a_vector(f, &x, argument.span);
            }
            let parts = self.vectors(&x);
            let parts = over(&mut self.cell.graph, &parts);
            let parts = self.sound(parts, span)?;
            return Ok(Lanes { parts, ..x });
        }
        match (f, numbers) {
            ("flatten", []) => {
                let shape = x.width().into_iter().collect();
                return Ok(Lanes { shape, ..x });
            }
            ("leaky_relu", [slope]) => {
                return Ok(self.each(&x, |g, x| functions::leaky_relu(g, x, *slope)));
            }
            ("elu", [alpha]) => return Ok(self.each(&x, |g, x| functions::elu(g, x, *alpha))),
            ("hard_sigmoid", [slope]) => {
                return Ok(self.each(&x, |g, x| functions::hard_sigmoid_of(g, x, *slope)));
            }
            (_, [_, ..]) => {
                return self.fail("RNN0225", span, format!("`{f}` takes no numbers"));
            }
            _ => {}
        }
        if reduces {
            let Some(width) = x.width() else {
                let d = Diagnostic::new(
                    "RNN0225",
                    argument.span,
                    format!("`{f}` of a single number"),
                );
                return self.report(d.help(format!("write `{argument}` alone")));
            };
            let parts = self.vectors(&x);
            let reduced = self.reduction(f, &parts, &width);
            return Ok(Lanes::number(self.sound(reduced, span)?));
        }
        let mut parts = Vec::new();
        for part in x.parts {
            match functions::apply(&mut self.cell.graph, f, part) {
                Some(y) => parts.push(y),
                None => return self.no_function(f, std::slice::from_ref(argument), span),
            }
        }
        Ok(Lanes {
            parts,
            shape: x.shape,
        })
    }

    fn reduction(&mut self, f: &str, x: &[NodeId], width: &Size) -> Sound<NodeId> {
        let g = &mut self.cell.graph;
        Ok(match f {
            "max_of" => functions::fold_rows(g, Reduce::Max, Binary::Max, x)?,
            "min_of" => {
                let negative: Vec<_> = x.iter().map(|&x| g.unary(Unary::Neg, x)).collect();
                let max = functions::fold_rows(g, Reduce::Max, Binary::Max, &negative)?;
                g.unary(Unary::Neg, max)
            }
            "sum" => functions::fold_rows(g, Reduce::Sum, Binary::Add, x)?,
            // The mean or the variance.
            _ => {
                let n = g.size_of(width);
                let sum = functions::fold_rows(g, Reduce::Sum, Binary::Add, x)?;
                let mean = g.binary(Binary::Div, sum, n);
                if f == "mean" {
                    return Ok(mean);
                }
                let squares: Vec<_> = x
                    .iter()
                    .map(|&x| {
                        let d = g.binary(Binary::Sub, x, mean);
                        g.binary(Binary::Mul, d, d)
                    })
                    .collect();
                let sum = functions::fold_rows(g, Reduce::Sum, Binary::Add, &squares)?;
                g.binary(Binary::Div, sum, n)
            }
        })
    }

    fn no_function<T>(&mut self, f: &str, arguments: &[Expr], span: Span) -> Built<T> {
        let mut d = Diagnostic::new("RNN0228", span, format!("there is no function `{f}`"));
        if let Some(code) = functions::written(f, arguments) {
            return self.report(d.help(format!("write `{code}`")));
        }
        if let Some(near) = did_you_mean(f, functions::names()) {
            d = d.help(format!("did you mean `{near}`?"));
        }
        self.report(d)
    }
}
