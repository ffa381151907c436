//! `mask = m`: which steps a layer reads.

use std::slice::from_ref;

use super::{
    arguments::LayerArguments,
    context::{Before, Context, Incoming},
};
use crate::{
    cell::size::by_name,
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{Content, Port, Shape, Time},
    syntax::ValueAst,
};

/// `mask = m`
pub(super) fn own_mask(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    time: &Time,
    found: &mut Diagnostics,
) -> Result<Option<Port>, Reported> {
    let Some(raw) = given.raw("mask") else {
        return Ok(None);
    };
    let values = context.named(given, "mask", found).ok_or(Reported)?;
    if values.iter().any(|(v, _)| v.port.is_none()) {
        return Err(Reported);
    }
    let one = match values.as_slice() {
        // The name of a value stands for its mask, which Keras gives by `layer.compute_mask`.
        [(one, _)] if carries(one, time) => return Ok(one.mask),
        [(one, _)] => one.shape().zip(one.port),
        _ => None,
    };
    match one {
        Some((shape, port)) if shape.content == Content::Mask && shape.time == *time => {
            Ok(Some(port))
        }
        other => {
            found.push(wrong_mask(given, context, raw, time, other.map(|(s, _)| s)));
            Err(Reported)
        }
    }
}

/// Whether a value has a mask, for these steps.
fn carries(value: &Incoming, time: &Time) -> bool {
    let steps = value.shape().map(|s| &s.time);
    value.mask.is_some() && *time != Time::None && steps == Some(time)
}

/// The message for a `mask = m` that is no mask, or has other steps than the layer's input.
fn wrong_mask(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    raw: &ValueAst,
    time: &Time,
    mask: Option<&Shape>,
) -> Diagnostic {
    let found = mask.map_or("several values".to_owned(), |s| match s.content {
        Content::Mask => format!("a mask {s}"),
        _ => s.to_string(),
    });
    let d = Diagnostic::new(
        "RNN0155",
        raw.span,
        format!(
            "`mask` of {} must be a mask with the steps of its input, found {found}",
            given.text
        ),
    );
    // The declaration of the input that the steps come from.
    let input = context
        .before()
        .first()
        .filter(|b| b.shape.as_ref().is_some_and(|s| s.time == *time));
    let reads = input.and_then(Before::input_name);
    let of = reads.map_or(String::new(), |x| format!(" of `{x}`"));
    let d = match mask {
        Some(s) if s.content == Content::Mask => {
            let own = match (&s.time, time) {
                (Time::Any(a), Time::Any(b)) => {
                    let name = |n: &Option<String>| n.as_ref().map(|n| format!("`{n}`"));
                    let own = name(&a.name).unwrap_or("a length of its own".to_owned());
                    match name(&b.name) {
                        Some(b) => format!("the length of `{raw}` is {own}, not {b}{of}"),
                        None => format!("the length of `{raw}` is {own}, not that{of}"),
                    }
                }
                (Time::Steps(a), Time::Steps(b)) => match by_name(from_ref(a), from_ref(b)) {
                    Some(note) => note,
                    None => format!("`{raw}` has {a} steps, not {b}"),
                },
                (Time::Steps(a), _) => format!("`{raw}` has {a} steps, and the length{of} is open"),
                (_, b) => format!(
                    "the length of `{raw}` is open, and there are {} steps{of}",
                    steps(b)
                ),
            };
            d.note(own)
        }
        Some(_) => d.note(format!("`{raw}` is no mask: one boolean a step")),
        None => d,
    };
    let features = input.and_then(|b| b.shape.as_ref()).map(|s| {
        let axes: Vec<String> = s.axes.iter().map(ToString::to_string).collect();
        axes.join(", ")
    });
    // Only an input can be made a mask by its declaration.
    let declared = |name: &str| {
        let value = context.scope.get(name)?.first()?.before.last()?;
        (value.input_name() == Some(name) && reads != Some(name)).then(|| name.to_owned())
    };
    let own = declared(&raw.to_string());
    let instead = match &own {
        Some(_) => "",
        None => " and `mask = m`",
    };
    let raw = own.unwrap_or("m".to_owned());
    let help = match (reads, time, features) {
        (_, Time::Steps(n), _) => format!("write `input {raw}: mask[{n}];`"),
        (_, Time::Any(a), _) if a.name.is_some() => {
            let name = a.name.clone().unwrap_or_default();
            format!("write `input {raw}: mask[{name}];`")
        }
        (Some(x), _, Some(axes)) if !axes.is_empty() => format!(
            "give both lengths one name: `input {x}: [time, {axes}]; input {raw}: mask[time];`"
        ),
        (Some(x), ..) => format!(
            "give both lengths one name: `input {x}: ids[time]; input {raw}: mask[time];`"
        ),
        _ => "declare it as an input with the same length: `input x: [time, 8]; input m: mask[time];`".to_owned(),
    };
    d.help(help + instead)
}

/// The number of steps, for a message.
fn steps(time: &Time) -> String {
    match time {
        Time::Steps(n) => n.to_string(),
        _ => "no".to_owned(),
    }
}
