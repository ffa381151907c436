//! The layer in `Bidirectional(…)` and `TimeDistributed(…)`.

use super::{
    LayerDef,
    arguments::{Argument, Kind, LayerArguments, OF_CALL},
    bind::bind,
    context::{Built, Context},
};
use crate::{
    diagnostics::{Diagnostic, Diagnostics, did_you_mean},
    ir::{LayerKind, Regularizer},
    syntax::{self, Class, LayerAst, ValueAst, ValueKind},
};

/// A layer inside another.
pub(crate) struct Inner {
    /// Its definition.
    pub def: &'static LayerDef,
    /// What it answers.
    pub built: Built,
    /// What the size of its output costs.
    pub activity: Option<Regularizer>,
}

/// Builds the layer that `value` names; mistakes are reported. The arguments `with` are added to those
/// written.
pub(crate) fn inner(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    value: &ValueAst,
    found: &mut Diagnostics,
) -> Option<Inner> {
    let Some(written) = value.as_layer() else {
        found.push(needs_layer(given, value));
        return None;
    };
    let name = written.name.to_string();
    let classes: Vec<Class> = context.layers.iter().map(|l| l.as_class()).collect();
    let elsewhere = match context.layer(&name) {
        Some(_) => syntax::sized(&written, &classes),
        None => syntax::layer_here(&written, &classes),
    };
    if let Some(here) = elsewhere {
        // What is proposed has to be possible here; if it is not, the next message is told at once.
        let own = here.code.as_deref().and_then(LayerAst::of_text);
        let mut next = Diagnostics::new();
        if let Some(own) = own {
            inner(given, context, &own.as_value(), &mut next);
        }
        let d = super::foreign(value.span, here);
        found.push(match next.take().into_iter().next() {
            Some(Diagnostic {
                message,
                help: Some(help),
                ..
            }) => d.note(message).help(help),
            _ => d,
        });
        return None;
    }
    let Some(def) = context.layer(&name) else {
        let d = needs_layer(given, value);
        let known = || context.layers.iter().map(|l| l.class);
        let is_cell = context.layers.iter().any(|l| l.is_cell(&name));
        found.push(match did_you_mean(&name, known()) {
            _ if is_cell => Diagnostic::new(
                "RNN0137",
                value.span,
                format!("{name} is a cell, {} needs a layer", given.class),
            )
            .help(format!("write {}(RNN({value}))", given.class)),
            Some(meant) => {
                Diagnostic::new("RNN0137", value.span, format!("there is no layer `{name}`"))
                    .help(format!("did you mean `{meant}`?"))
            }
            None => d,
        });
        return None;
    };
    let text = value.to_string();
    let own = bind(def, &written, &text, found);
    let built = (def.build)(&own, context, found);
    let mut complete = own.complete;
    // Arguments of a call belong to the outer layer, which is the one that is called.
    for argument in OF_CALL {
        if let Some(raw) = own.raw(argument) {
            complete = false;
            found.push(
                Diagnostic::new(
                    "RNN0120",
                    raw.span,
                    format!(
                        "`{argument}` belongs to {}, not to the layer in it",
                        given.class
                    ),
                )
                .help(match given.def.takes(argument) {
                    true => format!(
                        "write it after the layer: `{}(LSTM(64), {argument} = {raw})`",
                        given.class
                    ),
                    false => format!("leave it out: {} has none", given.class),
                }),
            );
        }
    }
    if let Some((name, span)) = &own.name {
        complete = false;
        found.push(
            Diagnostic::new(
                "RNN0112",
                *span,
                format!(
                    "{name:?} names the layer in {}, whose weights stand under the outer name",
                    given.class
                ),
            )
            .help(format!(
                "write it after the layer: `{}({}(…), name = {name:?})`",
                given.class, def.class
            )),
        );
    }
    let mut built = built;
    if given.flag("trainable") == Some(false)
        && let Some(kind) = &mut built.kind
    {
        freeze(kind);
    }
    Some(Inner {
        def,
        activity: own.activity().or(built.activity),
        built: if complete {
            built
        } else {
            Built {
                kind: None,
                ..built
            }
        },
    })
}

/// Applies `trainable = false` of the layer around it.
fn freeze(kind: &mut LayerKind) {
    match kind {
        LayerKind::Rnn(rnn) => rnn.cells.iter_mut().for_each(|c| c.options.frozen = true),
        LayerKind::Pointwise { cell } | LayerKind::BatchNormalization { cell, .. } => {
            cell.options.frozen = true;
        }
        _ => {}
    }
}

fn needs_layer(given: &LayerArguments<'_>, value: &ValueAst) -> Diagnostic {
    let mut arguments = given.def.arguments.iter();
    let layer = arguments.find(|a| a.kind == Kind::Layer);
    let example = layer.map_or("LSTM(64)", Argument::example);
    // A number was meant as the size of the layer.
    let example = match value.kind {
        ValueKind::Whole(n) => example.replace("64", &n.to_string()),
        _ => example.to_owned(),
    };
    Diagnostic::new(
        "RNN0137",
        value.span,
        format!("{} needs a layer, found `{value}`", given.class),
    )
    .help(format!(
        "write {}",
        LayerAst::bare(given.class).with_text(&example)
    ))
}
