//! `Permute`: steps and features change places.

use std::rc::Rc;

use crate::layer::{Argument, Built, Kind, LayerDef, Reads};
use crate::ops;
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
};

pub(super) const PERMUTE: LayerDef = LayerDef {
    class: "Permute",
    stem: "permute",
    arguments: &[Argument::required("dims", Kind::Sizes)],
    reads: Reads::KnownSteps,
    build: |given, context, found| {
        let Some(shape) = context.floats(given, found) else {
            return Built::failed(None);
        };
        let dims: Vec<Option<usize>> = given.sizes("dims").iter().map(|s| s.value()).collect();
        let d = |words: String| Diagnostic::new("RNN0161", given.span, words);
        match (dims.as_slice(), &shape.time, shape.axes.as_slice()) {
            ([Some(1), Some(2)], Time::Steps(_) | Time::Any(_), [_])
            | ([Some(1)], Time::None, [_]) => {
                Built::new(LayerKind::Identity, shape.clone()).without_mask()
            }
            ([Some(2), Some(1)], Time::Steps(steps), [features]) if given.complete => Built::new(
                LayerKind::Op(Rc::new(ops::Permute)),
                Shape::vector(Time::Steps(features.clone()), steps.clone()),
            )
            .without_mask(),
            ([Some(2), Some(1)], Time::Any(_), [_]) => {
                found.push(
                    d(format!(
                        "{} needs a known number of steps, found {shape}",
                        given.text
                    ))
                    .help("give the input a length: Input(28, …)"),
                );
                Built::failed(None)
            }
            _ if !given.complete => Built::failed(None),
            _ => {
                found.push(
                    d(format!("{} does not fit {shape}", given.text))
                        .note("axes are numbered from 1, without the batch")
                        .help("write Permute(2, 1) after a sequence of known length"),
                );
                Built::failed(None)
            }
        }
    },
    ..LayerDef::ORDINARY
};
