//! `Maximum`: the largest of values of one shape, element by element.

use crate::layer::{self, LayerDef, Reads};

pub(super) const MAXIMUM: LayerDef = LayerDef {
    class: "Maximum",
    stem: "maximum",
    reads: Reads::Several,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, true, found, |x| {
            layer::fold_valid(x, "max")
        })
    },
    ..LayerDef::ORDINARY
};
