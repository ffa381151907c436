//! `initial_state = state`: the states before the first step.

use super::{arguments::Given, context::Context};
use crate::{
    cell::size::{Size, by_name},
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{Content, Port, Time},
};

/// The values of `initial_state`, checked against the states.
pub(super) fn initial_states(
    given: &Given<'_>,
    context: &Context<'_>,
    states: &[(String, Vec<Size>)],
    stateful: bool,
    found: &mut Diagnostics,
) -> Result<Vec<Port>, Reported> {
    let Some(raw) = given.raw("initial_state") else {
        return Ok(vec![]);
    };
    let span = raw.span;
    let values = context
        .named(given, "initial_state", found)
        .ok_or(Reported)?;
    // What came of a mistake may stand for any number of states.
    if values
        .iter()
        .any(|(v, _)| v.port.is_none() && v.shape().is_none())
    {
        return Err(Reported);
    }
    let list = |shapes: &mut dyn Iterator<Item = &Vec<Size>>| -> String {
        let all: Vec<String> = shapes
            .map(|axes| {
                axes.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .map(|axes| format!("[batch, {axes}]"))
            .collect();
        all.join(" and ")
    };
    let wants = || list(&mut states.iter().map(|(_, s)| s));
    if values.len() != states.len() {
        let names: Vec<&str> = states.iter().map(|(n, _)| n.as_str()).collect();
        found.push(
            Diagnostic::new(
                "RNN0152",
                span,
                format!(
                    "{} has {} state{} ({}), found {} in `initial_state`",
                    given.text,
                    states.len(),
                    if states.len() == 1 { "" } else { "s" },
                    names.join(", "),
                    values.len()
                ),
            )
            .note(format!("they are {}", wants()))
            .help(if states.len() > 1 {
                format!("give all of them: `initial_state = [{}]`, or what a layer with `return_state` gives as a whole: `let (_, state) = …`", names.join(", "))
            } else {
                format!("give one: `initial_state = {}`", names.join(", "))
            }),
        );
        return Err(Reported);
    }
    if stateful {
        found.push(
            Diagnostic::new(
                "RNN0153",
                span,
                format!("{} is stateful and has an `initial_state`", given.text),
            )
            .note("a stateful layer starts where the call before ended")
            .help(
                "remove one of the two; `model.set_states(…)` sets the states of a stateful layer",
            ),
        );
        return Err(Reported);
    }
    let mut ports = Vec::new();
    for ((value, name), (state, axes)) in values.iter().zip(states) {
        let (Some(shape), Some(port)) = (value.shape(), value.port) else {
            return Err(Reported);
        };
        if shape.content != Content::Numbers || shape.time != Time::None || shape.axes != *axes {
            let consts = (shape.time == Time::None)
                .then(|| by_name(&shape.axes, axes))
                .flatten();
            let origin = value
                .before
                .last()
                .map(|b| b.text.clone())
                .unwrap_or_default();
            found.push(
                Diagnostic::new(
                    "RNN0154",
                    span,
                    format!(
                        "state `{state}` of {} is {}, found {shape}",
                        given.text,
                        list(&mut std::iter::once(axes))
                    ),
                )
                .note(format!("`{name}` comes from {origin}"))
                .help(match (shape.axes.as_slice(), axes.as_slice()) {
                    _ if consts.is_some() => consts.unwrap_or_default(),
                    ([from], [to]) if shape.time == Time::None => format!(
                        "make both {from}, or put `Dense({to})` between them"
                    ),
                    _ if shape.content != Content::Numbers => {
                        "a state is of numbers: put a layer between them".to_owned()
                    }
                    _ if shape.time != Time::None => {
                        "a state has no time axis: leave out `return_sequences` of what gives it, or take the states of a layer with `return_state`".to_owned()
                    }
                    _ => format!(
                        "bring it to that shape: `Reshape({})`",
                        axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                    ),
                }),
            );
            return Err(Reported);
        }
        ports.push(port);
    }
    Ok(ports)
}
