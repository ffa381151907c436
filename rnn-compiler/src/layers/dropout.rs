//! `Dropout` (Srivastava et al. 2014): in training a fraction of the values is set to 0 and the
//! others are scaled up by `1 / (1 - rate)`.

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};

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
            LayerKind::Dropout {
                rate: given.number("rate", 0.0),
                every_step: true,
                seed: given.whole("seed"),
            },
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};
