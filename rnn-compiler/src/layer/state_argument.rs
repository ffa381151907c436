//! `initial_state = state`: the states before the first step.

use super::{
    arguments::LayerArguments,
    context::{Before, Context},
};
use crate::{
    cell::size::{Size, by_name},
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{Content, Port, Shape},
    syntax::{BodyAst, LayerAst},
};

/// The values of `initial_state`, checked against the states.
pub(super) fn initial_states(
    given: &LayerArguments<'_>,
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
    // A value after a mistake may stand for any number of states.
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
        let fits = shape.content == Content::Numbers && shape.known_axes().as_ref() == Some(axes);
        if !fits {
            let what = match shape.content {
                Content::Numbers => "",
                Content::Ids => "class ids ",
                Content::Mask => "a mask ",
            };
            let origin = value.before.last();
            let text = origin.map_or("", |b| b.text.as_str());
            // A name that stands for several values cannot start a chain for one of them.
            let alone = values.iter().filter(|(_, n)| n == name).count() == 1;
            found.push(
                Diagnostic::new(
                    "RNN0154",
                    span,
                    format!(
                        "state `{state}` of {} is {}, found {what}{shape}",
                        given.text,
                        list(&mut std::iter::once(axes))
                    ),
                )
                .note(format!("`{name}` comes from {text}"))
                .help(bring(name, origin, shape, axes, alone)),
            );
            return Err(Reported);
        }
        ports.push(port);
    }
    Ok(ports)
}

/// The layers that turn a value of another shape into a state with these axes.
fn bring(name: &str, origin: Option<&Before>, shape: &Shape, axes: &[Size], alone: bool) -> String {
    let to = |axes: &[Size]| {
        let all: Vec<String> = axes.iter().map(ToString::to_string).collect();
        all.join(", ")
    };
    let input = || {
        format!(
            "take it from an input of its own: `input state: [{}];`",
            to(axes)
        )
    };
    if shape.content != Content::Numbers {
        return input();
    }
    let steps = origin.is_some_and(Before::keeps_sequences);
    let known = match shape.known_axes() {
        Some(known) if !(steps && axes.len() == 1) => known,
        None if origin.and_then(Before::input_name).is_some() => return input(),
        _ => {
            return "a state has no time axis: leave out `return_sequences` of what gives it, or take the states of a layer with `return_state`".to_owned();
        }
    };
    if let Some(names) = by_name(&known, axes) {
        return names;
    }
    let count = |axes: &[Size]| axes.iter().fold(Size::known(1), |n, s| &n * s);
    let (has, wants) = (count(&known), count(axes));
    let bare = LayerAst::bare;
    let mut layers = Vec::new();
    if has != wants {
        // A product of `const`s cannot be written as an argument.
        if axes.len() > 1 && wants.value().is_none() {
            return input();
        }
        if let ([from], [to]) = (known.as_slice(), axes) {
            return format!("make both {from}, or put `Dense({to})` between them");
        }
        layers.extend((known.len() > 1).then(|| Some(bare("Flatten"))));
        layers.push(Some(bare("Dense").with_text(&wants.to_string())));
    }
    match axes {
        [_] if has == wants => layers.push(Some(bare("Flatten"))),
        [_] => {}
        axes => layers.push(Some(bare("Reshape").with_text(&to(axes)))),
    }
    let layers = BodyAst::Chain(layers);
    match alone {
        true => format!("bring it to that shape first: `let {name} = {name} -> {layers};`"),
        false => format!("bring it to that shape first: put `{layers}` between them"),
    }
}
