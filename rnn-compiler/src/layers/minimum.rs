//! `Minimum`: the smallest of values of one shape, element by element.

use crate::layer::{self, LayerDef};

pub(super) const MINIMUM: LayerDef = LayerDef {
    class: "Minimum",
    stem: "minimum",
    arguments: &[],
    cell: None,
    many: true,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, found, |x| {
            let first = x[0].clone();
            x[1..].iter().fold(first, |a, b| format!("min({a}, {b})"))
        })
    },
};
