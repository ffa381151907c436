//! `Masking`: a step is real if any of its features is not the mask's value.

use crate::ir::{LayerKind, Shape};
use crate::layer::{self, Argument, Kind, LayerDef, OutMask};

/// As in Keras, steps that are not real become zeros, whatever the value.
const CELL: &str = "
cell MaskingCell(mask_value = 0.0) {
    let real = max_of(select(x != mask_value, 1, 0));
    output x * real, real;
}";

pub(super) const MASKING: LayerDef = LayerDef {
    class: "Masking",
    stem: "masking",
    arguments: &[Argument::optional("mask_value", Kind::Number)],
    cell: None,
    many: false,
    build: |given, context, found| {
        if context.sequence(given, found).is_none() {
            return layer::Built::failed(context.input().cloned());
        }
        let mut built = layer::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::Pointwise { cell }
        });
        if let [value, mask] = built.shapes.as_mut_slice() {
            *mask = Shape::mask(value.time.clone());
            built.mask = OutMask::Made(1);
        }
        built
    },
};
