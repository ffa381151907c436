//! Reads a value as the kind that its argument takes.

use std::borrow::Cow;

use proc_macro2::Span;

use super::arguments::Kind;
use crate::{
    cell::{
        INITIALIZERS, MAX_SIZE, Value, choices_of, initializer_elsewhere, initializer_not_here,
        initializer_of, is_const, numbers_of, single, size::Size,
    },
    diagnostics::{Diagnostic, did_you_mean},
    syntax::{self, ArgumentAst, ValueAst, ValueKind, path_text},
};

/// The activations, by Keras's names, with how many numbers they take.
pub(super) const ACTIVATIONS: &[(&str, usize)] = &[
    ("linear", 0),
    ("relu", 0),
    ("relu6", 0),
    ("leaky_relu", 1),
    ("elu", 1),
    ("selu", 0),
    ("gelu", 0),
    ("silu", 0),
    ("swish", 0),
    ("softplus", 0),
    ("softsign", 0),
    ("tanh", 0),
    ("sigmoid", 0),
    ("hard_sigmoid", 1),
    ("hard_tanh", 0),
    ("hard_silu", 0),
    ("log_sigmoid", 0),
    ("mish", 0),
    ("exponential", 0),
    ("softmax", 0),
    ("log_softmax", 0),
];

/// Keras's activations that are not here.
const NOT_HERE: &[&str] = &[
    "celu",
    "glu",
    "hard_shrink",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
];

/// Reads a value as the kind that its argument takes. `flags` are the layer's flags, for "did you mean".
pub(super) fn read(
    class: &str,
    name: &str,
    kind: Kind,
    value: &ValueAst,
    flags: &[&str],
) -> Result<Value, Diagnostic> {
    let wrong = |what: &str| {
        Diagnostic::new(
            "RNN0126",
            value.span,
            format!("`{name}` of {class} must be {what}, found `{value}`"),
        )
    };
    match kind {
        Kind::Length if matches!(value.kind, ValueKind::Open) => Ok(Value::Name("_".into())),
        Kind::Size | Kind::Length | Kind::Sizes => size(class, name, value),
        Kind::Rate | Kind::Positive => {
            let x = match value.kind {
                ValueKind::Whole(n) => n as f64,
                ValueKind::Number(x) => x,
                _ => return Err(wrong("a number").help(literal(value, name, "0.1"))),
            };
            let (fits, range) = match kind {
                Kind::Rate => ((0.0..1.0).contains(&x), "at least 0 and below 1"),
                _ => (x > 0.0 && x <= f64::from(f32::MAX), "above 0"),
            };
            if !fits {
                return Err(Diagnostic::new(
                    "RNN0129",
                    value.span,
                    format!("`{name}` of {class} must be {range}, found {value}"),
                )
                .help(
                    if kind == Kind::Rate && name != "momentum" && x > 1.0 && x < 100.0 {
                        format!("{value} percent is `{}`", x / 100.0)
                    } else {
                        format!(
                            "write `{name} = {}`",
                            if kind == Kind::Rate { "0.5" } else { "0.001" }
                        )
                    },
                ));
            }
            Ok(Value::Number(x))
        }
        Kind::Flag => match value.kind {
            ValueKind::Flag(flag) => Ok(Value::Flag(flag)),
            _ => Err(wrong("true or false").help(format!("write `{name}` or `{name} = false`"))),
        },
        Kind::Activation => named(
            class,
            name,
            value,
            flags,
            "RNN0130",
            "an activation",
            "tanh",
            |name| {
                ACTIVATIONS
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, numbers)| *numbers)
            },
        ),
        Kind::Initializer => named(
            class,
            name,
            value,
            flags,
            "RNN0131",
            "an initialiser",
            "glorot_uniform",
            |name| initializer_of(name).map(|name| numbers_of(name).len()),
        ),
        Kind::Number => match value.kind {
            ValueKind::Whole(n) => Ok(Value::Number(n as f64)),
            ValueKind::Number(x) => Ok(Value::Number(x)),
            _ if name == "axis" => Err(wrong("a number").help("write `axis = -1`, the last axis")),
            _ => Err(wrong("a number").help(literal(value, name, "0.5"))),
        },
        Kind::Whole => match value.kind {
            // Larger seeds would run into the bits that tell calls, cells and masks apart.
            ValueKind::Whole(n) if u32::try_from(n).is_err() => {
                Err(wrong("a whole number below 2^32").help(format!("write `{name} = 1`")))
            }
            ValueKind::Whole(n) => Ok(Value::Number(n as f64)),
            _ => Err(wrong("a whole number from 0").help(literal(value, name, "1"))),
        },
        Kind::Choice(all) => {
            let chosen = match &value.kind {
                ValueKind::Path(path) => single(path),
                ValueKind::Text(text) => Some(text.clone()),
                _ => None,
            };
            match chosen {
                Some(chosen) if all.contains(&chosen.as_str()) => Ok(Value::Name(chosen)),
                Some(chosen) => {
                    let d = wrong(&format!("one of {}", all.join(", ")));
                    let same = same_choice(&chosen).filter(|s| all.contains(s));
                    Err(match same.or(did_you_mean(&chosen, all.iter().copied())) {
                        Some(meant) if same.is_some() => {
                            d.help(format!("write `{name} = {meant}`"))
                        }
                        Some(meant) => d.help(format!("did you mean `{meant}`?")),
                        None => d.help(any_of(name, all)),
                    })
                }
                None => Err(wrong(&format!("one of {}", all.join(", "))).help(any_of(name, all))),
            }
        }
        // These are handled before values are read.
        Kind::Cell
        | Kind::Layer
        | Kind::Values
        | Kind::Regularizer
        | Kind::Constraint
        | Kind::NotYet(_) => Err(wrong("something else")),
    }
}

