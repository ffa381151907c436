//! Regularisers and constraints as they are written: `l2(0.01)`, `max_norm(2)`.

use super::values::consts;
use crate::{
    cell::single,
    diagnostics::{Diagnostic, did_you_mean},
    ir::{Constraint, Regularizer},
    syntax::{ArgumentAst, ValueAst, ValueKind},
};

const REGULARIZERS: &[&str] = &["l1", "l2", "l1_l2"];
const CONSTRAINTS: &[&str] = &["max_norm", "min_max_norm", "non_neg", "unit_norm"];

/// A function and its numbers, by place or by name; `None` for `none`.
struct Call<'a> {
    name: String,
    class: &'a str,
    argument: &'a str,
    value: &'a ValueAst,
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
            Some(name) if known.contains(&name.as_str()) => Ok(Some(Call {
                name,
                class,
                argument,
                value,
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
                    None => d.help(format!("write `{argument} = {example}`")),
                })
            }
        }
    }

    /// Its numbers, in the order of `names`, by place or by name.
    fn numbers<const N: usize>(
        &self,
        names: [&str; N],
        defaults: [f64; N],
    ) -> Result<[f64; N], Diagnostic> {
        let mut numbers = defaults;
        for (place, g) in self.given.iter().enumerate() {
            let at = match &g.name {
                Some(name) => names.iter().position(|n| name == n),
                None => (place < N).then_some(place),
            };
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

    fn example(&self, names: &[&str], defaults: &[f64]) -> String {
        let all = names.iter().zip(defaults);
        let all: Vec<String> = all.map(|(n, x)| format!("{n} = {x}")).collect();
        format!("{}({})", self.name, all.join(", "))
    }

    fn wrong(&self, words: &str) -> Diagnostic {
        Diagnostic::new(
            "RNN0134",
            self.value.span,
            format!("`{}` of {}: {words}", self.argument, self.class),
        )
        .help("write `max_norm(max_value = 2, axis = 0)`")
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
    let axis = |x: f64, call: &Call<'_>| match x {
        0.0 => Ok(0),
        1.0 => Ok(1),
        _ => Err(call.wrong(&format!("a parameter has no axis {x}"))),
    };
    Ok(Some(match call.name.as_str() {
        "max_norm" => {
            let [max, a] = call.numbers(["max_value", "axis"], [2.0, 0.0])?;
            Constraint::MaxNorm {
                max,
                axis: axis(a, &call)?,
            }
        }
        "min_max_norm" => {
            let names = ["min_value", "max_value", "rate", "axis"];
            let [min, max, rate, a] = call.numbers(names, [0.0, 1.0, 1.0, 0.0])?;
            if min > max || rate > 1.0 {
                return Err(call.wrong("min_value is at most max_value, and rate at most 1"));
            }
            Constraint::MinMaxNorm {
                min,
                max,
                rate,
                axis: axis(a, &call)?,
            }
        }
        "non_neg" => {
            let [] = call.numbers([], [])?;
            Constraint::NonNeg
        }
        _ => {
            let [a] = call.numbers(["axis"], [0.0])?;
            Constraint::UnitNorm {
                axis: axis(a, &call)?,
            }
        }
    }))
}
