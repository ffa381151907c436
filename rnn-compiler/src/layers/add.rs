//! `Add`: the sum of values of one shape.

use crate::layer::{self, LayerDef};

pub(super) const ADD: LayerDef = LayerDef {
    class: "Add",
    stem: "add",
    arguments: &[],
    cell: None,
    many: true,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, found, |x| x.join(" + "))
    },
};
