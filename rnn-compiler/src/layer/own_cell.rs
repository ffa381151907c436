//! The arguments of a cell made by `rnn_cell!`.

use proc_macro2::Span;

use super::{
    arguments::Kind,
    of_params::OfParams,
    values::{consts, read},
};
use crate::{
    cell::{CellAst, Value, initializer_of, single, size::Size},
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    ir::{CellUse, ParamOptions, UsedCell},
    syntax::{ArgumentAst, ValueKind},
};

/// The arguments of a user's cell. The default of an argument gives its kind; an argument without a
/// default is a size. Each parameter of the cell also has a regulariser and a constraint, which join
/// `options`.
pub(super) fn own_cell(
    ast: CellAst,
    options: ParamOptions,
    text: &str,
    span: Span,
    written: &[ArgumentAst],
    found: &mut Diagnostics,
) -> Option<(UsedCell, Option<Size>)> {
    let name = text;
    let names: Vec<String> = ast.arguments.iter().map(|a| a.name.to_string()).collect();
    let signature = format!(
        "{name} takes {}",
        if names.is_empty() {
            "no arguments".into()
        } else {
            names.join(", ")
        }
    );
    let mut given: Vec<(String, Value, Span)> = Vec::new();
    let mut of_params = OfParams::new(&ast, name, options);
    let mut good = true;
    let (mut index, mut named) = (0, false);
    for a in written {
        match of_params.argument(a) {
            Some(Ok(())) => {
                named = true;
                continue;
            }
            Some(Err(d)) => {
                named |= a.name.is_some();
                good = false;
                found.push(d);
                continue;
            }
            None => {}
        }
        let flag = match &a.value.kind {
            ValueKind::Path(p) if a.name.is_none() => single(p).filter(|n| names.contains(n)),
            _ => None,
        };
        let target = match (&a.name, &flag) {
            (Some(n), _) => {
                named = true;
                Some(n.to_string())
            }
            (None, Some(n)) => Some(n.clone()),
            (None, None) => {
                index += 1;
                names.get(index - 1).cloned()
            }
        };
        let d = |code, words: String| Diagnostic::new(code, a.span(), words);
        let argument = target
            .as_ref()
            .and_then(|t| ast.arguments.iter().find(|x| x.name == t));
        let problem = match (&target, argument) {
            (None, _) => Some(
                d("RNN0123", format!("{name} has no argument number {index}"))
                    .help(signature.clone()),
            ),
            (Some(t), None) => Some(d("RNN0120", format!("{name} has no argument `{t}`")).help(
                // A name that differs only in the name of the parameter is no slip of the pen.
                of_params.instead(t).unwrap_or_else(|| {
                    let known = names.iter().chain(of_params.names());
                    match did_you_mean(t, known.map(String::as_str)) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!(
                            "{signature}; leave it out, or declare it: `cell {}({})`",
                            ast.name,
                            names
                                .iter()
                                .cloned()
                                .chain([a.to_string()])
                                .collect::<Vec<_>>()
                                .join(", ")
                        ),
                    }
                }),
            )),
            (Some(t), _) if named && a.name.is_none() && flag.is_none() => Some(
                d(
                    "RNN0125",
                    format!(
                        "`{}` has no name but follows an argument that has one",
                        a.value
                    ),
                )
                .help("give it a name, too, or write it first"),
            ),
            (Some(t), _) if given.iter().any(|(n, ..)| n == t) => Some(
                d("RNN0124", format!("`{t}` of {name} is given twice"))
                    .help("remove one of the two"),
            ),
            (Some(t), Some(argument)) => {
                match own_value(name, t, argument.default.as_ref(), a, flag.is_some()) {
                    Ok(value) => {
                        given.push((t.clone(), value, a.value.span));
                        None
                    }
                    Err(d) => Some(d),
                }
            }
        };
        if let Some(d) = problem {
            good = false;
            found.push(d);
        }
    }
    for a in &ast.arguments {
        if good && a.default.is_none() && !given.iter().any(|(n, ..)| a.name == n) {
            good = false;
            found.push(
                Diagnostic::new("RNN0122", span, format!("{name} needs `{}`", a.name))
                    .help(format!("write {name}({})", with(written, &a.name))),
            );
        }
    }
    let units = given.iter().find_map(|(n, v, _)| match v {
        Value::Size(s) if n == "units" => Some(s.clone()),
        _ => None,
    });
    let options = of_params.options;
    good.then(|| {
        let cell = CellUse {
            cell: ast,
            arguments: given,
        };
        let prefix = None;
        (
            UsedCell {
                cell,
                prefix,
                options,
            },
            units,
        )
    })
}

/// The arguments as written, with an example of the missing one.
fn with(written: &[ArgumentAst], missing: &proc_macro2::Ident) -> String {
    let all = written.iter().map(ToString::to_string);
    let all: Vec<String> = all.chain([format!("{missing} = 32")]).collect();
    all.join(", ")
}

/// A value for an argument of a user's cell.
fn own_value(
    cell: &str,
    name: &str,
    default: Option<&Value>,
    written: &ArgumentAst,
    bare_flag: bool,
) -> Result<Value, Diagnostic> {
    let value = &written.value;
    let kind = match default {
        None | Some(Value::Size(_)) => Kind::Size,
        Some(Value::Flag(_)) if bare_flag => return Ok(Value::Flag(true)),
        Some(Value::Flag(_)) => Kind::Flag,
        Some(Value::Number(_)) => {
            return match value.kind {
                ValueKind::Whole(n) => Ok(Value::Number(n as f64)),
                ValueKind::Number(x) => Ok(Value::Number(x)),
                _ => Err(Diagnostic::new(
                    "RNN0126",
                    value.span,
                    format!("`{name}` of {cell} must be a number, found `{value}`"),
                )
                .help(consts(value, &format!("{name} = 0.1")))),
            };
        }
        Some(Value::Name(n) | Value::Call(n, _)) if initializer_of(n).is_some() => {
            Kind::Initializer
        }
        Some(Value::Name(_) | Value::Call(..)) => Kind::Activation,
    };
    if bare_flag {
        return Err(Diagnostic::new(
            "RNN0126",
            value.span,
            format!("`{name}` of {cell} needs a value"),
        )
        .help(format!("write `{name} = …`")));
    }
    read(cell, name, kind, value, &[])
}
