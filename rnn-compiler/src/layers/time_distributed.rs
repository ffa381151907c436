//! `TimeDistributed`: a layer applied to every step on its own.

use crate::layer::{
    self, Argument, Before, Built, Context, Incoming, Kind, LayerDef, Origin, Reads,
};
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, PerStep, Shape, Time},
    syntax::{ValueAst, ValueKind},
};

pub(super) const TIME_DISTRIBUTED: LayerDef = LayerDef {
    class: "TimeDistributed",
    stem: "time_distributed",
    arguments: &[Argument::required("layer", Kind::Layer).like("Dense(64)")],
    reads: Reads::Sequence,
    build: |given, context, found| {
        let (Some(shape), Some(value)) = (context.sequence(given, found), given.raw("layer"))
        else {
            return Built::failed(context.input().cloned());
        };
        // One step, as the inner layer sees it.
        let mut step: Incoming = context.inputs[0].clone();
        step.mask = None;
        step.before.push(Before {
            text: given.text.to_owned(),
            origin: Origin::Step(given.def),
            shape: Some(Shape {
                time: Time::None,
                ..shape.clone()
            }),
        });
        let inputs = [step];
        let inside = Context {
            inputs: &inputs,
            ..*context
        };
        let Some(inner) = layer::inner(given, &inside, value, found) else {
            return Built::failed(Some(shape.clone()));
        };
        if inner.activity.is_some() {
            found.push(dropped_penalty(value));
            return Built::failed(Some(shape.clone()));
        }
        let back = |s: &Shape| Shape {
            time: shape.time.clone(),
            ..s.clone()
        };
        let mut inner = inner;
        // `Reshape(2, 3)` of a step gives a step with two axes rather than steps of features.
        let in_a_step = match &inner.built.kind {
            Some(LayerKind::Op(op)) => op.per_step(),
            Some(LayerKind::Identity) => PerStep::View,
            Some(LayerKind::Pointwise { .. }) => PerStep::Same,
            _ => PerStep::Never,
        };
        if let (PerStep::View, [one]) = (in_a_step, inner.built.shapes.as_mut_slice())
            && let Time::Steps(first) = one.time.clone()
        {
            one.time = Time::None;
            one.axes.insert(0, first);
        }
        let kind = match inner.built.kind {
            None => return Built::failed(inner.built.shapes.first().map(back)),
            // The steps stay; only the shape in which the numbers of a step are seen changes.
            Some(_) if in_a_step == PerStep::View && inner.built.shapes[0].time == Time::None => {
                Some(LayerKind::Identity)
            }
            Some(kind) if in_a_step == PerStep::Same => Some(kind),
            _ => None,
        };
        let Some(kind) = kind else {
            found.push(
                Diagnostic::new(
                    "RNN0163",
                    value.span,
                    format!("TimeDistributed of {value} is not supported"),
                )
                .note("it takes layers of one vector, such as Dense, Activation, LayerNormalization, Dropout, and Flatten or Reshape of one step")
                .help(if inner.def.class == "BatchNormalization" {
                    "write BatchNormalization without TimeDistributed: it takes its statistics over all steps"
                } else {
                    "remove TimeDistributed, or write such a layer in it"
                }),
            );
            return Built::failed(inner.built.shapes.first().map(back));
        };
        Built::new(kind, back(&inner.built.shapes[0]))
    },
    ..LayerDef::ORDINARY
};

/// The message for a penalty inside: Keras calls the layer without collecting its penalties.
fn dropped_penalty(value: &ValueAst) -> Diagnostic {
    let arguments = match &value.kind {
        ValueKind::Call(_, arguments) => arguments.as_slice(),
        _ => &[],
    };
    let argument = arguments
        .iter()
        .find(|a| a.name.as_ref().is_some_and(|n| n == "activity_regularizer"));
    let (span, what, help) = match argument {
        Some(a) => (
            a.span(),
            format!("`activity_regularizer` of {value}"),
            format!(
                "write it after the layer, where it is about all steps: `TimeDistributed({}, {a})`",
                value.without(a)
            ),
        ),
        // The cost is the layer's own.
        None => (
            value.span,
            value.to_string(),
            format!("write {value} without TimeDistributed: it is about all steps"),
        ),
    };
    Diagnostic::new(
        "RNN0120",
        span,
        format!("{what} in TimeDistributed has no effect"),
    )
    .note("Keras does not add it to the loss, either")
    .help(help)
}