/// Keras's choice for a word of another library.
fn same_choice(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "average" | "avg" | "mean" => "ave",
        "multiply" | "product" | "prod" => "mul",
        "add" | "plus" => "sum",
        "concatenate" | "cat" => "concat",
        _ => return None,
    })
}

/// All choices, as they are written.
fn any_of(name: &str, all: &[&str]) -> String {
    let all = all.iter().map(|one| format!("`{name} = {one}`"));
    format!("write one of {}", all.collect::<Vec<_>>().join(", "))
}

/// Help where a number is needed: a size may be a `const`, a number may not.
fn literal(value: &ValueAst, name: &str, example: &str) -> String {
    match &value.kind {
        ValueKind::Path(_) => consts(value, &format!("{name} = {example}")),
        _ => format!("write a literal: `{name} = {example}`"),
    }
}

/// What to write instead of a number that is wrong.
pub(super) fn consts(value: &ValueAst, example: &str) -> String {
    match &value.kind {
        ValueKind::Path(path) if is_const(path) => format!(
            "only sizes may be `const`s; the compiler needs this number itself: `{example}`"
        ),
        _ => format!("write `{example}`"),
    }
}

fn size(class: &str, name: &str, value: &ValueAst) -> Result<Value, Diagnostic> {
    let error = |code, words: String| Diagnostic::new(code, value.span, words);
    match &value.kind {
        // Reported by the layer, which knows the others.
        ValueKind::Number(-1.0) if name == "target_shape" => Ok(Value::Number(-1.0)),
        ValueKind::Number(-1.0) if name == "time" => Err(error(
            "RNN0126",
            format!("`{name}` of {class} must be a whole number from 1, found `-1`"),
        )
        .help("any number of steps is `_`: write `Input(_, 28)` for 28 features a step")),
        ValueKind::Text(text) if text.parse::<u32>().is_ok() => Err(error(
            "RNN0126",
            format!("`{name}` of {class} must be a whole number, found `{value}`"),
        )
        .help(format!("write `{text}` without quotes"))),
        ValueKind::Whole(0) if name == "dims" => {
            Err(error("RNN0127", format!("`{name}` of {class} is 0"))
                .help("axes are numbered from 1: write Permute(2, 1)"))
        }
        ValueKind::Whole(0) => {
            Err(error("RNN0127", format!("`{name}` of {class} is 0"))
                .help("every size is at least 1"))
        }
        ValueKind::Whole(n) if *n > MAX_SIZE => Err(error(
            "RNN0128",
            format!("`{name}` of {class} is {n}, more than can be addressed"),
        )
        .help(format!("a size is at most {MAX_SIZE}"))),
        ValueKind::Whole(n) => Ok(Value::Size(Size::known(*n))),
        ValueKind::Path(path) if is_const(path) => Ok(Value::Size(Size::constant(path.clone()))),
        ValueKind::Open => Err(
            error("RNN0126", format!("`{name}` of {class} cannot be open"))
                .help("only a length in time can: `Input(_, 28)`"),
        ),
        ValueKind::Path(path) => Err(error(
            "RNN0126",
            format!("`{name}` of {class} must be a size, found the name `{value}`"),
        )
        .help(match single(path) {
            Some(lower) => format!(
                "sizes are known when the program is compiled: write a number or a `const` such as `{0}`, which is `const {0}: usize = 64;`",
                lower.to_uppercase()
            ),
            None => "write a number or the name of a `const`".to_owned(),
        })),
        ValueKind::Text(_) => Err(error(
            "RNN0126",
            format!("`{name}` of {class} must be a whole number, found `{value}`"),
        )
        .help(format!("leave it out, or write `name = {value}` if it is the layer's name"))),
        // `8.0` is shown as written.
        ValueKind::Number(x) if *x >= 1.0 && x.fract() == 0.0 && *x <= MAX_SIZE as f64 => {
            Err(error(
                "RNN0126",
                format!("`{name}` of {class} must be a whole number, found `{x:?}`"),
            )
            .help(format!("write `{x}`")))
        }
        kind => Err(error(
            "RNN0126",
            format!(
                "`{name}` of {class} must be a whole number{}, found `{value}`",
                // Below 0 there are whole numbers, too.
                match kind {
                    ValueKind::Number(x) if *x < 0.0 => " from 1",
                    _ => "",
                }
            ),
        )
        .help(format!("write `{name} = 64` or the name of a `const`"))),
    }
}

