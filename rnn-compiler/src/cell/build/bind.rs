//! `let`: names for values, and for the parts of a vector or of a matrix.

use proc_macro2::{Ident, Span};

use super::{Builder, Built, Lanes, Meaning, Tensor};
use crate::{
    cell::{
        ast::{Expr, ExprKind},
        size::Size,
    },
    diagnostics::Diagnostic,
};

impl Builder<'_> {
    pub(super) fn bind(&mut self, names: &[Ident], parts: bool, value: &Expr) -> Built<()> {
        if !parts {
            let meaning = self.meaning(value)?;
            self.names.insert(names[0].to_string(), meaning);
            self.made.insert(names[0].to_string(), (value.clone(), 1));
            return Ok(());
        }
        let argument = match &value.kind {
            ExprKind::Call(f, arguments) if f == "split" => match arguments.as_slice() {
                [one] => Some(one),
                _ => None,
            },
            _ => None,
        };
        let Some(argument) = argument else {
            let listed: Vec<String> = names.iter().map(ToString::to_string).collect();
            // Some libraries take the number of parts, too, or call it differently.
            let whole = match &value.kind {
                ExprKind::Call(f, all) if matches!(f.as_str(), "split" | "chunk") => all.first(),
                ExprKind::Call(..) => None,
                _ => Some(value),
            };
            if let Some(whole) = whole {
                return self.report(
                    Diagnostic::new(
                        "RNN0208",
                        value.span,
                        "the parts of a vector come from `split`, which takes the vector alone",
                    )
                    .note("there are as many parts as names")
                    .help(format!(
                        "write `let [{}] = split({whole});`",
                        listed.join(", ")
                    )),
                );
            }
            return self.report(
                Diagnostic::new(
                    "RNN0208",
                    value.span,
                    "`let [a, b] = …` takes parts of a vector",
                )
                .help("write let [a, b] = split(…);"),
            );
        };
        match self.meaning(argument)? {
            Meaning::Tensor(t) => self.split_columns(names, &t, value.span),
            _ => {
                self.split(names, argument, value.span)?;
                for name in names {
                    self.made
                        .insert(name.to_string(), (argument.clone(), names.len()));
                }
                Ok(())
            }
        }
    }

    fn split(&mut self, names: &[Ident], argument: &Expr, span: Span) -> Built<()> {
        let whole = self.parts(argument)?;
        let width = match whole.shape.as_slice() {
            [one] => one.clone(),
            [] => return self.fail("RNN0209", span, "`split` of a single number"),
            _ => return self.not_a_vector("split", &whole, span),
        };
        let part = self.equal_parts(&width, "units", names.len(), Some(argument), span)?;
        let mut offset = Size::known(0);
        for name in names {
            let cut = Lanes {
                parts: self.cut(&whole, &offset, &part, span)?,
                shape: vec![part.clone()],
            };
            self.names.insert(name.to_string(), Meaning::Lanes(cut));
            offset = &offset + &part;
        }
        Ok(())
    }

    /// The columns of a matrix, in equal parts.
    fn split_columns(&mut self, names: &[Ident], t: &Tensor, span: Span) -> Built<()> {
        let [rows, columns] = t.shape.as_slice() else {
            let name = self.cell.params[t.param].name.clone();
            return self.report(
                Diagnostic::new(
                    "RNN0249",
                    span,
                    format!("`split` of `{name}`, which has {} axes", t.shape.len()),
                )
                .help("vectors are split, and matrices by their columns"),
            );
        };
        let part = self.equal_parts(columns, "columns", names.len(), None, span)?;
        let mut column = t.column.clone();
        for name in names {
            let cut = Tensor {
                shape: vec![rows.clone(), part.clone()],
                column: column.clone(),
                ..t.clone()
            };
            self.names.insert(name.to_string(), Meaning::Tensor(cut));
            column = &column + &part;
        }
        Ok(())
    }

    fn equal_parts(
        &mut self,
        width: &Size,
        what: &str,
        parts: usize,
        of: Option<&Expr>,
        span: Span,
    ) -> Built<Size> {
        if let Some(part) = width.divide(parts) {
            return Ok(part);
        }
        // Parts are most often as wide as a state.
        let state = self.cell.states.first().map(|s| s.size.clone());
        let wanted = state.map(|size| &Size::known(parts) * &size);
        let param = of
            .zip(wanted)
            .and_then(|(e, wanted)| self.param_for(e, &wanted));
        let value = match of {
            Some(e) => format!("`{e}`, {width} {what},"),
            None => format!("{width} {what}"),
        };
        self.report(
            Diagnostic::new(
                "RNN0210",
                span,
                format!("cannot split {value} into {parts} equal parts"),
            )
            .help(match param {
                Some(param) => format!("there are {parts} names on the left: write `{param}`, or as many names as there are parts"),
                None => "make the size a multiple: [input, n * units]".to_owned(),
            }),
        )
    }

    /// Reports that `what` takes a vector where `found` has more axes.
    pub(super) fn not_a_vector<T>(&mut self, what: &str, found: &Lanes, span: Span) -> Built<T> {
        self.report(
            Diagnostic::new(
                "RNN0249",
                span,
                format!("`{what}` takes vectors, found {}", found.size()),
            )
            .help("flatten(x) is the vector of all its floats, the last axis side by side"),
        )
    }
}
