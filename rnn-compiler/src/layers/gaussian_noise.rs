//! `GaussianNoise`: in training, normal noise is added.

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};

pub(super) const GAUSSIAN_NOISE: LayerDef = LayerDef {
    class: "GaussianNoise",
    stem: "gaussian_noise",
    arguments: &[
        Argument::required("stddev", Kind::Positive),
        Argument::optional("seed", Kind::Whole),
    ],
    build: |given, context, found| match context.floats(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::GaussianNoise {
                stddev: given.number("stddev", 0.0),
                seed: given.whole("seed"),
            },
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};