/// The code of an argument that a layer does not have.
pub(super) const UNKNOWN: &str = "RNN0120";

/// A name without a value that is nearly one of the layer's flags.
pub(super) fn unknown_flag(class: &str, name: &str, meant: &str, span: Span) -> Diagnostic {
    Diagnostic::new(UNKNOWN, span, format!("{class} has no flag `{name}`"))
        .help(format!("did you mean the flag `{meant}`?"))
}

/// A name from a list, perhaps with numbers.
#[allow(clippy::too_many_arguments)] // the words of one message
fn named(
    class: &str,
    argument: &str,
    value: &ValueAst,
    flags: &[&str],
    code: &'static str,
    what: &str,
    example: &str,
    numbers_of: impl Fn(&str) -> Option<usize>,
) -> Result<Value, Diagnostic> {
    let known: Vec<&str> = match code {
        "RNN0130" => ACTIVATIONS.iter().map(|(n, _)| *n).collect(),
        _ => INITIALIZERS.to_vec(),
    };
    // The parameter that an initialiser is of.
    let parameter = argument.trim_end_matches("_initializer");
    let wrong = || {
        Diagnostic::new(
            "RNN0126",
            value.span,
            format!("`{argument}` of {class} must be {what}, found `{value}`"),
        )
        .help(format!("write a name: `{argument} = {example}`"))
    };
    let (path, given): (Cow<'_, syn::Path>, &[ArgumentAst]) = match &value.kind {
        ValueKind::Path(path) => (Cow::Borrowed(path), &[]),
        ValueKind::Call(path, given) => (Cow::Borrowed(path), given),
        // In Keras names stand in quotes.
        ValueKind::Text(text) => match syn::parse_str::<syn::Path>(text) {
            Ok(path) => (Cow::Owned(path), &[]),
            Err(_) => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    let name = single(&path).unwrap_or_default();
    let Some(takes) = numbers_of(&name) else {
        if code == "RNN0130" && NOT_HERE.contains(&name.as_str()) {
            let words = format!("Keras's activation `{name}` is not supported");
            return Err(Diagnostic::new(code, value.span, words)
                .help(format!("there are {}", known.join(", "))));
        }
        if code == "RNN0131"
            && let Some((why, instead)) = initializer_not_here(&name)
        {
            let words = format!("Keras's initialiser `{name}` is not supported");
            return Err(Diagnostic::new(code, value.span, words)
                .note(why)
                .help(instead));
        }
        let d = Diagnostic::new(
            code,
            value.span,
            format!(
                "there is no {} `{}`",
                what.trim_start_matches("an "),
                path_text(&path)
            ),
        );
        // A name as a cell has it for numbers of the program.
        if code == "RNN0131"
            && (path.segments.len() > 1 || name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        {
            return Err(d
                .note("an argument takes an initialiser by name")
                .help(format!(
                    "an array goes into the model when it is made: `model.set_param(\"{}/{parameter}\", &array)?`, with the \
                     layer's name; a parameter of a cell of your own starts with it where it is declared",
                    class.to_ascii_lowercase(),
                )));
        }
        if code == "RNN0130" && name == "none" {
            return Err(d.help(format!("no activation is `{argument} = linear`")));
        }
        // Another library's name of it, or its class there.
        let own = match code {
            "RNN0130" => syntax::activation(&name).filter(|own| numbers_of(own).is_some()),
            _ => initializer_elsewhere(&name).map(str::to_owned),
        };
        if let Some(own) = own {
            let numbers: Vec<String> = given.iter().map(ToString::to_string).collect();
            let own = match numbers.as_slice() {
                [] => own,
                all if numbers_of(&own).is_some_and(|n| n >= all.len()) => {
                    format!("{own}({})", all.join(", "))
                }
                _ => own,
            };
            return Err(d.help(format!("write `{argument} = {own}`")));
        }
        return Err(
            match (
                did_you_mean(&name, known.iter().copied()),
                did_you_mean(&name, flags.iter().copied()),
            ) {
                (Some(meant), _) => d.help(format!("did you mean `{meant}`?")),
                (None, Some(flag)) => unknown_flag(class, &name, flag, value.span),
                (None, None) => d.help(format!("there are {}", known.join(", "))),
            },
        );
    };
    let (name, names): (String, &[(&str, f64)]) = match initializer_of(&name) {
        Some(known) if code == "RNN0131" => (known.to_owned(), crate::cell::numbers_of(known)),
        _ => (name, &[]),
    };
    let mut numbers: Vec<f64> = Vec::new();
    for g in given {
        // Initialisers have names for their numbers, and some are written as names.
        let at = match &g.name {
            None => Some(numbers.len()),
            Some(n) => names.iter().position(|(known, _)| n == known),
        };
        let argument = at.and_then(|at| names.get(at)).map_or("", |(n, _)| *n);
        let number = match &g.value.kind {
            ValueKind::Whole(n) => Some(*n as f64),
            ValueKind::Number(x) => Some(*x),
            kind => match kind {
                ValueKind::Path(p) => single(p),
                ValueKind::Text(text) => Some(text.clone()),
                _ => None,
            }
            .and_then(|p| choices_of(argument).iter().position(|c| *c == p))
            .map(|i| i as f64),
        };
        match (at, number) {
            (Some(at), Some(x)) => {
                // The numbers before it get their defaults.
                while numbers.len() <= at {
                    numbers.push(names.get(numbers.len()).map_or(0.0, |(_, x)| *x));
                }
                numbers[at] = x;
            }
            _ => {
                let d = Diagnostic::new(
                    "RNN0134",
                    g.span(),
                    format!("`{name}` takes a number, found `{g}`"),
                );
                // In Keras an array is a constant, too. A name of the program in lower case is no number that is known.
                if let ("constant", ValueKind::Path(path)) = (name.as_str(), &g.value.kind)
                    && single(path).is_some_and(|n| n.starts_with(char::is_lowercase))
                {
                    return Err(d.help(format!(
                        "an array goes into the model when it is made: \
                         `model.set_param(\"{}/{parameter}\", &{})?`, with the layer's name",
                        class.to_ascii_lowercase(),
                        g.value
                    )));
                }
                return Err(d.help(match names {
                    [] => consts(&g.value, &format!("{name}(0.1)")),
                    names => {
                        let all = names.iter().map(|(n, x)| match choices_of(n) {
                            [] => format!("{n} = {x}"),
                            choices => format!("{n} = {}", choices[0]),
                        });
                        let all = all.collect::<Vec<_>>().join(", ");
                        consts(&g.value, &format!("{name}({all})"))
                    }
                }));
            }
        }
    }
    if numbers.len() > takes {
        return Err(Diagnostic::new(
            "RNN0134",
            value.span,
            match takes {
                0 => format!("`{name}` takes no numbers, found `{value}`"),
                _ => format!("`{name}` takes one number, found `{value}`"),
            },
        )
        .help(if takes == 0 {
            format!("write `{name}`")
        } else {
            format!("write `{name}(0.1)`")
        }));
    }
    Ok(if numbers.is_empty() {
        Value::Name(name)
    } else {
        Value::Call(name, numbers)
    })
}
