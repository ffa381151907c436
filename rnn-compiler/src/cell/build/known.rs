//! Sizes, flags and initialisers: what is known when the model is compiled.

use proc_macro2::Span;

use super::{Builder, Built, Meaning, Reported};
use crate::{
    cell::{
        CellConstant,
        ast::{Expr, ExprKind},
        graph::{NodeExtent, NodeId, NodeOp},
        own_numbers,
        size::Size,
        value::{
            INITIALIZERS, Initializer, initializer_elsewhere, initializer_not_here, initializer_of,
            numbers_of,
        },
    },
    diagnostics::{Diagnostic, did_you_mean},
};

impl Builder<'_> {
    pub(super) fn size(&mut self, e: &Expr) -> Built<Size> {
        match &e.kind {
            ExprKind::Number(x) if *x >= 0.0 && x.fract() == 0.0 && *x < 1e15 => {
                Ok(Size::known(*x as usize))
            }
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Size(s)) => Ok(s.clone()),
                Some(Meaning::Mistake) => Err(Reported),
                Some(_) => {
                    let d = Diagnostic::new("RNN0214", e.span, format!("`{n}` is not a size"));
                    let x = self.cell.inputs.iter().any(|i| i.name == *n);
                    self.report(match x {
                        true => d.help("the size of the input is `input`: write `input`"),
                        false => d.help("sizes are whole numbers, `input`, and arguments such as `units`"),
                    })
                }
                None => self.unknown_size(n, e.span),
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

    pub(super) fn flag(&mut self, e: &Expr) -> Built<bool> {
        match &e.kind {
            ExprKind::Flag(f) => Ok(*f),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Flag(f)) => Ok(*f),
                Some(Meaning::Mistake) => Err(Reported),
                Some(_) => self.not_a_flag(e.span),
                None => self.unknown(n, e.span),
            },
            ExprKind::Negate(a) => Ok(!self.flag(a)?),
            ExprKind::Binary('&', a, b) => Ok(self.flag(a)? & self.flag(b)?),
            ExprKind::Binary('|', a, b) => Ok(self.flag(a)? | self.flag(b)?),
            ExprKind::Compare(how, a, b) => {
                let (x, y) = (self.number(a), self.number(b));
                let (Some(x), Some(y)) = (x?, y?) else {
                    let d = self.no_flag(e.span);
                    return self.report(d.help(format!(
                        "a choice by value takes both values: `select({e}, …, …)` in place of the `if`"
                    )));
                };
                match *how {
                    "<" => Ok(x < y),
                    "<=" => Ok(x <= y),
                    ">" => Ok(x > y),
                    ">=" => Ok(x >= y),
                    "!=" => Ok(x != y),
                    "==" => Ok(x == y),
                    other => self.bug(format!("the comparison `{other}`"), e.span),
                }
            }
            _ => self.not_a_flag(e.span),
        }
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

    fn no_flag(&self, span: Span) -> Diagnostic {
        Diagnostic::new(
            "RNN0216",
            span,
            "`if` in a cell is decided when the model is compiled, so it needs a flag",
        )
    }

    pub(super) fn not_a_flag<T>(&mut self, span: Span) -> Built<T> {
        let d = self.no_flag(span);
        self.report(d.help("for a choice by value write select(a > b, x, y)"))
    }

    pub(super) fn known_number(&mut self, e: &Expr) -> Built<f64> {
        match self.number(e)? {
            Some(x) => Ok(x),
            None => self.not_a_flag(e.span),
        }
    }

    /// The value of an expression if it is a number that is known now.
    pub(super) fn number(&mut self, e: &Expr) -> Built<Option<f64>> {
        let value = self.parts(e)?;
        let (true, [one]) = (value.shape.is_empty(), value.parts.as_slice()) else {
            return Ok(None);
        };
        let number = self.cell.graph.number_of(*one);
        if number.is_none() && self.depends_on_size(*one) {
            return self.no_number(e.span);
        }
        Ok(number)
    }

    /// Whether a number depends on the value of a size that is a `const`.
    fn depends_on_size(&self, id: NodeId) -> bool {
        let mut reached = vec![false; id + 1];
        reached[id] = true;
        for n in (0..=id)
            .rev()
            .filter(|&n| self.cell.graph.node(n).extent == NodeExtent::Number)
        {
            if reached[n] {
                let op = &self.cell.graph.node(n).op;
                if matches!(op, NodeOp::SizeOf(_)) {
                    return true;
                }
                op.operands().into_iter().for_each(|o| reached[o] = true);
            }
        }
        false
    }

    fn no_number<T>(&mut self, span: Span) -> Built<T> {
        self.report(
            Diagnostic::new(
                "RNN0250",
                span,
                "this depends on a size that is a `const`, whose value is not known here",
            )
            .help("give the size as a number, or make a flag of the condition"),
        )
    }

    pub(super) fn initializer(&mut self, e: &Expr) -> Built<Initializer> {
        let own = |builder: &Self| {
            Ok(Initializer::Own(CellConstant {
                cell: builder.path.clone(),
                written: own_numbers::path_of(e).ok_or(Reported)?,
                span: e.span,
            }))
        };
        let (name, numbers) = match &e.kind {
            ExprKind::Path(_) => return own(self),
            ExprKind::Name(n) => match self.names.get(n) {
                Some(Meaning::Function(f, x)) => (f.clone(), x.clone()),
                Some(Meaning::Mistake) => return Err(Reported),
                None if own_numbers::path_of(e).is_some() => return own(self),
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
                let numbers = arguments
                    .iter()
                    .map(|a| self.known_number(a))
                    .collect::<Built<_>>()?;
                (n.clone(), numbers)
            }
            ExprKind::If(c, a, b) => {
                return if self.flag(c)? {
                    self.initializer(a)
                } else {
                    self.initializer(b)
                };
            }
            _ => {
                let d = Diagnostic::new("RNN0217", e.span, format!("`{e}` is not an initialiser"));
                return self.report(d.help(match &e.kind {
                    ExprKind::Number(0.0) => "write `zeros`".to_owned(),
                    ExprKind::Number(1.0) => "write `ones`".to_owned(),
                    ExprKind::Number(x) => format!("write `constant({x})`"),
                    _ => "write `zeros`, `glorot_uniform` or `constant(0.5)`".to_owned(),
                }));
            }
        };
        let Some(name) = initializer_of(&name) else {
            let mut d = Diagnostic::new(
                "RNN0217",
                e.span,
                format!("there is no initialiser `{name}`"),
            );
            if let Some((why, instead)) = initializer_not_here(&name) {
                return self.report(d.note(why).help(instead));
            }
            if let Some(own) = initializer_elsewhere(&name) {
                return self.report(d.help(format!("write `{own}`")));
            }
            d = match did_you_mean(&name, INITIALIZERS.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d
                    .note(format!("there are {}", INITIALIZERS.join(", ")))
                    .help(format!(
                        "numbers of your own are a `const` in upper case or a path: `= MATRIX`, `= self::{name}`"
                    )),
            };
            return self.report(d);
        };
        let takes = numbers_of(name);
        if numbers.len() > takes.len() || (name == "constant" && numbers.is_empty()) {
            let takes: Vec<&str> = takes.iter().map(|(n, _)| *n).collect();
            let message = match takes.as_slice() {
                [] => format!("`{name}` takes no numbers"),
                _ if name == "constant" => "`constant` takes a number: constant(0.5)".to_owned(),
                all => format!("`{name}` takes {}", all.join(", ")),
            };
            return self.fail("RNN0217", e.span, message);
        }
        Ok(Initializer::Named(name.to_owned(), numbers))
    }

    /// Reports a name that is no size.
    fn unknown_size<T>(&mut self, name: &str, span: Span) -> Built<T> {
        // Other libraries' names of the two sizes that a cell most often has.
        const INPUT: &[&str] = &[
            "features",
            "in_features",
            "input_dim",
            "input_size",
            "inputs",
            "n_features",
            "n_inputs",
            "num_inputs",
        ];
        const UNITS: &[&str] = &[
            "hidden",
            "hidden_dim",
            "hidden_size",
            "n_hidden",
            "n_units",
            "num_units",
            "out_features",
            "output_dim",
            "size",
        ];
        let d = Diagnostic::new(
            "RNN0218",
            span,
            format!("there is no size `{name}` in cell {}", self.label),
        );
        if INPUT.contains(&name) && self.names.contains_key("input") {
            return self.report(d.help("the number of features of `x` is `input`: write `input`"));
        }
        let first = self
            .arguments
            .iter()
            .find(|a| matches!(self.names.get(*a), Some(Meaning::Size(_))));
        if let (true, Some(own)) = (UNITS.contains(&name), first) {
            let help = format!("the size is an argument of the cell: write `{own}`");
            return self.report(d.help(help));
        }
        self.unknown(name, span)
    }

    pub(super) fn unknown<T>(&mut self, name: &str, span: Span) -> Built<T> {
        let d = Diagnostic::new(
            "RNN0218",
            span,
            format!("there is no `{name}` in cell {}", self.label),
        );
        if matches!(name, "inputs" | "input_t" | "x_t") && self.names.contains_key("x") {
            return self.report(d.help("the input of a step is `x`: write `x`"));
        }
        if name.len() > 1 && name.chars().all(|c| c.is_uppercase() || c == '_') {
            let own = name.to_lowercase();
            return self.report(d.note("a cell sees its own arguments only").help(format!(
                "make it an argument: `cell {}({own})`, `{own}` here, and `{name}` in the model",
                self.label
            )));
        }
        // `h_prev`, `prev_h`, `h_tm1`, `h0`
        let state = self
            .cell
            .states
            .iter()
            .map(|s| s.name.clone())
            .find(|state| {
                let rest = name
                    .strip_prefix(state.as_str())
                    .or(name.strip_suffix(state.as_str()));
                rest.is_some_and(|rest| {
                    let rest = rest.trim_matches('_');
                    [
                        "prev", "previous", "old", "last", "t", "tm1", "t1", "0", "minus1",
                        "before",
                    ]
                    .contains(&rest)
                })
            });
        if let Some(state) = state {
            return self.report(d.help(format!(
                "until `next {state} = …;`, `{state}` is the state before the step: write `{state}`"
            )));
        }
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
}
