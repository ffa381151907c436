//! `Flatten`: all steps of a sequence side by side in one vector.

use std::rc::Rc;

use crate::layer::{self, Argument, Built, DropsTime, LayerDef, Reads};
use crate::ops;
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
};

pub(super) const FLATTEN: LayerDef = LayerDef {
    class: "Flatten",
    stem: "flatten",
    arguments: &[Argument::instead(
        "data_format",
        "leave it out: channels are last",
    )],
    reads: Reads::KnownSteps,
    drops_time: Some(DropsTime::JOINED),
    build: |given, context, found| {
        let Some(shape) = context.floats(given, found) else {
            return Built::failed(None);
        };
        let width = shape.width();
        let features = match &shape.time {
            Time::None => width,
            Time::Steps(steps) if layer::fits(&[steps.clone(), width.clone()]) => steps * &width,
            Time::Steps(_) => {
                found.push(
                    Diagnostic::new(
                        "RNN0110",
                        given.span,
                        format!("Flatten of {shape} has more values than can be addressed"),
                    )
                    .help("put a layer before it that makes the sequence shorter"),
                );
                return Built::failed(None);
            }
            Time::Any(_) => {
                found.push(
                    Diagnostic::new("RNN0108", given.span, format!("Flatten needs a known number of steps, found {shape}"))
                        .note("the number of its outputs is steps times features")
                        .help("give the input a length: Input(28, …); or take the last output of a recurrent layer instead"),
                );
                return Built::failed(None);
            }
        };
        let shape = Shape::vector(Time::None, features);
        if given.complete {
            Built::new(LayerKind::Op(Rc::new(ops::Reshape)), shape).without_mask()
        } else {
            Built::failed(Some(shape))
        }
    },
    ..LayerDef::ORDINARY
};
