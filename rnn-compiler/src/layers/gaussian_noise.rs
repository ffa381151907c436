//! `GaussianNoise`: in training, normal noise is added.

use std::rc::Rc;

use rnn_tables::Perturbation;

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};
use crate::ops::Perturb;

pub(super) const GAUSSIAN_NOISE: LayerDef = LayerDef {
    class: "GaussianNoise",
    stem: "gaussian_noise",
    arguments: &[
        Argument::required("stddev", Kind::Positive),
        Argument::optional("seed", Kind::Whole),
    ],
    build: |given, context, found| match context.floats(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::Op(Rc::new(added(
                given.number("stddev", 0.0),
                given.whole("seed"),
            ))),
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};

fn added(stddev: f64, seed: Option<u64>) -> Perturb {
    Perturb {
        how: Perturbation::Additive {
            stddev: stddev as f32,
        },
        every_step: true,
        seed,
        what: format!("noise of {stddev}"),
    }
}
