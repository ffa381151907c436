//! `Reshape`: the same numbers of a row, cut into other axes.

use std::rc::Rc;

use crate::layer::{Argument, Built, DropsTime, Kind, LayerDef};
use crate::ops;
use crate::{
    cell::size::Size,
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
};

pub(super) const RESHAPE: LayerDef = LayerDef {
    class: "Reshape",
    stem: "reshape",
    arguments: &[Argument::required("target_shape", Kind::Sizes).like("7, 4")],
    drops_time: Some(DropsTime::JOINED),
    build: |given, context, found| {
        let Some(shape) = context.floats(given, found) else {
            return Built::failed(None);
        };
        if !given.complete {
            return Built::failed(None);
        }
        let total = match &shape.time {
            Time::None => shape.width(),
            Time::Steps(t) => t * &shape.width(),
            Time::Any(_) => {
                found.push(
                    Diagnostic::new(
                        "RNN0162",
                        given.span,
                        format!(
                            "{} needs a known number of steps, found {shape}",
                            given.text
                        ),
                    )
                    .help("give the input a length: Input(28, …)"),
                );
                return Built::failed(None);
            }
        };
        let target = given.sizes("target_shape");
        let product = target.iter().fold(Size::known(1), |n, s| &n * s);
        if product != total {
            found.push(
                Diagnostic::new(
                    "RNN0162",
                    given.span,
                    format!(
                        "{} has {product} numbers, found {shape} with {total}",
                        given.text
                    ),
                )
                .help(match target.as_slice() {
                    [first, ..] => match (first.value(), total.value()) {
                        (Some(a), Some(t)) if t % a == 0 => {
                            format!("write Reshape({a}, {})", t / a)
                        }
                        _ => format!("write Reshape({total})"),
                    },
                    [] => format!("write Reshape({total})"),
                }),
            );
            return Built::failed(None);
        }
        // Two axes are steps of features; of more axes, the first are steps.
        let after = match target.as_slice() {
            [features] => Shape::vector(Time::None, features.clone()),
            [steps, axes @ ..] => Shape {
                time: Time::Steps(steps.clone()),
                axes: axes.to_vec(),
                ..shape.clone()
            },
            [] => return Built::failed(None),
        };
        Built::new(LayerKind::Op(Rc::new(ops::Reshape)), after).without_mask()
    },
    ..LayerDef::ORDINARY
};
