//! `Activation`: a function of every value, or of every row (`softmax`).

use crate::ir::LayerKind;
use crate::layer::{self, Argument, Kind, LayerDef};

const CELL: &str = "cell ActivationCell(activation = linear) { output activation(x); }";

pub(super) const ACTIVATION: LayerDef = LayerDef {
    class: "Activation",
    stem: "activation",
    arguments: &[Argument::required("activation", Kind::Activation)],
    build: |given, context, found| {
        layer::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::Pointwise { cell }
        })
    },
    ..LayerDef::ORDINARY
};
