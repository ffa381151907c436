//! The statements of a cell.

use proc_macro2::{Ident, Span};

use super::{
    Builder, Built, CellOutput, Initializer, Lanes, Meaning, Param, Reported, State, Tensor,
    product,
};
use crate::{
    cell::{
        ast::{Expr, ExprKind, Item},
        graph::LeafSource,
        initializer_of,
        size::{Size, by_name},
    },
    diagnostics::{Diagnostic, did_you_mean},
};

impl Builder<'_> {
    /// All statements. A mistake in one suppresses only the messages of statements that use its names.
    pub(super) fn items(&mut self, items: &[Item]) -> Built<()> {
        let mut good = Ok(());
        let mut inputs_over = false;
        for item in items {
            match item {
                // `Builder::inputs` has bound it.
                Item::Input { name, .. } => {
                    if inputs_over {
                        good = self.report(
                            Diagnostic::new(
                                "RNN0246",
                                name.span(),
                                format!("`input {name}` stands after another statement"),
                            )
                            .help("`input` statements stand first in a cell"),
                        );
                    }
                    continue;
                }
                _ => inputs_over = true,
            }
            if self.item(item).is_err() {
                good = Err(Reported);
                self.spoil(item);
            }
        }
        good
    }

    /// Marks the names of a statement with a mistake, so that statements that use them do not repeat it.
    fn spoil(&mut self, item: &Item) {
        match item {
            Item::Let { names, .. } => {
                for name in names {
                    self.names.insert(name.to_string(), Meaning::Mistake);
                }
            }
            // A parameter that is declared twice, or whose initialiser is wrong, exists nevertheless.
            Item::Param { name, .. } if self.cell.params.iter().any(|p| name == &p.name) => {}
            Item::State { name, .. } if self.cell.states.iter().any(|s| name == &s.name) => {}
            Item::Param { name, .. } | Item::State { name, .. } => {
                self.names.insert(name.to_string(), Meaning::Mistake);
            }
            Item::If {
                then, otherwise, ..
            } => then.iter().chain(otherwise).for_each(|i| self.spoil(i)),
            Item::Input { .. } | Item::Next { .. } | Item::Output { .. } => {}
        }
    }

    fn item(&mut self, item: &Item) -> Built<()> {
        match item {
            Item::Input { name, .. } => self.report(
                Diagnostic::new(
                    "RNN0246",
                    name.span(),
                    format!("`input {name}` stands inside an `if`"),
                )
                .help("`input` statements stand first in a cell"),
            ),
            Item::Param {
                name,
                shape,
                init,
                trainable,
            } => self.param(name, shape, init, *trainable),
            Item::State { name, shape, start } => self.state(name, shape, start.as_ref()),
            Item::Let {
                names,
                parts,
                value,
            } => self.bind(names, *parts, value),
            Item::Next { name, value } => self.next(name, value),
            Item::Output { values, span } => self.output(values, *span),
            Item::If {
                condition,
                then,
                otherwise,
            } => {
                if self.flag(condition)? {
                    self.nested(then)
                } else {
                    self.nested(otherwise)
                }
            }
        }
    }

    /// The statements of a branch.
    fn nested(&mut self, items: &[Item]) -> Built<()> {
        let mut good = Ok(());
        for item in items {
            if self.item(item).is_err() {
                good = Err(Reported);
                self.spoil(item);
            }
        }
        good
    }

    fn shape(&mut self, shape: &[Expr]) -> Built<Vec<Size>> {
        shape.iter().map(|e| self.size(e)).collect()
    }

    fn param(&mut self, name: &Ident, shape: &[Expr], init: &Expr, trainable: bool) -> Built<()> {
        let written = init;
        let (init, shape) = (self.initializer(written), self.shape(shape));
        let (init, shape) = (init?, shape?);
        let mut good = Ok(());
        if let Some(needs) = needs_matrix(&init, shape.len()) {
            good = self.report(
                Diagnostic::new(
                    "RNN0132",
                    self.given_in(written).unwrap_or(name.span()),
                    format!(
                        "`{needs}` makes a matrix, and `{name}` of {} {}",
                        self.label,
                        match shape.len() {
                            1 => "is a vector".into(),
                            n => format!("has {n} axes"),
                        }
                    ),
                )
                .help("write zeros, ones, constant(0.5) or random_uniform"),
            );
        }
        if self.cell.params.iter().any(|p| name == &p.name) {
            return self.fail(
                "RNN0204",
                name.span(),
                format!("there are two parameters named `{name}`"),
            );
        }
        let index = self.cell.params.len();
        let meaning = match shape.as_slice() {
            [one] => {
                let node = self.cell.graph.param(index, Size::known(0), one.clone());
                Meaning::Lanes(Lanes::one(node, &shape))
            }
            [.., columns] => Meaning::Tensor(Tensor {
                param: index,
                shape: shape.clone(),
                columns: columns.clone(),
                row: Size::known(0),
                column: Size::known(0),
            }),
            [] => return self.bug(format!("the parameter `{name}` without axes"), name.span()),
        };
        self.cell.params.push(Param {
            name: name.to_string(),
            shape,
            init,
            trainable,
        });
        self.names.insert(name.to_string(), meaning);
        good
    }

    fn state(&mut self, name: &Ident, shape: &[Expr], start: Option<&Ident>) -> Built<()> {
        let shape = self.shape(shape)?;
        let size = product(&shape);
        if self.cell.states.iter().any(|s| name == &s.name) {
            return self.fail(
                "RNN0204",
                name.span(),
                format!("there are two states named `{name}`"),
            );
        }
        let start = match start {
            Some(param) => Some(self.start(name, param, &shape)?),
            None => None,
        };
        let index = self.cell.states.len();
        let node = self
            .cell
            .graph
            .leaf(LeafSource::State(index), Size::known(0), size.clone());
        self.names
            .insert(name.to_string(), Meaning::Lanes(Lanes::one(node, &shape)));
        self.cell.states.push(State {
            name: name.to_string(),
            shape,
            size,
            start,
        });
        self.cell.next.push(Vec::new());
        Ok(())
    }

    /// The parameter that a state starts with.
    fn start(&mut self, state: &Ident, param: &Ident, shape: &[Size]) -> Built<usize> {
        let known = self.cell.params.iter().position(|p| param == &p.name);
        let Some(index) = known else {
            if let Some(Meaning::Mistake) = self.names.get(&param.to_string()) {
                return Err(Reported);
            }
            let written: Vec<String> = shape.iter().map(ToString::to_string).collect();
            let written = written.join(", ");
            let help = match initializer_of(&param.to_string()).is_some() {
                true => format!(
                    "give the start a name: `param first: [{written}] = {param}; state {state}: [{written}] = first;`"
                ),
                false => {
                    format!("declare it before the state: `param {param}: [{written}] = zeros;`")
                }
            };
            return self.report(
                Diagnostic::new(
                    "RNN0218",
                    param.span(),
                    format!("the state `{state}` starts with `{param}`, which is no parameter"),
                )
                .note("a state starts at zero, with `initial_state = …` of the layer, or with a parameter that is learned")
                .help(help),
            );
        };
        let found = &self.cell.params[index].shape;
        if found == shape {
            return Ok(index);
        }
        let list = |shape: &[Size]| -> String {
            let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
            sizes.join(", ")
        };
        let message = format!(
            "the state `{state}` has the shape [{}], and `{param}`, which it starts with, [{}]",
            list(shape),
            list(found)
        );
        self.report(
            Diagnostic::new("RNN0230", param.span(), message).help("give both the same shape"),
        )
    }

    fn next(&mut self, name: &Ident, value: &Expr) -> Built<()> {
        let parts = self.parts(value)?;
        let Some(index) = self.cell.states.iter().position(|s| name == &s.name) else {
            if let Some(Meaning::Mistake) = self.names.get(&name.to_string()) {
                return Err(Reported);
            }
            let near = did_you_mean(&name.to_string(), self.cell.states.iter().map(|s| &*s.name))
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
        let shape = self.cell.states[index].shape.clone();
        if !parts.shape.is_empty() && parts.shape != shape {
            let of = Lanes {
                shape: shape.clone(),
                parts: vec![],
            };
            return self.report(
                Diagnostic::new(
                    "RNN0230",
                    value.span,
                    format!("state `{name}` has {}, found {}", of.size(), parts.size()),
                )
                .help(
                    by_name(&shape, &parts.shape)
                        .or_else(|| {
                            Some(format!(
                                "write `{}`",
                                self.param_for(value, &product(&shape))?
                            ))
                        })
                        .or_else(|| self.kernel_for(value, &product(&shape)))
                        .unwrap_or(format!(
                            "what `{name}` becomes has the shape of `state {name}`"
                        )),
                ),
            );
        }
        let parts = Lanes {
            parts: parts.parts,
            shape,
        };
        let parts = Lanes {
            parts: self.vectors(&parts),
            ..parts
        };
        self.cell.next[index] = parts.parts.clone();
        self.names.insert(name.to_string(), Meaning::Lanes(parts));
        Ok(())
    }

    fn output(&mut self, values: &[(Option<Ident>, Expr)], span: Span) -> Built<()> {
        if !self.cell.out.is_empty() {
            return self.report(
                Diagnostic::new("RNN0207", span, "there are two `output` statements")
                    .help("write one, with all outputs: output a, b;"),
            );
        }
        let named = values.iter().filter(|(n, _)| n.is_some()).count();
        if named != 0 && named != values.len() {
            return self.report(
                Diagnostic::new(
                    "RNN0207",
                    span,
                    "some outputs have names, and some have none",
                )
                .help("name all of them, or none: output location = a, pressure = b;"),
            );
        }
        let mut good = Ok(());
        for (i, (name, value)) in values.iter().enumerate() {
            let twice = |(n, _): &(Option<Ident>, Expr)| n.is_some() && n == name;
            if let (Some(n), true) = (name, values[..i].iter().any(twice)) {
                good = self.report(
                    Diagnostic::new(
                        "RNN0207",
                        n.span(),
                        format!("there are two outputs named `{n}`"),
                    )
                    .help("give each output a name of its own"),
                );
                continue;
            }
            if self.one_output(name.as_ref(), value, span).is_err() {
                good = Err(Reported);
            }
        }
        good
    }

    fn one_output(&mut self, name: Option<&Ident>, value: &Expr, span: Span) -> Built<()> {
        let value = self.parts(value)?;
        // A row scalar is an output of one unit.
        let shape = if self.is_row(&value) {
            vec![Size::known(1)]
        } else if value.shape.is_empty() {
            return self.fail(
                "RNN0206",
                span,
                "the output is a single number; it has to be a vector",
            );
        } else {
            value.shape.clone()
        };
        let parts = self.vectors(&value);
        self.cell.out.push(parts);
        self.cell.outputs.push(CellOutput {
            name: name.map(ToString::to_string),
            width: product(&shape),
            shape,
        });
        Ok(())
    }

    /// The initialiser `e` may be the name of an argument: where the user gave that argument.
    fn given_in(&self, e: &Expr) -> Option<Span> {
        match &e.kind {
            ExprKind::Name(name) => self.given.get(name).copied(),
            // The last of `ones_in`; the others are columns.
            ExprKind::Call(_, parts) => self.given_in(parts.last()?),
            ExprKind::If(_, a, b) => self.given_in(a).or_else(|| self.given_in(b)),
            _ => None,
        }
    }
}

/// The initialiser's name, if it makes matrices and the parameter is a vector. As in Keras, an
/// orthogonal parameter with more than two axes is filled as a matrix whose columns are its last axis.
fn needs_matrix(init: &Initializer, axes: usize) -> Option<&str> {
    match init {
        Initializer::Named(name, _) => match name.as_str() {
            "orthogonal" => axes < 2,
            "identity" => axes != 2,
            _ => false,
        }
        .then_some(name),
        Initializer::OnesIn(_, _, rest) => needs_matrix(rest, axes),
        Initializer::Own(_) => None,
    }
}
