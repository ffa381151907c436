//! `Activation`: a function of every value, or of every row (`softmax`).

use super::{
    LayerDef,
    arguments::{Argument, Kind},
    cells,
};
use crate::ir::LayerKind;

const CELL: &str = "cell ActivationCell(activation = linear) { output activation(x); }";

pub(super) const ACTIVATION: LayerDef = LayerDef {
    class: "Activation",
    stem: "activation",
    arguments: &[Argument::required("activation", Kind::Activation)],
    build: |given, context, found| {
        cells::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::Pointwise { cell }
        })
    },
};
