//! `Average`: the mean of values of one shape, element by element.

use crate::layer::{self, LayerDef};

pub(super) const AVERAGE: LayerDef = LayerDef {
    class: "Average",
    stem: "average",
    arguments: &[],
    cell: None,
    many: true,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, found, |x| {
            format!("({}) * {}", x.join(" + "), 1.0 / x.len() as f64)
        })
    },
};
