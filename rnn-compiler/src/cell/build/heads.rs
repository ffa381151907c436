//! The arguments in a cell's head, and its inputs.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};

use super::{Builder, Built, CellInput, CellUse, Lanes, Meaning, product, show};
use crate::{
    cell::{
        ast::{CellAst, Expr, ExprKind, Item},
        functions,
        graph::LeafSource,
        size::Size,
        value::{INITIALIZERS, Value, initializer_of},
    },
    diagnostics::{Diagnostic, did_you_mean},
};

impl CellAst {
    /// Shapes of inputs for a check of the cell without a model: sizes without a number are names
    /// of their own.
    pub fn open_inputs(&self) -> Vec<Vec<Size>> {
        let mut shapes = Vec::new();
        for item in &self.items {
            if let Item::Input { shape, .. } = item {
                shapes.push(shape.iter().map(|e| self.open_size(e)).collect());
            }
        }
        if shapes.is_empty() {
            shapes.push(vec![Size::constant(syn::parse_quote!(input))]);
        }
        shapes
    }

    fn open_size(&self, e: &Expr) -> Size {
        match &e.kind {
            ExprKind::Number(x) if *x >= 0.0 && x.fract() == 0.0 => Size::known(*x as usize),
            ExprKind::Name(name) => {
                let argument = self.arguments.iter().find(|a| a.name == name);
                match argument.and_then(|a| a.default.clone()) {
                    Some(Value::Size(s)) => s,
                    _ => Size::constant(Ident::new(name, e.span).into()),
                }
            }
            ExprKind::Binary('+', a, b) => &self.open_size(a) + &self.open_size(b),
            ExprKind::Binary('*', a, b) => &self.open_size(a) * &self.open_size(b),
            // Any value will do: mistakes of sizes are not reported in this check.
            _ => Size::known(1),
        }
    }
}

impl Builder<'_> {
    pub(super) fn arguments(&mut self, layer: &CellUse) -> Built<()> {
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
                    self.names.insert(name, Meaning::Mistake);
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
                && initializer_of(f).is_none()
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
                self.names.insert(name, Meaning::Mistake);
                continue;
            }
            self.names.insert(name, meaning);
        }
        good
    }

    /// The inputs: those of the `input` statements, or one vector `x` of `input` features.
    pub(super) fn inputs(&mut self, layer: &CellUse) -> Built<()> {
        let declared: Vec<(&Ident, &[Expr])> = layer
            .cell
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Input { name, shape } => Some((name, shape.as_slice())),
                _ => None,
            })
            .collect();
        let span = layer.cell.name.span();
        if declared.is_empty() {
            return self.only_input(span);
        }
        let found = std::mem::take(&mut self.inputs);
        let mut good = Ok(());
        if declared.len() != found.len() {
            let names: Vec<String> = declared.iter().map(|(n, _)| format!("`{n}`")).collect();
            good = self.report(
                Diagnostic::new(
                    "RNN0247",
                    span,
                    format!(
                        "{} takes {} inputs ({}), found {}",
                        self.label,
                        declared.len(),
                        names.join(", "),
                        found.len()
                    ),
                )
                .help("give it a value for each of its `input` statements"),
            );
        }
        let mut seen = BTreeSet::new();
        for (i, (name, shape)) in declared.into_iter().enumerate() {
            if !seen.insert(name.to_string()) {
                good = self.fail(
                    "RNN0204",
                    name.span(),
                    format!("there are two inputs named `{name}`"),
                );
                continue;
            }
            let bound = match found.get(i) {
                Some(found) => self.input(name, shape, found),
                None => Err(super::Reported),
            };
            if bound.is_err() {
                good = Err(super::Reported);
                for e in shape {
                    if let ExprKind::Name(n) = &e.kind {
                        self.names.entry(n.clone()).or_insert(Meaning::Mistake);
                    }
                }
                self.names.insert(name.to_string(), Meaning::Mistake);
            }
        }
        good
    }

    /// `x`, of `input` features.
    fn only_input(&mut self, span: Span) -> Built<()> {
        let found = std::mem::take(&mut self.inputs);
        let (shape, fits) = match found.as_slice() {
            [one] if one.len() == 1 => (one.clone(), true),
            // A guess, so that the rest of the cell can be checked.
            many => (
                vec![many.first().map_or(Size::known(1), |s| product(s))],
                false,
            ),
        };
        let features = shape[0].clone();
        self.names
            .insert("input".into(), Meaning::Size(features.clone()));
        self.add_input("x", &shape);
        if fits {
            return Ok(());
        }
        let shapes: Vec<String> = found.iter().map(|s| show(s)).collect();
        self.report(
            Diagnostic::new(
                "RNN0247",
                span,
                format!(
                    "{} takes one vector at a step, found {}",
                    self.label,
                    shapes.join(" and ")
                ),
            )
            .help("a cell declares other inputs: input a: [n]; input b: [rows, columns];"),
        )
    }

    fn input(&mut self, name: &Ident, shape: &[Expr], found: &[Size]) -> Built<()> {
        if shape.len() != found.len() {
            return self.report(
                Diagnostic::new(
                    "RNN0247",
                    name.span(),
                    format!(
                        "input `{name}` of {} has {}, found {}",
                        self.label,
                        axes(shape.len()),
                        show(found)
                    ),
                )
                .help(format!(
                    "declare it with {}, or reshape what it is given",
                    axes(found.len())
                )),
            );
        }
        let mut good = Ok(());
        for (axis, (e, size)) in shape.iter().zip(found).enumerate() {
            if let ExprKind::Name(n) = &e.kind
                && !self.names.contains_key(n)
            {
                self.names.insert(n.clone(), Meaning::Size(size.clone()));
                continue;
            }
            let Ok(expected) = self.size(e) else {
                good = Err(super::Reported);
                continue;
            };
            if expected != *size {
                good = self.report(
                    Diagnostic::new(
                        "RNN0247",
                        e.span,
                        format!(
                            "axis {axis} of input `{name}` of {} has {expected} units, found {size}",
                            self.label
                        ),
                    )
                    .help("a name that is used here for the first time takes any size"),
                );
            }
        }
        good?;
        self.add_input(&name.to_string(), found);
        Ok(())
    }

    fn add_input(&mut self, name: &str, shape: &[Size]) {
        let (index, width) = (self.cell.inputs.len(), product(shape));
        let node = self
            .cell
            .graph
            .leaf(LeafSource::Input(index), Size::known(0), width.clone());
        self.cell.inputs.push(CellInput {
            name: name.into(),
            shape: shape.to_vec(),
            width,
        });
        self.names
            .insert(name.into(), Meaning::Lanes(Lanes::one(node, shape)));
    }
}

fn axes(n: usize) -> String {
    if n == 1 {
        "1 axis".into()
    } else {
        format!("{n} axes")
    }
}
