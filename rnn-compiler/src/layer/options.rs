//! Reads regularisers and constraints: `l2(0.01)`, `max_norm(2)`.

use super::values::consts;
use crate::{
    cell::{single, snake},
    diagnostics::{Diagnostic, did_you_mean},
    ir::{Constraint, Regularizer},
    syntax::{ArgumentAst, ValueAst, ValueKind},
};

const REGULARIZERS: &[&str] = &["l1", "l2", "l1_l2"];
const CONSTRAINTS: &[&str] = &["max_norm", "min_max_norm", "non_neg", "unit_norm"];

/// A function and its numbers, by position or by name; `None` for `none`.
struct Call<'a> {
    name: String,
    class: &'a str,
    argument: &'a str,
    given: &'a [ArgumentAst],
}

impl<'a> Call<'a> {
    fn read(
        class: &'a str,
        argument: &'a str,
        value: &'a ValueAst,
        known: &[&str],
        code: &'static str,
        example: &str,
    ) -> Result<Option<Self>, Diagnostic> {
        let (path, given): (_, &[ArgumentAst]) = match &value.kind {
            ValueKind::Path(path) => (single(path), &[]),
            ValueKind::Call(path, given) => (single(path), given),
            ValueKind::Text(text) => (Some(text.clone()), &[]),
            _ => (None, &[]),
        };
        match path {
            Some(none) if none == "none" => Ok(None),
            // Keras takes the names of its classes, too: `L2`, `MaxNorm`.
            Some(name) if known.contains(&snake(&name).as_str()) => Ok(Some(Call {
                name: snake(&name),
                class,
                argument,
                given,
            })),
            name => {
                let d = Diagnostic::new(
                    code,
                    value.span,
                    format!(
                        "`{argument}` of {class} must be one of {}, found `{value}`",
                        known.join(", ")
                    ),
                );
                let near =
                    name.and_then(|n| did_you_mean(&n, known.iter().copied()).map(str::to_owned));
                Err(match near {
                    Some(meant) => d.help(format!("did you mean `{meant}`?")),
                    None => d.help(match &value.kind {
                        // A number, or what Python would write in quotes.
                        ValueKind::Number(x) if code == "RNN0135" => {
                            format!("write `{argument} = l2({x})`")
                        }
                        ValueKind::Text(text) if text.ends_with(')') => {
                            format!("write `{argument} = {text}` without quotes")
                        }
                        _ => format!("write `{argument} = {example}`"),
                    }),
                })
            }
        }
    }

    /// Its numbers, in the order of `names`, by position or by name.
    fn numbers<const N: usize>(
        &self,
        names: [&str; N],
        defaults: [f64; N],
    ) -> Result<[f64; N], Diagnostic> {
        let mut numbers = defaults;
        for (index, g) in self.given.iter().enumerate() {
            let at = match &g.name {
                Some(name) => names.iter().position(|n| name == n),
                None => (index < N).then_some(index),
            };
            // Read by `axes`.
            if at.is_some_and(|at| names[at] == "axis") {
                continue;
            }
            let number = match g.value.kind {
                ValueKind::Whole(n) => Some(n as f64),
                ValueKind::Number(x) => Some(x),
                _ => None,
            };
            match (at, number) {
                (Some(at), Some(x)) if x.is_finite() && x >= 0.0 => numbers[at] = x,
                _ => {
                    let takes = if N == 0 {
                        "no numbers".to_owned()
                    } else {
                        format!("{} (numbers from 0)", names.join(", "))
                    };
                    return Err(Diagnostic::new(
                        "RNN0134",
                        g.span(),
                        format!("`{}` takes {takes}, found `{g}`", self.name),
                    )
                    .help(consts(&g.value, &self.example(&names, &defaults))));
                }
            }
        }
        Ok(numbers)
    }

