//! `Average`: the mean of values of one shape, element by element.

use crate::layer::{self, LayerDef, Reads};

pub(super) const AVERAGE: LayerDef = LayerDef {
    class: "Average",
    stem: "average",
    reads: Reads::Several,
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, false, found, |x| {
            let all: Vec<&str> = x.iter().map(|x| x.value.as_str()).collect();
            format!("output ({}) * {};", all.join(" + "), 1.0 / all.len() as f64)
        })
    },
    ..LayerDef::ORDINARY
};
