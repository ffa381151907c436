//! `GaussianDropout` (Srivastava et al. 2014): in training, values are multiplied by normal noise around 1.

use std::rc::Rc;

use rnn_tables::Perturbation;

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};
use crate::ops::Perturb;

pub(super) const GAUSSIAN_DROPOUT: LayerDef = LayerDef {
    class: "GaussianDropout",
    stem: "gaussian_dropout",
    arguments: &[
        Argument::required("rate", Kind::Rate),
        Argument::optional("seed", Kind::Whole),
    ],
    build: |given, context, found| match context.floats(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::Op(Rc::new(multiplied(
                given.number("rate", 0.0),
                given.whole("seed"),
            ))),
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};

/// Factors with the mean and the variance of the factors of `Dropout`.
fn multiplied(rate: f64, seed: Option<u64>) -> Perturb {
    Perturb {
        how: Perturbation::Multiplicative {
            stddev: (rate / (1.0 - rate)).sqrt() as f32,
        },
        every_step: true,
        seed,
        what: format!("rate {rate}"),
    }
}
