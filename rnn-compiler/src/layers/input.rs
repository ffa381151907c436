//! `Input(time, features)`, `Input(features)`; before an `Embedding`, `Input(length)`.

use crate::layer::{Argument, Built, Kind, LayerDef, Reads};
use crate::{
    cell::Value,
    diagnostics::Diagnostic,
    ir::{LayerKind, OpenAxis, Shape, Time},
};

const SHAPE: &str = "write the shape without the batch: `Input(28, 28)` for 28 steps of 28 features, `Input(_, 28)` for any number of steps";

/// An input of the model.
pub const INPUT: LayerDef = LayerDef {
    class: "Input",
    stem: "input_layer",
    arguments: &[
        Argument::required("time", Kind::Length),
        Argument::optional("features", Kind::Size),
        Argument::instead("shape", SHAPE),
        Argument::instead("batch_size", "leave it out: every batch size works"),
        Argument::instead("batch_shape", SHAPE),
        Argument::not_yet("sparse"),
        Argument::not_yet("ragged"),
        Argument::not_yet("tensor"),
        Argument::not_yet("input_tensor"),
        Argument::not_yet("optional"),
    ],
    reads: Reads::Nothing,
    summary: Some("InputLayer"),
    build: |given, context, found| {
        if !context.inputs.is_empty() {
            found.push(
                Diagnostic::new(
                    "RNN0103",
                    given.span,
                    format!("{} stands after another layer", given.text),
                )
                .help("an `Input` stands first; remove this one"),
            );
            return Built::failed(context.input().cloned());
        }
        // Every layer has these arguments, but an input has neither weights nor a penalty.
        let without_effect = match given.get("trainable") {
            Some((_, span)) => Some(("trainable", span)),
            None => given
                .activity()
                .map(|_| ("activity_regularizer", given.span)),
        };
        if let Some((argument, span)) = without_effect {
            let words = format!("`{argument}` of {} has no effect", given.text);
            let d = Diagnostic::new("RNN0120", span, words);
            found.push(
                d.note("an input has no weights, and no training changes its numbers")
                    .help(format!("leave `{argument}` out")),
            );
            return Built::failed(None);
        }
        let length = match given.get("time") {
            Some((Value::Size(n), _)) => Time::Steps(n.clone()),
            Some(_) => Time::Any(OpenAxis { id: 0, name: None }),
            None => return Built::failed(None),
        };
        let shape = match (length, given.size("features")) {
            (time, Some(features)) => Shape::vector(time, features.clone()),
            (time, None) if context.next.is_some_and(|l| l.reads == Reads::Ids) => Shape::ids(time),
            (Time::Steps(n), None) => Shape::vector(Time::None, n),
            (time, None) => Shape::ids(time),
        };
        if given.complete {
            Built::new(LayerKind::Input, shape).without_mask()
        } else {
            // With a mistake in its arguments every guess would mislead.
            Built::failed(None)
        }
    },
    ..LayerDef::ORDINARY
};
