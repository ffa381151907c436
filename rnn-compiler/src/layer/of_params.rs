//! Regularisers and constraints of the parameters of a user's cell: `kernel_regularizer` for
//! `param kernel`, as Keras names them.

use super::options;
use crate::{
    cell::{CellAst, Item, single},
    diagnostics::Diagnostic,
    ir::ParamOptions,
    syntax::{ArgumentAst, ValueKind},
};

const REGULARIZER: &str = "_regularizer";
const CONSTRAINT: &str = "_constraint";

/// The options of the parameters of one use of a cell.
pub(super) struct OfParams<'a> {
    /// The cell, for messages.
    cell: &'a str,
    /// Its parameters, and whether an optimizer changes them.
    params: Vec<(String, bool)>,
    /// Arguments of the cell itself, which take precedence.
    own: Vec<String>,
    /// The names of the arguments that set these options.
    names: Vec<String>,
    /// The options that were given.
    given: Vec<(String, &'static str)>,
    /// The values of the options.
    pub options: ParamOptions,
}

impl<'a> OfParams<'a> {
    pub(super) fn new(ast: &CellAst, cell: &'a str, options: ParamOptions) -> Self {
        let mut params = Vec::new();
        collect(&ast.items, &mut params);
        let own: Vec<String> = ast.arguments.iter().map(|a| a.name.to_string()).collect();
        let trained = params.iter().filter(|(_, trained)| *trained);
        let names = trained
            .flat_map(|(p, _)| [REGULARIZER, CONSTRAINT].map(|what| format!("{p}{what}")))
            .filter(|n| !own.contains(n))
            .collect();
        OfParams {
            cell,
            params,
            own,
            names,
            given: Vec::new(),
            options,
        }
    }

    /// The names of its arguments.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads an argument that is about a parameter; `None` for any other.
    pub(super) fn argument(&mut self, written: &ArgumentAst) -> Option<Result<(), Diagnostic>> {
        let bare = match &written.value.kind {
            ValueKind::Path(path) if written.name.is_none() => single(path),
            _ => None,
        };
        let name = written.name.as_ref().map(ToString::to_string);
        let argument = name.or(bare.clone())?;
        let (param, what) = self.meant(&argument)?;
        if bare.is_some() {
            let example = example(what);
            let words = format!("`{argument}` of {} needs a value", self.cell);
            let d = Diagnostic::new("RNN0126", written.span(), words);
            return Some(Err(d.help(format!("write `{argument} = {example}`"))));
        }
        if self.given.contains(&(param.clone(), what)) {
            let words = format!("`{argument}` of {} is given twice", self.cell);
            let d = Diagnostic::new("RNN0124", written.span(), words);
            return Some(Err(d.help("remove one of the two")));
        }
        self.given.push((param.clone(), what));
        let (cell, value) = (self.cell, &written.value);
        Some(match what {
            REGULARIZER => options::regularizer(cell, &argument, value)
                .map(|r| self.options.regularizers.extend(r.map(|r| (param, r)))),
            _ => options::constraint(cell, &argument, value)
                .map(|c| self.options.constraints.extend(c.map(|c| (param, c)))),
        })
    }

    /// The parameter that an argument is about, and which option it sets. As in Keras,
    /// `recurrent_regularizer` is about `recurrent_kernel`.
    fn meant(&self, argument: &str) -> Option<(String, &'static str)> {
        let (param, what) = apart(argument)?;
        if self.own.iter().any(|a| a == argument) {
            return None;
        }
        let trained = |p: &str| self.params.iter().any(|(n, trained)| n == p && *trained);
        let whole = match param {
            "recurrent" if !trained(param) => "recurrent_kernel",
            param => param,
        };
        trained(whole).then(|| (whole.to_owned(), what))
    }

    /// What to write instead of an argument that looks like one of these.
    pub(super) fn instead(&self, argument: &str) -> Option<String> {
        let (param, what) = apart(argument)?;
        let frozen = |(n, trained): &(String, bool)| n == param && !trained;
        if self.params.iter().any(frozen) {
            return Some(format!(
                "leave it out: `{param}` is frozen, so nothing changes it"
            ));
        }
        let named = self.names.iter().find(|n| n.ends_with(what));
        Some(match named {
            Some(_) => {
                let all = self.names.iter().filter(|n| n.ends_with(what));
                let all: Vec<String> = all.map(|n| format!("`{n} = {}`", example(what))).collect();
                format!("write {}", all.join(" or "))
            }
            None => format!("leave it out: {} has no parameter to train", self.cell),
        })
    }
}

/// `kernel` and the rest of `kernel_regularizer`.
fn apart(argument: &str) -> Option<(&str, &'static str)> {
    let mut all = [REGULARIZER, CONSTRAINT].into_iter();
    all.find_map(|what| Some((argument.strip_suffix(what)?, what)))
}

fn example(what: &str) -> &'static str {
    match what {
        REGULARIZER => "l2(0.01)",
        _ => "max_norm(2)",
    }
}

/// The parameters of a cell, including both branches of an `if`. An option of a parameter that the
/// arguments leave out has no effect, like Keras's `bias_regularizer` with `use_bias = false`.
fn collect(items: &[Item], params: &mut Vec<(String, bool)>) {
    for item in items {
        match item {
            Item::Param {
                name, trainable, ..
            } => {
                let name = name.to_string();
                match params.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, trained)) => *trained |= trainable,
                    None => params.push((name, *trainable)),
                }
            }
            Item::If {
                then, otherwise, ..
            } => {
                collect(then, params);
                collect(otherwise, params);
            }
            _ => {}
        }
    }
}
