//! `RepeatVector`: a vector as a sequence that is the same at all steps.

use std::rc::Rc;

use crate::layer::{Argument, Before, Built, Kind, LayerDef};
use crate::ops;
use crate::{
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
};

pub(super) const REPEAT_VECTOR: LayerDef = LayerDef {
    class: "RepeatVector",
    stem: "repeat_vector",
    arguments: &[Argument::required("n", Kind::Size)],
    build: |given, context, found| {
        let (Some(shape), Some(n)) = (context.floats(given, found), given.size("n")) else {
            return Built::failed(None);
        };
        let after = Shape {
            time: Time::Steps(n.clone()),
            ..shape.clone()
        };
        if shape.is_sequence() {
            found.push(
                Diagnostic::new(
                    "RNN0160",
                    given.span,
                    format!("{} needs one vector [batch, features], found {shape}", given.text),
                )
                .help(match context.before().last().and_then(Before::without_sequences) {
                    Some(layer) => format!("write `{layer}`, which gives its last output only"),
                    None => "take the last output of a recurrent layer: `LSTM(64)`, without `return_sequences`".to_owned(),
                }),
            );
            return Built::failed(Some(shape.clone()));
        }
        if given.complete {
            Built::new(LayerKind::Op(Rc::new(ops::Repeat)), after).without_mask()
        } else {
            Built::failed(Some(after))
        }
    },
    ..LayerDef::ORDINARY
};