    /// Its argument `axis` at `index`: one axis or several, below 0 from the end.
    fn axes(&self, index: usize) -> Result<Vec<i64>, Diagnostic> {
        let mut given = self.given.iter().enumerate();
        let given = given.find(|(i, g)| match &g.name {
            Some(name) => name == "axis",
            None => *i == index,
        });
        let Some((_, given)) = given else {
            return Ok(vec![0]);
        };
        let all = match &given.value.kind {
            ValueKind::List(list) if !list.is_empty() => list.as_slice(),
            _ => std::slice::from_ref(&given.value),
        };
        let axis = |v: &ValueAst| match v.kind {
            ValueKind::Whole(n @ 0..=1) => Some(n as i64),
            ValueKind::Number(x) if x == -1.0 || x == -2.0 => Some(x as i64),
            _ => None,
        };
        all.iter()
            .map(|v| {
                axis(v).ok_or_else(|| {
                    let words = format!(
                        "`{}` of {}: a parameter has no axis {v}",
                        self.argument, self.class
                    );
                    let own = match self.name.as_str() {
                        "max_norm" => "max_norm(2, axis = 0)",
                        "min_max_norm" => "min_max_norm(0, 1, axis = 0)",
                        _ => "unit_norm(axis = 0)",
                    };
                    Diagnostic::new("RNN0134", v.span, words)
                        .note("its axes are 0 and 1, or from the end -1 and -2; `[0, 1]` is both")
                        .help(consts(v, own))
                })
            })
            .collect()
    }

    fn example(&self, names: &[&str], defaults: &[f64]) -> String {
        let all = names.iter().zip(defaults);
        let all: Vec<String> = all.map(|(n, x)| format!("{n} = {x}")).collect();
        format!("{}({})", self.name, all.join(", "))
    }
}

/// `l1(0.01)`, `l2(0.01)`, `l1_l2(l1 = 0.01, l2 = 0.01)`; Keras's defaults where a number is left
/// out, `None` for `none`.
pub(super) fn regularizer(
    class: &str,
    argument: &str,
    value: &ValueAst,
) -> Result<Option<Regularizer>, Diagnostic> {
    let call = Call::read(class, argument, value, REGULARIZERS, "RNN0135", "l2(0.01)")?;
    let Some(call) = call else { return Ok(None) };
    Ok(Some(match call.name.as_str() {
        "l1" => {
            let [l1] = call.numbers(["l1"], [0.01])?;
            Regularizer { l1, l2: 0.0 }
        }
        "l2" => {
            let [l2] = call.numbers(["l2"], [0.01])?;
            Regularizer { l1: 0.0, l2 }
        }
        _ => {
            let [l1, l2] = call.numbers(["l1", "l2"], [0.0, 0.0])?;
            Regularizer { l1, l2 }
        }
    }))
}

/// `max_norm(2)`, `min_max_norm(0, 1, rate = 1, axis = 0)`, `non_neg`, `unit_norm`.
pub(super) fn constraint(
    class: &str,
    argument: &str,
    value: &ValueAst,
) -> Result<Option<Constraint>, Diagnostic> {
    let call = Call::read(
        class,
        argument,
        value,
        CONSTRAINTS,
        "RNN0136",
        "max_norm(2)",
    )?;
    let Some(call) = call else { return Ok(None) };
    Ok(Some(match call.name.as_str() {
        "max_norm" => {
            let [max, _] = call.numbers(["max_value", "axis"], [2.0, 0.0])?;
            Constraint::MaxNorm {
                max,
                axis: call.axes(1)?,
            }
        }
        "min_max_norm" => {
            let names = ["min_value", "max_value", "rate", "axis"];
            let [min, max, rate, _] = call.numbers(names, [0.0, 1.0, 1.0, 0.0])?;
            if min > max || rate > 1.0 {
                let words = "min_value is at most max_value, and rate at most 1";
                let words = format!("`{argument}` of {class}: {words}");
                return Err(Diagnostic::new("RNN0134", value.span, words)
                    .help("write `min_max_norm(min_value = 0, max_value = 1, rate = 1)`"));
            }
            Constraint::MinMaxNorm {
                min,
                max,
                rate,
                axis: call.axes(3)?,
            }
        }
        "non_neg" => {
            let [] = call.numbers([], [])?;
            Constraint::NonNeg
        }
        _ => {
            let [_] = call.numbers(["axis"], [0.0])?;
            Constraint::UnitNorm {
                axis: call.axes(0)?,
            }
        }
    }))
}
