//! `Dropout` (Srivastava et al. 2014): in training a fraction of the values is set to 0 and the
//! others are scaled up by `1 / (1 - rate)`.

use std::rc::Rc;

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};
use crate::ops::Perturb;

pub(super) const DROPOUT: LayerDef = LayerDef {
    class: "Dropout",
    stem: "dropout",
    arguments: &[
        Argument::required("rate", Kind::Rate),
        Argument::not_yet("noise_shape"),
        Argument::optional("seed", Kind::Whole),
    ],
    build: |given, context, found| match context.floats(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::Op(Rc::new(Perturb::dropout(
                given.number("rate", 0.0),
                true,
                given.whole("seed"),
            ))),
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};
