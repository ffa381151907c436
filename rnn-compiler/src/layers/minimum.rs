//! `Minimum`: the smallest of values of one shape, element by element.

use crate::layer::{self, LayerDef, Reads};

pub(super) const MINIMUM: LayerDef = LayerDef {
    class: "Minimum",
    stem: "minimum",
    reads: Reads::Several,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, true, found, |x| {
            layer::fold_valid(x, "min")
        })
    },
    ..LayerDef::ORDINARY
};
