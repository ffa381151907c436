//! `Masking`: a step is valid if any of its features is not the mask's value.

use rnn_tables::MaskRule;

use crate::ir::{LayerKind, Shape};
use crate::layer::{self, Argument, Kind, LayerDef, OutMask, Reads};

/// As in Keras, padded steps become zeros, whatever the value.
const CELL: &str = "
cell MaskingCell(mask_value = 0.0) {
    let valid = max_of(select(x != mask_value, 1, 0));
    output x * valid, valid;
}";

pub(super) const MASKING: LayerDef = LayerDef {
    class: "Masking",
    stem: "masking",
    arguments: &[Argument::optional("mask_value", Kind::Number)],
    reads: Reads::Sequence,
    build: |given, context, found| {
        if context.sequence(given, found).is_none() {
            return layer::Built::failed(context.input().cloned());
        }
        let mut built = layer::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::Pointwise { cell }
        });
        if let [value, mask] = built.shapes.as_mut_slice() {
            *mask = Shape::mask(value.time.clone());
            built.mask = OutMask::Made {
                result: 1,
                rule: MaskRule::DiffersFrom(given.number("mask_value", 0.0) as f32),
            };
        }
        built
    },
    ..LayerDef::ORDINARY
};
