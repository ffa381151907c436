//! `Multiply`: the product of values of one shape, element by element.

use crate::layer::{self, LayerDef};

pub(super) const MULTIPLY: LayerDef = LayerDef {
    class: "Multiply",
    stem: "multiply",
    arguments: &[],
    cell: None,
    many: true,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, found, |x| x.join(" * "))
    },
};
