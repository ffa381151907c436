//! `Subtract`: the difference of two values of one shape.

use crate::layer::{self, LayerDef};

pub(super) const SUBTRACT: LayerDef = LayerDef {
    class: "Subtract",
    stem: "subtract",
    arguments: &[],
    cell: None,
    many: true,
    build: |given, context, found| {
        layer::merge(given, context, 2, 2, found, |x| x.join(" - "))
    },
};
