//! `AlphaDropout` (Klambauer et al. 2017): in training, a fraction of the values becomes what `selu` gives
//! far below zero. All are then scaled and shifted, so that a mean of 0 and a variance of 1 stay.

use std::rc::Rc;

use rnn_tables::Perturbation;

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef};
use crate::ops::Perturb;

/// The limit of `selu` far below zero.
const SATURATION: f64 = -1.758_099_340_847_376_6;

pub(super) const ALPHA_DROPOUT: LayerDef = LayerDef {
    class: "AlphaDropout",
    stem: "alpha_dropout",
    arguments: &[
        Argument::required("rate", Kind::Rate),
        Argument::not_yet("noise_shape"),
        Argument::optional("seed", Kind::Whole),
    ],
    build: |given, context, found| match context.floats(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::Op(Rc::new(saturated(
                given.number("rate", 0.0),
                given.whole("seed"),
            ))),
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};

/// `scale` and `offset` are `a` and `b` of `keras/src/layers/regularization/alpha_dropout.py`. They also apply
/// to dropped values.
fn saturated(rate: f64, seed: Option<u64>) -> Perturb {
    let scale = 1.0 / ((1.0 - rate) * (1.0 + rate * SATURATION * SATURATION)).sqrt();
    let offset = -scale * SATURATION * rate;
    Perturb {
        how: Perturbation::Bernoulli {
            rate: rate as f32,
            scale: scale as f32,
            offset: offset as f32,
            dropped: (scale * SATURATION + offset) as f32,
        },
        every_step: true,
        seed,
        what: format!("rate {rate}"),
    }
}
